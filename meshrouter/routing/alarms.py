"""Who wants to be woken when: at most one alarm a key. Times are running seconds."""

from collections.abc import Hashable, Iterator
from heapq import heapify, heappop, heappush
from math import inf
from typing import Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
_SLACK: Final = 64


class Alarms(Generic[K]):
    """An alarm that was moved stays in the heap until its old time comes, and is not rung then."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, K]] = []
        self._times: dict[K, float] = {}
        self._serial = 0

    def __len__(self) -> int:
        return len(self._heap)

    def set(self, key: K, when: float) -> None:
        """Instead of the alarm that it had; inf: none."""
        if self._times.get(key, inf) == when:
            return
        if when == inf:
            del self._times[key]
            return
        self._times[key] = when
        self._serial += 1
        heappush(self._heap, (when, self._serial, key))
        if len(self._heap) > 2 * len(self._times) + _SLACK:
            self._compact()

    def _compact(self) -> None:
        """Alarms that are moved again and again must not fill the memory."""
        self._heap = [entry for entry in self._heap if self._times.get(entry[2]) == entry[0]]
        heapify(self._heap)

    def advance(self, key: K, when: float) -> None:
        """No later than this."""
        if when < self._times.get(key, inf):
            self.set(key, when)

    def next(self) -> float:
        """inf if there is none."""
        while self._heap and self._times.get(self._heap[0][2]) != self._heap[0][0]:
            heappop(self._heap)
        return self._heap[0][0] if self._heap else inf

    def due(self, now: float) -> Iterator[K]:
        """Those whose time has come; each is forgotten before it is given."""
        while self.next() <= now:
            _, _, key = heappop(self._heap)
            del self._times[key]
            yield key
