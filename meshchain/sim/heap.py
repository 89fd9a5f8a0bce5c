"""The one queue of a simulation: what happens next, by time and, at one time, in the order it was asked for."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(eq=False, slots=True)
class Event:
    """``action`` at ``time`` (virtual seconds), unless it is cancelled before."""

    time: float
    action: Callable[[], None]
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


class Heap:
    """Events to come, and the present. Time moves only in ``step``."""

    def __init__(self) -> None:
        self.now = 0.0
        self.steps = 0
        """Events that have happened."""
        self._events: list[tuple[float, int, Event]] = []
        """With a number that no other has: two events are never compared."""
        self._sequence = 0

    def at(self, time: float, action: Callable[[], None]) -> Event:
        """Plan an event; one for the past happens now, after what is planned for now already."""
        self._sequence += 1
        event = Event(max(time, self.now), action)
        heapq.heappush(self._events, (event.time, self._sequence, event))
        return event

    def step(self, limit: float) -> bool:
        """Let the next event happen if it comes before or at ``limit``; else move on to ``limit`` and say False."""
        while self._events and self._events[0][2].cancelled:
            heapq.heappop(self._events)
        if not self._events or self._events[0][0] > limit:
            self.now = max(self.now, limit)
            return False
        self.now, _, event = heapq.heappop(self._events)
        self.steps += 1
        event.action()
        return True
