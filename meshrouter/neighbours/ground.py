"""What the parts of the machine stand on: the environment, the timers, the links and who is on them.

The parts are ``beacons`` (being found), ``connecting`` and ``answering`` (the two sides of a handshake), ``keeping``
(sessions of an adjacency, its beginning and end) and ``probing`` (how well it works, whether it still does).
``machine`` puts them together.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from meshrouter.directory import Directory
from meshrouter.env import Env
from meshrouter.links.link import Link
from meshrouter.neighbours.neighbour import Inbound, Neighbour
from meshrouter.neighbours.session import LinkSession
from meshrouter.neighbours.timers import Timers
from meshrouter.wire.control import Message
from meshrouter.wire.handshake import LinkPayload

WANTED: Final = 3
"""Neighbours that a node looks for on a link: two may fail, and on a link of N nodes the graph of three links each is
connected but for one in N²; what is cut off nevertheless is found by having no route to it."""
MOST_ON_SHARED: Final = 32
"""Neighbours on a link with many: each costs a HELLO in 4 s and every routing update; a node that is full falls silent,
so that newcomers find others. Redirected traffic needs more of them than WANTED."""
MOST_ON_OTHER: Final = 256
"""Neighbours on a link where each was configured, by them or by us: a public listener."""


@dataclass(slots=True, kw_only=True)
class NeighbourEvents:
    """What the machine reports, called inline."""

    up: Callable[[Neighbour], None] = lambda _neighbour: None
    down: Callable[[Neighbour, str], None] = lambda _neighbour, _reason: None
    """Reasons: silent, bye, barred, carrier, removed, rekey, suspended, unused, full, closing."""
    changed: Callable[[Neighbour], None] = lambda _neighbour: None
    """Its cost, its caps, or its MTU."""
    control: Callable[[Neighbour, Message], None] = lambda _neighbour, _message: None
    """Every message that a neighbour sends, HELLOs included."""


@dataclass(slots=True, kw_only=True)
class NeighbourQuestions:
    """What the machine asks others."""

    has_route: Callable[[bytes], bool] = lambda _id: False
    """Whether anything is known to lead to an id (14 bytes)."""
    digest_for: Callable[[Neighbour], tuple[int, int]] = lambda _neighbour: (0, 0)
    """Digest (u64) and number of the routes told to a neighbour, for HELLO."""
    queue_ms: Callable[[Neighbour], int] = lambda _neighbour: 0
    """How long a frame to it waits here."""


@dataclass(eq=False, slots=True)
class Port:
    """A link, who is on it, and who may be about to."""

    link: Link
    known: dict[bytes, Neighbour] = field(default_factory=dict)
    """By key. All of them are up."""
    strangers: dict[bytes, Neighbour] = field(default_factory=dict)
    """By key: answered, and not heard from since."""

    @property
    def most(self) -> int:
        return MOST_ON_SHARED if self.link.shared and not self.link.invited else MOST_ON_OTHER

    @property
    def full(self) -> bool:
        """Whether no stranger is let in: those who are about to be neighbours have their places already."""
        return len(self.known) + len(self.strangers) >= self.most


class Ground:
    """``own_caps`` and ``gossip_port`` may change; they go into what is said from then on."""

    def __init__(
        self,
        env: Env,
        directory: Directory,
        *,
        own_caps: int,
        gossip_port: int,
        on: NeighbourEvents,
        ask: NeighbourQuestions,
    ) -> None:
        self.env = env
        self.directory = directory
        self.own_caps = own_caps
        self.gossip_port = gossip_port
        self.on = on
        self.ask = ask
        self.timers = Timers()
        self.ports: dict[int, Port] = {}
        self.by_index: dict[int, Inbound] = {}
        self.begun: dict[int, object] = {}
        """Indexes of handshakes under way, which no other may get."""

    def payload(self) -> bytes:
        """What we say of ourselves in a handshake, 40 bytes."""
        own = LinkPayload(self.env.identity.key, self.own_caps, self.gossip_port, self.directory.tip.height)
        return own.encode()

    def new_index(self) -> int:
        """A u32 that nobody uses with us, and that nobody can guess."""
        while (index := self.env.rng.getrandbits(32)) == 0 or index in self.by_index or index in self.begun:
            pass
        return index

    def open_under(self, session: LinkSession, neighbour: Neighbour) -> None:
        """Frames that come to the session's index are the neighbour's from now on."""
        self.by_index[session.index] = Inbound(session, neighbour)

    def jitter(self, seconds: float) -> float:
        """Within a quarter of it."""
        return seconds * self.env.rng.uniform(0.75, 1.25)

    def drop(self, rule: str) -> None:
        self.env.counters.drop(rule)
