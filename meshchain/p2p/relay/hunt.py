"""One new block on its way in: who has announced it, and who is asked for what is missing.

::

    hunting --everything known--------------------------------> connecting
       |                                                           ^
       '--GetBlockOperations--> operations --all there-------------|
               ^                    |                              |
               |                    '--wrong--GetBlocks--> whole --' (BlockSync takes the block)
               '---- time-out, lie, not found: the next who announced it ----'

A hunt that has nobody left to ask is over; the block is then fetched like any other that is missing.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from meshchain.ledger.header import Header
from meshchain.ledger.mempool import Pending
from meshchain.p2p.actions import Action, Blame, ConnectBlock, Do, Peer, Send
from meshchain.p2p.messages import CompactBlock, GetBlockOperations, GetBlocks
from meshchain.p2p.relay.reconstruction import Reconstruction

OPERATIONS_TIME: Final = 3.0
"""s for an answer to GetBlockOperations: at most one block, from a peer that has it."""
WHOLE_TIME: Final = 10.0
SPARES: Final = 8
"""Announcements of one block that are kept, of peers that were not asked for compact blocks."""
LIE_POINTS: Final = 50
"""For operations that do not have the short ids which the same peer sent."""
WRONG_POINTS: Final = 25
"""For compact blocks that lead to another operations root, from the second one on."""


class Stage(Enum):
    HUNTING = "hunting"
    OPERATIONS = "operations"
    WHOLE = "whole"
    CONNECTING = "connecting"


@dataclass(slots=True)
class Wrongs:
    """How often each peer's compact blocks have led to another root than the header's, since the last that did not.

    Nobody can be blamed for the first: an operation of our mempool may have had the short id of another. That happens
    by chance once in 2^64 operations, and nobody can bring it about without knowing the salt, so a second one
    is the sender's doing.
    """

    counts: dict[Peer, int] = field(default_factory=dict)

    def add(self, peer: Peer) -> list[Action]:
        self.counts[peer] = self.counts.get(peer, 0) + 1
        if self.counts[peer] < 2:
            return []
        return [Blame(peer, WRONG_POINTS, "compact blocks whose operations are not those of the header, repeatedly")]

    def forget(self, peer: Peer) -> None:
        self.counts.pop(peer, None)


@dataclass(slots=True)
class Hunt:
    """``header``'s work was checked, and its parent is the tip."""

    header: Header
    pending: Callable[[], Sequence[Pending]]
    wrongs: Wrongs
    stage: Stage = Stage.HUNTING
    asked: Peer | None = None
    deadline: float = math.inf
    """Running s."""
    task: ConnectBlock | None = None
    lacked: tuple[int, ...] = ()
    """Positions that had to be fetched."""
    _spares: dict[Peer, CompactBlock] = field(default_factory=dict)
    _partial: Reconstruction | None = None

    def offered(self, peer: Peer, compact: CompactBlock, now: float, *, favourite: bool) -> list[Action]:
        """``peer`` has announced the block."""
        if self.stage is Stage.CONNECTING or peer == self.asked:
            return []
        if favourite or len(self._spares) < SPARES:
            self._spares[peer] = compact
        if self.asked is None:
            return self.go_on(now)
        attempt = Reconstruction(compact, self.pending())
        return self._finish(peer, attempt, now) if not (attempt.missing or attempt.ambiguous) else []

    def gone(self, peer: Peer, now: float) -> list[Action]:
        self._spares.pop(peer, None)
        return self.go_on(now) if peer == self.asked and self.stage is not Stage.CONNECTING else []

    def go_on(self, now: float) -> list[Action]:
        """Try the next announcement; the hunt is ``over`` if there is none."""
        self.stage, self.asked, self._partial = Stage.HUNTING, None, None
        if not self._spares:
            return []
        peer = next(iter(self._spares))
        self.asked = peer
        partial = Reconstruction(self._spares.pop(peer), self.pending())
        if partial.ambiguous:
            return self._ask_whole(peer, now)
        if not partial.missing:
            return self._finish(peer, partial, now)
        self.stage, self.deadline, self._partial = Stage.OPERATIONS, now + OPERATIONS_TIME, partial
        return [Send(peer, GetBlockOperations(self.header.id, partial.missing))]

    @property
    def over(self) -> bool:
        return self.stage is Stage.HUNTING

    def answered(self, peer: Peer, raws: Sequence[bytes], now: float) -> list[Action]:
        """Operations of the block from ``peer``; ignored unless it is the one that was asked for them."""
        if self.stage is not Stage.OPERATIONS or peer != self.asked or self._partial is None:
            return []
        missing = self._partial.missing
        if not self._partial.fill(raws):
            lie = Blame(peer, LIE_POINTS, "operations of a block that do not have the short ids it sent")
            return [lie, *self.go_on(now)]
        self.lacked = missing
        return self._finish(peer, self._partial, now)

    def _finish(self, peer: Peer, complete: Reconstruction, now: float) -> list[Action]:
        raw = complete.block()
        if raw is None:
            self._spares.pop(peer, None)
            blame = self.wrongs.add(peer)
            return blame + (self._ask_whole(peer, now) if peer == self.asked else [])
        self.wrongs.forget(peer)
        self.stage, self.deadline = Stage.CONNECTING, math.inf
        self.task = ConnectBlock(peer, self.header.id, raw)
        return [Do(self.task)]

    def _ask_whole(self, peer: Peer, now: float) -> list[Action]:
        self.stage, self.deadline = Stage.WHOLE, now + WHOLE_TIME
        return [Send(peer, GetBlocks((self.header.id,)))]
