"""A selected route."""

from dataclasses import dataclass
from typing import Final

from meshrouter.neighbours.neighbour import Neighbour

NONE: Final = "none"
"""Why the runner-up lost: there is none."""
METRIC: Final = "metric"
HYSTERESIS: Final = "hysteresis"
"""It is better, but not by enough, or not for long enough yet."""
FEASIBILITY: Final = "feasibility"
"""It might lead back here: the origin has to be asked for a newer announcement first."""
GUEST: Final = "guest"
"""Guests carry no transit."""
DIRECT: Final = "direct"
"""The origin is a neighbour, and its link is not much worse."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """``metric``: from this node on, 1 … 65,534."""

    id: bytes
    key: bytes
    seqno: int
    caps: int
    height: int
    metric: int
    next_hop: Neighbour
    spare: Neighbour | None = None
    """Takes over at once if the next hop fails: the best other neighbour whose route is feasible now."""
    runner_up: Neighbour | None = None
    """Who looks best among the others, usable or not: for people."""
    runner_up_metric: int = 0
    why: str = NONE
    """Why the runner-up lost: one of the words above."""
