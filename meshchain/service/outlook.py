"""What the mining policy looks at, gathered from the parts of the node."""

import random

from meshchain.ledger.mining import Decision, ForeignWait, MiningInputs, decide
from meshchain.rpc.api import QueueStatus
from meshchain.service.ledger import LedgerService


class Outlook:
    """Asks ``meshchain.ledger.mining`` with what this node knows now. For the trio thread."""

    def __init__(self, ledger: LedgerService, rng: random.Random, *, enabled: bool) -> None:
        self._ledger = ledger
        self._enabled = enabled
        self._policy = ledger.chain.params.policy
        self._genesis_time = ledger.chain.genesis.time
        self._started = ledger.clock.now()
        self._foreign = ForeignWait(self._policy, rng)

    def decide(self) -> Decision:
        ledger = self._ledger
        view, now = ledger.view, ledger.clock.now()
        own = {status.opid for status in ledger.statuses}
        foreign = sum(item.opid not in own for item in ledger.pending)
        self._foreign.observe(view.tip_id, foreign, now)
        inputs = MiningInputs(
            now=now,
            started=self._started,
            enabled=self._enabled,
            synced=ledger.first_synced,
            peers_configured=False,
            links_up=False,
            peers_connected=0,
            peer_median_offset=None,
            clock_credible=ledger.clock.synchronised(),
            tip_time=view.tip.time,
            median_time=view.median_time(),
            genesis_time=self._genesis_time,
            own_waiting=sum(map(waits_for_block, ledger.statuses)),
            foreign_pending=foreign,
            foreign_since=self._foreign.since,
            foreign_wait=self._foreign.wait,
        )
        return decide(self._policy, inputs)


def waits_for_block(status: QueueStatus) -> bool:
    """In the mempool, or held back until its commit is deep enough."""
    return status.state == "pending" or (status.state == "committed" and bool(status.blocks_to_go))
