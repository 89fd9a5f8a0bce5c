"""A small mesh without links and sessions: nodes, who neighbours whom, and packets that take the shortest way.

It forwards as the data plane does (hop limit, next hop by id, probes shown to ``on_probe``) and nothing else; what is
tested are the machines that sit on it. ``corrupt`` lets a node do to what passes it whatever a test wants.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random

from meshrouter.directory import Binding, Directory, Role, Tip
from meshrouter.env import Env
from meshrouter.identity import Identity
from meshrouter.links.link import Link, Medium
from meshrouter.neighbours.neighbour import Neighbour
from meshrouter.neighbours.session import LinkSession
from meshrouter.routing.route import METRIC, NONE, Route

GENESIS = bytes(range(32))
LATENCY = 0.001
"""Seconds a hop."""


@dataclass
class Event:
    when: float
    what: Callable[[], None]


@dataclass
class Place:
    """One node's surroundings."""

    net: "Net"
    name: str
    env: Env
    directory: Directory = field(default_factory=Directory)
    neighbours: dict[str, Neighbour] = field(default_factory=dict)
    arrived: Callable[[bytes, Neighbour], None] = lambda _packet, _ingress: None
    """A MESHP packet for this node."""
    on_probe: Callable[[bytes, Neighbour], bytes | None] = lambda packet, _ingress: packet
    delivered: Callable[[bytes], None] = lambda _packet: None
    """An IPv6 packet out of a session."""
    corrupt: Callable[[bytes], bytes | None] = lambda packet: packet
    claimed: bytes | None = None
    passed: list[bytes] = field(default_factory=list)
    """Every packet that went through or ended here, as it came in."""

    @property
    def addresses(self) -> tuple[bytes, ...]:
        own = self.env.identity.address
        return (own,) if self.claimed is None else (self.claimed, own)

    @property
    def id(self) -> bytes:
        return self.env.identity.id

    @property
    def key(self) -> bytes:
        return self.env.identity.key

    def route(self, to: bytes) -> Route | None:
        return self.net.route(self.name, to)

    def send_packet(self, packet: bytes, now: float) -> bool:
        route = self.route(packet[26:40])
        if route is not None:
            self.net.carry(self.name, route.next_hop, packet)
        return route is not None

    def send_sealed(self, packet: bytes, now: float) -> None:
        self.net.carry_sealed(self.name, packet)


class Net:
    def __init__(self, *edges: str, seed: int = 1, seeds: Mapping[str, bytes] | None = None) -> None:
        """``edges``: pairs of names of one letter each, ``"ab"``. ``seeds``: of node keys that matter."""
        self.seeds = dict(seeds or {})
        self.now = 0.0
        self.rng = Random(seed)
        self.places: dict[str, Place] = {}
        self.events: deque[Event] = deque()
        for number, edge in enumerate(edges):
            self._join(edge[0], edge[1], number)

    def __getitem__(self, name: str) -> Place:
        return self.places[name]

    def cut(self, left: str, right: str) -> None:
        del self[left].neighbours[right], self[right].neighbours[left]

    def teach(self, name: str, role: Role = Role.MEMBER, address: bytes | None = None) -> None:
        """Everybody's ledger binds the node's key to its name."""
        for place in self.places.values():
            key = self[name].key
            place.directory.binding(key)
            place.directory.told_binding(Binding(key, role, name, address))

    def route(self, at: str, to: bytes) -> Route | None:
        """The way with the fewest hops, the first of those by name; the runner-up is the next neighbour's."""
        ways = sorted(
            (distance, name)
            for name in self[at].neighbours
            if (distance := self._distance(name, to, without=at)) is not None
        )
        if not ways:
            return None
        (best, name), *others = ways
        other = self[at].neighbours[others[0][1]] if others else None
        key = next(place.key for place in self.places.values() if place.id == to)
        return Route(
            id=to, key=key, seqno=7, caps=1, height=1000,
            metric=96 * (best + 1), next_hop=self[at].neighbours[name], spare=other, runner_up=other,
            runner_up_metric=96 * (others[0][0] + 1) if others else 0, why=METRIC if others else NONE,
        )  # fmt: skip

    def carry(self, at: str, neighbour: Neighbour, packet: bytes) -> None:
        """Over one link."""
        to = next(name for name, known in self[at].neighbours.items() if known is neighbour)
        self.events.append(Event(self.now + LATENCY, lambda: self._received(to, self[to].neighbours[at], packet)))

    def carry_sealed(self, at: str, packet: bytes) -> None:
        """Along the way, to the end of a session; lost where there is no way."""
        end = next((place for place in self.places.values() if packet[24:40] in place.addresses), None)
        hops = None if end is None else self._distance(at, end.id)
        if end is not None and hops is not None:
            left = packet[7] - hops + 1
            arriving = packet[:7] + bytes((left,)) + packet[8:]
            self.events.append(Event(self.now + LATENCY * hops, lambda: end.delivered(arriving)))

    def run(self, until: float = 10.0) -> None:
        while self.events and self.events[0].when <= until:
            event = self.events.popleft()
            self.now = max(self.now, event.when)
            event.what()

    def _received(self, at: str, ingress: Neighbour, packet: bytes) -> None:
        place = self[at]
        place.passed.append(packet)
        corrupted = place.corrupt(packet)
        if corrupted is None:
            return
        packet = corrupted
        if packet[26:40] == place.id or packet[6] == 227:
            place.arrived(packet, ingress)
            return
        shown = place.on_probe(packet, ingress) if packet[6] == 226 and packet[40] == 3 else packet
        if shown is not None and shown[7] > 1:
            place.send_packet(shown[:7] + bytes((shown[7] - 1,)) + shown[8:], self.now)

    def _distance(self, start: str, to: bytes, without: str = "") -> int | None:
        seen, front, distance = {start, without}, [start], 0
        while front:
            if any(self[name].id == to for name in front):
                return distance
            front = sorted({far for name in front for far in self[name].neighbours} - seen)
            seen.update(front)
            distance += 1
        return None

    def _place(self, name: str) -> Place:
        if name not in self.places:
            env = Env(
                identity=Identity.from_seed(self.seeds.get(name, name.encode() * 32)), genesis=GENESIS, rng=self.rng
            )
            self.places[name] = Place(self, name, env)
            self.places[name].directory.tip = Tip(1000, synced=True)
        return self.places[name]

    def _join(self, left: str, right: str, number: int) -> None:
        a, b = self._place(left), self._place(right)
        for here, there in ((a, b), (b, a)):
            link = Link(number=number, name=f"virtual:{number}", medium=Medium.VIRTUAL, mtu=1500, shared=False)
            here.neighbours[there.name] = Neighbour(
                key=there.key, id=there.id, link=link, link_address=b"", since=0.0, rtt=2 * LATENCY,
                session=LinkSession(1, 1, bytes(32), bytes(32)),
            )  # fmt: skip
