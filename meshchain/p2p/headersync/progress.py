"""How far the node is, for status, RPC and the miner.

*Before the first sync* every offer counts: headers that a peer has shown, and what peers that we chose (outbound)
say of themselves. A node that only others have connected to waits for what they say as well, but no longer than
``GRACE``: whoever connects can claim anything, as often as he likes.

*Afterwards* claims count for nothing, or a stranger's lie would stop the name service. What counts then is headers with
real work, and not at once: a block that was announced a moment ago is on its way. The node falls back to "syncing"
when it is more than ``FAR`` blocks behind or something heavier has been missing for ``LONG``.

A branch whose bodies are all here offers nothing, whether it was adopted, parked or found invalid.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from meshchain.ledger.chain.index import Flag
from meshchain.p2p.facts import Facts
from meshchain.p2p.headersync.heads import Heads
from meshchain.p2p.headersync.peers import PeerState

GRACE: Final = 60.0
LONG: Final = 60.0
FAR: Final = 12


@dataclass(frozen=True, slots=True)
class SyncProgress:
    """``synced``: no peer offers a heavier chain with missing bodies. ``target``: the height to be reached."""

    synced: bool
    height: int
    target: int
    message: str


class Review:
    """Keeps the verdict; ``look`` renews it."""

    def __init__(self, facts: Facts, heads: Heads) -> None:
        self._facts = facts
        self._heads = heads
        self._met: float | None = None
        """When the first peer was there."""
        self._missing_since: float | None = None
        self._synced = False
        self.progress = SyncProgress(False, facts.tip().height, facts.tip().height, "not started")

    def look(self, peers: Iterable[PeerState], now: float) -> None:
        tip, listed = self._facts.tip(), list(peers)
        if listed and self._met is None:
            self._met = now
        offered = max((self._offer(peer, now) for peer in listed), default=0)
        self._synced = self._verdict(offered, tip.height, now)
        target = max(offered, tip.height)
        self.progress = SyncProgress(self._synced, tip.height, target, self._message(len(listed), tip.height, target))

    def _offer(self, peer: PeerState, now: float) -> int:
        """Height of what the peer has and we have not; 0: nothing."""
        tip, head = self._facts.tip(), self._heads.get(peer.peer)
        fresh = None if head is None else self._facts.header(head.id)
        if fresh is not None and fresh.work > tip.work and not fresh.flags & (Flag.CHAINED | Flag.FAILED):
            return fresh.height
        if not self._synced and peer.claims_over(tip.work) and self._believes(peer, now):
            return peer.claimed_height
        return 0

    def _believes(self, peer: PeerState, now: float) -> bool:
        return not peer.inbound or (self._met is not None and now < self._met + GRACE)

    def _verdict(self, offered: int, height: int, now: float) -> bool:
        if not offered:
            self._missing_since = None
            return True
        if self._missing_since is None:
            self._missing_since = now
        return self._synced and offered - height <= FAR and now - self._missing_since < LONG

    def _message(self, peers: int, height: int, target: int) -> str:
        if not peers:
            return "no peers"
        if target == height:
            return "synced"
        headers = self._facts.best_header().height
        if headers < target:
            return f"fetching headers: {headers} of {target}"
        return f"fetching blocks: {height} of {target}"
