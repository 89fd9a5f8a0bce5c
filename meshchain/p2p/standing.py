"""How a node stands among its peers: read by the ledger's keeper, mining, status and RPC."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from meshchain.ledger.mining import Company
from meshchain.ledger.params import Params
from meshchain.p2p.gossip import VOTES, Gossip


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerStanding:
    """Replaced as a whole; the default is a node that has nobody to talk to."""

    searching: bool = False
    """Peers are configured or known, none has answered yet, and the time to wait for one is not over."""
    ready: int = 0
    synced: bool = True
    target: int | None = None
    message: str = "no peers"
    clock_offset: float | None = None
    """Median of the peers' clocks minus ours (s)."""
    clock: Literal["unknown", "agrees", "differs"] = "unknown"
    """What at least three peers say of our clock, within the network's future limit."""
    table: tuple[Mapping[str, Any], ...] = field(default=(), compare=False)
    """One JSON-compatible row a peer."""
    bans: tuple[Mapping[str, Any], ...] = field(default=(), compare=False)
    """One JSON-compatible row a banned key or host."""

    @property
    def company(self) -> Company:
        """For the miner: the search for peers is over with the first that answers, or with its time."""
        return Company(configured=self.searching, connected=self.ready, median_offset=self.clock_offset)


def standing_of(gossip: Gossip, params: Params, *, configured: bool, started: float, now: float) -> PeerStanding:
    """``configured``: whether the operator named peers; ``started``: when this run began (running s, as ``now``)."""
    ready, progress = gossip.ready_peers, gossip.progress
    known = configured or len(gossip.book) > 0
    searching = ready == 0 and known and now < started + params.policy.peer_search
    offset = gossip.clock_offset() if ready >= VOTES else None
    return PeerStanding(
        searching=searching,
        ready=ready,
        synced=progress.synced if ready else True,
        target=progress.target if ready else None,
        message=progress.message if ready else ("looking for peers" if searching else "no peers"),
        clock_offset=offset,
        clock=_verdict_on_clock(offset, params.policy.future_limit),
    )


def _verdict_on_clock(offset: float | None, limit: int | None) -> Literal["unknown", "agrees", "differs"]:
    if offset is None or limit is None:
        return "unknown"
    return "agrees" if abs(offset) <= limit else "differs"
