"""Small states of real entries, with a tree whose nodes lie in a dict."""

from collections.abc import Iterable
from dataclasses import dataclass

from meshchain.ledger.codec import Value
from meshchain.ledger.entry import NameEntry, Record
from meshchain.ledger.tree import build, entry_hash, name_key, prove


def entry(name: str, seq: int = 0) -> NameEntry:
    """An entry whose fields differ from name to name."""
    key = name_key(name)
    host: Value = {"label": "", "key": key, "ip6": key[:16], "zone": 0, "proof": key * 2}
    record: Record = {"hosts": [host], "dns": [["www", "A", 300, "192.0.2.1"]]}
    owner, address = b"\2" + key, key[16:] if key[0] & 1 else None
    return NameEntry(owner, key[:16], record, address, seq, registered=3, expires=262_803, revoked=False)


@dataclass(frozen=True)
class State:
    entries: dict[str, NameEntry]
    nodes: dict[bytes, bytes]
    root: bytes

    def prove(self, name: str) -> bytes:
        return prove(self.root, name, self.nodes.__getitem__, self.encoded)

    def encoded(self, name: str) -> bytes | None:
        return self.entries[name].encode() if name in self.entries else None


def state_of(names: Iterable[str], extra: dict[bytes, bytes] | None = None) -> State:
    """The state that holds ``names`` and, for shapes that no name's hash reaches, the leaves ``extra``."""
    entries = {name: entry(name) for name in names}
    leaves = {name_key(name): entry_hash(value.encode()) for name, value in entries.items()} | (extra or {})
    nodes: dict[bytes, bytes] = {}
    return State(entries, nodes, build(sorted(leaves.items()), nodes.__setitem__))


def flipped(key: bytes, position: int) -> bytes:
    """``key`` with the bit at ``position`` (0: most significant) turned over."""
    return (int.from_bytes(key, "big") ^ 1 << (255 - position)).to_bytes(32, "big")
