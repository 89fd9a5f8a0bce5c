"""Which of the routes that neighbours offer is used, which waits warm behind it, and why the others are not.

Only feasible offers count, with one exception: the next hop in use stays usable when its own metric grows beyond what
is feasible (RFC 8966 §3.5.4 lets a node ignore such an update). Its distance was better than ours when it was taken,
and can only have improved since: dropping it would lose packets until the origin has answered, for nothing.

*Hysteresis.* A rival must be better by a fifth, or must have been the best for 30 s: else routes of nearly the same
metric would alternate with every measurement of a link.

*Direct links.* An origin that is a neighbour is reached directly unless its link is more than twice as bad as the best
way round: users of other meshes have waited long for theirs to do the obvious.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Final

from meshrouter.neighbours.neighbour import INFINITY, Neighbour
from meshrouter.routing import route as reasons
from meshrouter.routing.route import Route
from meshrouter.routing.table import Advert, Origin

STEADY: Final = 30.0
"""Seconds."""


def is_worth_switching(weight: int, rival: int) -> bool:
    """Whether the rival's weight is better by more than 20 %."""
    return 6 * rival < 5 * weight


def weight(advert: Advert) -> int:
    """The metric by which offers are compared: a direct link counts half."""
    return advert.total // 2 if advert.is_direct else advert.total


@dataclass(slots=True)
class Selection:
    """``feasible``: usable offers, best first. Everything in order of weight."""

    chosen: Advert | None
    feasible: list[Advert]
    unfeasible: list[Advert]

    @property
    def spare(self) -> Advert | None:
        return next((advert for advert in self.feasible if advert is not self.chosen), None)


def select(origin: Origin, now: float) -> Selection:
    """Also keeps the origin's rival."""
    finite = sorted((advert for advert in origin.adverts.values() if advert.total < INFINITY), key=weight)
    feasible = [advert for advert in finite if origin.is_feasible(advert)]
    unfeasible = [advert for advert in finite if not origin.is_feasible(advert)]
    incumbent = origin.adverts.get(origin.route.next_hop) if origin.route is not None else None
    chosen = _choose(origin, feasible, incumbent, now)
    return Selection(chosen, feasible, unfeasible)


def _choose(origin: Origin, feasible: list[Advert], incumbent: Advert | None, now: float) -> Advert | None:
    best = feasible[0] if feasible else None
    if incumbent is None or incumbent.total >= INFINITY:
        return _settle(origin, best)
    if best is None or weight(best) >= weight(incumbent):
        return _settle(origin, incumbent)
    if is_worth_switching(weight(incumbent), weight(best)) or _is_steady(origin, best, now):
        return _settle(origin, best)
    return incumbent


def _settle(origin: Origin, advert: Advert | None) -> Advert | None:
    origin.rival, origin.rival_since = None, inf
    return advert


def _is_steady(origin: Origin, best: Advert, now: float) -> bool:
    """Whether somebody has been better than the next hop for long; remembers since when."""
    if origin.rival is not best.neighbour:
        origin.rival, origin.rival_since = best.neighbour, now
    return now >= origin.rival_since + STEADY


def route_of(origin: Origin, selection: Selection, refused: Sequence[tuple[Neighbour, int]]) -> Route | None:
    """``refused``: guests that offer the origin to us, and the metric that it would have."""
    chosen, spare = selection.chosen, selection.spare
    if chosen is None:
        return None
    runner_up, metric, why = _runner_up(selection, chosen, refused)
    return Route(
        id=origin.id,
        key=origin.key,
        seqno=chosen.announcement.seqno,
        caps=chosen.announcement.caps,
        height=chosen.announcement.height,
        metric=chosen.total,
        next_hop=chosen.neighbour,
        spare=None if spare is None else spare.neighbour,
        runner_up=runner_up,
        runner_up_metric=metric,
        why=why,
    )


def _runner_up(
    selection: Selection, chosen: Advert, refused: Sequence[tuple[Neighbour, int]]
) -> tuple[Neighbour | None, int, str]:
    losers = [
        (weight(advert), advert.neighbour, advert.total, _why(advert, chosen, is_feasible))
        for adverts, is_feasible in ((selection.feasible, True), (selection.unfeasible, False))
        for advert in adverts
        if advert is not chosen
    ]
    losers += [(metric, neighbour, metric, reasons.GUEST) for neighbour, metric in refused]
    if not losers:
        return None, 0, reasons.NONE
    _, neighbour, metric, why = min(losers, key=lambda loser: loser[0])
    return neighbour, metric, why


def _why(advert: Advert, chosen: Advert, is_feasible: bool) -> str:
    if not is_feasible:
        return reasons.FEASIBILITY
    if weight(advert) < weight(chosen):
        return reasons.HYSTERESIS
    return reasons.DIRECT if advert.total < chosen.total else reasons.METRIC
