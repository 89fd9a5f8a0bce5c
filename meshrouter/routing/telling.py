"""What neighbours are told, when, and in how many messages.

``offer`` says what a neighbour should know of an origin: nothing of itself, nothing of what leads through it (split
horizon), nothing of others at all while we are a guest. What it was told last is in ``told``, its account. A change is
told after 100 ms, together with whatever else has changed by then, and always as it is at that moment: however often a
route flaps, a neighbour's queue has one line an origin. News (a route found or lost, an answer) waits for 10 ms only,
so that a network of 50 hops learns within a second. A metric that moved by an eighth or less is not worth a message;
the next refresh brings it. Messages of one neighbour are paced by its budget. Links that lose frames get everything a
second time 250 ms later: much cheaper than the full dump by which a loss is mended otherwise.
"""

from collections import deque
from collections.abc import Callable
from math import inf
from typing import Final

from meshrouter.neighbours.neighbour import Neighbour
from meshrouter.routing.adjacency import Adjacency, Need
from meshrouter.routing.alarms import Alarms
from meshrouter.routing.announcement import Announcement
from meshrouter.wire.control import INFINITY, Message, Retract, Update

COALESCE: Final = 0.1
GATHER: Final = 0.01
AGAIN: Final = 0.25
LOSSY: Final = 0.05
"""Share of lost frames above which everything is said twice."""

Offer = tuple[Announcement, int]
"""An announcement, and the metric to tell it with."""


def is_material(told: tuple[int, int] | None, offer: tuple[int, int] | None) -> Need | None:
    """How pressing it is to tell ``offer`` (seqno, metric) after ``told``; None: not at all."""
    if (told is None) != (offer is None):
        return Need.NEWS
    if told is None or offer is None or told == offer:
        return None
    changed = told[0] != offer[0] or abs(told[1] - offer[1]) * 8 > told[1]
    return Need.CHANGE if changed else None


class Telling:
    """``outputs``: where messages go. ``offer``: see above; ``spoken``: called with what was told, before it leaves."""

    def __init__(
        self,
        outputs: deque[tuple[Neighbour, Message]],
        offer: Callable[[Adjacency, bytes], Offer | None],
        spoken: Callable[[Announcement, int], None],
    ) -> None:
        self._outputs = outputs
        self._offer = offer
        self._spoken = spoken
        self._flushes: Alarms[Adjacency] = Alarms()
        self._again: Alarms[Adjacency] = Alarms()

    # --- what is to be told -----------------------------------------------------------------------------------

    def changed(self, adjacency: Adjacency, origin: bytes, now: float, *, hurry: bool = False) -> None:
        """What is known of an origin may differ from what this neighbour was told. ``hurry``: it is waited for."""
        told, offer = adjacency.told.entries.get(origin), self._offer(adjacency, origin)
        need = is_material(
            None if told is None else (told.seqno, told.metric),
            None if offer is None else (offer[0].seqno, offer[1]),
        )
        if need is not None:
            self.need(adjacency, origin, Need.NEWS if hurry else need, now)

    def need(self, adjacency: Adjacency, origin: bytes, need: Need, now: float) -> None:
        adjacency.needs(origin, need)
        self._flushes.advance(adjacency, now + (COALESCE if need is Need.CHANGE else GATHER))

    def everything(self, adjacency: Adjacency, now: float) -> None:
        """A full dump: what was told is told again, with keys."""
        adjacency.keyed.clear()
        for origin in adjacency.told.entries:
            self.need(adjacency, origin, Need.REPEAT, now)

    def down(self, adjacency: Adjacency) -> None:
        self._flushes.set(adjacency, inf)
        self._again.set(adjacency, inf)

    # --- telling ----------------------------------------------------------------------------------------------

    def deadline(self) -> float:
        return min(self._flushes.next(), self._again.next())

    def tick(self, now: float) -> None:
        for adjacency in self._flushes.due(now):
            self._flush(adjacency, now)
        for adjacency in self._again.due(now):
            self._repeat(adjacency, now)

    def _flush(self, adjacency: Adjacency, now: float) -> None:
        """What presses most goes first; what the budget does not allow waits."""
        pending = adjacency.pending
        for origin in sorted(pending, key=lambda origin: -pending[origin]):
            if not adjacency.updates.has(1, now):
                self._flushes.set(adjacency, now + COALESCE)
                return
            if self._tell(adjacency, origin, pending.pop(origin)):
                adjacency.updates.spend(1, now)
        if adjacency.repeats:
            self._again.advance(adjacency, now + AGAIN)

    def _tell(self, adjacency: Adjacency, origin: bytes, need: Need) -> bool:
        """Whether that took a message."""
        told, offer = adjacency.told.entries.get(origin), self._offer(adjacency, origin)
        if offer is None:
            if told is not None:
                self._retract(adjacency, origin, told.seqno)
            return told is not None
        if told is not None and (told.seqno, told.metric) == (offer[0].seqno, offer[1]) and need is not Need.REPEAT:
            return False
        self._update(adjacency, *offer)
        return True

    def _update(self, adjacency: Adjacency, announcement: Announcement, metric: int) -> None:
        self._spoken(announcement, metric)
        origin = announcement.id
        update = announcement.update(metric, with_key=origin not in adjacency.keyed)
        adjacency.keyed[origin] = None
        adjacency.told.put(origin, announcement.key, announcement.seqno, metric)
        self._say(adjacency, origin, update)

    def _retract(self, adjacency: Adjacency, origin: bytes, seqno: int) -> None:
        adjacency.told.drop(origin)
        self._say(adjacency, origin, Retract(origin, seqno))

    def _say(self, adjacency: Adjacency, origin: bytes, message: Update | Retract) -> None:
        self._outputs.append((adjacency.neighbour, message))
        if adjacency.neighbour.loss > LOSSY:
            adjacency.repeats[origin] = message

    def _repeat(self, adjacency: Adjacency, now: float) -> None:
        """Once, and only what still stands: what has changed meanwhile is on its way already."""
        repeats, adjacency.repeats = adjacency.repeats, {}
        for origin, message in repeats.items():
            told = adjacency.told.entries.get(origin)
            stands = None if told is None else (told.seqno, told.metric)
            said = (message.seqno, message.metric) if isinstance(message, Update) else None
            if stands == said and adjacency.updates.spend(1, now):
                self._outputs.append((adjacency.neighbour, message))

    def give(self, adjacency: Adjacency, announcement: Announcement) -> None:
        """An announcement without a route: the neighbour has shown that it knows an older one only."""
        adjacency.told.drop(announcement.id)
        self._outputs.append((adjacency.neighbour, announcement.update(INFINITY, with_key=True)))
