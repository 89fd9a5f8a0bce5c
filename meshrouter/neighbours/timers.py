"""Timers by name, run in the order of their times.

What is due at one time runs in the order in which it was set, so that a simulation repeats itself.
"""

from collections.abc import Callable, Hashable
from heapq import heappop, heappush
from math import inf

Action = Callable[[float], None]
"""Called with ``now``. It may set and stop timers; what it sets for the past is run at the next ``run``."""


class Timers:
    """Setting a timer that is set moves it. Stale entries of the heap are dropped when they come to its top."""

    __slots__ = ("_heap", "_serial", "_set")

    def __init__(self) -> None:
        self._set: dict[Hashable, tuple[int, Action]] = {}
        self._heap: list[tuple[float, int, Hashable]] = []
        self._serial = 0

    def __contains__(self, name: Hashable) -> bool:
        return name in self._set

    def at(self, name: Hashable, due: float, action: Action) -> None:
        self._serial += 1
        self._set[name] = (self._serial, action)
        heappush(self._heap, (due, self._serial, name))

    def stop(self, name: Hashable) -> None:
        """Whether it is set or not."""
        self._set.pop(name, None)

    def next(self) -> float:
        """When the first is due; inf if none is set."""
        heap = self._heap
        while heap and not self._lives(heap[0]):
            heappop(heap)
        return heap[0][0] if heap else inf

    def run(self, now: float) -> None:
        """All that is due, but not what that sets anew."""
        last = self._serial
        later = []
        while self.next() <= now:
            entry = heappop(self._heap)
            if entry[1] > last:
                later.append(entry)
                continue
            _, action = self._set.pop(entry[2])
            action(now)
        for entry in later:
            heappush(self._heap, entry)

    def _lives(self, entry: tuple[float, int, Hashable]) -> bool:
        return self._set.get(entry[2], (0,))[0] == entry[1]
