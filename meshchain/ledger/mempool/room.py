"""What still fits into a block, in bytes: consensus for the whole, policy for commits."""

from meshchain.ledger.block import ARRAY_OVERHEAD, ITEM_OVERHEAD
from meshchain.ledger.header import Header
from meshchain.ledger.operations import Commit, Operation
from meshchain.ledger.params import Consensus


class Room:
    """An empty block's room, shrinking with every operation that takes some."""

    def __init__(self, consensus: Consensus) -> None:
        self.free = consensus.max_block_size - Header.SIZE - ARRAY_OVERHEAD
        self.free_for_commits = consensus.max_block_size // 2
        """Policy: commits name nobody and cost little, so they never fill more than half a block."""

    def fits(self, operation: Operation, size: int) -> bool:
        """Whether an operation of ``size`` encoded bytes still fits."""
        need = size + ITEM_OVERHEAD
        return need <= self.free and (not isinstance(operation, Commit) or need <= self.free_for_commits)

    def take(self, operation: Operation, size: int) -> None:
        """Give an operation that fits its place."""
        self.free -= size + ITEM_OVERHEAD
        if isinstance(operation, Commit):
            self.free_for_commits -= size + ITEM_OVERHEAD
