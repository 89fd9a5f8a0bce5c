"""Sequence numbers, reserved for us by the node, which writes them to disk before it says so.

The node's memory holds a number that is above all that were ever used. It is asked to raise that while there is still a
block left below it, so that there is always something to take at once. Only who must jump past a number that neighbours
remember, because the node's memory was lost, goes beyond it, and the node hears of that in the same moment.
"""

from collections.abc import Callable
from typing import Final

BLOCK: Final = 1000


class Granted:
    """A ``routing.own.SeqnoStore``. ``want``: asks the node to keep that all numbers up to this one are used."""

    def __init__(self, first: int, want: Callable[[int], None]) -> None:
        self._next = first
        self._durable = first + BLOCK
        """Numbers below are accounted for on disk."""
        self._want = want
        self._asked = 0

    @property
    def next(self) -> int:
        """Never given to anybody, nor any after it."""
        return self._next

    def granted(self, first: int) -> None:
        """The node has reserved BLOCK numbers from ``first`` on, and all before."""
        self._durable = max(self._durable, first + BLOCK)
        self._asked = 0

    def reserve(self, count: int) -> int:
        first = self._next
        self._next += count
        if self._next + BLOCK > self._durable and self._next > self._asked:
            self._asked = self._next + BLOCK
            self._want(self._asked)
        return first
