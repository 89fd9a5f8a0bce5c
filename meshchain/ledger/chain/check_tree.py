"""The second half of the integrity check: do the rows of the header tree agree with each other?

Every header in the store is looked at, side branches included: its own id, its row among its parent's children,
its row among the leaves, its body and its undo record. Work and rules are checked by the replay (``check``).
"""

from collections.abc import Iterator

from meshchain.ledger.chain.index import Flag, HeaderIndex, IndexEntry
from meshchain.ledger.store import Reader, layout


def tree_difference(reader: Reader, index: HeaderIndex) -> str | None:
    """What is wrong with the header tree, or None."""
    return next(_differences(reader, index), None)


def _differences(reader: Reader, index: HeaderIndex) -> Iterator[str]:
    for key, _ in reader.items(layout.HEADER):
        entry = index.require(key[1:])
        if entry.header.id != entry.id:
            yield f"header {entry.id.hex()}: its bytes have another id"
        yield from _header_differences(reader, index, entry)
    for prefix, what in ((layout.LEAF, "leaf"), (layout.BODY, "body"), (layout.UNDO, "undo")):
        for key, _ in reader.items(prefix):
            if index.get(key[1:]) is None:
                yield f"{what} row of {key[1:].hex()}: no such header"
    for key, _ in reader.items(layout.CHILD):
        child = index.get(key[33:])
        if child is None or child.header.previous != key[1:33]:
            yield f"child row {key[1:].hex()}: no such child"


def _header_differences(reader: Reader, index: HeaderIndex, entry: IndexEntry) -> Iterator[str]:
    block = f"block {entry.height} ({entry.id.hex()})"
    if reader.get(layout.CHILD + entry.header.previous + entry.id) is None:
        yield f"{block}: missing among its parent's children"
    is_leaf = next(reader.items(layout.CHILD + entry.id), None) is None
    if is_leaf != (reader.get(layout.LEAF + entry.id) is not None):
        yield f"{block}: the row that makes it a leaf is {'missing' if is_leaf else 'wrong'}"
    if bool(entry.flags & Flag.BODY) != (reader.get(layout.BODY + entry.id) is not None):
        yield f"{block}: flags {entry.flags!r} and the body row disagree"
    connected = entry.height > 0 and index.is_main(entry)
    if connected != (reader.get(layout.UNDO + entry.id) is not None):
        yield f"{block}: its undo record is {'missing' if connected else 'of a block that is not active'}"
