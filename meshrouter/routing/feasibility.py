"""Why there are no loops: the feasibility condition (RFC 8966 §2.4, §3.5.1, from EIGRP).

A node remembers of every origin the best *distance* it has ever told anybody: the highest seqno, and the lowest metric
with it. It takes a neighbour's route only if the neighbour's distance is strictly better than that. Whoever uses a
route is thus strictly farther than whom it uses, by distances that only ever improve; along a chain of next hops they
improve strictly, so no chain comes back to where it began. Messages that are lost, late or out of order change nothing
in this, because what a neighbour has told once stays an upper bound of its distance for good.

The price: a neighbour may have a fine route that is not feasible. Then the origin is asked for a higher seqno
(``requests``), to which every distance remembered so far is worse.
"""

from typing import NamedTuple


class Distance(NamedTuple):
    """Not comparable as a tuple: a higher seqno is better, a lower metric is."""

    seqno: int
    metric: int

    def better_than(self, other: "Distance") -> bool:
        return self.seqno > other.seqno or (self.seqno == other.seqno and self.metric < other.metric)


def is_feasible(offer: Distance, bound: Distance | None) -> bool:
    """``bound``: the best distance told so far; None: never told any."""
    return bound is None or offer.better_than(bound)


def tightened(bound: Distance | None, told: Distance) -> Distance:
    """The bound after ``told`` was told to somebody."""
    return told if bound is None or told.better_than(bound) else bound
