"""Two nodes and all connections between them, with every message delivered when the test says so.

Both sides are whole coordinators (``Gossip``) over one empty chain. Each connection has a queue a side: that it is
established, the peer's messages in their order, and its end. A *schedule* is a random generator that picks the queue to
go on with, so that many schedules are as many orders of events.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from random import Random

from meshchain.p2p import messages
from meshchain.p2p.actions import Action, Close, Endpoint, Send
from meshchain.p2p.addresses import AddressBook
from meshchain.p2p.conduct import Scores
from meshchain.p2p.gossip import Gossip, Own
from meshchain.p2p.slots import Held, Slots
from tests.ledger.kit import Lab
from tests.p2p.addresses.crowd import NOW, v4
from tests.p2p.kit import LabFacts

KEYS = {"small": b"\x01" * 32, "great": b"\xf0" * 32}
AT = {"small": v4(10, 1), "great": v4(10, 2)}
OTHER = {"small": "great", "great": "small"}
OPEN, END = b"open", b"end"
"""Events in a queue beside messages (which are never these)."""
STEP = 0.01
"""Seconds between two events."""


@cache
def _facts() -> LabFacts:
    return LabFacts(Lab())


@dataclass
class Wire:
    """A connection. ``queues``: what each side has yet to learn; a side without one has left it."""

    number: int
    dialler: str
    purpose: str
    queues: dict[str, deque[bytes]] = field(default_factory=dict)


class Pair:
    """``now`` is the running time of both."""

    def __init__(self, seed: int = 0) -> None:
        self.rng = Random(seed)
        self.now = 0.0
        self.wires: list[Wire] = []
        self.nodes = {name: self._node(name) for name in KEYS}
        self.closes: list[tuple[str, int, str]] = []
        """Who gave up which connection, and the code."""

    def _node(self, name: str) -> Gossip:
        rng = Random(self.rng.random())
        book = AddressBook(rng.randbytes(32), rng)
        own = Own(key=KEYS[name], agent=name, listen_port=0)
        slots = Slots(book, rng, own_key=KEYS[name])
        return Gossip(
            facts=_facts(), own=own, rng=rng, wall=lambda: NOW + self.now, book=book, slots=slots, scores=Scores()
        )

    # --- what a test does ------------------------------------------------------------------------------------

    def dial(self, dialler: str, purpose: str) -> Wire:
        """Begin a connection; neither side has heard of it."""
        queues = {name: deque([OPEN]) for name in KEYS}
        self.wires.append(Wire(len(self.wires) + 1, dialler, purpose, queues))
        return self.wires[-1]

    def lose_power(self, name: str) -> None:
        """Another run begins, and the other side is not told."""
        for wire in self.wires:
            wire.queues.pop(name, None)
        self.nodes[name] = self._node(name)

    def settle(self) -> None:
        """Deliver everything there is, in any order."""
        while waiting := [(w, name) for w in self.wires for name, queue in w.queues.items() if queue]:
            self.deliver(*self.rng.choice(waiting))

    def exchange(self, wire: Wire) -> None:
        """Deliver everything on one connection."""
        while waiting := [name for name, queue in wire.queues.items() if queue]:
            self.deliver(wire, waiting[0])

    def deliver(self, wire: Wire, name: str) -> None:
        """The next of one queue."""
        self.now += STEP
        event, node = wire.queues[name].popleft(), self.nodes[name]
        if event == OPEN:
            inbound = name != wire.dialler
            at, key = AT[OTHER[name]], KEYS[OTHER[name]]
            endpoint = Endpoint(at.ip, 50_000 + wire.number) if inbound else at
            purpose = "inbound" if inbound else wire.purpose
            actions = node.opened(wire.number, key, endpoint, inbound=inbound, purpose=purpose, now=self.now)
        elif event == END:
            del wire.queues[name]
            actions = node.closed(wire.number, self.now)
        else:
            actions = node.received(wire.number, event, self.now)
        self._carry_out(name, actions)

    def run(self, seconds: float) -> None:
        """Let time pass; what is sent arrives before the next tick."""
        end = self.now + seconds
        while self.now < end:
            self.now += 1
            for name, node in self.nodes.items():
                self._carry_out(name, node.tick(self.now))
            self.settle()

    # --- what a test sees ------------------------------------------------------------------------------------

    def held(self, name: str) -> list[Held]:
        return list(self.nodes[name].slots.held)

    def survivor(self) -> Wire:
        """The only connection, ready on both sides."""
        ones = [self.held(name) for name in KEYS]
        assert [len(held) for held in ones] == [1, 1], self.closes
        assert all(held.ready for (held,) in ones)
        assert ones[0][0].peer == ones[1][0].peer
        assert all(node.ready_peers == 1 for node in self.nodes.values())
        return self.wires[ones[0][0].peer - 1]

    # --- inside ----------------------------------------------------------------------------------------------

    def _carry_out(self, name: str, actions: Iterable[Action]) -> None:
        for action in actions:
            if isinstance(action, Send):
                self._tell(action.peer, OTHER[name], messages.encode(action.message))
            elif isinstance(action, Close):
                self.closes.append((name, action.peer, action.code))
                self._tell(action.peer, OTHER[name], messages.encode(messages.Goodbye(action.code, action.reason)))
                self._tell(action.peer, OTHER[name], END)
                self.wires[action.peer - 1].queues[name] = deque([END])

    def _tell(self, peer: int, name: str, event: bytes) -> None:
        wire = self.wires[peer - 1]
        if name in wire.queues and END not in wire.queues[name]:
            wire.queues[name].append(event)
