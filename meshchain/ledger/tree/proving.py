"""The path to a name's place in the tree, as bytes that ``meshchain.ledger.proof`` verifies.

A proof is the canonical CBOR array [depth, bitmap, siblings, end]: ``depth`` steps lead from the root to
``end``; bit i of the bitmap (most significant first, ⌈depth/8⌉ bytes, the rest zero) says whether the
sibling at depth i + 1 is non-empty, and ``siblings`` joins the hashes of those that are, root first. The end
is null (nothing there), the encoded entry (the name's own leaf), or [key, entry hash] of another name's leaf.
"""

from collections.abc import Callable

from meshchain.ledger import codec
from meshchain.ledger.tree.nodes import EMPTY, LEAF, Read, bit_at, name_key


def prove(root: bytes, name: str, read: Read, entry_bytes: Callable[[str], bytes | None]) -> bytes:
    """Return the proof that ``name`` has its entry, or none, in the tree under ``root``.

    ``entry_bytes`` gives the encoded entry that the leaf of ``name`` commits to. KeyError if it has none or a
    node is missing, which means a damaged store.
    """
    key = name_key(name)
    siblings: list[bytes] = []
    digest, node = root, b""
    while digest != EMPTY and (node := read(digest))[0] != LEAF:
        right = bit_at(key, len(siblings))
        siblings.append(node[1:33] if right else node[33:])
        digest = node[33:] if right else node[1:33]
    end = None if digest == EMPTY else _leaf_end(node, key, name, entry_bytes)
    return codec.encode([len(siblings), _bitmap(siblings), b"".join(s for s in siblings if s != EMPTY), end])


def _leaf_end(node: bytes, key: bytes, name: str, entry_bytes: Callable[[str], bytes | None]) -> codec.Value:
    if node[1:33] != key:
        return [node[1:33], node[33:]]
    encoded = entry_bytes(name)
    if encoded is None:
        raise KeyError(f"the tree holds {name!r} but there is no entry for it")
    return encoded


def _bitmap(siblings: list[bytes]) -> bytes:
    bits = "".join("01"[sibling != EMPTY] for sibling in siblings)
    size = -(-len(bits) // 8)
    return int(bits.ljust(8 * size, "0") or "0", 2).to_bytes(size, "big")
