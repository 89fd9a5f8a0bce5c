"""How long another node's operations are left to that node, where blocks are made on demand (dev).

Every node of a dev network sees an operation at the same moment, and a block costs nothing: without a wait all
would make one, and every operation would cost a fork. Whoever queued the operation makes its block at once; the
others wait a random time, so that one of them steps in alone where that node does not mine. A block that arrives
meanwhile ends the wait: what it left behind gets a new one.
"""

import random

from meshchain.ledger.params import Policy


class ForeignWait:
    """Since when foreign operations wait on the present tip, and the wait drawn for that tip (s)."""

    def __init__(self, policy: Policy, rng: random.Random) -> None:
        self.since: float | None = None
        self.wait = 0.0
        self._range = policy.mine_wait
        self._rng = rng
        self._tip: bytes | None = None

    def observe(self, tip: bytes, foreign_pending: int, now: float) -> None:
        """To be told before every decision; ``now`` in unix s."""
        if foreign_pending == 0:
            self.since = None
        elif self.since is None or tip != self._tip:
            self.since, self.wait = now, self._rng.uniform(*self._range)
        self._tip = tip
