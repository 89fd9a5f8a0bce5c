"""Routes to every node of the zone: a distance vector that neither loops nor believes.

Theory of operation
-------------------
Every node is the *origin* of one route: to itself. It signs an *announcement* (key, seqno, ledger height, caps, zone),
and its neighbours pass it on with the metric at which they reach it. So nobody can invent an origin, revive one that is
gone, or change what it says. The metric cannot be signed; a liar can look as close to an origin as a neighbour of it,
not closer (metric 0 is believed of the origin alone, less than the cost of one wire of nobody else).

::

    UPDATE  ->  acceptance (rules)  ->  signature, once an announcement  ->  table (adverts of each neighbour)
                                                                                |
    next_hops, on_route  <-  selection (feasible, hysteresis)  <----------------+
            |
            +->  telling (what neighbours are told: coalesced, paced, in accounts with digests)  ->  outputs

*No loops*, at no instant, by the feasibility condition of Babel (``feasibility``); where it leaves a node without a
route, the origin is asked for a newer announcement (``requests``, ``own``). The best other feasible route is known at
all times: when a neighbour goes, traffic moves within the same call.

*No repetition.* Routes are told when they change, and once a refresh (300 s); whether a neighbour has all of them shows
in the digest on every HELLO (``digest``). An announcement lives for 1,000 s from when it was *first* heard, however
often it comes again, so what has gone cannot be kept alive by neighbours that tell each other of it.

*A neighbour that restarted* has forgotten what it told us, above all the distances that keep loops away; routes through
its former life must not outlive its new session. So the first message of an adjacency is a RETRACT of the id that
nobody can have (14 zero bytes): all that I have ever told you is void. Who holds nothing from the sender ignores it.
If it is lost, the digests show that within two HELLOs.

*An older seqno than the one we hold* means that somebody missed the newer one: it is given to him. An origin that lost
its memory learns so which number it must exceed.

*Who may say what.* Roles come from the directory. A member tells of everybody; a guest is believed about itself only,
and tells of itself only when it is us; a barred key is no origin and no neighbour. When a role changes, what it forbids
is dropped in the same call, and what it allows now is asked for.

What is remembered is bounded: origins by ``table``, everything else by the number of neighbours. Every budget is a
neighbour's (``adjacency``).
"""

from collections import deque

from meshrouter.directory import Directory, Role
from meshrouter.env import Env
from meshrouter.neighbours.neighbour import Neighbour
from meshrouter.routing.adjacency import Adjacency
from meshrouter.routing.choosing import Choosing
from meshrouter.routing.own import SeqnoStore
from meshrouter.routing.questions import Questions
from meshrouter.routing.reception import Reception
from meshrouter.routing.roles import Roles
from meshrouter.routing.route import Route
from meshrouter.routing.state import EVERYTHING, OnRoute, State
from meshrouter.wire.control import Dump, Message, Retract, RouteRequest, SeqnoRequest, Update


