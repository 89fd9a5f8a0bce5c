"""Which counters have been seen: a window that moves with the greatest (RFC 4303 §3.4.3, RFC 6479).

Counters are bits, 64 to a word, the words a ring. The window moves by whole words, and only when a counter opens a new
one; within a word a packet costs one ``or``. Moving one large integer bit by bit, as the first of these RFCs draws it,
would copy the whole window for every packet, 1 KB between ends.
"""

from typing import Final

WORD: Final = 64
"""Bits. Python's integers of this size still cost what small ones do."""


class ReplayWindow:
    """The newest ``size`` counters: each is fresh once. Older ones never are."""

    __slots__ = ("_count", "_words", "greatest", "size")

    def __init__(self, size: int) -> None:
        """``size``: a multiple of 64."""
        self.size = size
        self.greatest = -1
        """Of the counters seen."""
        self._count = size // WORD + 1
        self._words = [0] * self._count

    def fresh(self, counter: int) -> bool:
        """Whether it may still come. Changes nothing: what claims a counter is not proven yet."""
        greatest = self.greatest
        if counter > greatest:
            return True
        if counter < 0 or counter <= greatest - self.size:
            return False
        return not self._words[(counter >> 6) % self._count] >> (counter & 63) & 1

    def seen(self, counter: int) -> None:
        """It came, fresh and proven."""
        word = counter >> 6
        greatest = self.greatest
        if counter > greatest:
            self.greatest = counter
            if word != greatest >> 6:
                self._clear(word, word - (greatest >> 6))
        self._words[word % self._count] |= 1 << (counter & 63)

    def _clear(self, last: int, steps: int) -> None:
        """Empty the ``steps`` words up to ``last``; at most all of them."""
        for word in range(last - min(steps, self._count) + 1, last + 1):
            self._words[word % self._count] = 0
