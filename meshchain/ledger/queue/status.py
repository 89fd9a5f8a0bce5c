"""What the queue tells of an operation: plain values for RPC, command line and wallet."""

from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

FinalState: TypeAlias = Literal["conflict-lost", "expired", "refused"]
QueueState: TypeAlias = Literal["queued", "committed", "pending", "confirmed", "conflict-lost", "expired", "refused"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StampProgress:
    """A stamp in the making; expectations are of the time left, from now."""

    bits: int
    rate: float
    """Hashes a second."""
    percent: float
    expected_s: float | None
    bound95_s: float | None
    """With 95 % probability the stamp is done before this many seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueStatus:
    """One operation that this node promised to bring into the chain."""

    opid: bytes
    kind: str
    name: str | None
    """None for a commit whose reveal is not in the queue: it hides its name."""
    state: QueueState
    confirmations: int
    reason: str
    """Why it is in this state, for people."""
    next_change: str
    """When the state will change, for people."""
    stamp: StampProgress | None
    blocks_to_go: int | None
    """Blocks until the next step can be taken (commit depth)."""
    winner: bytes | None
    """The operation that won, where state is conflict-lost."""

    def to_json(self) -> dict[str, Any]:
        return {
            "txid": self.opid.hex(),
            "kind": self.kind,
            "name": self.name,
            "state": self.state,
            "confirmations": self.confirmations,
            "reason": self.reason,
            "next_change": self.next_change,
            "stamp": None if self.stamp is None else asdict(self.stamp),
            "blocks_to_go": self.blocks_to_go,
            "winner": None if self.winner is None else self.winner.hex(),
        }
