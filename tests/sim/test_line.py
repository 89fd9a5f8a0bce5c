"""Five nodes in a line, of which each knows only the next."""

from itertools import pairwise

import pytest

from meshchain.sim import World, people, scenarios
from meshchain.sim.carriage import Maker, noise, quick
from tests.sim.conftest import WorldOf


def has(world: World, registration: people.Registration) -> bool:
    """Whether every running node serves the name to its owner."""
    return all(node.owner_of(registration.name) == registration.owner for node in world.up)


def cable(world: World) -> list[str]:
    """Five nodes whose links are a line too: nobody can reach anybody else."""
    names = scenarios.line(world, 5)
    assert world.run_until(lambda: all(node.run.gossip.ready_peers for node in world.up), 60)
    return names


@pytest.mark.parametrize("carriage", [quick, noise], ids=["quick", "noise"])
def test_a_name_registered_at_one_end_is_confirmed_at_the_other(world_of: WorldOf, carriage: Maker) -> None:
    world = world_of(carriage=carriage)
    names = cable(world)
    alice = people.register(world.nodes[names[0]], "alice")
    assert world.run_until(lambda: alice.confirmed and has(world, alice), 1800)


def test_a_node_that_comes_late_catches_up(world_of: WorldOf) -> None:
    world = world_of()
    names = cable(world)
    alice = people.register(world.nodes[names[0]], "alice")
    assert world.run_until(lambda: alice.confirmed and world.up[0].height > 30, 7200)
    late = world.add("late")
    world.link("late", names[-1])
    assert world.run_until(lambda: late.height > 30 and has(world, alice), 120)
    assert world.run_until(lambda: late.run.gossip.progress.synced and late.run.chain.settling, 60)


def test_a_node_killed_at_any_moment_goes_on_where_it_was(world_of: WorldOf) -> None:
    """Also the one in the middle, and the one that has promised something."""
    world = world_of()
    names = cable(world)
    alice = people.register(world.nodes[names[0]], "alice")
    for moment, name in enumerate((names[0], names[2], names[4], names[0])):
        world.run(7.0 + moment)
        height = world.nodes[name].height
        world.kill(name)
        world.run(3.0 + 20 * moment)
        world.restart(name)
        assert world.nodes[name].height >= height
    assert world.run_until(lambda: alice.confirmed and world.agreed() and has(world, alice), 3600)


def test_a_line_that_is_cut_and_mended_meets_again(world_of: WorldOf) -> None:
    """Without a word of the end of the connections: silence alone must do."""
    world = world_of()
    names = cable(world)
    world.partition(names[:2], names[2:])
    alice, carol = (people.register(world.nodes[name], who) for name, who in ((names[0], "alice"), (names[4], "carol")))
    assert world.run_until(lambda: alice.confirmed and carol.confirmed, 3600)
    assert not world.agreed()
    world.heal()
    assert world.run_until(lambda: world.agreed() and has(world, alice) and has(world, carol), 3600)


def test_a_leaf_that_makes_no_blocks_gets_its_operations_out(world_of: WorldOf) -> None:
    """Its one connection must not be displaced by one for blocks only, whoever dials whom."""
    world = world_of()
    for name in ("leaf", "next", "far", "miner"):
        world.add(name, mines=name == "miner")
    for a, b in pairwise(world.nodes):
        world.link(a, b)
    world.run(5)
    alice = people.register(world.nodes["leaf"], "alice")
    assert world.run_until(lambda: alice.confirmed and has(world, alice), 1800)
