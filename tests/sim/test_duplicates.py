"""A restarted node dials its block-only peers of the last run, and one of them has nobody else."""

from itertools import pairwise

from meshchain.sim import World, people
from tests.sim.conftest import WorldOf


def line(world: World) -> None:
    """Leaf, next, far and miner, each knowing only the next one; only the last makes blocks."""
    for name in ("leaf", "next", "far", "miner"):
        world.add(name, mines=name == "miner")
    for a, b in pairwise(world.nodes):
        world.link(a, b)
    world.run(5)


def test_an_anchor_does_not_cost_a_leaf_its_only_full_connection(world_of: WorldOf) -> None:
    """``next`` comes back and dials the leaf for blocks only, before the leaf dials it as its configured peer."""
    world = world_of()
    line(world)
    leaf, restarted = world.nodes["leaf"], world.nodes["next"]
    world.kill("next")
    world.run(3)
    world.restart("next")
    restarted.run.gossip.slots._undialled = [leaf.endpoint]
    world.run(5)
    alice = people.register(leaf, "alice")
    assert world.run_until(lambda: alice.confirmed, 1800)
    (held,) = leaf.run.gossip.slots.held
    assert (held.key, held.block_only) == (restarted.key, False)
