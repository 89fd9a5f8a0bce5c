"""A mesh in trouble: links that go down, nodes that drop data, restart, or are cut off. Never a loop."""

from functools import partial

import pytest

from meshchain.sim.mesh import MeshNode, MeshWorld
from meshchain.sim.mesh.ether import Ether
from meshchain.sim.mesh.topology import made
from meshrouter.neighbours.neighbour import Neighbour
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


def way(world: MeshWorld, a: MeshNode, b: MeshNode) -> list[str]:
    """The nodes between, as everybody's next hops have it now."""
    by_key, names, at = {node.key: node for node in world.nodes.values()}, list[str](), a
    while at is not b:
        at = by_key[at.router.routing.next_hops[b.identity.id].key]
        names.append(at.name)
    return names[:-1]


def _steal(packet: bytes, ingress: Neighbour, now: float) -> None:
    """Instead of passing it on."""


def test_a_tenth_of_the_nodes_drop_data_and_hurt_only_what_goes_through_them() -> None:
    """They speak like anybody else, and carry nothing on. What has its ways, there and for the answer to its handshake,
    around them arrives; no packet goes in circles."""
    world, shape = MeshWorld(5), made("random", 20, 5)
    names = [f"n{number}" for number in range(20)]
    world.found(names)
    for edge in shape.edges:
        world.ether(names[edge.a], names[edge.b], shared=False)
    world.start()
    assert settled(world)
    thieves = ["n3", "n11"]
    for name in thieves:
        world.nodes[name].router.plane._pass_on = _steal  # type: ignore[method-assign]
    nodes = list(world.nodes.values())
    flows = [
        (Traffic(world, a.name, b.name, pace=1.0, port=1000 + number), way(world, a, b) + way(world, b, a))
        for number, (a, b) in enumerate(zip(nodes, nodes[7:] + nodes[:7], strict=True))
    ]
    world.run(8)
    robbed = [traffic for traffic, between in flows if any(name in thieves for name in between)]
    others = [traffic for traffic, _ in flows if traffic not in robbed]
    assert robbed
    assert [traffic.share(0, world.now - 0.5) for traffic in others] == [1.0] * len(others)
    assert [traffic.share(0, world.now - 0.5) for traffic in robbed] == [0.0] * len(robbed)
    assert no_loop(world)
