"""Which blocks have their stamps taken as checked: ancestors of one block id that the release names.

Only while that block lies on the best header chain: an attacker who offers more work without it gains nothing
from our trust in it. Proof of work and every other rule are checked all the same.
"""

from meshchain.ledger.chain.index import HeaderIndex, IndexEntry


class AssumedValid:
    """Answers for one chain; what it found under one best header is kept while that is only extended."""

    def __init__(self, index: HeaderIndex, block_id: bytes | None) -> None:
        self._index = index
        self._block_id = block_id
        self._best: bytes | None = None
        self._covered: frozenset[bytes] = frozenset()

    def covers(self, entry: IndexEntry, best_header: IndexEntry) -> bool:
        """Whether ``entry`` is the assumed-valid block or an ancestor of it, and that on the best header chain."""
        assumed = None if self._block_id is None else self._index.get(self._block_id)
        if assumed is None or entry.height > assumed.height:
            return False
        if self._best != best_header.id and not self._extends(best_header, assumed.height):
            self._covered = self._ancestry(assumed, best_header)
        self._best = best_header.id
        return entry.id in self._covered

    def _extends(self, best_header: IndexEntry, height: int) -> bool:
        """Whether the chain of ``best_header`` runs through the one asked with last, above ``height``."""
        for ancestor in self._index.ancestors(best_header):
            if ancestor.id == self._best:
                return True
            if ancestor.height <= height:
                return False
        return False

    def _ancestry(self, assumed: IndexEntry, best_header: IndexEntry) -> frozenset[bytes]:
        at_height = next(entry for entry in self._index.ancestors(best_header) if entry.height <= assumed.height)
        if at_height.id != assumed.id:
            return frozenset()
        return frozenset(entry.id for entry in self._index.ancestors(assumed))
