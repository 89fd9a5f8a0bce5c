"""Is a neighbour still there? Told by traffic, not by a clock.

Theory of operation
===================
The data plane notes when it last sent data to a neighbour and when it last heard anything from it. From that:

    state      when                                              what
    quiet      nothing sent since it was last heard              ``IDLE`` seconds without a word: doubt
    waiting    data sent since                                   ``PATIENCE`` seconds after the first of it: doubt
    doubt      a HELLO that asks for an answer, each ``GAP``     anything heard: quiet or waiting
                                                                 ``probes_for`` of them in vain: gone

When traffic began to wait is noticed by looking (``due``), which whoever runs the loop does after every batch: so no
timer is set or moved for a packet. An idle link that dies is noticed within 12 s, one with traffic within 1.6 s. Who
gives up says BYE: where only one direction is dead, the other end hears it and need not find out by itself.

Three probes are enough on a link that loses nothing. On one that loses 30 % each way, three questions with their
answers fail together one time in eight; so there are as many probes as make a false alarm rarer than one in a
thousand, up to twelve. Traffic usually flows both ways, and then no probe is needed at all.
"""

from math import ceil, inf, log
from typing import Final

from meshrouter.neighbours.neighbour import Neighbour

PATIENCE: Final = 1.0
GAP: Final = 0.2
LEAST_PROBES: Final = 3
MOST_PROBES: Final = 12
IDLE: Final = 12.0 - LEAST_PROBES * GAP
FALSE_ALARM: Final = 0.001


def probes_for(loss: float) -> int:
    """How many must fail. ``loss``: of frame and answer together, 0 … 1."""
    if loss <= 0.0:
        return LEAST_PROBES
    return min(max(ceil(log(FALSE_ALARM) / log(min(loss, 0.99))), LEAST_PROBES), MOST_PROBES)


class Watch:
    """``probes``: sent in vain so far; 0 means no doubt."""

    __slots__ = ("_first", "_heard", "_next", "probes")

    def __init__(self) -> None:
        self._heard = -inf
        self._first = 0.0
        self._next = 0.0
        self.probes = 0

    def due(self, neighbour: Neighbour) -> float:
        """When ``check`` has something to do."""
        heard, sent = neighbour.heard, neighbour.sent
        if self.probes and heard == self._heard:
            return self._next
        if heard != self._heard or self._first <= heard:
            self._heard, self._first, self.probes = heard, sent, 0
        return self._first + PATIENCE if self._first > heard else heard + IDLE

    def check(self, neighbour: Neighbour, now: float) -> bool | None:
        """None: nothing to do yet. True: send a probe. False: it is gone."""
        if self.due(neighbour) > now:
            return None
        if self.probes >= probes_for(neighbour.loss):
            return False
        self.probes += 1
        self._next = now + GAP
        return True
