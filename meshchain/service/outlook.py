"""The mining policy's outlook on a running node."""

import random

from meshchain.ledger.mining import Decision
from meshchain.ledger.mining import Outlook as SansIoOutlook
from meshchain.service.ledger import LedgerService


class Outlook:
    """Asks with what the ledger service has published. For the trio thread."""

    def __init__(self, ledger: LedgerService, rng: random.Random, *, enabled: bool) -> None:
        self._ledger = ledger
        self._outlook = SansIoOutlook(ledger.chain.params, ledger.clock.now(), rng, enabled=enabled)

    def decide(self) -> Decision:
        ledger = self._ledger
        return self._outlook.decide(
            ledger.view,
            ledger.statuses,
            ledger.pending,
            ledger.peers.company,
            synced=ledger.first_synced,
            clock_credible=ledger.clock_is_credible(),
            now=ledger.clock.now(),
        )
