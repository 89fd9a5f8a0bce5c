"""From what the router knows of its links and routes to what a report says."""

from dataclasses import dataclass
from typing import Final, Protocol

from meshrouter.neighbours.neighbour import INFINITY, Neighbour
from meshrouter.trace.report import Report, RunnerUp, Side

HOPS: Final = 64
"""Every probe starts with this hop limit."""
AT_START: Final = HOPS + 1
"""Stands in the report of the node that made the probe, so that positions count from 0: its own."""


class RouteView(Protocol):
    """A selected route, as traceroute shows it."""

    @property
    def metric(self) -> int: ...

    @property
    def next_hop(self) -> Neighbour: ...

    @property
    def runner_up(self) -> Neighbour | None: ...

    @property
    def runner_up_metric(self) -> int: ...

    @property
    def why(self) -> str:
        """Why the runner-up lost, in at most 24 ASCII characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One probe at one node."""

    nonce: bytes
    direction: int
    previous: bytes
    hop_limit: int
    ingress: Neighbour | None
    route: RouteView | None
    """By which it leaves."""
    ends: bool
    received: float
    sent: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Self:
    """What every report of this node repeats."""

    key: bytes
    height: int
    zone: int
    version: str


def observe(me: Self, moment: Moment) -> Report:
    route = moment.route
    return Report(
        nonce=moment.nonce,
        direction=moment.direction,
        previous=moment.previous,
        key=me.key,
        hop_limit=moment.hop_limit,
        ends=moment.ends,
        height=me.height,
        zone=me.zone,
        ingress=None if moment.ingress is None else side_of(moment.ingress),
        egress=None if route is None else side_of(route.next_hop),
        metric=0 if route is None else min(route.metric, INFINITY),
        runner_up=None if route is None else _runner_up(route),
        received=moment.received,
        sent=moment.sent,
        version=me.version,
    )


def side_of(neighbour: Neighbour) -> Side:
    return Side(
        key=neighbour.key,
        medium=neighbour.link.medium,
        cost=neighbour.cost,
        rtt=neighbour.rtt,
        loss=neighbour.loss,
        queue_ms=neighbour.queue_ms,
        mtu=neighbour.link.mtu,
    )


def _runner_up(route: RouteView) -> RunnerUp | None:
    if route.runner_up is None:
        return None
    return RunnerUp(route.runner_up.id, min(route.runner_up_metric, INFINITY), route.why)
