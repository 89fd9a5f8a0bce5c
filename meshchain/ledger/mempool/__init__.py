"""The mempool: what waits for a block. Start reading at ``pool``."""

from meshchain.ledger.mempool.pending import Dropped, HeldOperationError, Pending
from meshchain.ledger.mempool.pool import Mempool

__all__ = ["Dropped", "HeldOperationError", "Mempool", "Pending"]
