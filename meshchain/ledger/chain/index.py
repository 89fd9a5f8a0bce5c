"""The header tree: every known header with its work, its difficulty state and what is known of its body.

Held in the store, not in memory: a year of headers is 262,800 objects. A bounded cache serves the hot end.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import IntFlag
from typing import Final

from meshchain.ledger import chaintime, compact, difficulty
from meshchain.ledger.difficulty import Anchor, Difficulty
from meshchain.ledger.errors import CodecError, RuleError, StoreError
from meshchain.ledger.header import Header
from meshchain.ledger.params import Consensus
from meshchain.ledger.store import Reader, layout

_CACHE_SIZE: Final = 4096
"""Entries: more than the window any rule looks back over, about 4 MB."""


class Flag(IntFlag):
    BODY = 1
    """The body is stored and belongs to the header."""
    CHAINED = 2
    """So are the bodies of all ancestors: the block can be connected."""
    FAILED = 4
    """The body breaks a rule: never to be connected, nor anything built on it."""
    SETTLED = 8
    """Connected while synced with a peer: counts towards parking."""


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """A header in the tree. ``work`` is the sum from genesis on (hashes)."""

    id: bytes
    header: Header
    work: int
    difficulty: Difficulty
    flags: Flag

    @property
    def height(self) -> int:
        return self.header.height

    @property
    def rank(self) -> tuple[int, int]:
        """Greater is better: most work, then the smaller id (ties by id need no race to be first)."""
        return self.work, -int.from_bytes(self.id, "big")

    def encode(self) -> bytes:
        d = self.difficulty
        anchor = d.anchor or Anchor(0, 0, 0)
        return b"".join(
            (
                self.header.encode(),
                self.work.to_bytes(32, "big"),
                anchor.height.to_bytes(4, "big"),
                anchor.time.to_bytes(8, "big"),
                anchor.bits.to_bytes(4, "big"),
                d.max_time.to_bytes(8, "big"),
                bytes((self.flags,)),
            )
        )

    @classmethod
    def decode(cls, block_id: bytes, data: bytes) -> "IndexEntry":
        if len(data) != Header.SIZE + 57:
            raise StoreError("damaged", f"the index entry of block {block_id.hex()} has {len(data)} bytes")
        try:
            header, tail = Header.decode(data[: Header.SIZE]), data[Header.SIZE :]
        except CodecError as error:  # not the fault of whoever sent something that builds on it
            raise StoreError("damaged", f"the header of block {block_id.hex()} is damaged: {error}") from error
        height, time, bits = (int.from_bytes(tail[a:b], "big") for a, b in ((32, 36), (36, 44), (44, 48)))
        anchor = Anchor(height, time, bits) if height else None
        state = Difficulty(header.height, header.bits, anchor, int.from_bytes(tail[48:56], "big"))
        return cls(block_id, header, int.from_bytes(tail[:32], "big"), state, Flag(tail[56]))


def genesis_entry(header: Header, consensus: Consensus) -> IndexEntry:
    state = difficulty.at_genesis(consensus)
    return IndexEntry(header.id, header, 0, state, Flag.BODY | Flag.CHAINED)


def extend(consensus: Consensus, parent: IndexEntry, median: int, header: Header) -> IndexEntry:
    """The entry of ``header`` after ``parent``: every rule of headers but the work and the clock.

    ``median``: the median time past that ``parent`` leaves to its children. That the header names ``parent`` is the
    caller's to know. RuleError: header-version, header-height, time-too-old, header-bits.
    """
    if header.version != 1:
        raise RuleError("header-version", "unknown header version", version=header.version)
    if header.height != parent.height + 1:
        raise RuleError("header-height", "height does not follow the parent's", height=header.height)
    chaintime.check_time(header.time, median)
    expected = difficulty.next_bits(consensus, parent.difficulty, header.time)
    if header.bits != expected:
        raise RuleError("header-bits", "wrong difficulty", bits=f"{header.bits:08x}", expected=f"{expected:08x}")
    state = difficulty.advance(consensus, parent.difficulty, header.time, header.bits)
    return IndexEntry(header.id, header, parent.work + compact.work(header.bits), state, Flag(0))


class HeaderIndex:
    """Reads of the header tree; writes are returned as changes for the caller's batch."""

    def __init__(self, reader: Reader, consensus: Consensus) -> None:
        self._reader = reader
        self._consensus = consensus
        self._cache: dict[bytes, IndexEntry] = {}

    def get(self, block_id: bytes) -> IndexEntry | None:
        if (cached := self._cache.get(block_id)) is not None:
            return cached
        data = self._reader.get(layout.HEADER + block_id)
        if data is None:
            return None
        return self.remember(IndexEntry.decode(block_id, data))

    def require(self, block_id: bytes) -> IndexEntry:
        """As get, for headers the tree must hold; StoreError "damaged" otherwise."""
        entry = self.get(block_id)
        if entry is None:
            raise StoreError("damaged", f"the header of block {block_id.hex()} is missing")
        return entry

    def remember(self, entry: IndexEntry) -> IndexEntry:
        """Put an entry into the cache, ahead of its write."""
        if len(self._cache) >= _CACHE_SIZE:
            for stale in list(self._cache)[: _CACHE_SIZE // 4]:  # the oldest quarter
                self._cache.pop(stale, None)  # a view's index serves several threads
        self._cache[entry.id] = entry
        return entry

    def drop(self, block_id: bytes) -> None:
        """Take back remember() for a header that proved bad."""
        self._cache.pop(block_id, None)

    def forget(self) -> None:
        """Drop the cache: after a failed write it may be ahead of the store."""
        self._cache.clear()

    def ancestors(self, entry: IndexEntry) -> Iterator[IndexEntry]:
        """``entry`` itself, its parent, … genesis."""
        while True:
            yield entry
            if entry.height == 0:
                return
            entry = self.require(entry.header.previous)

    def children(self, block_id: bytes) -> Iterator[IndexEntry]:
        prefix = layout.CHILD + block_id
        for key, _ in self._reader.items(prefix):
            yield self.require(key[len(prefix) :])

    def leaves(self) -> Iterator[IndexEntry]:
        for key, _ in self._reader.items(layout.LEAF):
            yield self.require(key[len(layout.LEAF) :])

    def main_id(self, height: int) -> bytes | None:
        return self._reader.get(layout.main(height))

    def is_main(self, entry: IndexEntry) -> bool:
        return self.main_id(entry.height) == entry.id

    def recent_times(self, entry: IndexEntry) -> list[int]:
        """Times of ``entry`` and its ancestors, newest first, as many as the median looks at."""
        times: list[int] = []
        for ancestor in self.ancestors(entry):
            times.append(ancestor.header.time)
            if len(times) == chaintime.MEDIAN_SPAN:
                break
        return times

    def median_time(self, entry: IndexEntry) -> int:
        """Median time past of a child of ``entry`` (seconds)."""
        return chaintime.median_time_past(self.recent_times(entry))

    def extend(self, parent: IndexEntry, header: Header) -> IndexEntry:
        """As the function of this name."""
        return extend(self._consensus, parent, self.median_time(parent), header)

    def changes_for_new(self, entry: IndexEntry) -> dict[bytes, bytes | None]:
        """The batch that adds a header to the tree."""
        parent = entry.header.previous
        return {
            layout.HEADER + entry.id: entry.encode(),
            layout.CHILD + parent + entry.id: b"",
            layout.LEAF + parent: None,
            layout.LEAF + entry.id: b"",
        }

    def flagged(self, entry: IndexEntry, flags: Flag, changes: dict[bytes, bytes | None]) -> IndexEntry:
        """``entry`` with ``flags`` set instead of its own; the write goes into ``changes``, the cache follows."""
        entry = replace(entry, flags=flags)
        changes[layout.HEADER + entry.id] = entry.encode()
        return self.remember(entry)
