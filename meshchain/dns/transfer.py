"""Transfers of a zone as streams of messages: whole (AXFR, RFC 5936) or what has changed (IXFR, RFC 1995).

An IXFR brings the serial that the client has. The answer is one SOA if that is the present one or a later one; one
difference from it to the present version, with what lies between condensed (§5), if the history reaches back to it and
the difference is shorter than the zone; else the whole zone (§4). By UDP it is the difference if that is small, else
one SOA, which tells the client to come by TCP (§2).

Signatures are deterministic, so a record that is to be deleted is made again just as it was; all are of the week that
the version was given to, also where the next one has begun meanwhile.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from meshchain.dns import places
from meshchain.dns.differences import Pair, Room, TooMuchError, differences, weight
from meshchain.dns.history import Snapshot
from meshchain.dns.lookup import Part, Zone
from meshchain.dns.message import Writer
from meshchain.dns.query import MOST_SIZE, RD, Query
from meshchain.dns.serial import is_later
from meshchain.dns.signing import Signer
from meshchain.dns.trees import MeshTree
from meshchain.dns.types import IXFR, SOA, RRset

MESSAGE: Final = 16384
"""Bytes after which a message is sent: all owners can still be compressed."""
MOST_WORK: Final = 1 << 16
"""Names and records that are read for one difference: some 4 s of a thread."""
MOST_DIFFERENCE: Final = 1 << 22
"""Bytes of its sets, uncompressed, in memory until they are sent."""
_SMALL: Final = 128
"""The same for an answer by UDP, whose thread answers everybody's questions."""
_MARGIN: Final = 64


@dataclass(frozen=True, slots=True)
class Edition:
    """A zone that can be transferred, as it is served."""

    zone: Zone
    tree: MeshTree
    snapshot: Snapshot
    signer: Signer

    def soa(self, serial: int | None = None) -> Part:
        """Of another version, if ``serial`` is given."""
        part = self.zone.soa()
        rdata = part.rrset.rdatas[0]
        number = (self.snapshot.serial if serial is None else serial).to_bytes(4, "big")
        return replace(part, rrset=replace(part.rrset, rdatas=(rdata[:-20] + number + rdata[-16:],)))

    def signature(self, part: Part) -> Iterator[RRset]:
        """Of a set that is signed."""
        if part.source is not None:
            yield self.signer.rrsig(part.rrset, part.source, part.zone, self.snapshot.version.window)


def edition_of(zone: Zone, snapshot: Snapshot, signer: Signer) -> Edition | None:
    """None for the reverse zone: which of its names exist is found as they are asked for."""
    return Edition(zone, zone.tree, snapshot, signer) if isinstance(zone.tree, MeshTree) else None


def messages(query: Query, edition: Edition) -> Iterator[bytes]:
    """The answers to an AXFR or IXFR, without their length; each begins with the 2 bytes after the id. StoreError."""
    writer, count = Writer(query.question), 0
    for rrset in _records(query, edition):
        count += writer.put([rrset])
        if writer.length >= MESSAGE:
            yield _message(query, writer, count)
            writer, count = Writer(query.question), 0
    if count:
        yield _message(query, writer, count)


def brief(query: Query, edition: Edition) -> list[RRset]:
    """The answer to an IXFR by UDP; if that is too long for the client, the first one is."""
    pairs = None
    if query.serial is not None and is_later(edition.snapshot.serial, query.serial):
        pairs = _pairs(query.serial, edition, Room(_SMALL, 2 * MOST_SIZE))
    if query.serial is None or pairs is None:
        return [edition.soa().rrset]
    return list(_difference(query.serial, pairs, edition))


def whole(edition: Edition) -> Iterator[RRset]:
    """SOA, every set with its signature, SOA."""
    soa = edition.soa().rrset
    yield soa
    for part in places.whole(edition.zone):
        if part.rrset.type != SOA:
            yield part.rrset
        yield from edition.signature(part)
    yield soa


def _records(query: Query, edition: Edition) -> Iterator[RRset]:
    if query.type != IXFR or query.serial is None:
        return whole(edition)
    if not is_later(edition.snapshot.serial, query.serial):
        return iter([edition.soa().rrset])
    pairs = _pairs(query.serial, edition, Room(MOST_WORK, MOST_DIFFERENCE))
    if pairs is None or not _is_shorter(pairs, edition):
        return whole(edition)
    return _difference(query.serial, pairs, edition)


def _pairs(serial: int, edition: Edition, room: Room) -> list[Pair] | None:
    former = edition.snapshot.history.since(serial)
    if former is None:
        return None
    try:
        return differences(edition.zone, edition.tree, former, room)
    except TooMuchError:
        return None


def _is_shorter(pairs: list[Pair], edition: Edition) -> bool:
    """Than the zone, which is not read where it has many more names than there are pairs."""
    many = len(pairs) + _MARGIN
    if sum(1 for _ in islice(edition.tree.view.names(), many)) == many:
        return True
    left = sum(weight(pair.old) + weight(pair.new) for pair in pairs)
    for part in places.whole(edition.zone):
        left -= weight(part)
        if left < 0:
            return True
    return False


def _difference(serial: int, pairs: list[Pair], edition: Edition) -> Iterator[RRset]:
    """From the version with this serial: SOA, (old SOA, what goes, SOA, what comes), SOA."""
    old, new = edition.soa(serial), edition.soa()
    yield new.rrset
    yield old.rrset
    yield from edition.signature(old)
    for pair in pairs:
        yield from _only(pair.old, pair.new, edition)
    yield new.rrset
    yield from edition.signature(new)
    for pair in pairs:
        yield from _only(pair.new, pair.old, edition)
    yield new.rrset


def _only(one: Part | None, other: Part | None, edition: Edition) -> Iterator[RRset]:
    """The records of a set that the other version of it has not; its signature always is another one."""
    if one is None:
        return
    same_ttl = other is not None and other.rrset.ttl == one.rrset.ttl
    shared = other.rrset.rdatas if other is not None and same_ttl else ()
    rdatas = tuple(rdata for rdata in one.rrset.rdatas if rdata not in shared)
    if rdatas:
        yield replace(one.rrset, rdatas=rdatas)
    yield from edition.signature(one)


def _message(query: Query, writer: Writer, count: int) -> bytes:
    flags = 0x8400 | (query.flags & RD)
    return b"".join(number.to_bytes(2, "big") for number in (flags, 1, count, 0, 0)) + writer.body()
