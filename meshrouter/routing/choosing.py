"""What follows when an offer comes, changes or goes: the route, who is told, whom to ask, when to look again."""

from collections.abc import Iterable, Iterator
from math import inf

from meshrouter.directory import Role
from meshrouter.neighbours.neighbour import INFINITY, Neighbour
from meshrouter.routing.adjacency import Adjacency
from meshrouter.routing.alarms import Alarms
from meshrouter.routing.requests import HOPS, MOST_ASKED, PATIENCE, Wanted
from meshrouter.routing.route import Route
from meshrouter.routing.selection import STEADY, Selection, is_worth_switching, route_of, select, weight
from meshrouter.routing.state import State
from meshrouter.routing.table import MINIMUM_COST, Origin
from meshrouter.wire.control import SeqnoRequest


def _face(route: Route | None) -> tuple[Neighbour, bytes, int] | None:
    """What others than routing need to know of a route."""
    return None if route is None else (route.next_hop, route.key, route.caps)


class Choosing:
    """Times are running seconds."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._reviews: Alarms[bytes] = Alarms()

    # --- the route --------------------------------------------------------------------------------------------

    def select(self, origin: Origin, now: float) -> None:
        """What is offered has changed, or its time has come."""
        state = self._state
        selection = select(origin, now)
        before, origin.route = origin.route, route_of(origin, selection, list(self._refused(origin.id)))
        self._publish(origin.id, before, origin.route)
        self._look_for_better(origin, selection, now)
        hurry = origin.route is not None and state.passed.is_asked(origin.id, origin.route.seqno, now)
        for adjacency in state.adjacencies.values():
            state.telling.changed(adjacency, origin.id, now, hurry=hurry)
        self._reviews.set(origin.id, self._next_review(origin))

    def drop(self, adjacency: Adjacency, ids: Iterable[bytes], now: float) -> None:
        """A neighbour's offers are void."""
        for origin in self._state.known(ids):
            if origin.adverts.pop(adjacency.neighbour, None) is not None:
                self.select(origin, now)

    def unhear(self, adjacency: Adjacency, ids: list[bytes], now: float) -> None:
        """The neighbour no longer says so."""
        for origin in ids:
            adjacency.heard.drop(origin)
        self.drop(adjacency, ids, now)

    def forgotten(self, origin: Origin, now: float) -> None:
        """It is no longer in the table."""
        self._reviews.set(origin.id, inf)
        self._publish(origin.id, origin.route, None)
        for adjacency in self._state.adjacencies.values():
            adjacency.keyed.pop(origin.id, None)
            self._state.telling.changed(adjacency, origin.id, now)

    def _publish(self, origin: bytes, before: Route | None, route: Route | None) -> None:
        if route is None:
            self._state.routes.pop(origin, None)
            self._state.next_hops.pop(origin, None)
        else:
            self._state.routes[origin] = route
            self._state.next_hops[origin] = route.next_hop
        if _face(before) != _face(route):
            self._state.on_route(origin, route)

    def _refused(self, origin: bytes) -> Iterator[tuple[Neighbour, int]]:
        """Guests that offer it all the same."""
        for neighbour, adjacency in self._state.adjacencies.items():
            entry = adjacency.heard.all.entries.get(origin)
            if entry is not None and adjacency.role is Role.GUEST and origin != neighbour.id:
                yield neighbour, min(entry.metric + max(neighbour.cost, MINIMUM_COST), INFINITY)

    # --- asking the origin ------------------------------------------------------------------------------------

    def _look_for_better(self, origin: Origin, selection: Selection, now: float) -> None:
        """Whether a newer announcement would help, and how much."""
        chosen, unfeasible = selection.chosen, selection.unfeasible
        if origin.bound is None or not unfeasible:
            origin.wanted = None
            return
        urgent = chosen is None or chosen in unfeasible
        gains = chosen is not None and is_worth_switching(weight(chosen), weight(unfeasible[0]))
        if not urgent and not gains:
            origin.wanted = None
            return
        wanted, seqno = origin.wanted, origin.bound.seqno + 1
        if wanted is None or wanted.seqno != seqno or urgent is not wanted.urgent:
            origin.wanted = Wanted(seqno, now if urgent else now + PATIENCE, urgent)
        self._ask(origin.wanted, selection, now)

    def _ask(self, wanted: Wanted | None, selection: Selection, now: float) -> None:
        if wanted is None or now < wanted.next:
            return
        wanted.asked(now)
        for advert in selection.unfeasible[:MOST_ASKED]:
            question = SeqnoRequest(advert.announcement.id, wanted.seqno, HOPS)
            self._state.outputs.append((advert.neighbour, question))

    # --- time -------------------------------------------------------------------------------------------------

    def deadline(self) -> float:
        return self._reviews.next()

    def tick(self, now: float) -> None:
        for origin in self._state.known(self._reviews.due(now)):
            self._review(origin, now)

    def _review(self, origin: Origin, now: float) -> None:
        for advert in [advert for advert in origin.adverts.values() if advert.dies <= now]:
            del origin.adverts[advert.neighbour]
        if not origin.adverts and origin.forgotten <= now:
            self._state.table.forget(origin)
            self.forgotten(origin, now)
        else:
            self.select(origin, now)

    def _next_review(self, origin: Origin) -> float:
        dies = min((advert.dies for advert in origin.adverts.values()), default=origin.forgotten)
        return min(dies, origin.rival_since + STEADY, inf if origin.wanted is None else origin.wanted.next)
