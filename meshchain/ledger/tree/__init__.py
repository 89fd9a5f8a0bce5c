"""The state tree: one 32-byte root commits to every name's entry, and proofs lead from an entry to the root.

Theory of operation
-------------------
A binary trie over 256-bit keys H("key", name), most significant bit first, in which a subtree is hashed by
what it holds:

    nothing     32 zero bytes (``EMPTY``)
    one leaf    H("leaf", key ‖ H("entry", encoded entry)), at whatever depth it lies
    more        H("node", left ‖ right)

So the path to a leaf is only as long as it takes to tell its key from its neighbours', about log2 n + 1.3
steps among n random keys and at most 256 in a tree that someone built to be deep. Two leaves that share a
long prefix hang below a chain of nodes with one empty child each; a node whose children are one leaf and
nothing cannot exist, since that subtree *is* the leaf. The shape follows from the set of keys alone, never
from the order in which they came.

Nodes are stored under their own hash (``nodes``: 65 bytes each). Of two nodes of one tree either the keys
below them differ, or one lies below the other and enters its hash; so no two are equal, and a store needs no
reference counts. ``update`` therefore tells exactly which nodes came and which went, and a
store that applies both holds the nodes of the new tree and nothing else. An older root is reached by
updating with the older entries, not by keeping old nodes.

Rooms: ``nodes`` (hashes and encodings), ``building`` (sorted leaves → tree, in one pass), ``changing``
(root + changes → root), ``proving`` (the path to a name, as bytes). The reader of proofs, which a
program without a node imports, is ``meshchain.ledger.proof``.
"""

from meshchain.ledger.tree.building import build
from meshchain.ledger.tree.changing import TreeChange, update
from meshchain.ledger.tree.nodes import EMPTY, Read, entry_hash, leaf_hash, name_key
from meshchain.ledger.tree.proving import prove

__all__ = ["EMPTY", "Read", "TreeChange", "build", "entry_hash", "leaf_hash", "name_key", "prove", "update"]
