"""Many routers on links that lose, delay and reorder, in virtual time; no two next hops may ever form a circle.

Stricter than the world: a next hop counts as an edge for as long as the peer lives the life that the session was made
with, whether the link is still there or not, so that a circle shows even where no packet could go round it. A peer that
has restarted cannot open frames of sessions of its former life: there a packet ends.
"""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import combinations
from math import inf

from meshrouter.directory import Role, Tip
from meshrouter.neighbours.neighbour import INFINITY, Neighbour
from meshrouter.routing.route import Route
from meshrouter.routing.routing import Routing
from meshrouter.wire.control import Message
from tests.router.routing.kit import CAPS, ZONE, Asking, Ledger, Seqnos, env, identity, neighbour_of, size


@dataclass(eq=False)
class Life:
    """One run of a node."""

    number: int
    ledger: Ledger
    directory: Asking
    routing: Routing
    sides: dict[int, Neighbour] = field(default_factory=dict)
    """By the number of the other node."""
    wakes_at: float = inf
    alive: bool = True


@dataclass
class Wire:
    """``costs``: of the way from the smaller number to the greater, and back."""

    costs: tuple[int, int] = (96, 96)
    loss: float = 0.0
    delay: tuple[float, float] = (0.001, 0.001)
    up: bool = True

    def cost_from(self, sender: int, receiver: int) -> int:
        return self.costs[sender > receiver]


