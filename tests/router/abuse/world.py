"""Two routers on a bus in virtual time, one of which has fallen into bad hands: its keys seal what the other is fed."""

from random import Random
from typing import Protocol, TypeVar

from meshrouter.directory import Binding, Directory, Role, Tip
from meshrouter.env import Env
from meshrouter.identity import Identity
from meshrouter.links.virtual import Bus, VirtualLink
from meshrouter.router import Router, RouterConfig
from meshrouter.wire import frame, packet

T = TypeVar("T")

GENESIS = bytes(range(32))
VICTIM, PUPPET, STRANGER = (Identity.from_seed(bytes((number,)) * 32) for number in (1, 2, 3))


class Choices(Protocol):
    """Where decisions come from: chance, or a fuzzer's input."""

    def integer(self, least: int, most: int) -> int: ...
    def octets(self, most: int) -> bytes:
        """At most so many."""


def coin(choices: Choices) -> bool:
    return bool(choices.integer(0, 1))


def pick(choices: Choices, items: tuple[T, ...]) -> T:
    return items[choices.integer(0, len(items) - 1)]


def exactly(choices: Choices, size: int) -> bytes:
    return choices.octets(size).ljust(size, b"\0")


class World:
    """``victim`` and ``puppet`` are neighbours with routes, a session between their ends, and a trace under way."""

    def __init__(self, *, trains: bool, shared: bool, mtu: int) -> None:
        self.now = 0.0
        self.bus = Bus(mtu=mtu, shared=shared, trains=trains)
        self.victim, self.puppet = _router(VICTIM), _router(PUPPET)
        self._ends: list[tuple[Router, VirtualLink]] = []
        for number, router in enumerate((self.victim, self.puppet)):
            link = self.bus.attach(number, f"virtual:{number}")
            self._ends.append((router, link))
            router.add_link(link, 0.0)
        self.run(3.0)
        self.puppet.tun_packets([(None, ipv6(PUPPET, VICTIM, 58, bytes(8)))], self.now)
        self.victim.at(self.now, lambda: self.victim.tracer.trace(PUPPET.id, self.now, timeout=60.0))
        self.nonce = next(iter(self.victim.tracer._traces))
        """Of the trace: what the puppet sees in the probe."""
        self.run(1.0)

    @property
    def is_up(self) -> bool:
        """Whether the two are what they are meant to be at the beginning."""
        both = (self.victim, self.puppet)
        return all(list(each.neighbours) and each.routing.routes and each.sessions.by_pair for each in both)

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        for _ in range(200):
            self.move()
            due = min(router.deadline() for router, _ in self._ends)
            if due > end:
                break
            self.now = max(self.now, due)
            for router, _ in self._ends:
                router.tick(self.now)
        self.now = end
        self.move()

    def move(self) -> None:
        """What is in outboxes and inboxes, until nothing is."""
        for _ in range(50):
            moved = False
            for router, link in self._ends:
                link.flush()
                router.take_tun()
                batch = link.receive()
                router.link_frames(link, batch, self.now)
                moved = moved or bool(batch)
            if not moved:
                return

    # --- what the puppet does ------------------------------------------------------------------------------------

    def throw(self, data: bytes) -> None:
        """A frame, at the victim."""
        self.victim.link_frames(self._ends[0][1], [(self._ends[1][1].address, data)], self.now)

    def sealed(self, kind: int, plaintext: bytes) -> None:
        for neighbour in self.puppet.neighbours:
            self.throw(neighbour.session.seal(kind, plaintext))

    def train(self, plaintext: bytes, size: int) -> None:
        for neighbour in self.puppet.neighbours:
            if len(plaintext) + frame.TAG_SIZE <= frame.MAX_CARS * size:
                for car in neighbour.session.seal_cars(plaintext, size).frames():
                    self.throw(car)

    def inner(self, text: bytes) -> None:
        """A plaintext of the session between the ends."""
        for session in list(self.puppet.sessions.by_pair.values()):
            self.sealed(frame.PACKET, session.seal(text, packet.FIRST_WORD, len(text) + 24, 64))


def ipv6(source: Identity, destination: Identity, next_header: int, payload: bytes) -> bytes:
    head = b"\x60\0\0\0" + len(payload).to_bytes(2, "big") + bytes((next_header, 64))
    return head + source.address + destination.address + payload


def _router(identity: Identity) -> Router:
    directory = Directory()
    directory.tip = Tip(1000, synced=True)
    for each in (VICTIM, PUPPET):
        directory.binding(each.key)
        directory.told_binding(Binding(each.key, Role.MEMBER, "name"))
    env = Env(identity=identity, genesis=GENESIS, rng=Random(identity.seed))
    return Router(env, directory, RouterConfig(has_tun=True, tun_takes_udp=True), is_member=lambda _group: True)
