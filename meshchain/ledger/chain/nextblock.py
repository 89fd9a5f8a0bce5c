"""What an operation is judged against before it is in a block: the block that would come next."""

from collections.abc import Callable
from dataclasses import dataclass

from meshchain.ledger.chain.index import IndexEntry
from meshchain.ledger.rules.context import Context
from meshchain.ledger.state import StateReader


@dataclass(frozen=True, slots=True)
class NextBlock:
    """The block on top of the tip; valid until the tip moves."""

    state: StateReader
    """State after the tip. Expiry at the next block's height has not been applied yet (rules.begin_block)."""
    context: Context
    """Its height is the tip's + 1."""
    block_id: Callable[[int], bytes]
    """Height → id of an ancestor, up to the tip; for stamps' anchors."""
    parent: IndexEntry
    median_time: int
    """The next block's time must be later (s)."""
