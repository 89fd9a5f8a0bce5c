"""The one queue of a simulation: what happens next, by time and, at one time, in the order it was asked for."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(order=True, slots=True)
class Event:
    """``action`` at ``time`` (virtual seconds), unless it is cancelled before."""

    time: float
    sequence: int
    action: Callable[[], None] = field(compare=False)
    cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        self.cancelled = True


class Heap:
    """Events to come, and the present. Time moves only in ``step``."""

    def __init__(self) -> None:
        self.now = 0.0
        self.steps = 0
        """Events that have happened."""
        self._events: list[Event] = []
        self._sequence = 0

    def at(self, time: float, action: Callable[[], None]) -> Event:
        """Plan an event; one for the past happens now, after what is planned for now already."""
        self._sequence += 1
        event = Event(max(time, self.now), self._sequence, action)
        heapq.heappush(self._events, event)
        return event

    def step(self, limit: float) -> bool:
        """Let the next event happen if it comes before or at ``limit``; else move on to ``limit`` and say False."""
        while self._events and self._events[0].cancelled:
            heapq.heappop(self._events)
        if not self._events or self._events[0].time > limit:
            self.now = max(self.now, limit)
            return False
        event = heapq.heappop(self._events)
        self.now = event.time
        self.steps += 1
        event.action()
        return True
