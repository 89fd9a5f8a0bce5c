"""A simulated world: whole nodes, links between them, one clock, and one sequence of events.

Theory of operation
-------------------
Everything that happens is an *event* on one heap (``heap``): a timer of a node, bytes that arrive, a hash that is
found, a task of the ledger that is done, something the scenario has planned with ``at``. Events happen one after
the other, by time and then in the order in which they were asked for; between two of them nothing moves, and time
passes only from one to the next. A day of ten nodes costs a minute or so.

*The same code.* Nodes are made of the parts the real node is made of (``run``); what stands in for the rest is
the clock, the sockets (``streams``, ``carriage``), and the time that work takes (``costs``, ``hands``). Hashes and
signatures are real; only parameters are small (``params``).

*Repeatable.* All chance comes from ``seed``: each node's keys, nonces and timers, run by run, from a generator that is
named after seed, node and run, so that another node more changes nothing for those that are there. Nothing iterates
over a set, no wall clock is read. ``log`` lists what happened in words, ``fingerprint`` is a hash over it and over
every byte that arrived: two worlds of one seed and one scenario agree in both, on any machine and in any process. So a
seed that fails can be run again, with more notes, as often as it takes.

*Trouble* comes from the scenario: ``partition`` and ``heal`` (links go down: nothing arrives and nobody is told),
``kill``, ``stop`` and ``restart``, a node's ``clock.skew``, and a store of the scenario's own.

::

    world = World(seed=7)
    names = scenarios.line(world, 5)
    world.run_until(lambda: world.agreed(), limit=600)
"""

import random
from collections.abc import Sequence
from typing import Final

from meshchain.ledger.params import Params
from meshchain.p2p.actions import Dial, Endpoint
from meshchain.sim.carriage import Maker, quick
from meshchain.sim.costs import Costs
from meshchain.sim.machine import make_seed
from meshchain.sim.node import SimNode
from meshchain.sim.stage import Stage
from meshchain.sim.streams import Connection, Link
from meshchain.sim.wire import Wire

_DIAL_TIME: Final = 10.0
"""Seconds after which a connection that nobody answers is given up, as in the node."""
_MAPPED: Final = bytes(10) + b"\xff\xff"


class World(Stage):
    """``carriage``: quick (default) or noise, the real transport; see ``meshchain.sim.carriage``."""

    def __init__(
        self, seed: int, *, params: Params | None = None, costs: Costs | None = None, carriage: Maker = quick
    ) -> None:
        super().__init__(seed, params, costs)
        self.nodes: dict[str, SimNode] = {}
        self.links: dict[tuple[str, str], Link] = {}
        """By the names of their ends, in the order in which they were linked."""
        self._carriage = carriage
        self._peers = 0
        self._ports = 0

    # --- building ------------------------------------------------------------------------------------------

    def add(self, name: str, *, mines: bool = True, start: bool = True) -> SimNode:
        """A node with an address of its own, in a position of its own."""
        if name in self.nodes:
            raise ValueError(f"there is a node {name}")
        rng, number = random.Random(f"{self.seed}/{name}"), len(self.nodes) + 1
        ip = _MAPPED + bytes((10, number % 256, number // 256, 1))
        endpoint = Endpoint(ip, self.params.ports.gossip)
        node = self.nodes[name] = SimNode(world=self, name=name, seed=make_seed(rng), endpoint=endpoint, mines=mines)
        if start:
            node.start()
        return node

    def link(self, a: str, b: str, *, latency: float = 0.02, rate: float | None = None, dial: bool = True) -> Link:
        """A way between two nodes; with ``dial``, ``a`` has ``b`` among its configured peers."""
        link = self.links[a, b] = Link((a, b), latency, rate)
        if dial:
            self.configure(a, b)
        return link

    def configure(self, a: str, b: str) -> None:
        """Make ``b`` a configured peer of ``a``."""
        one, other = self.nodes[a], self.nodes[b]
        one.peers.append(other.endpoint)
        if one.running is not None:
            one.running.gossip.slots.want(other.endpoint)

    # --- trouble -------------------------------------------------------------------------------------------

    def partition(self, *groups: Sequence[str]) -> None:
        """Cut all links between nodes of different groups; a node in none of them is alone."""
        group_of = {name: number for number, group in enumerate(groups) for name in group}
        for (a, b), link in self.links.items():
            together = a in group_of and group_of.get(a) == group_of.get(b)
            if link.up and not together:
                link.set_up(False)
        self.note("world", "partition " + " | ".join(" ".join(group) for group in groups))

    def heal(self) -> None:
        """All links are up again."""
        for link in self.links.values():
            if not link.up:
                link.set_up(True)
        self.note("world", "heal")

    def kill(self, name: str) -> None:
        self.nodes[name].kill()

    def stop(self, name: str) -> None:
        """End a node in peace: what gossip remembers is saved."""
        self.nodes[name].stop()

    def restart(self, name: str) -> None:
        """Start a node that was killed or stopped, on the store it left."""
        self.nodes[name].start()

    # --- looking -------------------------------------------------------------------------------------------

    @property
    def up(self) -> list[SimNode]:
        """The nodes that are running."""
        return [node for node in self.nodes.values() if node.running is not None]

    def agreed(self, *names: str) -> bool:
        """Whether all running nodes (or those named) have one tip."""
        listed = [self.nodes[name] for name in names] if names else self.up
        return len({node.tip_id for node in listed}) == 1

    # --- connections ---------------------------------------------------------------------------------------

    def dial(self, who: str, action: Dial) -> None:
        """Try to connect; the node hears of a failure, and of success by the peer's first bytes."""
        node = self.nodes[who]
        other = next((other for other in self.nodes.values() if other.endpoint == action.endpoint), None)
        link = None if other is None else self._way(node.name, other.name)
        run = node.run
        if other is None or link is None or not link.up:
            run.later(_DIAL_TIME, lambda: run.dial_failed(action.endpoint))
        else:
            run.later(2 * link.latency, lambda: self._connect(node, other, link, action))

    def _way(self, a: str, b: str) -> Link | None:
        return self.links.get((a, b)) or self.links.get((b, a))

    def _connect(self, node: SimNode, other: SimNode, link: Link, action: Dial) -> None:
        if other.running is None or not link.up:
            node.run.dial_failed(action.endpoint)  # refused, or cut just now
            return
        self._ports = self._ports % 60000 + 1
        came_from = Endpoint(node.endpoint.ip, 1024 + self._ports)
        ends = self._wire(node, action.endpoint, action.purpose, 0), self._wire(other, came_from, "inbound", 1)
        connection = Connection(self.heap, link, *ends)
        for end in ends:
            end.connection = connection
            end.flush()

    def _wire(self, node: SimNode, endpoint: Endpoint, purpose: str, side: int) -> Wire:
        self._peers += 1
        run = node.run
        carriage = self._carriage(node.seed, side == 0, run.rng.randbytes, self.now)
        wire = run.wires[self._peers] = Wire(
            run=run,
            peer=self._peers,
            carriage=carriage,
            endpoint=endpoint,
            purpose=purpose,
            inbound=side == 1,
            side=side,
        )
        return wire
