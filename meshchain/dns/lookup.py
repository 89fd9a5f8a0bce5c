"""What answers a question (RFC 1034 §4.3.2): walk down from the apex, one label at a time.

On the way stand, in this order: a cut (NS below the apex: a referral, whatever lies deeper), a DNAME (RFC 6672), a
missing node (the wildcard of its parent, if there is one, else the name does not exist). At the end stand data, a
CNAME, which is followed inside of the zones of this server, or nothing (NODATA). Each outcome brings its proof: sets
that are to be signed, and the denials (``meshchain.dns.denial``) where something is absent.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from meshchain.dns import denial
from meshchain.dns.names import MAX_NAME, BadNameError, Name, decode, encode, is_served, size
from meshchain.dns.records import EMPTY, GLUE, Sets
from meshchain.dns.trees import Tree
from meshchain.dns.types import ANY, CNAME, DNAME, DS, NS, NSEC, RRSIG, SOA, Rcode, RRset

MOST_STEPS: Final = 8
"""CNAMEs and DNAMEs that are followed for one question."""
_MOST_GLUE: Final = 16
_WILD: Final = b"*"


@dataclass(frozen=True, slots=True)
class Part:
    """A set for a section. ``source``: the owner it is signed as, a wildcard's where it was made from one; None:
    not signed (delegations, glue, CNAMEs made from a DNAME)."""

    rrset: RRset
    source: Name | None
    zone: Name


@dataclass(slots=True)
class Answer:
    rcode: Rcode = Rcode.NOERROR
    authoritative: bool = True
    answer: list[Part] = field(default_factory=list)
    authority: list[Part] = field(default_factory=list)
    additional: list[Part] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Zone:
    tree: Tree
    apex: Sets
    """What stands at the apex: SOA, NS, DNSKEY."""

    @property
    def name(self) -> Name:
        return self.tree.apex

    def node(self, name: Name) -> Sets | None:
        return self.apex if len(name) == len(self.tree.apex) else self.tree.node(name)

    def soa(self) -> Part:
        ttl, rdatas = self.apex[SOA]
        return Part(RRset(self.name, SOA, ttl, rdatas), self.name, self.name)


ZoneOf: TypeAlias = Callable[[Name], Zone | None]
"""The zone of this server that a name is in."""


def zone_for(zones: Sequence[Zone], name: Name) -> Zone | None:
    return next((zone for zone in zones if name[-len(zone.name) :] == zone.name), None)


def lookup(zone_of: ZoneOf, name: Name, kind: int, *, prove: bool) -> Answer | None:
    """None where the name lies in no zone of this server. ``prove``: with what proves absences."""
    answer, seen = Answer(), set[Name]()
    zone = zone_of(name)
    if zone is None:
        return None
    target: Name | None = name
    while zone is not None and target is not None and target not in seen and len(seen) <= MOST_STEPS:
        seen.add(target)
        target = _Walk(zone, zone_of, target, kind, answer, prove=prove).run()
        zone = None if target is None else zone_of(target)
    return answer


@dataclass(slots=True, kw_only=False)
class _Walk:
    zone: Zone
    zone_of: ZoneOf
    name: Name
    kind: int
    answer: Answer
    prove: bool = field(kw_only=True)

    def run(self) -> Name | None:
        """Fill the answer; where to go on."""
        depth = len(self.zone.name)
        sets: Sets | None = None
        for length in range(depth, len(self.name) + 1):
            at = self.name[len(self.name) - length :]
            sets = self.zone.node(at) if is_served(at) else None
            if sets is None:
                return self._absent(at)
            if NS in sets and length > depth and not (at == self.name and self.kind == DS):
                self._refer(at, sets)
                return None
            if DNAME in sets and length < len(self.name):
                return self._redirect(at, sets)
        return self._present(self.name, sets or EMPTY, None)

    def _present(self, owner: Name, sets: Sets, closer: Name | None) -> Name | None:
        """``closer``: the name whose absence made the wildcard ``owner`` stand in."""
        if closer is not None and self.prove:
            self._deny(closer)
        if self.kind == NSEC and self.prove and closer is None:
            nsec = denial.at(self.zone.name, owner, sets, self.zone.tree.negative_ttl)
            self.answer.answer.append(Part(nsec, owner, self.zone.name))
            return None
        if self.kind in (ANY, RRSIG):
            kinds = sorted(sets)[:1]  # RFC 8482: one set is enough
        else:
            kinds = [kind for kind in (self.kind, CNAME) if kind in sets][:1]
        for kind in kinds:
            self._put(owner, kind, sets)
        if not kinds:
            self._nothing(owner, sets)
        aliased = kinds == [CNAME] and self.kind not in (CNAME, ANY, RRSIG)
        return _target(sets[CNAME][1][0]) if aliased else None

    def _put(self, owner: Name, kind: int, sets: Sets) -> None:
        ttl, rdatas = sets[kind]
        self.answer.answer.append(Part(RRset(self.name, kind, ttl, rdatas), owner, self.zone.name))

    def _nothing(self, owner: Name, sets: Sets) -> None:
        self.answer.authority.append(self.zone.soa())
        if self.prove:  # at a cut it is DS that was asked for: only the parent's types are told
            kinds = sets if owner == self.zone.name else denial.at_cut(sets)
            self._add(denial.at(self.zone.name, owner, kinds, self.zone.tree.negative_ttl))

    def _absent(self, at: Name) -> Name | None:
        parent = at[1:]
        wild = (_WILD, *parent)
        sets = self.zone.node(wild) if size(wild) <= MAX_NAME else None
        if sets is not None and wild != at:
            return self._present(wild, sets, at)
        self.answer.rcode = Rcode.NXDOMAIN
        self.answer.authority.append(self.zone.soa())
        if self.prove:
            self._deny(at)
            if size(wild) <= MAX_NAME:
                self._deny(wild)
        return None

    def _deny(self, name: Name) -> None:
        """Prove that there is no ``name`` and nothing below it."""
        self._add(denial.around(self.zone.name, name, self.zone.node, self.zone.tree.negative_ttl))

    def _add(self, nsec: RRset) -> None:
        part = Part(nsec, nsec.owner, self.zone.name)
        if part not in self.answer.authority:
            self.answer.authority.append(part)

    def _refer(self, cut: Name, sets: Sets) -> None:
        """To the servers of a delegated part; AA stays where an alias of ours led there (RFC 1034 §4.3.1)."""
        self.answer.authoritative = bool(self.answer.answer)
        ttl, rdatas = sets[NS]
        self.answer.authority.append(Part(RRset(cut, NS, ttl, rdatas), None, self.zone.name))
        if DS in sets:
            ttl, digests = sets[DS]
            self.answer.authority.append(Part(RRset(cut, DS, ttl, digests), cut, self.zone.name))
        elif self.prove:
            self._add(denial.at(self.zone.name, cut, denial.at_cut(sets), self.zone.tree.negative_ttl))
        self.answer.additional.extend(self._glue(rdatas))

    def _glue(self, servers: Sequence[bytes]) -> list[Part]:
        """Addresses of name servers that the ledger knows, also below cuts."""
        found: list[Part] = []
        for server in filter(None, map(_target, servers[:_MOST_GLUE])):
            zone = self.zone_of(server)
            sets = None if zone is None else zone.node(server)
            if zone is not None and sets:
                kinds = [kind for kind in GLUE if kind in sets]
                found += [Part(RRset(server, kind, *sets[kind]), None, zone.name) for kind in kinds]
        return found

    def _redirect(self, at: Name, sets: Sets) -> Name | None:
        """DNAME: the set, and a CNAME made from it (RFC 6672 §3)."""
        ttl, rdatas = sets[DNAME]
        self.answer.answer.append(Part(RRset(at, DNAME, ttl, rdatas), at, self.zone.name))
        target = (*self.name[: len(self.name) - len(at)], *(_target(rdatas[0]) or ()))
        if size(target) > MAX_NAME:
            self.answer.rcode = Rcode.YXDOMAIN
            return None
        self.answer.answer.append(Part(RRset(self.name, CNAME, ttl, (encode(target),)), None, self.zone.name))
        return None if self.kind == CNAME else target


def _target(rdata: bytes) -> Name | None:
    """The name that the rdata of CNAME, DNAME or NS is."""
    try:
        return decode(rdata, 0)[0]
    except BadNameError:
        return None
