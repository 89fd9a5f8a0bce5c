"""Whole zones (RFC 5936) as streams of messages, signed, with the true NSEC chain; read from one tip to its end.

What the online answers deny with records made for the question, a transferred zone denies with the chain of what there
is. Names go in canonical order: the ledger's order of names, and under each its own. Below a cut only the addresses of
its servers are given, unsigned; empty non-terminals and names without records have no NSEC (RFC 4035 §2.3).

IXFR (RFC 1995): a client that has the present serial is told so in one record; any other gets the whole zone, as
§4 allows, since differences of signed zones are as long as what neighbours a change touches on the chain.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from meshchain.dns import denial
from meshchain.dns.lookup import Zone
from meshchain.dns.message import Reply, Writer
from meshchain.dns.names import Name, decode, order
from meshchain.dns.query import RD, Query
from meshchain.dns.records import AT_A_CUT, GLUE, NameZone, Sets
from meshchain.dns.signing import Signer
from meshchain.dns.trees import MESH, MeshTree
from meshchain.dns.types import DNAME, IXFR, NS, SOA, Rcode, RRset

MESSAGE: Final = 16384
"""Bytes after which a message is sent: all owners can still be compressed."""


@dataclass(frozen=True, slots=True)
class _Place:
    """A name of the zone. ``proven``: it is on the chain; if not, it is glue."""

    owner: Name
    sets: Sets
    proven: bool


def is_transferable(zone: Zone) -> bool:
    """The reverse zone is not: which of its names exist is found as they are asked for."""
    return isinstance(zone.tree, MeshTree)


def messages(query: Query, zone: Zone, signer: Signer) -> Iterator[bytes]:
    """The answers to an AXFR or IXFR, without their length; each begins with the 2 bytes after the id."""
    unchanged = query.type == IXFR and query.serial == serial_of(zone)
    records = iter([zone.soa().rrset]) if unchanged else whole(zone, signer)
    writer, count = Writer(query.question), 0
    for rrset in records:
        count += writer.put([rrset])
        if writer.length >= MESSAGE:
            yield _message(query, writer, count)
            writer, count = Writer(query.question), 0
    if count:
        yield _message(query, writer, count)


def serial_of(zone: Zone) -> int:
    return int.from_bytes(zone.apex[SOA][1][0][-20:-16], "big")


def refusal(query: Query) -> bytes:
    return Reply(flags=query.flags, question=query.question, rcode=Rcode.REFUSED, edns=None).encode(MESSAGE)


def whole(zone: Zone, signer: Signer) -> Iterator[RRset]:
    """SOA, every set with its signature, SOA."""
    soa = zone.soa().rrset
    yield soa
    previous: _Place | None = None
    for place in _places(zone):
        if not place.proven:
            yield from _unsigned(place)
            continue
        if previous is not None:
            yield from _proven(previous, place.owner, zone, signer)
        previous = place
    if previous is not None:
        yield from _proven(previous, zone.name, zone, signer)
    yield soa


def _unsigned(place: _Place) -> Iterator[RRset]:
    return (RRset(place.owner, kind, *place.sets[kind]) for kind in place.sets)


def _proven(place: _Place, following: Name, zone: Zone, signer: Signer) -> Iterator[RRset]:
    """The sets of a name on the chain. The first SOA has gone before all others."""
    is_cut = NS in place.sets and place.owner != zone.name
    for kind, (ttl, rdatas) in place.sets.items():
        rrset = RRset(place.owner, kind, ttl, rdatas)
        if kind != SOA:
            yield rrset
        if not (is_cut and kind == NS):
            yield signer.rrsig(rrset, place.owner, zone.name)
    nsec = denial.nsec(place.owner, following, place.sets, zone.tree.negative_ttl)
    yield nsec
    yield signer.rrsig(nsec, place.owner, zone.name)


def _places(zone: Zone) -> Iterator[_Place]:
    """In canonical order."""
    yield _Place(zone.name, zone.apex, proven=True)
    tree = zone.tree
    if isinstance(tree, MeshTree):
        for name, entry in tree.view.names():
            if not entry.revoked:
                yield from _places_of(name.encode(), tree.read(name, entry))


def _places_of(label: bytes, zone: NameZone) -> Iterator[_Place]:
    cuts = [at for at, sets in zone.nodes.items() if NS in sets]
    aliases = [at for at, sets in zone.nodes.items() if DNAME in sets]
    servers = _servers(zone, cuts)
    for at in sorted(zone.nodes, key=order):
        sets, owner = zone.nodes[at], (*at, label, *MESH)
        if _below(at, aliases):
            continue
        if _below(at, cuts) or at in cuts:
            if at in cuts and not _below(at, cuts):
                yield _Place(owner, {k: v for k, v in sets.items() if k in AT_A_CUT}, proven=True)
            glue = {kind: sets[kind] for kind in GLUE if kind in sets} if owner in servers else {}
            if glue:
                yield _Place(owner, glue, proven=False)
        elif sets:
            yield _Place(owner, sets, proven=True)


def _servers(zone: NameZone, cuts: Iterable[Name]) -> set[Name]:
    return {decode(rdata, 0)[0] for cut in cuts for rdata in zone.nodes[cut][NS][1]}


def _below(at: Name, tops: Iterable[Name]) -> bool:
    return any(len(top) < len(at) and at[len(at) - len(top) :] == top for top in tops)


def _message(query: Query, writer: Writer, count: int) -> bytes:
    flags = 0x8400 | (query.flags & RD)
    return b"".join(number.to_bytes(2, "big") for number in (flags, 1, count, 0, 0)) + writer.body()
