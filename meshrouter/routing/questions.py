"""DUMP, ROUTE_REQ and SEQNO_REQ of neighbours."""

from meshrouter.neighbours.neighbour import Neighbour
from meshrouter.routing.adjacency import Adjacency, Need
from meshrouter.routing.requests import HOPS
from meshrouter.routing.selection import weight
from meshrouter.routing.state import State
from meshrouter.routing.table import Origin
from meshrouter.wire.control import RouteRequest, SeqnoRequest


class Questions:
    """Times are running seconds."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._drop = state.env.counters.drop

    def dump(self, adjacency: Adjacency, now: float) -> None:
        if adjacency.dumps.spend(1, now):
            self._state.telling.everything(adjacency, now)
        else:
            self._drop("route-budget")

    def route(self, adjacency: Adjacency, question: RouteRequest, now: float) -> None:
        """It is told with the key, even if it was told before."""
        if not adjacency.questions.spend(1, now):
            self._drop("route-budget")
        elif self._state.offer(adjacency, question.id) is not None:
            adjacency.keyed.pop(question.id, None)
            self._state.telling.need(adjacency, question.id, Need.REPEAT, now)

    def seqno(self, adjacency: Adjacency, question: SeqnoRequest, now: float) -> None:
        origin = self._state.table.get(question.id)
        if not adjacency.questions.spend(1, now):
            self._drop("route-budget")
        elif question.id == self._state.own_id:
            self._ours(question, now)
        elif origin is None:
            self._drop("route-unknown")
        elif not self._answer(adjacency, question, now):
            self._pass_on(adjacency, origin, question, now)

    def _ours(self, question: SeqnoRequest, now: float) -> None:
        """One more, whatever number was asked for: a liar gets no further than that."""
        if question.seqno > self._state.own_announcement(now).seqno:
            self._state.own.asked(now)

    def _answer(self, adjacency: Adjacency, question: SeqnoRequest, now: float) -> bool:
        """Whether our own route is as fresh as that."""
        offer = self._state.offer(adjacency, question.id)
        if offer is None or offer[0].seqno < question.seqno:
            return False
        self._state.telling.need(adjacency, question.id, Need.REPEAT, now)
        return True

    def _pass_on(self, adjacency: Adjacency, origin: Origin, question: SeqnoRequest, now: float) -> None:
        hops = min(question.hops, HOPS) - 1
        towards = self._towards(origin, adjacency.neighbour)
        if towards is None or hops < 1 or not self._state.relaying:
            return
        if self._state.passed.is_new(origin.id, question.seqno, hops, now):
            self._state.outputs.append((towards, SeqnoRequest(origin.id, question.seqno, hops)))

    def _towards(self, origin: Origin, asker: Neighbour) -> Neighbour | None:
        """Along the route, or else the way that looks best, feasible or not: it is a question, not traffic."""
        if origin.route is not None and origin.route.next_hop.id != asker.id:
            return origin.route.next_hop
        others = [advert for advert in origin.adverts.values() if advert.neighbour.id != asker.id]
        best = min(others, key=weight, default=None)
        return None if best is None else best.neighbour
