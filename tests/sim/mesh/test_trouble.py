"""A mesh in trouble: links that go down, nodes that drop data, restart, or are cut off. Never a loop."""

from functools import partial

import pytest

from meshchain.sim.mesh import MeshNode, MeshWorld
from meshchain.sim.mesh.ether import Ether
from meshchain.sim.mesh.topology import made
from tests.sim.mesh.kit import Traffic, circles, drops, line, links, settled

GOAL = 1.7
"""Seconds that traffic may be lost when a link fails without a word."""


def watched(world: MeshWorld, seconds: float) -> None:
    """Run, and look at everybody's next hops twenty times a second."""
    for _ in range(round(seconds / 0.05)):
        world.run(0.05)
        assert circles(world) == []


def no_loop(world: MeshWorld) -> bool:
    return not world.observer.loops and not drops(world.nodes.values(), "forward-ttl")


@pytest.mark.parametrize("how", ["silent", "carrier"])
def test_traffic_moves_when_a_link_of_a_square_fails(how: str) -> None:
    world = MeshWorld(1)
    wires = links(world, "ab", "bd", "ac", "cd")
    assert settled(world)
    traffic = Traffic(world, "a", "d")
    watched(world, 2)
    before = world.now
    used = _in_use(world, wires)
    used.cut() if how == "silent" else used.unplug()
    watched(world, 5)
    assert 0 < traffic.outage(before) < (GOAL if how == "silent" else 0.2)
    assert traffic.share(world.now - 2, world.now - 0.1) == 1.0
    used.mend() if how == "silent" else used.plug()
    back = world.now
    watched(world, 8)
    assert traffic.share(back, world.now - 0.1) == 1.0, "what comes back disturbs nobody"
    assert no_loop(world)


def _in_use(world: MeshWorld, wires: dict[str, Ether]) -> Ether:
    """The first link of the way from a to d."""
    a, d = world.nodes["a"], world.nodes["d"]
    hop = a.router.routing.next_hops[d.identity.id]
    return wires["ab" if hop.key == world.nodes["b"].key else "ac"]


def test_an_idle_failure_is_found_within_twelve_seconds() -> None:
    world = MeshWorld(1)
    wires = links(world, "ab", "bc")
    assert settled(world)
    world.run(20)
    wires["ab"].cut()
    gone = lambda: not list(world.nodes["a"].router.neighbours)  # noqa: E731
    assert world.run_until(gone, 13)


def test_a_cut_network_heals() -> None:
    world = MeshWorld(1)
    wires = links(world, "ab", "bc", "cd", "ad", "be", "ef")
    assert settled(world)
    traffic = Traffic(world, "f", "d", pace=0.1)
    world.run(5)
    for wire in (wires["bc"], wires["ad"]):
        wire.cut()
    watched(world, 30)
    assert traffic.share(world.now - 5, world.now - 1) == 0.0
    assert len(world.nodes["c"].router.routing.routes) == 1, "its side of the cut"
    for wire in (wires["bc"], wires["ad"]):
        wire.mend()
    watched(world, 20)
    assert settled(world, 40)
    world.run(3)
    assert traffic.share(world.now - 2, world.now - 0.5) == 1.0
    assert no_loop(world)


def test_a_storm_of_restarts() -> None:
    """Everybody is killed and started again, several times, at random; then it is a network again, with no loop."""
    world = MeshWorld(2)
    topology = made("grid", 9, 2)
    names = [f"n{number}" for number in range(9)]
    world.found(names)
    for edge in topology.edges:
        world.ether(names[edge.a], names[edge.b], shared=False)
    world.start()
    assert settled(world)
    for number in range(27):
        world.at(world.now + 0.5 + number * 0.3, partial(_restart, world.nodes[names[number * 5 % 9]]))
    watched(world, 9)
    assert settled(world, 30)
    traffic = Traffic(world, "n0", "n8")
    world.run(3)
    assert traffic.share(traffic.sent[0], world.now - 0.5) == 1.0
    assert not world.observer.loops


def _restart(node: MeshNode) -> None:
    node.kill()
    node.start()


def test_a_node_that_is_killed_is_missed_and_one_that_stops_says_so() -> None:
    world = MeshWorld(1)
    line(world, "a", "b", "c")
    assert settled(world)
    world.nodes["c"].stop()
    world.run(0.5)
    assert len(world.nodes["a"].router.routing.routes) == 1
    world.nodes["c"].start()
    assert settled(world, 5)
    world.nodes["b"].kill()
    world.run(13)
    assert len(world.nodes["a"].router.routing.routes) == 0
    world.nodes["b"].start()
    assert settled(world, 20)


def test_loss_and_delay() -> None:
    """30 % of all frames are lost: slower, and still a network."""
    world = MeshWorld(4)
    names = ["a", "b", "c", "d"]
    world.found(names)
    for a, b in ("ab", "bc", "cd", "ad"):
        world.ether(a, b, shared=False, loss=0.3, latency=0.01)
    world.start()
    assert settled(world, 60)
    traffic = Traffic(world, "a", "b", pace=0.1)
    watched(world, 30)
    assert traffic.share(world.now - 20, world.now - 1) > 0.4
    assert no_loop(world)


def test_a_node_that_drops_data_hurts_only_what_goes_through_it() -> None:
    """It speaks like anybody else, and carries nothing on."""
    world = MeshWorld(5)
    links(world, "ab", "bc", "cd", "ad", "bd")
    assert settled(world)
    thief = world.nodes["b"].router.plane
    thief.forwards = False
    around, through = Traffic(world, "a", "d"), Traffic(world, "d", "a")
    to_thief = Traffic(world, "a", "b")
    world.run(3)
    assert [t.share(t.sent[0] + 1, world.now - 0.5) for t in (around, through, to_thief)] == [1.0, 1.0, 1.0]
    assert no_loop(world)
