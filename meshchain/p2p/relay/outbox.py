"""What one peer is still to be told of, and what it knows: announcements in batches, a little late.

Batches are sent at random times, so that whoever listens at many nodes cannot tell by the clock where an
operation came from, and so that one message carries many.
"""

import random
from collections.abc import Callable, Iterable
from typing import Final

from meshchain.ledger.recent import RecentSet
from meshchain.p2p.messages import MAX_INVENTORY

TRICKLE: Final = 2.0
"""s; a batch waits for a random part of it."""
KNOWN: Final = 2000
"""Wids remembered as known to a peer. One forgotten is announced once too often: 32 bytes."""
WAITING: Final = 5000
"""Wids that wait for a peer; the oldest give way."""


class Outbox:
    """Of one peer. ``next_flush``: running s, None while nothing waits."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._known = RecentSet(KNOWN)
        self._waiting: dict[bytes, None] = {}
        self.next_flush: float | None = None

    def __len__(self) -> int:
        return len(self._known) + len(self._waiting)

    def learn(self, wid: bytes) -> None:
        """The peer has the operation."""
        self._known.add(wid)
        self._waiting.pop(wid, None)

    def add(self, wids: Iterable[bytes], now: float) -> None:
        """Announce these some time soon, but for those that the peer knows."""
        for wid in wids:
            if wid not in self._known:
                self._waiting[wid] = None
                if len(self._waiting) > WAITING:
                    del self._waiting[next(iter(self._waiting))]
        self._plan(now)

    def flush(self, now: float, still_here: Callable[[bytes], bool]) -> tuple[bytes, ...]:
        """The batch that is due, without what has left the mempool since; empty if none is."""
        if self.next_flush is None or now < self.next_flush:
            return ()
        self.next_flush = None
        batch: list[bytes] = []
        while self._waiting and len(batch) < MAX_INVENTORY:
            wid = next(iter(self._waiting))
            self.learn(wid)
            if still_here(wid):
                batch.append(wid)
        self._plan(now)
        return tuple(batch)

    def _plan(self, now: float) -> None:
        if self._waiting and self.next_flush is None:
            self.next_flush = now + self._rng.uniform(0, TRICKLE)
