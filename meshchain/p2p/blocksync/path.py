"""The way from what we have to a branch's head: block ids by height, in bounded memory.

The header tree knows parents, not children, so the ids between our chain and a head are found by walking back from the
head. A year is 262,800 of them. The walk keeps the top id of every stretch of 1,024 heights (256 a year) and the ids
of two stretches, which is what the download window touches; another stretch is walked again when it is needed.
32 bytes an id: 64 KiB a path, and 32 bytes for every 1,024 blocks.
"""

from typing import Final

from meshchain.ledger.chain.index import Flag, IndexEntry
from meshchain.p2p.facts import Facts

STRETCH: Final = 1024
_KEPT: Final = 2
_MOST_NEWS: Final = 4 * STRETCH
"""Entries held while a path is extended; two messages of headers."""
_ID: Final = 32


class BranchPath:
    """``first``: the lowest height without a body; ``cursor``: the lowest that was not asked for yet."""

    def __init__(self, facts: Facts, head: IndexEntry) -> None:
        self._facts = facts
        self._tops: dict[int, bytes] = {}
        """Stretch → id of its highest block on this path."""
        self._ids: dict[int, bytearray] = {}
        self.head = head
        lowest = head.height + 1
        for entry in facts.ancestors(head):
            if entry.flags & Flag.CHAINED:
                break
            lowest = entry.height
            self._put(entry)
        self.first = self.cursor = lowest
        self.redo: list[int] = []
        """Heights that were asked for in vain, lowest first."""

    def id_at(self, height: int) -> bytes:
        """The block at a height from the first one of the path's making up to its head."""
        stretch, at = divmod(height, STRETCH)
        if stretch not in self._ids:
            self._load(stretch)
        return bytes(self._ids[stretch][_ID * at : _ID * (at + 1)])

    def holds(self, entry: IndexEntry) -> bool:
        """Whether the block is one of those still to be had on this path."""
        return self.first <= entry.height <= self.head.height and self.id_at(entry.height) == entry.id

    def extend(self, head: IndexEntry) -> bool:
        """Go on to ``head`` if it lies above the present head, not too far; False if it does not."""
        if head.height - self.head.height > _MOST_NEWS:
            return False
        news: list[IndexEntry] = []
        for entry in self._facts.ancestors(head):
            if entry.height <= self.head.height:
                break
            news.append(entry)
        if entry.id != self.head.id:
            return False
        self.head = head
        tops = {at.height // STRETCH: at for at in reversed(news)}
        self._tops.update((stretch, top.id) for stretch, top in tops.items())
        for at in news:
            if at.height // STRETCH in self._ids:
                self._write(at)
        return True

    def advance(self) -> None:
        """Move ``first`` over the bodies that have arrived."""
        while self.first <= self.head.height and self.has_body(self.first):
            self.first += 1
        self.cursor = max(self.cursor, self.first)
        self.redo = [height for height in self.redo if height >= self.first]

    def has_body(self, height: int) -> bool:
        entry = self._facts.header(self.id_at(height))
        return entry is not None and bool(entry.flags & Flag.BODY)

    def again(self, height: int, block_id: bytes) -> None:
        """The block was asked for in vain."""
        if self.first <= height < self.cursor and height not in self.redo and self.id_at(height) == block_id:
            self.redo = sorted((*self.redo, height))

    def _put(self, entry: IndexEntry) -> None:
        stretch = entry.height // STRETCH
        if stretch not in self._ids:
            self._tops.setdefault(stretch, entry.id)
            self._ids[stretch] = bytearray(_ID * STRETCH)
            for oldest in list(self._ids)[:-_KEPT]:
                del self._ids[oldest]
        self._write(entry)

    def _write(self, entry: IndexEntry) -> None:
        stretch, at = divmod(entry.height, STRETCH)
        self._ids[stretch][_ID * at : _ID * (at + 1)] = entry.id

    def _load(self, stretch: int) -> None:
        top = self._facts.header(self._tops[stretch])
        assert top is not None, "headers never leave the tree"
        for entry in self._facts.ancestors(top):
            if entry.height // STRETCH != stretch:
                break
            self._put(entry)
