"""What the mempool keeps of an operation, and the two ways it reports about one."""

from dataclasses import dataclass
from typing import Final, TypeAlias

from meshchain.ledger import operations
from meshchain.ledger.entry import REG_SIZE
from meshchain.ledger.errors import HeldError, RuleError
from meshchain.ledger.operations import Commit, Operation, Renew, Reveal
from meshchain.ledger.stamps import PUZZLES, Stamp

Life: TypeAlias = tuple[str, bytes]
"""One life of a name: (name, reg). A commit, which shows no name, is a life of its own: ("", commitment)."""

_NO_ORDER: Final = -1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pending:
    """An operation in the mempool."""

    operation: Operation
    opid: bytes
    wid: bytes
    size: int
    """Bytes of the encoded operation."""
    added: float
    """Unix time."""

    @property
    def name(self) -> str | None:
        return operations.name_of(self.operation)

    @property
    def stamp(self) -> Stamp:
        """Operations without one are refused at the door."""
        assert self.operation.stamp is not None
        return self.operation.stamp

    @property
    def rank(self) -> float:
        """Hashes spent per byte: 8 · 2^bits / size."""
        return PUZZLES * 2.0**self.stamp.bits / self.size

    @property
    def rank_key(self) -> tuple[float, bytes]:
        """Total order, lowest first: rank, then opid."""
        return self.rank, self.opid


@dataclass(frozen=True, slots=True)
class Dropped:
    """An operation that left the mempool although no block confirmed it."""

    operation: Operation
    opid: bytes
    code: str
    """The rule it breaks now."""
    message: str
    winner: bytes | None
    """opid of the operation in the new blocks that made it impossible, where there is one."""


class HeldOperationError(RuleError, HeldError):
    """Not valid in the next block, but kept in the orphan pool and tried again when a block comes.

    ``code`` is the rule that it does not meet yet.
    """


def life_of(operation: Operation, genesis: bytes) -> Life:
    """The life an operation belongs to: for a reveal the one it begins."""
    if isinstance(operation, Commit):
        return "", operation.commitment
    if isinstance(operation, Reveal):
        o = operation
        return o.name, operations.commitment(genesis, o.salt, o.owner, o.born, o.name)[:REG_SIZE]
    return operation.name, operation.reg


def order_of(operation: Operation) -> int:
    """Where an operation stands among those of its life: its seq; −1 for those that come before any seq."""
    return _NO_ORDER if isinstance(operation, Commit | Reveal | Renew) else operation.seq