class Routing:
    """Times are running seconds.

    ``on_route`` is called (inline) with an id and its route when that has another next hop or other caps than before,
    and with None when it is gone.
    """

    def __init__(
        self, env: Env, directory: Directory, *, zone: int, caps: int, seqnos: SeqnoStore, on_route: OnRoute
    ) -> None:
        self._state = state = State(env, directory, zone=zone, caps=caps, seqnos=seqnos, on_route=on_route)
        self._choosing = Choosing(state)
        self._reception = Reception(state, self._choosing)
        self._questions = Questions(state)
        self._roles = Roles(state, self._choosing, self._reception)
        self.routes: dict[bytes, Route] = state.routes
        """By id, selected. Read by others."""
        self.next_hops: dict[bytes, Neighbour] = state.next_hops
        """By id, in step with ``routes``. Read by the data plane."""
        self.outputs: deque[tuple[Neighbour, Message]] = state.outputs
        """To be sent; emptied by others after every call."""

    # --- neighbours -------------------------------------------------------------------------------------------

    def up(self, neighbour: Neighbour, now: float) -> None:
        """A new adjacency, or one whose other side has restarted (after down)."""
        state = self._state
        adjacency = Adjacency(neighbour, state.directory.role(neighbour.key))
        state.adjacencies[neighbour] = adjacency
        if adjacency.role is Role.BARRED:
            return
        self._look(neighbour.height, now)
        state.outputs.append((neighbour, Retract(EVERYTHING, 0)))
        state.tell_all(adjacency, now)

    def down(self, neighbour: Neighbour, now: float) -> None:
        """It is gone: whatever went through it goes by spares when this returns."""
        adjacency = self._state.adjacencies.pop(neighbour, None)
        if adjacency is not None:
            self._state.telling.down(adjacency)
            self._choosing.drop(adjacency, list(adjacency.heard.all.entries), now)

    def changed(self, neighbour: Neighbour, now: float) -> None:
        """Its link's cost, or what it says of itself."""
        adjacency = self._state.adjacencies.get(neighbour)
        if adjacency is None:
            return
        self._look(neighbour.height, now)
        for origin in self._state.known(adjacency.heard.all.entries):
            if neighbour in origin.adverts:
                self._choosing.select(origin, now)

    def role_changed(self, key: bytes, now: float) -> None:
        """The directory says something else of this key than before: its role, or its zone."""
        self._roles.changed(key, now)

    def tip_changed(self, now: float) -> None:
        """The directory's tip has moved: the height that we announce may be too old."""
        self._look(0, now)

    def _look(self, neighbour_height: int, now: float) -> None:
        self._state.own.look(self._state.own_caps, neighbour_height, now)

    # --- what neighbours say ----------------------------------------------------------------------------------

    def received(self, neighbour: Neighbour, message: Message, now: float) -> None:
        """UPDATE, RETRACT, DUMP, SEQNO_REQ or ROUTE_REQ; other messages are not for us."""
        adjacency = self._state.adjacencies.get(neighbour)
        if adjacency is None or adjacency.role is Role.BARRED:
            self._state.env.counters.drop("route-neighbour")
        elif isinstance(message, Update | Retract) and not adjacency.messages.spend(1, now):
            self._state.env.counters.drop("route-budget")
        elif isinstance(message, Update):
            self._reception.update(adjacency, message, now)
        elif isinstance(message, Retract):
            self._reception.retract(adjacency, message, now)
        elif isinstance(message, Dump):
            self._questions.dump(adjacency, now)
        elif isinstance(message, SeqnoRequest):
            self._questions.seqno(adjacency, message, now)
        elif isinstance(message, RouteRequest):
            self._questions.route(adjacency, message, now)

    def misrouted(self, neighbour: Neighbour, destination: bytes, now: float) -> None:
        """It sent us a packet for an id (14 bytes) that it cannot reach by us: it has missed a RETRACT."""
        adjacency, known = self._state.adjacencies.get(neighbour), self._state.table.get(destination)
        if adjacency is None or adjacency.role is Role.BARRED or known is None:
            return
        if self._state.offer(adjacency, destination) is None and adjacency.asked.spend(1, now):
            self._state.outputs.append((neighbour, Retract(destination, known.newest.seqno)))

    def digest_for(self, neighbour: Neighbour) -> tuple[int, int]:
        """For a HELLO: the digest of what the neighbour was told, and how many routes that is."""
        adjacency = self._state.adjacencies.get(neighbour)
        return (0, 0) if adjacency is None else adjacency.told.digest

    def digest(self, neighbour: Neighbour, value: int, count: int, now: float) -> None:
        """From a HELLO of the neighbour."""
        adjacency = self._state.adjacencies.get(neighbour)
        if adjacency is None or adjacency.role is Role.BARRED:
            return
        self._choosing.unhear(adjacency, adjacency.heard.gone((value, count)), now)
        if adjacency.heard.should_ask((value, count), now):
            self._state.env.counters.drop("route-digest")
            self._state.outputs.append((neighbour, Dump()))

    # --- time -------------------------------------------------------------------------------------------------

    def deadline(self) -> float:
        """When tick is needed next."""
        return min(self._state.own.due, self._choosing.deadline(), self._state.telling.deadline())

    def tick(self, now: float) -> None:
        state = self._state
        if state.own.due <= now:
            state.own.renew(state.own_caps, now)
            for adjacency in state.adjacencies.values():
                state.telling.changed(adjacency, state.own_id, now, hurry=True)
        self._choosing.tick(now)
        state.telling.tick(now)
