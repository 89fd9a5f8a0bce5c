"""The tree as ledger.md defines it, and nothing more: slow, recursive, over a plain dict."""

from collections.abc import Mapping
from hashlib import blake2b

Leaves = Mapping[bytes, bytes]
"""key → entry hash."""


def tagged(tag: str, data: bytes) -> bytes:
    return blake2b(data, digest_size=32, person=tag.encode().ljust(16, b"\0")).digest()


def model_nodes(leaves: Leaves) -> tuple[bytes, dict[bytes, bytes]]:
    """The root, and every node of the tree under its hash."""
    nodes: dict[bytes, bytes] = {}
    by_path = {f"{int.from_bytes(key, 'big'):0256b}": key + entry for key, entry in leaves.items()}
    return _subtree("", by_path, nodes), nodes


def _subtree(prefix: str, leaves: Mapping[str, bytes], nodes: dict[bytes, bytes]) -> bytes:
    inside = {path: leaf for path, leaf in leaves.items() if path.startswith(prefix)}
    if not inside:
        return bytes(32)
    if len(inside) == 1:
        [body] = inside.values()
        tag = "leaf"
    else:
        body, tag = _subtree(prefix + "0", inside, nodes) + _subtree(prefix + "1", inside, nodes), "node"
    digest = tagged(tag, body)
    assert digest not in nodes, "a node stands in two places"
    nodes[digest] = (b"\0" if tag == "leaf" else b"\1") + body
    return digest
