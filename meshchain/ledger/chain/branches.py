"""Branches of the header tree that could replace the active chain.

A block whose body and all ancestors' bodies are stored is *chained*. The chained leaves that rank above the tip
(most work, then the smaller id) are the candidates; they live in memory and are found in the tree at start, so
there is no queue on disk that could disagree with it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from meshchain.ledger.chain.index import Flag, HeaderIndex, IndexEntry
from meshchain.ledger.errors import StoreError


@dataclass(frozen=True, slots=True)
class Branch:
    """A candidate and how it leaves the active chain."""

    leaf: IndexEntry
    fork: IndexEntry
    """Last common block."""
    path: tuple[IndexEntry, ...]
    """Blocks after the fork, oldest first."""
    latest_time: int
    """Greatest time of these blocks (unix s)."""

    @property
    def first(self) -> bytes:
        return self.path[0].id


def branch_of(index: HeaderIndex, leaf: IndexEntry) -> Branch:
    """How ``leaf``, which is not on the active chain, leaves it."""
    path: list[IndexEntry] = []
    for entry in index.ancestors(leaf):
        if index.is_main(entry):
            return Branch(leaf, entry, tuple(reversed(path)), max(above.header.time for above in path))
        path.append(entry)
    raise StoreError("damaged", "a branch does not lead to the active chain")


def good_leaves(index: HeaderIndex) -> Iterator[IndexEntry]:
    """Of every branch the highest header that is not failed."""
    for leaf in index.leaves():
        yield next(entry for entry in index.ancestors(leaf) if not entry.flags & Flag.FAILED)


class Candidates:
    """The chained leaves that are better than the tip, as far as they are known to be."""

    def __init__(self, found: Iterable[IndexEntry]) -> None:
        self._leaves = {leaf.id: leaf for leaf in found}

    @classmethod
    def find(cls, index: HeaderIndex, tip: IndexEntry) -> "Candidates":
        chained = (
            next(entry for entry in index.ancestors(leaf) if entry.flags & Flag.CHAINED) for leaf in good_leaves(index)
        )
        return cls(leaf for leaf in chained if leaf.rank > tip.rank)

    def add(self, leaf: IndexEntry) -> None:
        self._leaves[leaf.id] = leaf

    def drop(self, block_id: bytes) -> None:
        self._leaves.pop(block_id, None)

    def better_than(self, tip: IndexEntry) -> list[IndexEntry]:
        """Best first; those that are not better are forgotten."""
        self._leaves = {leaf.id: leaf for leaf in self._leaves.values() if leaf.rank > tip.rank}
        return sorted(self._leaves.values(), key=lambda entry: entry.rank, reverse=True)
