"""What lies between two tips of one chain: the blocks of both sides of their fork, and the names that these changed."""

from collections.abc import Iterator
from typing import Final

from meshchain.ledger.chain.undo import Undo
from meshchain.ledger.chain.view import ChainView
from meshchain.ledger.errors import StoreError

MOST_BLOCKS: Final = 4096
"""On both sides together: five days, if nothing changes meanwhile."""


def changed_names(older: ChainView, newer: ChainView, most: int) -> set[str] | None:
    """All names whose entries differ, and those that were changed and changed back.

    None where more than ``most`` names were changed, or by more blocks than ``MOST_BLOCKS``. StoreError.
    """
    names: set[str] = set()
    for count, undo in enumerate(_undos(older, newer)):
        names |= undo.entries.keys()
        if count >= MOST_BLOCKS or len(names) > most:
            return None
    return names


def _undos(older: ChainView, newer: ChainView) -> Iterator[Undo]:
    """Each view has those of its own active blocks."""
    fork = older.tip_entry
    for fork in older.index.ancestors(older.tip_entry):
        if newer.is_main(fork.id):
            break
        yield _undo(older, fork.id)
    for entry in newer.index.ancestors(newer.tip_entry):
        if entry.height <= fork.height:
            return
        yield _undo(newer, entry.id)


def _undo(view: ChainView, block_id: bytes) -> Undo:
    undo = view.undo(block_id)
    if undo is None:
        raise StoreError("damaged", f"the undo of block {block_id.hex()} is missing")
    return undo
