"""Machines of neighbours on virtual links, and a clock that stands still while they think.

One heap of events drives all: frames that arrive, and ticks. ``Weather`` says what becomes of a frame on its way. Each
node has the least data plane there can be: it opens what is sealed, keeps PACKETs, and hands the rest to the machine.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from heapq import heappop, heappush
from random import Random

from meshrouter.directory import Binding, Directory, Role
from meshrouter.env import Env
from meshrouter.identity import Identity
from meshrouter.links.link import Link
from meshrouter.links.virtual import Bus, VirtualLink
from meshrouter.neighbours.ground import NeighbourEvents, NeighbourQuestions
from meshrouter.neighbours.machine import Neighbours
from meshrouter.neighbours.neighbour import Neighbour
from meshrouter.wire import frame as frames
from meshrouter.wire.control import Message

GENESIS = bytes(range(32))
KINDS = {
    frames.BEACON: "BEACON",
    frames.SOLICIT: "SOLICIT",
    frames.INIT: "INIT",
    frames.RESPONSE: "RESPONSE",
    frames.COOKIE: "COOKIE",
    frames.NOSESSION: "NOSESSION",
    frames.CONTROL: "CONTROL",
    frames.PACKET: "PACKET",
}


def kind_of(frame: bytes) -> str:
    return KINDS[frame[0] & 31]


@cache
def identity(number: int) -> Identity:
    return Identity.from_seed(Random(number).randbytes(32))


@dataclass
class Weather:
    """Shares of frames, and seconds."""

    loss: float = 0.0
    twice: float = 0.0
    delay: float = 0.001
    spread: float = 0.0
    """Added to ``delay`` at random: frames overtake each other."""


@dataclass
class Flight:
    """A frame on its way. ``frame`` may be changed by a test."""

    source: bytes
    receiver: VirtualLink
    frame: bytes


@dataclass(eq=False)
class Node:
    """``ups`` and ``downs`` are what the machine told."""

    world: "World"
    number: int
    routes: set[bytes] = field(default_factory=set)
    links: list[VirtualLink] = field(default_factory=list)
    ups: list[Neighbour] = field(default_factory=list)
    downs: list[tuple[Neighbour, str]] = field(default_factory=list)
    heard: list[tuple[Neighbour, Message]] = field(default_factory=list)
    packets: list[bytes] = field(default_factory=list)
    sent: "Counter[str]" = field(default_factory=Counter)
    bytes_sent: int = 0
    asleep: bool = False
    wakes: float = float("inf")

    def __post_init__(self) -> None:
        self.identity = identity(self.number)
        self.env = Env(identity=self.identity, genesis=GENESIS, rng=Random(self.world.rng.random()))
        self.directory = Directory()
        self.restart()

    def restart(self) -> None:
        """A machine that knows nothing, on the same links."""
        self.machine = Neighbours(
            self.env,
            self.directory,
            own_caps=3,
            gossip_port=4000,
            on=NeighbourEvents(
                up=self.ups.append,
                down=lambda neighbour, reason: self.downs.append((neighbour, reason)),
                control=lambda neighbour, message: self.heard.append((neighbour, message)),
            ),
            ask=NeighbourQuestions(has_route=lambda origin: origin in self.routes or self.world.routed(self, origin)),
        )
        for link in self.links:
            self.machine.add_link(link, self.world.now)
        self.settle()

    @property
    def key(self) -> bytes:
        return self.identity.key

    @property
    def counters(self) -> "Counter[str]":
        return self.env.counters

    def attach(self, bus: Bus) -> VirtualLink:
        link = bus.attach(len(self.links) + 1)
        self.links.append(link)
        self.world.owners[id(link)] = self
        self.machine.add_link(link, self.world.now)
        self.settle()
        return link

    def of(self, other: "Node") -> Neighbour:
        """The one adjacency with another node."""
        (found,) = [neighbour for neighbour in self.machine if neighbour.key == other.key]
        return found

    def knows(self, other: "Node") -> bool:
        return any(neighbour.key == other.key for neighbour in self.machine)

    def told(self, other: "Node", role: Role) -> None:
        """The ledger says something."""
        self.directory.binding(other.key)
        self.directory.told_binding(Binding(other.key, role))
        self.machine.binding_changed(other.key, self.world.now)
        self.settle()

    def say(self, other: "Node", packet: bytes) -> None:
        """Send data."""
        neighbour = self.of(other)
        neighbour.sent = self.world.now
        neighbour.link.send(neighbour.link_address, neighbour.session.seal(frames.PACKET, packet))
        self.settle()

    def take(self, link: Link, source: bytes, frame: bytes) -> None:
        """A frame has arrived."""
        now = self.world.now
        if len(frame) >= frames.HEADER_SIZE and frame[0] & 31 in frames.SEALED:
            self._sealed(link, source, frame, now)
        else:
            self.machine.clear_frame(link, source, frame, now)
        self.settle()

    def _sealed(self, link: Link, source: bytes, frame: bytes, now: float) -> None:
        first, _, _, index, counter = frames.FRAME.unpack_from(frame)
        inbound = self.machine.by_index.get(index)
        if inbound is None or inbound.neighbour.link is not link:
            self.machine.unknown(link, source, index, counter, now)
            return
        plaintext = inbound.session.open(frame)
        if plaintext is None:
            self.env.counters.drop("link-tag")
            return
        inbound.neighbour.heard = now
        if first & 31 == frames.CONTROL:
            self.machine.control_frame(inbound.session, plaintext, now, source)
            return
        if not inbound.neighbour.up:
            self.machine.proved(inbound.session, now, source)
        if self.machine.by_index[index].neighbour.up:
            self.packets.append(plaintext)

    def settle(self) -> None:
        """Let frames leave, and ask when the machine wants to be woken."""
        for link in self.links:
            for destination, frame in link.outbox:
                assert isinstance(frame, bytes)
                self.sent[kind_of(frame)] += 1
                self.bytes_sent += len(frame)
                self.world.log.append((self.world.now, self, destination, frame))
            link.flush()
        due = self.machine.deadline()
        if due < self.wakes:
            self.wakes = max(due, self.world.now)
            self.world.at(self.wakes, self._wake)

    def _wake(self) -> None:
        if self.asleep or self.wakes > self.world.now:
            return
        self.wakes = float("inf")
        if self.machine.deadline() <= self.world.now:
            self.machine.tick(self.world.now)
        self.settle()


class World:
    """``tamper`` sees each flight before it arrives, and gives what arrives in its place."""

    def __init__(self, seed: int = 0, weather: Weather | None = None) -> None:
        self.rng = Random(seed)
        self.weather = weather or Weather()
        self.now = 0.0
        self.owners: dict[int, Node] = {}
        self.nodes: list[Node] = []
        self.log: list[tuple[float, Node, bytes, bytes]] = []
        """(when, sender, destination, frame)"""
        self.tamper: Callable[[Flight], Iterable[Flight]] = lambda flight: [flight]
        self.routed: Callable[[Node, bytes], bool] = lambda _node, _id: False
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._serial = 0

    def at(self, when: float, action: Callable[[], None]) -> None:
        self._serial += 1
        heappush(self._heap, (when, self._serial, action))

    def bus(self, *, shared: bool = True) -> Bus:
        return Bus(shared=shared, carry=self._carry)

    def node(self, bus: Bus | None = None) -> Node:
        made = Node(self, 1000 + len(self.nodes))
        self.nodes.append(made)
        if bus is not None:
            made.attach(bus)
        return made

    def pair(self, *, shared: bool = True) -> tuple[Node, Node]:
        """Two on one link that have met."""
        bus = self.bus(shared=shared)
        first, second = self.node(bus), self.node(bus)
        self.until(lambda: first.knows(second) and second.knows(first))
        return first, second

    def reached(self, start: Node) -> set[bytes]:
        """Ids of all that a chain of neighbours leads to."""
        by_key = {node.key: node for node in self.nodes}
        seen, todo = {start.key: start.identity.id}, [start]
        while todo:
            for neighbour in todo.pop().machine:
                if neighbour.key not in seen:
                    seen[neighbour.key] = neighbour.id
                    todo.append(by_key[neighbour.key])
        return set(seen.values())

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while self._heap and self._heap[0][0] <= end:
            self._step()
        self.now = end

    def until(self, holds: Callable[[], bool], seconds: float = 30.0) -> float:
        """How long it took; AssertionError if it never holds within ``seconds``."""
        start = self.now
        while not holds():
            assert self._heap, "nothing more happens"
            assert self._heap[0][0] <= start + seconds, "it does not come to hold in time"
            self._step()
        return self.now - start

    def arrive(self, link: VirtualLink, source: bytes, frame: bytes) -> None:
        """Now, whatever the weather: what an enemy sends."""
        self.owners[id(link)].take(link, source, frame)

    def frames(self, kind: str) -> Iterator[tuple[float, Node, bytes, bytes]]:
        return (entry for entry in self.log if kind_of(entry[3]) == kind)

    def _step(self) -> None:
        when, _, action = heappop(self._heap)
        self.now = max(self.now, when)
        action()

    def _carry(self, receiver: VirtualLink, source: bytes, frame: bytes) -> None:
        weather = self.weather
        for flight in self.tamper(Flight(source, receiver, frame)):
            copies = 2 if self.rng.random() < weather.twice else 1
            for _ in range(copies):
                if self.rng.random() >= weather.loss:
                    delay = weather.delay + self.rng.random() * weather.spread
                    self.at(self.now + delay, lambda flight=flight: self._land(flight))  # type: ignore[misc]

    def _land(self, flight: Flight) -> None:
        owner = self.owners[id(flight.receiver)]
        if flight.receiver.up and not owner.asleep:
            owner.take(flight.receiver, flight.source, flight.frame)
