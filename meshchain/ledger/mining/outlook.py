"""What the mining policy looks at, gathered from the ledger and from what is known of the peers."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from meshchain.ledger.chain.view import ChainView
from meshchain.ledger.mempool import Pending
from meshchain.ledger.mining.policy import Decision, MiningInputs, decide
from meshchain.ledger.mining.waiting import ForeignWait
from meshchain.ledger.params import Params
from meshchain.ledger.queue import QueueStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """Peers, as far as mining depends on them."""

    configured: bool = False
    links_up: bool = False
    connected: int = 0
    median_offset: float | None = None
    """Median of their clocks minus this one (s)."""


ALONE = Company()


class Outlook:
    """Asks the policy with what this node knows now. ``started``: when this run began (unix s)."""

    def __init__(self, params: Params, started: float, rng: random.Random, *, enabled: bool) -> None:
        self._policy = params.policy
        self._genesis_time = params.consensus.genesis_time
        self._started = started
        self._enabled = enabled
        self._foreign = ForeignWait(params.policy, rng)

    def decide(
        self,
        view: ChainView,
        statuses: Sequence[QueueStatus],
        pending: Sequence[Pending],
        company: Company,
        *,
        synced: bool,
        clock_credible: bool,
        now: float,
    ) -> Decision:
        """``statuses``: the queue's; ``pending``: the mempool's; ``now``: unix s."""
        own = {status.opid for status in statuses}
        foreign = sum(item.opid not in own for item in pending)
        self._foreign.observe(view.tip_id, foreign, now)
        inputs = MiningInputs(
            now=now,
            started=self._started,
            enabled=self._enabled,
            synced=synced,
            peers_configured=company.configured,
            links_up=company.links_up,
            peers_connected=company.connected,
            peer_median_offset=company.median_offset,
            clock_credible=clock_credible,
            tip_time=view.tip.time,
            median_time=view.median_time(),
            genesis_time=self._genesis_time,
            own_waiting=sum(map(waits_for_block, statuses)),
            foreign_pending=foreign,
            foreign_since=self._foreign.since,
            foreign_wait=self._foreign.wait,
        )
        return decide(self._policy, inputs)


def waits_for_block(status: QueueStatus) -> bool:
    """In the mempool, or held back until its commit is deep enough."""
    return status.state == "pending" or (status.state == "committed" and bool(status.blocks_to_go))
