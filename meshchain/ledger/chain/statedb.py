"""The state in the store: reading it, and turning an overlay into one batch of writes.

Entries are authoritative; the expiry and address indexes and the state tree follow from the difference between
an entry's old and new value, so the same code serves connecting, disconnecting and the integrity check.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from meshchain.ledger import tree
from meshchain.ledger.entry import NameEntry
from meshchain.ledger.errors import CodecError, StoreError
from meshchain.ledger.record import host_keys
from meshchain.ledger.state import Commitment, Overlay
from meshchain.ledger.store import Reader, layout

Changes = dict[bytes, bytes | None]

_NODES_AT_HAND: Final = 1 << 15
"""Tree nodes kept in memory, about 8 MB: the upper 14 levels, which every change of any name passes through."""


class StoredState:
    """A StateReader over a store or a snapshot."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._nodes: dict[bytes, bytes] = {}

    def entry(self, name: str) -> NameEntry | None:
        data = self.entry_bytes(name)
        return None if data is None else _decode_entry(name, data)

    def entry_bytes(self, name: str) -> bytes | None:
        return self._reader.get(layout.ENTRY + name.encode())

    def holder(self, address: bytes) -> str | None:
        name = self._reader.get(layout.ADDRESS + address)
        return None if name is None else name.decode()

    def commitment(self, commitment: bytes) -> Commitment | None:
        data = self._reader.get(layout.COMMITMENT + commitment)
        return None if data is None else Commitment(int.from_bytes(data[:4], "big"), used=data[4] == 1)

    def expired_names(self, height: int, grace: int) -> Iterator[str]:
        for expires, name in self.expiries():
            if expires + grace > height:
                return
            yield name

    def expiries(self, start: int = 0) -> Iterator[tuple[int, str]]:
        """(expires, name) in order of expiry, from height ``start`` on."""
        for key, _ in self._reader.items(layout.EXPIRY, layout.u32(start)):
            yield int.from_bytes(key[1:5], "big"), key[5:].decode()

    def old_commitments(self, below: int) -> Iterator[bytes]:
        for key, _ in self._reader.items(layout.COMMITMENT_AT):
            if int.from_bytes(key[1:5], "big") >= below:
                return
            yield key[5:]

    def names(self, start: str = "") -> Iterator[tuple[str, NameEntry]]:
        for key, data in self._reader.items(layout.ENTRY, start.encode()):
            name = key[1:].decode()
            yield name, _decode_entry(name, data)

    def names_back(self, end: str) -> Iterator[tuple[str, NameEntry]]:
        for key, data in self._reader.items(layout.ENTRY, end=end.encode(), reverse=True):
            name = key[1:].decode()
            yield name, _decode_entry(name, data)

    def names_with_key(self, key: bytes) -> Iterator[str]:
        """Names, revoked ones included, whose record lists the 32-byte node key as a host, in order."""
        prefix = layout.HOST_KEY + key
        for row, _ in self._reader.items(prefix):
            yield row[len(prefix) :].decode()

    def node(self, digest: bytes) -> bytes:
        """A node of the state tree; StoreError "damaged" if it is missing."""
        if (known := self._nodes.get(digest)) is not None:
            return known
        data = self._reader.get(layout.NODE + digest)
        if data is None:
            raise StoreError("damaged", f"tree node {digest.hex()} is missing")
        self.remember_nodes({digest: data})
        return data

    def remember_nodes(self, nodes: Mapping[bytes, bytes]) -> None:
        """Keep nodes at hand. They are named by what they hold, so nothing can make them wrong."""
        if len(self._nodes) + len(nodes) > _NODES_AT_HAND:
            for stale in list(self._nodes)[: _NODES_AT_HAND // 4]:  # the oldest quarter
                self._nodes.pop(stale, None)
        self._nodes.update(nodes)


def _decode_entry(name: str, data: bytes) -> NameEntry:
    try:
        return NameEntry.decode(data)
    except CodecError as error:  # not the fault of the block that is being judged
        raise StoreError("damaged", f"the entry of {name} is damaged: {error}") from error


def changes_of(overlay: Overlay, state: StoredState, root: bytes) -> tuple[Changes, bytes]:
    """The writes that make the store hold ``overlay``, and the state root then; ``root`` is the present one."""
    changes: Changes = {}
    leaves: dict[bytes, bytes | None] = {}
    for name, entry in overlay.entries.items():
        _write_entry(changes, leaves, name, overlay.original(name), entry)
    for address, holder in overlay.holders.items():
        changes[layout.ADDRESS + address] = None if holder is None else holder.encode()
    for commitment, value in overlay.commitments.items():
        _write_commitment(changes, commitment, state.commitment(commitment), value)
    moved = tree.update(root, leaves, state.node)
    changes.update((layout.NODE + digest, None) for digest in moved.removed)
    changes.update((layout.NODE + digest, node) for digest, node in moved.added.items())
    state.remember_nodes(moved.added)
    return changes, moved.root


def _write_entry(
    changes: Changes, leaves: dict[bytes, bytes | None], name: str, old: NameEntry | None, new: NameEntry | None
) -> None:
    if old is not None and (new is None or new.expires != old.expires):
        changes[layout.expiry(old.expires, name)] = None
    if new is not None:
        changes[layout.expiry(new.expires, name)] = b""
    changes.update((layout.host_key(key, name), None) for key in _keys(old) - _keys(new))
    changes.update((layout.host_key(key, name), b"") for key in _keys(new) - _keys(old))
    encoded = None if new is None else new.encode()
    changes[layout.ENTRY + name.encode()] = encoded
    leaves[tree.name_key(name)] = None if encoded is None else tree.entry_hash(encoded)


def _keys(entry: NameEntry | None) -> set[bytes]:
    return set() if entry is None else host_keys(entry.record)


def _write_commitment(changes: Changes, commitment: bytes, old: Commitment | None, new: Commitment | None) -> None:
    if old is not None and (new is None or new.height != old.height):
        changes[layout.commitment_at(old.height, commitment)] = None
    if new is None:
        changes[layout.COMMITMENT + commitment] = None
    else:
        changes[layout.COMMITMENT + commitment] = layout.u32(new.height) + bytes((new.used,))
        changes[layout.commitment_at(new.height, commitment)] = b""