class Net:
    """``loops``: must stay empty."""

    def __init__(self, nodes: int, seed: int = 1) -> None:
        self.rng = random.Random(seed)
        self.now = 0.0
        self.seqnos = [Seqnos() for _ in range(nodes)]
        self.roles = [Role.MEMBER] * nodes
        self.lives: list[Life] = []
        self.wires: dict[tuple[int, int], Wire] = {}
        self.peers: dict[Neighbour, tuple[Life, Neighbour]] = {}
        """The other end of a session."""
        self.bytes = 0
        self.messages: dict[int, int] = {}
        self.loops: list[tuple[float, int, list[int]]] = []
        self.checks = 0
        self.hello = 1.0
        """Seconds."""
        self.numbers = {identity(number).id: number for number in range(nodes)}
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._serial = 0
        self.lives.extend(self._life(number) for number in range(nodes))

    # --- time -------------------------------------------------------------------------------------------------

    def at(self, when: float, what: Callable[[], None]) -> None:
        self._serial += 1
        heappush(self._events, (when, self._serial, what))

    def run(self, seconds: float, until: Callable[[], bool] | None = None) -> bool:
        """Whether ``until`` came true (asked after every event)."""
        end = self.now + seconds
        while self._events and self._events[0][0] <= end:
            self.now, _, what = heappop(self._events)
            what()
            if until is not None and until():
                return True
        self.now = end
        return False

    def _settle(self, life: Life) -> None:
        """After every call into a machine: its messages leave, its alarm is set."""
        frames: dict[Neighbour, list[Message]] = {}
        for neighbour, message in life.routing.outputs:
            frames.setdefault(neighbour, []).append(message)
        life.routing.outputs.clear()
        for neighbour, messages in frames.items():
            self._send(life, neighbour, messages)
        due = life.routing.deadline()
        if due < life.wakes_at:
            life.wakes_at = due
            self.at(max(due, self.now), lambda: self._wake(life, due))

    def _wake(self, life: Life, due: float) -> None:
        if life.alive and life.wakes_at == due:
            life.wakes_at = inf
            life.routing.tick(self.now)
            self._settle(life)

    # --- messages ---------------------------------------------------------------------------------------------

    def _send(self, life: Life, neighbour: Neighbour, messages: list[Message]) -> None:
        def deliver(peer: Life, side: Neighbour) -> None:
            for message in messages:
                peer.routing.received(side, message, self.now)

        self.bytes += 28 + sum(map(size, messages))
        self.messages[life.number] = self.messages.get(life.number, 0) + len(messages)
        self._carry(life, neighbour, deliver)

    def _hello(self, life: Life, neighbour: Neighbour) -> None:
        if not life.alive or neighbour not in self.peers:
            return
        value, count = life.routing.digest_for(neighbour)
        self._carry(life, neighbour, lambda peer, side: peer.routing.digest(side, value, count, self.now))
        self.at(self.now + self.hello, lambda: self._hello(life, neighbour))

    def _carry(self, life: Life, neighbour: Neighbour, deliver: Callable[[Life, Neighbour], None]) -> None:
        peer, side = self.peers[neighbour]
        wire = self.wire(life.number, peer.number)
        if not wire.up or self.rng.random() < wire.loss:
            return

        def arrive() -> None:
            if peer.alive and peer.sides.get(life.number) is side:
                deliver(peer, side)
                self._settle(peer)

        self.at(self.now + self.rng.uniform(*wire.delay), arrive)

    # --- nodes and links --------------------------------------------------------------------------------------

    def _life(self, number: int) -> Life:
        ledger = Ledger({identity(other).key: role for other, role in enumerate(self.roles)})
        directory = Asking(ledger)
        directory.tip = Tip(100, True)
        routing = Routing(
            env(number, self.rng.getrandbits(32)),
            directory,
            zone=ZONE,
            caps=CAPS,
            seqnos=self.seqnos[number],
            on_route=lambda origin, route: self._routed(number, origin, route),
        )
        return Life(number, ledger, directory, routing)

    def wire(self, first: int, second: int) -> Wire:
        return self.wires[min(first, second), max(first, second)]

    def connect(self, first: int, second: int, wire: Wire | None = None) -> None:
        self.wires[min(first, second), max(first, second)] = wire or Wire()
        self._session(self.lives[first], self.lives[second])

    def _session(self, first: Life, second: Life) -> None:
        """A handshake is done: the second side knows at once, the first when the answer arrives.

        What is left of an earlier session goes when the new one comes.
        """
        wire = self.wire(first.number, second.number)
        sides = [
            neighbour_of(other.number, wire.cost_from(life.number, other.number))
            for life, other in ((first, second), (second, first))
        ]
        self.peers[sides[0]], self.peers[sides[1]] = (second, sides[1]), (first, sides[0])
        self._up(second, first.number, sides[1])
        self.at(self.now + self.rng.uniform(*wire.delay), lambda: self._up(first, second.number, sides[0]))

    def _up(self, life: Life, other: int, side: Neighbour) -> None:
        if not life.alive or not self.wire(life.number, other).up:
            return
        self._down(life, other)
        life.sides[other] = side
        side.since = self.now
        life.routing.up(side, self.now)
        self.at(self.now + self.hello * self.rng.uniform(0.2, 1), lambda: self._hello(life, side))
        self._settle(life)

    def _down(self, life: Life, other: int, side: Neighbour | None = None) -> None:
        """``side``: only if it is still that one."""
        old = life.sides.get(other)
        if life.alive and old is not None and side in (None, old):
            del life.sides[other]
            life.routing.down(old, self.now)
            del self.peers[old]
            self._settle(life)

    def cut(self, first: int, second: int, patience: float = 0.0) -> None:
        """Both sides notice, each in its time."""
        self.wire(first, second).up = False
        for one, other in ((first, second), (second, first)):
            life = self.lives[one]
            side = life.sides.get(other)
            if side is not None:
                after = self.now + self.rng.uniform(0, patience)
                self.at(after, lambda life=life, other=other, side=side: self._down(life, other, side))  # type: ignore[misc]

    def mend(self, first: int, second: int) -> None:
        self.wire(first, second).up = True
        self._session(self.lives[first], self.lives[second])

    def recost(self, first: int, second: int, costs: tuple[int, int]) -> None:
        self.wire(first, second).costs = costs
        for one, other in ((first, second), (second, first)):
            life = self.lives[one]
            side = life.sides.get(other)
            if side is not None:
                side.cost = self.wire(first, second).cost_from(one, other)
                life.routing.changed(side, self.now)
                self._settle(life)

    def restart_unnoticed(self, number: int) -> None:
        """So soon that neighbours take the new handshake for a new session of the old adjacency."""
        self.lives[number].alive = False
        life = self.lives[number] = self._life(number)
        for other in [first + second - number for first, second in self.wires if number in (first, second)]:
            peer = self.lives[other]
            theirs, ours = peer.sides[number], neighbour_of(other, self.wire(number, other).cost_from(number, other))
            self.peers[theirs], self.peers[ours] = (life, ours), (peer, theirs)
            self._up(life, other, ours)

    def restart(self, number: int, pause: float = 0.0) -> None:
        """Its memory is gone but for the seqno store; neighbours find out when it is back."""
        self.lives[number].alive = False
        self.lives[number] = self._life(number)

        def back() -> None:
            for first, second in [pair for pair, wire in self.wires.items() if number in pair and wire.up]:
                other = second if first == number else first
                self.at(
                    self.now + self.rng.uniform(0, 0.5),
                    lambda other=other, life=self.lives[number]: self._again(life, other),  # type: ignore[misc]
                )

        self.at(self.now + pause, back)

    def _again(self, life: Life, other: int) -> None:
        if life.alive and self.wire(life.number, other).up and other not in life.sides:
            self._session(life, self.lives[other])

    def become(self, number: int, role: Role, patience: float = 0.0) -> None:
        """The block that says so reaches every node in its own time."""
        self.roles[number] = role
        for life in self.lives:
            when = self.now + self.rng.uniform(0, patience)
            self.at(when, lambda life=life: self._learn(life, number))  # type: ignore[misc]

    def _learn(self, life: Life, number: int) -> None:
        if life.alive:
            key = identity(number).key
            life.ledger.roles[key] = self.roles[number]
            life.directory.told_binding(life.ledger.binding(key))
            life.routing.role_changed(key, self.now)
            self._settle(life)

    # --- what must hold ---------------------------------------------------------------------------------------

    def _routed(self, number: int, origin: bytes, _route: Route | None) -> None:
        path = self.path(number, origin)
        self.checks += 1
        if len(path) != len(set(path)):
            self.loops.append((self.now, self.numbers[origin], path))

    def path(self, number: int, origin: bytes) -> list[int]:
        """Along next hops, as far as they lead; a node that comes twice is the last."""
        life, path = self.lives[number], [number]
        while identity(life.number).id != origin:
            hop = life.routing.next_hops.get(origin)
            far = None if hop is None else self.peers.get(hop)
            if far is None or not far[0].alive:
                return path
            life = far[0]
            path.append(life.number)
            if path.count(life.number) > 1:
                return path
        return path

    def all_loops(self) -> list[list[int]]:
        """Looked for from every node to every other."""
        paths = [self.path(number, origin) for number in range(len(self.lives)) for origin in self.numbers]
        return [path for path in paths if len(path) != len(set(path))]

    def distances(self, origin: int) -> dict[int, int]:
        """The slow model: metrics of the best ways to an origin (Bellman and Ford). Guests do not pass anything on."""
        best = {origin: 0}
        for _ in self.lives:
            for (first, second), wire in self.wires.items():
                for one, via in ((first, second), (second, first)):
                    passes = via == origin or self.roles[via] is Role.MEMBER
                    if wire.up and passes and via in best and Role.BARRED not in (self.roles[one], self.roles[via]):
                        metric = best[via] + wire.cost_from(one, via)
                        best[one] = min(best.get(one, INFINITY), metric)
        return best

    def wrong(self, tolerance: float = 1.0) -> list[str]:
        """Where routes are missing, too many, do not lead to the end, or are worse than the tolerance allows."""
        faults: list[str] = []
        for origin in range(len(self.lives)):
            best = self.distances(origin)
            for life in self.lives:
                if life.number != origin:
                    faults += self._fault(life, origin, best.get(life.number), tolerance)
        return faults

    def _fault(self, life: Life, origin: int, best: int | None, tolerance: float) -> Iterable[str]:
        route = life.routing.routes.get(identity(origin).id)
        where = f"{life.number} → {origin}"
        if (route is None) != (best is None):
            yield f"{where}: route {route and route.metric}, should be {best}"
        elif route is not None and best is not None:
            path = self.path(life.number, route.id)
            if path[-1] != origin:
                yield f"{where}: ends at {path[-1]}"
            if not best <= route.metric <= best * tolerance:
                yield f"{where}: metric {route.metric}, should be {best}"

    def is_complete(self) -> bool:
        """Every node has a route to every other."""
        return all(len(life.routing.routes) == len(self.lives) - 1 for life in self.lives)


def line(nodes: int) -> list[tuple[int, int]]:
    return [(node, node + 1) for node in range(nodes - 1)]


def grid(side: int) -> list[tuple[int, int]]:
    nodes = range(side * side)
    return [(node, node + 1) for node in nodes if (node + 1) % side] + [(n, n + side) for n in nodes[:-side]]


def tree(nodes: int, rng: random.Random) -> list[tuple[int, int]]:
    return [(rng.randrange(node), node) for node in range(1, nodes)]


def random_graph(nodes: int, rng: random.Random, more: int) -> list[tuple[int, int]]:
    """A tree and ``more`` other edges."""
    edges = tree(nodes, rng)
    others = [edge for edge in combinations(range(nodes), 2) if edge not in edges]
    return edges + rng.sample(others, min(more, len(others)))


def build(edges: Iterable[tuple[int, int]], nodes: int, seed: int = 1) -> Net:
    net = Net(nodes, seed)
    for first, second in edges:
        net.connect(first, second)
    return net
