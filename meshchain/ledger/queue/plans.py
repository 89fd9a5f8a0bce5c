"""What there is to do, kept up item by item, so that asking every second costs next to nothing."""

import random
from heapq import nsmallest
from typing import Final

from meshchain.ledger.queue import stamping
from meshchain.ledger.queue.actions import Action, Send, Stamp
from meshchain.ledger.queue.facts import Facts
from meshchain.ledger.queue.item import Item, Phase

STAMPS_AT_ONCE: Final = 16
SENDS_AT_ONCE: Final = 64
"""Actions listed in one tick: the mempool checks eight hashes an operation, about 6 ms."""


class Plans:
    """The searches and sends that are due."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._facts: Facts | None = None
        self._unstamped: dict[bytes, tuple[tuple[bool, bool, int], Item]] = {}
        self._sends: dict[bytes, Send] = {}
        self._listed: list[Action] | None = None

    def make(self, item: Item, facts: Facts) -> None:
        """Work out what ``item`` needs at this tip: a stamp, to be sent, both or nothing."""
        self.drop(item)
        self._facts = facts
        stamped = stamping.has_stamp(item, facts)
        if stamping.begin_if_needed(item, facts, self._rng):
            self._unstamped[item.opid] = (stamped, item.verdict.phase is not Phase.READY, item.order), item
        if stamped and item.alive and item.verdict.phase is Phase.READY and item.sent_tip != facts.tip:
            self._sends[item.opid] = Send(item.opid, item.operation)

    def drop(self, item: Item) -> None:
        self._unstamped.pop(item.opid, None)
        self._sends.pop(item.opid, None)
        self._listed = None

    def stamp(self, opid: bytes) -> Stamp | None:
        """The search that is asked for."""
        planned = self._unstamped.get(opid)
        return None if planned is None else self._stamp(planned[1])

    def _stamp(self, item: Item) -> Stamp:
        assert self._facts is not None  # plans are made on facts
        return stamping.action(item, self._facts.consensus.pow_memory_kib)

    def listed(self) -> list[Action]:
        """Sends, then searches, the most useful first."""
        if self._listed is None:
            sends = list(self._sends.values())[:SENDS_AT_ONCE]
            # First what only its stamp holds back, then what is on its way, then better stamps for what was sent.
            first = nsmallest(STAMPS_AT_ONCE, self._unstamped.values(), key=lambda planned: planned[0])
            self._listed = [*sends, *(self._stamp(item) for _, item in first)]
        return list(self._listed)
