"""Routing without a network: identities, a ledger that answers at once, and one router whose messages are looked at."""

import random
from dataclasses import dataclass, field
from functools import cache, lru_cache
from hashlib import blake2s

from meshchain.crypto import verify_ed25519
from meshrouter.directory import Binding, Directory, Role, Tip
from meshrouter.env import Env
from meshrouter.identity import Identity
from meshrouter.links.link import Link, Medium
from meshrouter.neighbours.neighbour import Neighbour
from meshrouter.neighbours.session import LinkSession
from meshrouter.routing.announcement import announce
from meshrouter.routing.route import Route
from meshrouter.routing.routing import Routing
from meshrouter.wire.control import Message, Update, encode_all

GENESIS = blake2s(b"routing tests").digest()
ZONE = 7
FORWARDS = 1
CAPS = 3

verify = lru_cache(100_000)(verify_ed25519)
"""The real one, by its full input."""


@cache
def identity(number: int) -> Identity:
    return Identity.from_seed(blake2s(b"routing", key=number.to_bytes(4, "big")).digest())


def signed(
    number: int, seqno: int, metric: int, *, height: int = 0, zone: int = ZONE, caps: int = CAPS, key: bool = True
) -> Update:
    """What a neighbour says of node ``number``, as that has signed it."""
    announcement = announce(identity(number), GENESIS, seqno=seqno, height=height, caps=caps, zone=zone, now=0.0)
    return announcement.update(metric, with_key=key)


def link(number: int = 1) -> Link:
    return Link(number=number, name=f"virtual:{number}", medium=Medium.VIRTUAL, mtu=1500, shared=False)


def neighbour_of(number: int, cost: int = 96, *, on: Link | None = None) -> Neighbour:
    who = identity(number)
    return Neighbour(
        key=who.key,
        id=who.id,
        link=on or link(number),
        link_address=b"",
        since=0.0,
        session=LinkSession.__new__(LinkSession),  # routing never touches it
        cost=cost,
    )


@dataclass
class Seqnos:
    """Survives the node that uses it."""

    next: int = 0
    reservations: list[int] = field(default_factory=list)

    def reserve(self, count: int) -> int:
        first = self.next
        self.next += count
        self.reservations.append(count)
        return first


@dataclass
class Ledger:
    """Roles by key, members if not said otherwise; zones where they are told."""

    roles: dict[bytes, Role] = field(default_factory=dict)
    zones: dict[bytes, int] = field(default_factory=dict)

    def binding(self, key: bytes) -> Binding:
        return Binding(key, self.roles.get(key, Role.MEMBER), zone=self.zones.get(key))


class Asking(Directory):
    """A directory whose ledger is in the same process: the answer is there when the question is."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__()
        self.ledger = ledger

    def binding(self, key: bytes) -> Binding:
        super().binding(key)
        for asked in self.take_questions():
            self.told_binding(self.ledger.binding(asked))
        return super().binding(key)


def env(number: int, seed: int = 1) -> Env:
    return Env(identity=identity(number), genesis=GENESIS, rng=random.Random(seed), zone=ZONE, verify=verify)


class Desk:
    """One router, number 0, and neighbours that say what the test says."""

    def __init__(self, *, caps: int = CAPS, height: int = 0, synced: bool = False) -> None:
        self.ledger = Ledger()
        self.directory = Asking(self.ledger)
        self.directory.tip = Tip(height, synced)
        self.env = env(0)
        self.seqnos = Seqnos()
        self.now = 0.0
        self.told: list[tuple[bytes, Route | None]] = []
        self.routing = Routing(
            self.env,
            self.directory,
            zone=ZONE,
            caps=caps,
            seqnos=self.seqnos,
            on_route=lambda origin, route: self.told.append((origin, route)),
        )

    def meet(self, number: int, cost: int = 96, *, role: Role = Role.MEMBER, announced: bool = True) -> Neighbour:
        """A neighbour that announces itself with seqno 1."""
        neighbour = neighbour_of(number, cost)
        self.ledger.roles[neighbour.key] = role
        self.routing.up(neighbour, self.now)
        if announced:
            self.hear(neighbour, signed(number, 1, 0, height=self.directory.tip.height))
        self.settle()
        return neighbour

    def hear(self, neighbour: Neighbour, *messages: Message) -> None:
        for message in messages:
            self.routing.received(neighbour, message, self.now)

    def become(self, key: bytes, role: Role) -> None:
        self.ledger.roles[key] = role
        self.directory.told_binding(self.ledger.binding(key))
        self.routing.role_changed(key, self.now)

    def run(self, seconds: float) -> None:
        """Ticks are given when they are due and at no other time."""
        until = self.now + seconds
        while self.routing.deadline() <= until:
            self.now = max(self.now, self.routing.deadline())
            self.routing.tick(self.now)
        self.now = until

    def sent(self, neighbour: Neighbour | None = None) -> list[Message]:
        """What it has said since the last time, to one neighbour or to all; the rest is forgotten."""
        messages = [message for to, message in self.routing.outputs if neighbour in (None, to)]
        self.routing.outputs.clear()
        return messages

    def settle(self, seconds: float = 1.0) -> None:
        """Whatever is under way is said and forgotten."""
        self.run(seconds)
        self.sent()

    def route(self, number: int) -> Route | None:
        return self.routing.routes.get(identity(number).id)

    def via(self, number: int) -> int | None:
        """Through which of the nodes 1 … 99 another is reached."""
        hop = self.routing.next_hops.get(identity(number).id)
        return None if hop is None else next(one for one in range(100) if identity(one).id == hop.id)

    def count(self, rule: str) -> int:
        return self.env.counters[rule]


def size(message: Message) -> int:
    """Bytes in a CONTROL frame."""
    return len(encode_all([message]))
