"""What differs between an older version of the zone and the present one, set by set.

Only the names that changed are read, in both versions, and their neighbours on the NSEC chain. Going backwards through
the changed names, each knows what follows it in either version: the first place of the next changed name, or of a name
between the two that did not change. The last unchanged place before a changed name has another NSEC if what follows it
is another one.

Entries that stand in no zone (revoked, or without records) may lie between neighbours in any number, so what is read is
counted, and there is no answer where it is too much.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from meshchain.dns import places
from meshchain.dns.history import Former
from meshchain.dns.lookup import Part, Zone
from meshchain.dns.names import Name, size
from meshchain.dns.places import Place
from meshchain.dns.trees import MeshTree
from meshchain.ledger.entry import NameEntry

_FIXED = 10
"""Bytes of a record between its owner and its data."""
_SIGNATURE = 18 + 64
"""Bytes of an RRSIG's data without the signer's name."""


class TooMuchError(Exception):
    """More would have to be read or kept than is worth it."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A set in the older version and in the present one; None: it is not in that one."""

    old: Part | None
    new: Part | None


@dataclass(slots=True)
class Room:
    """What one difference may still take."""

    work: int
    """Names and records in them to be read, some 0.1 ms each."""
    size: int
    """Bytes of records (``weight``)."""

    def read(self, entry: NameEntry | None) -> None:
        listed = None if entry is None else entry.record.get("dns")
        self.work -= 1 + (len(listed) if isinstance(listed, list) else 0)
        if self.work < 0:
            raise TooMuchError

    def keep(self, pair: Pair) -> None:
        self.size -= weight(pair.old) + weight(pair.new)
        if self.size < 0:
            raise TooMuchError


def differences(zone: Zone, tree: MeshTree, former: Former, room: Room) -> list[Pair]:
    """All but the SOA's. TooMuchError; StoreError."""
    return list(_Walk(zone, tree, former, room).pairs())


def weight(part: Part | None) -> int:
    """Bytes of a set and its signature on the wire, uncompressed."""
    if part is None:
        return 0
    owner = size(part.rrset.owner) + _FIXED
    signature = 0 if part.source is None else owner + _SIGNATURE + size(part.zone)
    return sum(owner + len(rdata) for rdata in part.rrset.rdatas) + signature


@dataclass(slots=True)
class _Walk:
    zone: Zone
    tree: MeshTree
    former: Former
    room: Room

    def pairs(self) -> Iterator[Pair]:
        names = sorted(self.former, reverse=True)
        ends: tuple[Name, Name] | None = None
        for name, earlier in pairwise([*names, ""]):
            if ends is None:
                end = self._owner_after(name)
                ends = end, end
            old, new = self._places(name, self._former(name)), self._places(name, self.tree.view.entry(name))
            yield from self._kept(_pairs(self._linked(old, ends[0]), self._linked(new, ends[1])))
            ends = places.first_owner(old) or ends[0], places.first_owner(new) or ends[1]
            last = self._place_between(earlier, name)
            if last is not None:
                chained = (places.nsec(last, end, self.zone) for end in ends)
                yield from self._kept([Pair(*chained)])
                ends = None

    def _kept(self, pairs: Iterable[Pair]) -> Iterator[Pair]:
        for pair in pairs:
            if pair.old != pair.new:
                self.room.keep(pair)
                yield pair

    def _linked(self, listed: list[Place], end: Name) -> dict[tuple[Name, int], Part]:
        return {(part.rrset.owner, part.rrset.type): part for part in places.linked(listed, end, self.zone)}

    def _former(self, name: str) -> NameEntry | None:
        data = self.former[name]
        return None if data is None else NameEntry.decode(data)

    def _places(self, name: str, entry: NameEntry | None) -> list[Place]:
        self.room.read(entry)
        return [] if entry is None or entry.revoked else list(places.places_of(name, self.tree.read(name, entry)))

    def _owner_after(self, name: str) -> Name:
        """Of the first place of an unchanged name; no changed one can lie before it."""
        for other, entry in self.tree.view.names(name + "\0"):
            owner = places.first_owner(self._places(other, entry))
            if owner is not None:
                return owner
        return self.zone.name

    def _place_between(self, earlier: str, name: str) -> Place | None:
        """The last place of the unchanged names between two changed ones; the apex is before all (``earlier`` "")."""
        for other, entry in self.tree.view.names_back(name):
            if other <= earlier:
                return None
            proven = [place for place in self._places(other, entry) if place.proven]
            if proven:
                return proven[-1]
        return None if earlier else places.apex(self.zone)


def _pairs(old: Mapping[tuple[Name, int], Part], new: Mapping[tuple[Name, int], Part]) -> Iterator[Pair]:
    return (Pair(old.get(key), new.get(key)) for key in {**old, **new})
