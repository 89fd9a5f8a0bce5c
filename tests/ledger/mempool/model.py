"""The mempool as one would write it without caring for time or space: lists, and every order tried.

An operation is pooled iff there is a place for it among those of its life (in seq order) such that the chain
itself takes the list as a block; a renew takes the first such place, others the last. No bounds, no ranks, and
one stamp an operation.
"""

from collections.abc import Iterable, Sequence

from meshchain.ledger import operations
from meshchain.ledger.chain.connect import apply_block
from meshchain.ledger.chain.nextblock import NextBlock
from meshchain.ledger.errors import RuleError
from meshchain.ledger.mempool.pending import Life, life_of
from meshchain.ledger.operations import Operation
from meshchain.ledger.rules import stamp


class ModelPool:
    def __init__(self, genesis: bytes) -> None:
        self.genesis = genesis
        self.lives: dict[Life, list[Operation]] = {}

    def opids(self) -> set[bytes]:
        return {operations.opid(op, self.genesis) for lane in self.lives.values() for op in lane}

    def admit(self, operation: Operation, next_block: NextBlock) -> bool:
        life = life_of(operation, self.genesis)
        lane = self.lives.get(life, [])
        if operation in lane:
            return True
        places = range(len(lane) + 1)
        for at in places if operation.kind == "renew" else reversed(places):
            order = [*lane[:at], operation, *lane[at:]]
            if self._seqs_rise(order) and self.is_block(order, next_block):
                self.lives[life] = order
                return True
        return False

    def rebuild(self, offered: Iterable[Operation], next_block: NextBlock) -> None:
        """Begin anew with what is still there, in the order in which it is offered."""
        self.lives = {}
        for operation in offered:
            self.admit(operation, next_block)

    def is_block(self, listed: Sequence[Operation], next_block: NextBlock) -> bool:
        try:
            apply_block(next_block.state, listed, next_block.context)
            for operation in listed:
                stamp.check_anchor(operation, next_block.context, next_block.block_id)
        except RuleError:
            return False
        return True

    @staticmethod
    def _seqs_rise(order: Sequence[Operation]) -> bool:
        seqs = [op.seq for op in order if op.kind in ("update", "transfer", "revoke")]  # type: ignore[union-attr]
        return seqs == sorted(seqs)
