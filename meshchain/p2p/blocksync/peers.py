"""What block download keeps of a peer: bounded by the 16 blocks that are asked for at a time."""

from dataclasses import dataclass, field
from typing import Final

from meshchain.p2p.actions import Peer
from meshchain.p2p.blocksync.path import BranchPath

MOST_LACKED: Final = 64


@dataclass(frozen=True, slots=True)
class Flight:
    """A block that was asked for."""

    height: int
    asked: float


@dataclass(slots=True)
class Lack:
    """A block of its own branch that the peer did not send."""

    times: int
    until: float
    """Not to be asked for it before."""


@dataclass(slots=True)
class PeerBlocks:
    peer: Peer
    head: bytes | None = None
    """For which ``path`` was found."""
    path: BranchPath | None = None
    """The branch it can serve; None: nothing that we want."""
    top: int = 0
    """Height up to which it is on the path."""
    flights: dict[bytes, Flight] = field(default_factory=dict)
    """In the order asked for, which is the order in which they are answered."""
    overdue: dict[bytes, Flight] = field(default_factory=dict)
    """Taken from it for others; while there are some it is asked for nothing else."""
    lacks: dict[bytes, Lack] = field(default_factory=dict)
    heard: float = 0.0
    """When it last sent a block that was asked for."""
    stalling: tuple[bytes, float] | None = None
    """The block for which the others wait, and since when."""

    def has_room(self, refill: int) -> bool:
        """Whether it is to be asked for more: it can serve something, and has sent most of what it owes."""
        return self.path is not None and not self.overdue and len(self.flights) <= refill

    def can_serve(self, height: int, block_id: bytes) -> bool:
        """Whether the block is among those to be had from it."""
        path = self.path
        return path is not None and path.first <= height <= self.top and path.id_at(height) == block_id

    def waited(self, now: float) -> float:
        """How long it owes the block at the head of its queue."""
        front = next(iter((*self.overdue.values(), *self.flights.values())), None)
        return 0.0 if front is None else now - max(front.asked, self.heard)

    def lacking(self, block_id: bytes, now: float, rest: float) -> int:
        """It did not send this block; returns how often that has happened."""
        lack = self.lacks.setdefault(block_id, Lack(0, now))
        lack.times += 1
        lack.until = now + rest * lack.times
        if len(self.lacks) > MOST_LACKED:
            del self.lacks[next(iter(self.lacks))]
        return lack.times

    def may_have(self, block_id: bytes, now: float) -> bool:
        lack = self.lacks.get(block_id)
        return lack is None or now >= lack.until
