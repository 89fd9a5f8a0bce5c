"""What there is to do, kept up item by item, so that asking every second costs next to nothing."""

import random
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
        self._stamps: dict[bytes, tuple[tuple[bool, bool, int], Stamp]] = {}
        self._sends: dict[bytes, Send] = {}
        self._listed: list[Action] | None = None

    def make(self, item: Item, facts: Facts) -> None:
        """Work out what ``item`` needs now: a stamp, to be sent, both or nothing."""
        self.drop(item)
        stamp = stamping.needed(item, facts, self._rng)
        if stamp is not None:
            self._stamps[item.opid] = _urgency(item, facts), stamp
        ready = item.alive and item.verdict.phase is Phase.READY and item.sent_tip != facts.tip
        if ready and stamping.has_stamp(item, facts):
            self._sends[item.opid] = Send(item.opid, item.operation)

    def drop(self, item: Item) -> None:
        self._stamps.pop(item.opid, None)
        self._sends.pop(item.opid, None)
        self._listed = None

    def stamp(self, opid: bytes) -> Stamp | None:
        """The search that is asked for."""
        planned = self._stamps.get(opid)
        return None if planned is None else planned[1]

    def listed(self) -> list[Action]:
        """Sends, then searches, the most useful first."""
        if self._listed is None:
            sends = list(self._sends.values())[:SENDS_AT_ONCE]
            searches = sorted(self._stamps.values(), key=lambda planned: planned[0])[:STAMPS_AT_ONCE]
            self._listed = [*sends, *(stamp for _, stamp in searches)]
        return list(self._listed)


def _urgency(item: Item, facts: Facts) -> tuple[bool, bool, int]:
    """First what only its stamp holds back, then what is on its way, then better stamps for what was sent."""
    return stamping.has_stamp(item, facts), item.verdict.phase is not Phase.READY, item.order
