"""What is forwarded for guests: for few of them, and little. What ends at this node is not counted."""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from meshrouter.counters import Counters
from meshrouter.tokens import Bucket

MOST_GUESTS: Final = 16
NEW_PER_SECOND: Final = 0.5
BYTES_PER_SECOND: Final = 8_000.0
"""64 kbit/s."""
BURST: Final = 16_000.0
"""Two seconds' worth."""
IDLE: Final = 60.0
"""Seconds after which a guest's place is free again."""


@dataclass(slots=True)
class _Place:
    used: float
    budget: Bucket = field(default_factory=lambda: Bucket(BYTES_PER_SECOND, BURST))


class GuestQuotas:
    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._places: OrderedDict[bytes, _Place] = OrderedDict()
        """By key, the last used last."""
        self._entry = Bucket(NEW_PER_SECOND, 1.0)

    def take(self, guest: bytes, size: int, now: float) -> bool:
        """Whether ``size`` bytes from or to a guest (its key) may be forwarded."""
        place = self._places.get(guest) or self._admit(guest, now)
        if place is None:
            self._counters.drop("guest-places")
            return False
        place.used = now
        self._places.move_to_end(guest)
        if not place.budget.spend(size, now):
            self._counters.drop("guest-quota")
            return False
        return True

    def forget(self, guest: bytes) -> None:
        """It is a guest no longer."""
        self._places.pop(guest, None)

    def __len__(self) -> int:
        return len(self._places)

    def _admit(self, guest: bytes, now: float) -> _Place | None:
        """A place for another guest: a free one, or that of who has been idle; one in two seconds."""
        if len(self._places) >= MOST_GUESTS:
            oldest, place = next(iter(self._places.items()))
            if now - place.used < IDLE:
                return None
            del self._places[oldest]
        if not self._entry.spend(1.0, now):
            return None
        place = self._places[guest] = _Place(now)
        return place
