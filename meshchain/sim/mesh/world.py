"""A world of nodes that have nothing but links: what they say to each other goes through their routers.

As ``sim.world`` in everything (one clock, one sequence of events, all chance from the seed), but for connections: links
carry frames, routers packets, the kernels above their TUNs streams, and gossip dials mesh addresses. Nodes begin with
copies of one ledger in which those that are not guests own a name each.

What many nodes compute alike is computed once, and remembered by its whole input: hashes (``costs``), signatures of
announcements, and what one tip of the ledger says of one key.

::

    world = MeshWorld(seed=7)
    world.build(topology.grid(49))
    world.run(10)
"""

import random
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from typing import Final, TypeVar

from meshchain.crypto import verify_ed25519
from meshchain.ledger.block import Block
from meshchain.ledger.chain.view import ChainView
from meshchain.ledger.params import Params
from meshchain.mesh.watch import find
from meshchain.p2p.actions import Dial, Endpoint
from meshchain.sim.carriage import Maker, noise
from meshchain.sim.costs import Costs
from meshchain.sim.machine import make_seed
from meshchain.sim.mesh.ether import Ether
from meshchain.sim.mesh.ledger import Scribe
from meshchain.sim.mesh.node import MeshNode
from meshchain.sim.mesh.plane import Observer, watched
from meshchain.sim.stage import Stage
from meshrouter.directory import Binding
from meshrouter.identity import Identity

T = TypeVar("T")

LATENCY: Final = 0.002
"""Seconds one way, of a link that is given none."""
_REMEMBERED: Final = 1 << 17
_STARTUP: Final = 0.1
"""Seconds within which the nodes of a world that is built at once begin."""


class Memo:
    """Results of pure functions by their whole input, the latest ``_REMEMBERED``."""

    def __init__(self) -> None:
        self._known: OrderedDict[Hashable, object] = OrderedDict()

    def of(self, key: Hashable, make: Callable[[], T]) -> T:
        if key in self._known:
            return self._known[key]  # type: ignore[return-value] # what ``make`` for this key has made
        result = self._known[key] = make()
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return result


class MeshWorld(Stage):
    """``carriage``: noise (the real transport, default) or quick; ``depth``: blocks by which names are bound."""

    def __init__(
        self, seed: int, *, params: Params | None = None, costs: Costs | None = None, carriage: Maker = noise
    ) -> None:
        super().__init__(seed, params, costs)
        self.carriage = carriage
        self.nodes: dict[str, MeshNode] = {}
        self.ethers: list[Ether] = []
        self.observer = Observer()
        self.plane = watched(self.observer)
        self.scribe = Scribe(self.params, seed)
        self._memo = Memo()
        self._peers = 0
        self._links = 0

    # --- building ------------------------------------------------------------------------------------------

    def found(self, names: Iterable[str], guests: Iterable[str] = ()) -> list[MeshNode]:
        """Nodes, not started, with one ledger in which each but the guests owns the name that it is called by."""
        unnamed = dict.fromkeys(guests)
        made = [self._make(name) for name in names]
        seeds = {node.name: node.seed for node in made if node.name not in unnamed}
        if seeds:
            self.scribe.register(seeds, depth=self.params.policy.mesh_bind_depth)
        for node in made:
            node.store = self.scribe.store()
        return made

    def _make(self, name: str) -> MeshNode:
        if name in self.nodes:
            raise ValueError(f"there is a node {name}")
        seed = make_seed(random.Random(f"{self.seed}/{name}"))
        endpoint = Endpoint(Identity.from_seed(seed).address, self.params.ports.gossip)
        node = MeshNode(world=self, surroundings=self, name=name, seed=seed, endpoint=endpoint, mines=False)
        self.nodes[name] = node
        return node

    def ether(
        self,
        *names: str,
        latency: float = LATENCY,
        rate: float | None = None,
        loss: float = 0.0,
        shared: bool = True,
        mtu: int = 1500,
    ) -> Ether:
        """A link that these nodes are plugged into, as soon as they run."""
        rng = random.Random(f"{self.seed}/ether/{len(self.ethers)}")
        ether = Ether(self.heap, rng, latency=latency, rate=rate, loss=loss, shared=shared, mtu=mtu)
        self.ethers.append(ether)
        for name in names:
            node = self.nodes[name]
            node.ethers.append(ether)
            if node.mesh is not None:
                node.mesh.plug(ether)
        return ether

    def start(self, *names: str) -> None:
        """Start these nodes, or all, within a tenth of a second."""
        rng = random.Random(f"{self.seed}/start")
        for name in names or tuple(self.nodes):
            self.at(self.now + rng.uniform(0, _STARTUP), self.nodes[name].start)

    # --- happenings ----------------------------------------------------------------------------------------

    def publish(self, *blocks: Block, at: str) -> None:
        """One node has found blocks; the others will hear of them."""
        run = self.nodes[at].run
        for block in blocks:
            run.change(run.keeper.add_block, block)

    # --- for nodes -----------------------------------------------------------------------------------------

    def dial(self, who: str, action: Dial) -> None:
        self.nodes[who].on_mesh.dial(action)

    def new_peer(self) -> int:
        self._peers += 1
        return self._peers

    def new_link(self) -> int:
        self._links += 1
        return self._links

    def verify(self, key: bytes, message: bytes, signature: bytes) -> bool:
        return self._memo.of((key, message, signature), lambda: verify_ed25519(key, message, signature))

    def find(self, view: ChainView, subject: bytes) -> Binding | bytes | None:
        return self._memo.of((view.tip_id, subject), lambda: find(view, subject))
