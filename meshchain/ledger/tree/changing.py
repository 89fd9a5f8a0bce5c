"""From one root to the next: a batch of changes in one descent.

The changes are sorted by key and split at every node, so that shared parts of their paths are read and hashed
once. Each node on the way is noted as gone, and rebuilt from its halves on the way back. Two cases change the
shape: changes that meet a leaf (or nothing) build a new subtree there from what remains, and a half left
with one leaf beside an empty one is replaced by that leaf, which so moves up until it has company. What was
both gone and made again is the same node and in neither result.
"""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass

from meshchain.ledger.tree.building import join_leaves
from meshchain.ledger.tree.nodes import EMPTY, LEAF, Read, bit_at, write_inner, write_leaf


@dataclass(frozen=True, slots=True)
class TreeChange:
    """What an update does to the store: ``added`` and ``removed`` are exact and have no hash in common."""

    root: bytes
    added: Mapping[bytes, bytes]
    """hash → stored node."""
    removed: frozenset[bytes]


def update(root: bytes, changes: Mapping[bytes, bytes | None], read: Read) -> TreeChange:
    """Apply ``changes``, key → entry hash (32 bytes each) or None to delete, to the tree under ``root``.

    Deleting an absent key and setting what is already so change nothing. Reads every node on the changed
    paths once, and a sibling where a deletion leaves it alone; KeyError from ``read`` passes through.
    """
    descent = _Descent(read)
    new_root = descent.apply(root, 0, sorted(changes.items())) if changes else root
    fresh, gone = descent.fresh, descent.gone
    added = {digest: node for digest, node in fresh.items() if digest not in gone}
    return TreeChange(new_root, added, frozenset(gone.difference(fresh)))


_Changes = list[tuple[bytes, bytes | None]]


class _Descent:
    """One update under way."""

    def __init__(self, read: Read) -> None:
        self.read = read
        self.fresh: dict[bytes, bytes] = {}
        self.gone: set[bytes] = set()
        self.write = self.fresh.__setitem__

    def apply(self, digest: bytes, depth: int, changes: _Changes) -> bytes:
        """Return the hash of the subtree ``digest`` at ``depth`` after ``changes`` (sorted, at least one)."""
        if digest == EMPTY:
            return self._plant({}, depth, changes)
        node = self.read(digest)
        if node[0] == LEAF:
            return self._at_leaf(digest, node[1:33], depth, changes)
        self.gone.add(digest)
        left, right = node[1:33], node[33:]
        cut = _cut(changes, depth)
        if cut:
            left = self.apply(left, depth + 1, changes[:cut])
        if cut < len(changes):
            right = self.apply(right, depth + 1, changes[cut:])
        return self._join(left, right)

    def _at_leaf(self, digest: bytes, key: bytes, depth: int, changes: _Changes) -> bytes:
        if any(changed == key for changed, _ in changes):
            self.gone.add(digest)
            return self._plant({}, depth, changes)
        return self._plant({key: digest}, depth, changes)

    def _plant(self, leaves: dict[bytes, bytes], depth: int, changes: _Changes) -> bytes:
        """Build a subtree at ``depth`` from ``leaves`` that stay (key → leaf hash) and those that come."""
        for key, entry in changes:
            if entry is not None:
                leaves[key] = write_leaf(key, entry, self.write)
        return join_leaves(sorted(leaves.items()), depth, self.write)

    def _join(self, left: bytes, right: bytes) -> bytes:
        if left == EMPTY and self._is_lone(right):
            return right
        if right == EMPTY and self._is_lone(left):
            return left
        return write_inner(left, right, self.write)

    def _is_lone(self, digest: bytes) -> bool:
        """True for a leaf and for EMPTY: beside an empty half they stand for the whole subtree."""
        return digest == EMPTY or (self.fresh.get(digest) or self.read(digest))[0] == LEAF


def _cut(changes: _Changes, depth: int) -> int:
    """How many of the sorted ``changes`` go left at ``depth``."""
    if len(changes) == 1:
        return 1 - bit_at(changes[0][0], depth)
    return bisect_left(changes, 1, key=lambda change: bit_at(change[0], depth))
