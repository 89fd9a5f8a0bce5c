"""A duty as slices of hashing with pauses between them, and the measured hash rate.

Slices are short, so that a new tip or a busy machine is noticed at once, and a pause follows each, so that the
load is even: at 5 % 25 ms of hashing and 475 ms of rest, not a minute of heat every twenty.
"""

from typing import Final

_SLICE: Final = 0.025
"""Seconds of hashing at a time: some 35 hashes on a PC, 6 on a small board."""
_MAX_PAUSE: Final = 60.0
_MEMORY: Final = 0.1
"""Weight of a new measurement: the rate follows the last ten slices or so."""


class Pace:
    """Tell it what a slice of hashing did; it says how long the next one and the pause should be."""

    def __init__(self) -> None:
        self.rate = 0.0
        """Hashes a second while hashing; 0 until measured."""

    def slice(self) -> int:
        """Hashes to make next: one where the rate is unknown."""
        return max(1, round(self.rate * _SLICE))

    def worked(self, tried: int, seconds: float) -> None:
        """A slice made ``tried`` hashes in ``seconds`` (wall time)."""
        if tried <= 0 or seconds <= 0:
            return
        measured = tried / seconds
        self.rate = measured if self.rate == 0 else self.rate + _MEMORY * (measured - self.rate)

    def pause(self, seconds: float, duty: float) -> float:
        """Rest (s) after ``seconds`` of work so that work is ``duty`` of the whole."""
        return min(_MAX_PAUSE, seconds * (1 / duty - 1)) if duty > 0 else _MAX_PAUSE
