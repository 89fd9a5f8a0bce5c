"""Cuts, kills, stops, wrong clocks, rivals at random; once it is over the ledger is one, nothing promised is lost."""

import random
from collections.abc import Sequence

from meshchain.sim import World, people, scenarios
from meshchain.sim.params import small
from meshchain.sim.people import Registration
from tests.sim.conftest import WorldOf

NODES = 7
STEPS = 14
FINAL = ("confirmed", "conflict-lost")


class Chaos:
    """What goes wrong, drawn from the seed."""

    def __init__(self, world: World, names: Sequence[str]) -> None:
        self.world = world
        self.names = names
        self.rng = random.Random(f"chaos {world.seed}")
        self.promised: list[Registration] = []

    def step(self) -> None:
        self.rng.choice((self.cut, self.mend, self.kill, self.wake, self.skew, self.promise, self.promise))()
        self.world.run(self.rng.uniform(0.1, 40))

    def cut(self) -> None:
        shuffled = self.rng.sample(self.names, NODES)
        self.world.heal()
        self.world.partition(*scenarios.halves(shuffled))

    def mend(self) -> None:
        self.world.heal()

    def kill(self) -> None:
        if len(self.world.up) > 2:
            end = self.rng.choice((self.world.kill, self.world.stop))
            end(self.rng.choice(self.world.up).name)

    def wake(self) -> None:
        for name in self.names:
            if self.world.nodes[name].running is None:
                self.world.restart(name)

    def skew(self) -> None:
        self.rng.choice(self.world.up).clock.skew = self.rng.uniform(-300, 300)

    def promise(self) -> None:
        node, name = self.rng.choice(self.world.up), self.rng.choice("abcdef")
        if node.owner_of(name) is None and all((r.node, r.name) != (node, name) for r in self.promised):
            self.promised.append(people.register(node, name))

    def end(self) -> None:
        self.wake()
        self.world.heal()
        for node in self.world.nodes.values():
            node.clock.skew = 0.0


def test_all_agree_after_it_is_over(world_of: WorldOf) -> None:
    world = world_of(params=small(stamp_grid=12))
    chaos = Chaos(world, scenarios.mesh(world, NODES))
    world.run(30)
    for _ in range(STEPS):
        chaos.step()
    chaos.end()
    promised = chaos.promised
    assert world.run_until(lambda: world.agreed() and all(r.status.state in FINAL for r in promised), 4000), [
        r.status for r in promised if r.status.state not in FINAL
    ]
    assert world.run_until(world.agreed, 300)
    for name in dict.fromkeys(r.name for r in promised):
        (winner,) = [r for r in promised if r.name == name and r.confirmed]
        assert {node.owner_of(name) for node in world.up} == {winner.owner}
        assert {r.status.winner for r in promised if r.name == name and r is not winner} <= {winner.reveal}
