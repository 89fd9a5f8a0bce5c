"""What the tests of meshed worlds share: small shapes, traffic between two nodes, and a look at all tables."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from meshchain.sim.mesh import MeshNode, MeshWorld
from meshchain.sim.mesh.ether import Ether

PORT = 9
_SIZE = 200
"""Bytes of a datagram."""


def line(world: MeshWorld, *names: str, guests: Sequence[str] = ()) -> list[Ether]:
    """Nodes, each linked to the next, started."""
    world.found(names, guests)
    ethers = [world.ether(a, b, shared=False) for a, b in pairwise(names)]
    world.start()
    return ethers


def links(world: MeshWorld, *pairs: str) -> dict[str, Ether]:
    """Nodes of one letter and wires between them (``ab``), started; wires by their names."""
    world.found(sorted(dict.fromkeys("".join(pairs))))
    ethers = {pair: world.ether(*pair, shared=False) for pair in pairs}
    world.start()
    return ethers


def settled(world: MeshWorld, limit: float = 30) -> bool:
    """Whether everybody has a route to everybody within ``limit`` seconds."""
    most = len(world.nodes) - 1
    return world.run_until(lambda: all(len(routes(node)) == most for node in world.nodes.values()), limit)


def routes(node: MeshNode) -> list[bytes]:
    return [] if node.mesh is None else list(node.router.routing.routes)


def circles(world: MeshWorld) -> list[tuple[bytes, list[str]]]:
    """(destination, names) for every circle that the next hops of all nodes form now."""
    by_key = {node.key: node for node in world.nodes.values()}
    found = []
    for target in world.nodes.values():
        for start in world.nodes.values():
            path, at = [start.name], start
            while at.mesh is not None and (hop := at.router.routing.next_hops.get(target.identity.id)) is not None:
                at = by_key[hop.key]
                if at.name in path:
                    found.append((target.identity.id, [*path, at.name]))
                    break
                path.append(at.name)
    return found


class Traffic:
    """Datagrams from ``a`` to ``b``, numbered, one every ``pace`` seconds; a port tells several to one node apart."""

    def __init__(self, world: MeshWorld, a: str, b: str, *, pace: float = 0.02, port: int = PORT) -> None:
        self.world = world
        self.pace = pace
        self.port = port
        self.sent: list[float] = []
        self.arrived: dict[int, float] = {}
        self.hops: dict[int, int] = {}
        self.running = True
        self._a, self._b = world.nodes[a], world.nodes[b]
        self._send()

    def _send(self) -> None:
        if not self.running:
            return
        if self._b.mesh is not None:
            self._b.mesh.kernel.datagrams[self.port] = self._take
        if self._a.mesh is not None:
            payload = len(self.sent).to_bytes(8, "big").ljust(_SIZE, b".")
            self._a.mesh.kernel.send(self._b.address, self.port, payload, 64)
        self.sent.append(self.world.now)
        self.world.at(self.world.now + self.pace, self._send)

    def _take(self, _source: bytes, payload: bytes, left: int) -> None:
        number = int.from_bytes(payload[:8], "big")
        assert number not in self.arrived, "a packet came twice"
        self.arrived[number], self.hops[number] = self.world.now, 65 - left

    def share(self, since: float, until: float) -> float:
        """Of what was sent then, how much has arrived."""
        numbers = [number for number, when in enumerate(self.sent) if since <= when < until]
        return sum(number in self.arrived for number in numbers) / len(numbers)

    def outage(self, since: float) -> float:
        """The longest time, of sending, in which everything was lost."""
        longest, first = 0.0, None
        for number, when in enumerate(self.sent):
            if when < since:
                continue
            if number in self.arrived:
                first = None
            else:
                first = when if first is None else first
                longest = max(longest, when + self.pace - first)
        return longest


def drops(nodes: Iterable[MeshNode], rule: str) -> int:
    return sum(node.router.env.counters[rule] for node in nodes)
