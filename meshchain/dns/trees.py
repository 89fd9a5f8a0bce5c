"""The two zones of a ledger: ``mesh.`` with its names, and ``e.e.e.e.ip6.arpa.`` with the names of its addresses.

A tree answers one question: what stands at this name of the zone? None: there is no such name, and nothing below it.
Readings of entries are remembered for as long as the tree lives, which is one tip of the chain.
"""

from typing import Final, Protocol

from meshchain.crypto.address import CLAIM_PREFIX, node_address
from meshchain.dns.generations import Generations
from meshchain.dns.names import Name, encode, from_text
from meshchain.dns.records import EMPTY, NameZone, Sets, name_zone
from meshchain.dns.types import NS, PTR, SOA
from meshchain.ledger.chain.view import ChainView
from meshchain.ledger.entry import NameEntry
from meshchain.ledger.record import hosts

MESH: Final[Name] = (b"mesh",)
REVERSE: Final[Name] = (b"e", b"e", b"e", b"e", b"ip6", b"arpa")
MOST_READ: Final = 16 << 20
"""Bytes of readings that are remembered, by ``weight``: of 10,000 usual names, or of twenty made to be large."""
APEX_TTL: Final = 3600
_SERVER: Final = from_text("localhost")
_NOBODY: Final = from_text("nobody.invalid")
_REFRESH, _RETRY, _EXPIRE = 60, 30, 86400
_NIBBLES: Final = 32
_DIGITS: Final = frozenset(bytes((digit,)) for digit in b"0123456789abcdef")


class Tree(Protocol):
    """One zone."""

    @property
    def apex(self) -> Name: ...

    @property
    def negative_ttl(self) -> int:
        """Seconds that the absence of something may be remembered."""

    def node(self, name: Name) -> Sets | None:
        """For a name at or below the apex, without what stands only at the apex."""


class MeshTree:
    """``mesh.``: living names, those in grace too; a revoked one is absent."""

    apex = MESH

    def __init__(self, view: ChainView) -> None:
        self.view = view
        self.negative_ttl = max(view.params.consensus.spacing, 1)
        self._read: Generations[bytes, NameZone | None] = Generations(MOST_READ, weight)

    def node(self, name: Name) -> Sets | None:
        if len(name) == 1:
            return EMPTY
        zone = self.zone_of(name[-2])
        return None if zone is None else zone.nodes.get(name[:-2])

    def zone_of(self, label: bytes) -> NameZone | None:
        known = self._read.get(label, _UNREAD)
        if known is _UNREAD:
            known = self._zone_of(label)
            if known is not None:  # there is no end of names that do not exist
                self._read.put(label, known)
        return known

    def read(self, name: str, entry: NameEntry) -> NameZone:
        """What a living entry says."""
        return name_zone(name, entry, self.negative_ttl)

    def _zone_of(self, label: bytes) -> NameZone | None:
        if not label.isascii():
            return None
        entry = self.view.entry(label.decode())
        return None if entry is None or entry.revoked else self.read(label.decode(), entry)


def weight(zone: NameZone | None) -> int:
    """About how many bytes a reading takes, rather more; a name of 60 labels in 1.5 kB of record takes 0.8 MB."""
    nodes = zone.nodes.items() if zone else ()
    rdatas = (rdata for _, sets in nodes for _, listed in sets.values() for rdata in listed)
    return (
        500
        + sum(300 + 20 * len(label) + 300 * len(sets) for label, sets in nodes)
        + sum(200 + len(rdata) for rdata in rdatas)
    )


_UNREAD: Final = NameZone({})
"""Marks what is not remembered."""


class ReverseTree:
    """``e.e.e.e.ip6.arpa.``: a PTR for every address that a living name has.

    Every name of fewer than 32 nibbles exists and is empty: whether an address lies below it is not looked up.
    """

    apex = REVERSE

    def __init__(self, view: ChainView, derived: "DerivedNames") -> None:
        self.view = view
        self.negative_ttl = max(view.params.consensus.spacing, 1)
        self._derived = derived

    def node(self, name: Name) -> Sets | None:
        nibbles = name[:-2]
        if len(nibbles) > _NIBBLES or not _DIGITS.issuperset(nibbles):
            return None
        if len(nibbles) < _NIBBLES:
            return EMPTY
        names = self._names(bytes.fromhex(b"".join(reversed(nibbles)).decode()))
        return {PTR: (self.negative_ttl, tuple(sorted(encode(name) for name in names)))} if names else None

    def _names(self, address: bytes) -> set[Name]:
        if address.startswith(CLAIM_PREFIX):
            name = self.view.state.holder(address)
            entry = None if name is None else self.view.entry(name)
            held = name is not None and entry is not None and not entry.revoked and _has_primary(entry)
            return {(name.encode(), *MESH)} if held and name is not None else set()
        key = self._derived.key_of(self.view, address)
        found = () if key is None else self.view.names_with_key(key)
        return {host for name in found for host in _hosts_of(self.view, name, address)}


class DerivedNames:
    """Which key an address was derived from. The ledger has no such index; this one is read from its index of keys.

    Built when it is first asked for, anew when a key is not found after the chain has moved: some 3 µs and 130 bytes a
    host, once a tip at most.
    """

    def __init__(self) -> None:
        self._keys: dict[bytes, bytes] = {}
        self._tip = b""

    def key_of(self, view: ChainView, address: bytes) -> bytes | None:
        found = self._keys.get(address)
        if found is None and self._tip != view.tip_id:
            self._keys = {derived: key for key in view.host_keys() if (derived := node_address(key)) is not None}
            self._tip = view.tip_id
            found = self._keys.get(address)
        return found


def _has_primary(entry: NameEntry) -> bool:
    return any(host["label"] == "" for host in hosts(entry.record))


def _hosts_of(view: ChainView, name: str, address: bytes) -> set[Name]:
    """The name's hosts that have this derived address."""
    entry = view.entry(name)
    if entry is None or entry.revoked:
        return set()
    found: set[Name] = set()
    for host in hosts(entry.record):
        label, key = host["label"], host["key"]
        if not isinstance(label, str) or not isinstance(key, bytes) or node_address(key) != address:
            continue
        if label:
            found.add((label.encode(), name.encode(), *MESH))
        elif entry.address is None:
            found.add((name.encode(), *MESH))
    return found


def apex_sets(tree: Tree, serial: int) -> Sets:
    """SOA and NS. The server has no name in its zone: it is asked where it listens, on this machine."""
    times = (serial, _REFRESH, _RETRY, _EXPIRE, tree.negative_ttl)
    soa = encode(_SERVER) + encode(_NOBODY) + b"".join(value.to_bytes(4, "big") for value in times)
    return {SOA: (tree.negative_ttl, (soa,)), NS: (APEX_TTL, (encode(_SERVER),))}
