"""One queued operation: what is kept of it on disk, and what is worked out anew at every tip."""

from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property

from meshchain.ledger import operations
from meshchain.ledger.entry import REG_SIZE
from meshchain.ledger.operations import Commit, Operation, Reveal
from meshchain.ledger.queue.status import FinalState, StampProgress
from meshchain.ledger.stamps import PUZZLES


class Phase(Enum):
    """Where an operation stands that has not ended."""

    HELD = "held"
    """Waits for something that may take long: no stamp is made."""
    COMING = "coming"
    """Waits for a block or a sibling: its stamp is made ahead."""
    READY = "ready"
    """Valid in the next block."""
    CONFIRMED = "confirmed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the chain at one tip says of an operation that has not ended."""

    phase: Phase
    reason: str
    next_change: str
    committed: bool = False
    """A reveal whose commit is in the index."""
    height: int = 0
    """Height of the confirming block."""
    blocks_to_go: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """Why an operation will not be confirmed. Stands as long as ``block`` is on the active chain."""

    state: FinalState
    code: str
    message: str
    winner: bytes | None
    height: int
    block: bytes
    """The tip (32-byte id) at which this was found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Partial:
    """A stamp in the making: its anchor and bits are fixed, so that blocks and raises do not restart the search."""

    anchor_height: int
    anchor_hash: bytes
    bits: int
    start: int
    """Where its nonces begin."""
    found: tuple[int | None, ...] = (None,) * PUZZLES
    tried: int = 0


NOT_JUDGED = Verdict(phase=Phase.HELD, reason="not looked at yet", next_change="at once")


@dataclass(kw_only=True)
class Item:
    """Durable: the fields up to ``ended``. The rest follows from them and the chain."""

    opid: bytes
    operation: Operation
    """With the newest stamp, or none."""
    genesis: bytes
    order: int
    """Counts submissions."""
    added: int
    """Unix seconds."""
    signer: bytes
    """The key that signed: an owner's 33 bytes or a node's 32; empty for a commit."""
    base_seq: int = 0
    """seq of the name's entry when the signer was found to be entitled: before that seq it may not be yet."""
    life_end: int = 0
    """First height at which this life of the name is over, as last known; 0: not known yet."""
    sent_at: int | None = None
    """Height of the tip when it was first given to the mempool, since it last began to wait for a block."""
    refusal: str | None = None
    """Why the mempool would not have it when it was last given."""
    partial: Partial | None = None
    ended: Ended | None = None

    verdict: Verdict = NOT_JUDGED
    progress: StampProgress | None = None
    sent_tip: bytes | None = field(default=None, repr=False)
    """Tip at which it was last handed to the mempool by this process."""

    @property
    def kind(self) -> str:
        return self.operation.kind

    @cached_property
    def name(self) -> str | None:
        return operations.name_of(self.operation)

    @cached_property
    def commitment(self) -> bytes:
        """Of a commit or reveal; empty for the others."""
        o = self.operation
        if isinstance(o, Commit):
            return o.commitment
        if isinstance(o, Reveal):
            return operations.commitment(self.genesis, o.salt, o.owner, o.born, o.name)
        return b""

    @cached_property
    def reg(self) -> bytes:
        """The life of the name it belongs to."""
        return self.commitment[:REG_SIZE] if isinstance(self.operation, Commit | Reveal) else self.operation.reg

    @cached_property
    def seq(self) -> int:
        """0 for kinds without one."""
        return 0 if isinstance(self.operation, Commit | Reveal | operations.Renew) else self.operation.seq

    @property
    def born(self) -> int:
        """Of a reveal; 0 for the others."""
        return self.operation.born if isinstance(self.operation, Reveal) else 0

    @property
    def confirmed(self) -> bool:
        return self.ended is None and self.verdict.phase is Phase.CONFIRMED

    @property
    def alive(self) -> bool:
        """Still to be brought into the chain."""
        return self.ended is None and self.verdict.phase is not Phase.CONFIRMED
