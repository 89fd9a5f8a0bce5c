"""What a simulated node is before anything runs on it, and what it gets of the world around it."""

import random
from dataclasses import dataclass, field
from typing import Protocol

from meshchain.crypto import ed25519_public_key
from meshchain.crypto.address import node_address
from meshchain.ledger.params import Params
from meshchain.ledger.store.memory import MemoryStore
from meshchain.p2p.actions import Dial, Endpoint
from meshchain.sim.clock import VirtualClock
from meshchain.sim.costs import Costs, MemoWorkers
from meshchain.sim.heap import Heap


class Surroundings(Protocol):
    """A world as its nodes see it."""

    seed: int
    params: Params
    costs: Costs
    heap: Heap
    workers: MemoWorkers
    epoch: float
    """Unix time at virtual 0."""

    def note(self, who: str, what: str) -> None:
        """Write something down."""

    def witness(self, who: str, peer: int, data: bytes) -> None:
        """Bytes have arrived at ``who``."""

    def dial(self, who: str, action: Dial) -> None:
        """The node called ``who``, which is running, wants a connection."""


@dataclass(eq=False, kw_only=True)
class Machine:
    """What outlives the runs of a node. ``seed``: of its Ed25519 key; ``peers``: configured ones."""

    world: Surroundings
    name: str
    seed: bytes
    endpoint: Endpoint
    mines: bool = True
    peers: list[Endpoint] = field(default_factory=list)
    store: MemoryStore = field(default_factory=MemoryStore)

    def __post_init__(self) -> None:
        self.key = ed25519_public_key(self.seed)
        self.clock = VirtualClock(self.world.heap, self.world.epoch)

    def note(self, what: str) -> None:
        self.world.note(self.name, what)


def make_seed(rng: random.Random) -> bytes:
    """An Ed25519 seed whose mesh address is not among the claimed ones."""
    while node_address(ed25519_public_key(seed := rng.randbytes(32))) is None:
        pass
    return seed
