"""The eight nodes in the simulator, joined by the real transport."""

from collections.abc import Callable, Sequence
from typing import Final

from meshchain.ledger import operations, params
from meshchain.ledger.operations import Operation
from meshchain.ledger.store.memory import MemoryStore
from meshchain.sim import SimNode, World
from meshchain.sim.carriage import noise
from tests.ledger.kit import Lab
from tests.node.honesty.script import COUNT, STEPS, End, Rows, rows

PATIENCE: Final = 600.0
"""Virtual seconds."""


class SimulatedNetwork:
    """As ``script.Network``; a stranger is one more node, which holds the lab's chain already."""

    def __init__(self, seed: int) -> None:
        self._world = World(seed, params=params.load("dev"), carriage=noise)
        self._strangers = 0

    def start(self) -> None:
        for number in range(COUNT):
            self._world.add(f"n{number}", mines=False)
        for number in range(COUNT):
            for step in STEPS:
                self._world.link(f"n{number}", f"n{(number + step) % COUNT}")
        self._until(lambda: all(node.run.gossip.ready_peers >= len(STEPS) for node in self._nodes()))

    def deliver(self, to: int, lab: Lab) -> None:
        self._strangers += 1
        name, node = f"stranger-{self._strangers}", self._node(to)
        stranger = self._world.add(name, mines=False, start=False)
        stranger.store = _copy(lab)
        self._world.link(name, node.name)
        stranger.start()
        self._until(lambda: node.tip_id == lab.chain.tip.id)
        stranger.kill()

    def give(self, to: int, operation: Operation) -> None:
        run = self._node(to).run
        run.change(run.keeper.send, operations.encode(operation))

    def kill(self, which: int) -> None:
        self._node(which).kill()

    def restart(self, which: int) -> None:
        self._node(which).start()

    def come_to(self, end: End, without: int | None = None) -> None:
        nodes = [node for node in self._nodes() if without is None or node is not self._node(without)]
        self._until(lambda: {_end_of(node) for node in nodes} == {end})

    def stop(self) -> Sequence[Rows]:
        for node in self._nodes():
            node.stop()
        return [rows(node.store) for node in self._nodes()]

    def _node(self, number: int) -> SimNode:
        return self._world.nodes[f"n{number}"]

    def _nodes(self) -> list[SimNode]:
        return [self._node(number) for number in range(COUNT)]

    def _until(self, condition: Callable[[], bool]) -> None:
        assert self._world.run_until(condition, PATIENCE), self._world.story()


def _copy(lab: Lab) -> MemoryStore:
    store = MemoryStore()
    store.write(dict(lab.chain.store.items(b"")))
    return store


def _end_of(node: SimNode) -> End:
    return End(node.tip_id, frozenset(pending.wid for pending in node.run.pending))
