"""The block to search a nonce for: validated before any work goes into it.

Every operation is tried on top of those before it by the very code that connects blocks; one that fails is
left out with its error and the rest stays, so whatever the mempool offers, at worst the block is empty. A
block found on a template can therefore only fail by losing the race.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from meshchain.ledger import difficulty, operations
from meshchain.ledger.chain.chain import Chain
from meshchain.ledger.chain.connect import Assembly
from meshchain.ledger.chain.statedb import changes_of
from meshchain.ledger.errors import RuleError
from meshchain.ledger.header import VERSION, Header, operations_root
from meshchain.ledger.mempool import stampcheck
from meshchain.ledger.mempool.room import Room
from meshchain.ledger.operations import Operation


@dataclass(frozen=True, slots=True)
class Template:
    """A block that lacks nothing but its nonce."""

    header: Header
    """nonce 0"""
    operations: tuple[Operation, ...]
    dropped: tuple[tuple[bytes, RuleError], ...]
    """(opid, why) of the operations that were left out."""


_LAST_TIME: Final = (1 << 64) - 1
"""What a header can hold. On a network without a future limit somebody may have taken the chain there: its end."""


def build(chain: Chain, listed: Sequence[Operation], now: float) -> Template:
    """A template on the tip of ``chain`` with what is valid of ``listed``, in that order; ``now`` in unix s.

    The time is the clock's, moved behind the median where the clock lags; the caller decides whether its clock is fit
    for mining at all (``mining.policy``). Stamps that were not seen before are hashed.
    """
    filler = _Filler(chain)
    for operation in listed:
        filler.offer(operation)
    return Template(filler.header(now), tuple(filler.taken), tuple(filler.dropped))


class _Filler:
    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.next = chain.next_block()
        self.assembly = Assembly(self.next.state, self.next.context)
        self.room = Room(chain.params.consensus)
        self.taken: list[Operation] = []
        self.dropped: list[tuple[bytes, RuleError]] = []

    def offer(self, operation: Operation) -> None:
        try:
            self._add(operation)
        except RuleError as error:
            self.dropped.append((operations.opid(operation, self.chain.genesis_id), error))

    def _add(self, operation: Operation) -> None:
        stampcheck.check_claim(operation, self.next)
        stampcheck.check_work(operation, self.next, self.chain.workers, self.chain.stamps_seen)
        size = len(operations.encode(operation))
        if size > self.next.context.consensus.max_operation_size:
            raise RuleError("operation-size", "the operation is too large", size=size)
        if not self.room.fits(operation, size):
            raise RuleError("block-full", "the template has no room left", size=size, free=self.room.free)
        self.assembly.add(operation)
        self.room.take(operation, size)
        self.taken.append(operation)

    def header(self, now: float) -> Header:
        tip = self.next.parent
        _, state_root = changes_of(self.assembly.overlay, self.chain.state, tip.header.state_root)
        time = min(max(int(now), self.next.median_time + 1), _LAST_TIME)
        return Header(
            version=VERSION,
            height=self.next.context.height,
            previous=tip.id,
            operations_root=operations_root([operations.wid(op) for op in self.taken]),
            state_root=state_root,
            time=time,
            bits=difficulty.next_bits(self.chain.params.consensus, tip.difficulty, time),
            nonce=0,
        )
