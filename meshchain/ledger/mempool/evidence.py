"""Which operation of the new blocks made a pooled one impossible."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from meshchain.ledger import operations
from meshchain.ledger.block import Block
from meshchain.ledger.mempool.pending import order_of
from meshchain.ledger.operations import Commit, NamedOperation, Operation

_WINNERS: Final = {
    "name-taken": ("reveal",),
    "commitment-used": ("reveal",),
    "reg-mismatch": ("reveal",),
    "name-revoked": ("revoke",),
    "seq-too-low": ("update", "transfer", "revoke"),
    "signature": ("transfer", "update"),
    "host-proof": ("transfer",),
    "expires-mismatch": ("renew",),
    "renew-no-gain": ("renew",),
}
"""Rule → kinds that can have brought about that an operation breaks it."""


class Evidence:
    """What the blocks of a Switch did to each name."""

    def __init__(self, connected: Sequence[Block], genesis: bytes) -> None:
        self._genesis = genesis
        self._by_name: defaultdict[str, list[NamedOperation]] = defaultdict(list)
        self.heights: dict[bytes, int] = {}
        """opid → height of every operation in these blocks."""
        for block in connected:
            for operation in block.operations:
                self.heights[operations.opid(operation, genesis)] = block.header.height
                if not isinstance(operation, Commit):
                    self._by_name[operation.name].append(operation)

    def winner(self, operation: Operation, code: str) -> bytes | None:
        """opid of the operation that made ``operation`` break the rule ``code``; None if no new block holds it."""
        if isinstance(operation, Commit):
            return None
        kinds = _WINNERS.get(code, ())
        rivals = [rival for rival in self._by_name.get(operation.name, ()) if rival.kind in kinds]
        if code == "seq-too-low":  # the first that reached our seq; what came before left us valid
            rivals = [rival for rival in rivals if order_of(rival) >= order_of(operation)][:1]
        return operations.opid(rivals[-1], self._genesis) if rivals else None
