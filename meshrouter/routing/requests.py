"""Asking an origin for a newer announcement, and passing such questions on (RFC 8966 §3.8).

A node whose only routes are not feasible asks for one seqno more than it has told others. The question goes from
neighbour to neighbour along their routes until somebody has such an announcement, or to the origin itself, which makes
it. Nobody passes the same question on twice within 2 s, nor more than a budget for one neighbour, and the origin
answers with at most one announcement in 2 s: so much, and no more, can a liar make the zone do.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

HOPS: Final = 64
"""Of a question; MESHP packets start with as many."""
SAME: Final = 2.0
"""Seconds for which a question is the same one."""
FIRST_RETRY: Final = 2.0
LAST_RETRY: Final = 30.0
PATIENCE: Final = 10.0
"""Seconds before asking for the sake of a better route: the next refresh, or a change on the way, may bring it."""
MOST_ASKED: Final = 3
"""Neighbours asked at once."""
_MOST_PASSED: Final = 4096


@dataclass(slots=True)
class Wanted:
    """``seqno``: the least that helps. ``next``: when to ask (again), running seconds."""

    seqno: int
    next: float
    urgent: bool
    """There is no feasible route at all, or none but the one in use, which has become worse."""
    tries: int = 0

    def asked(self, now: float) -> None:
        self.next = now + min(FIRST_RETRY * 2**self.tries, LAST_RETRY)
        self.tries = min(self.tries + 1, 16)


class Passed:
    """Questions that were passed on lately."""

    def __init__(self) -> None:
        self._last: OrderedDict[bytes, tuple[int, int, float]] = OrderedDict()

    def is_new(self, origin: bytes, seqno: int, hops: int, now: float) -> bool:
        """Whether to pass it on; it counts as passed on then. Fewer hops never silence a question that has more."""
        last = self._last.get(origin)
        if last is not None and now < last[2] + SAME and last[0] >= seqno and last[1] >= hops:
            return False
        self._last[origin] = seqno, hops, now
        self._last.move_to_end(origin)
        if len(self._last) > _MOST_PASSED:
            self._last.popitem(last=False)
        return True

    def is_asked(self, origin: bytes, seqno: int, now: float) -> bool:
        """Whether somebody behind us waits for an announcement that ``seqno`` answers."""
        last = self._last.get(origin)
        return last is not None and now < last[2] + LAST_RETRY and seqno >= last[0]
