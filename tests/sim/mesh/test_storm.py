"""Broadcasts: everybody hears each once, and a storm ends at the neighbours of whoever makes it."""

from collections import Counter
from functools import partial

from meshchain.sim.mesh import MeshNode, MeshWorld
from meshrouter.groups.budgets import MEMBER_PACKETS
from meshrouter.groups.message import BROADCAST
from tests.sim.mesh.kit import PORT, links, settled

RATE, BURST = MEMBER_PACKETS
RING = ("ab", "bc", "cd", "de", "ea", "bd")


class Audience:
    """What each node hears of the broadcasts that others send: (sender's number, how often)."""

    def __init__(self, world: MeshWorld) -> None:
        self.heard: dict[str, Counter[bytes]] = {}
        for name, node in world.nodes.items():
            heard = self.heard[name] = Counter()
            node.on_mesh.kernel.datagrams[PORT] = partial(_note, heard)

    def total(self, name: str) -> int:
        return self.heard[name].total()


def _note(heard: Counter[bytes], _source: bytes, payload: bytes, _left: int) -> None:
    heard[payload] += 1


def shout(node: MeshNode, number: int) -> None:
    node.on_mesh.kernel.send(BROADCAST, PORT, number.to_bytes(4, "big") * 25, 64)


def test_everybody_hears_a_broadcast_once() -> None:
    world = MeshWorld(1)
    links(world, *RING)
    assert settled(world)
    audience = Audience(world)
    for number in range(10):
        shout(world.nodes["a"], number)
        world.run(0.5)
    for name in world.nodes:
        assert len(audience.heard[name]) == 10, f"{name}: the sender hears it, too"
        assert set(audience.heard[name].values()) == {1}


def test_a_storm_is_bounded_for_all_and_disturbs_no_other_sender() -> None:
    world = MeshWorld(1)
    links(world, *RING)
    assert settled(world)
    audience = Audience(world)
    seconds, before = 10, {name: node.sent_frames for name, node in world.nodes.items()}
    for number in range(seconds * 200):
        world.at(world.now + number / 200, lambda number=number: shout(world.nodes["a"], number))  # type: ignore[misc]
    for number in range(seconds):
        world.at(world.now + number, lambda number=number: shout(world.nodes["c"], 1 << 24 | number))  # type: ignore[misc]
    world.run(seconds + 1)
    most = BURST + RATE * (seconds + 1)
    for name in "bcde":
        of_c = sum(count for payload, count in audience.heard[name].items() if payload[0])
        assert of_c == seconds, "whoever keeps to his budget is heard"
        assert 0.8 * most - BURST < audience.total(name) - of_c <= most
    for name in "cd":  # not beside the one who shouts
        copies = (most + seconds) * len(list(world.nodes[name].router.neighbours))
        control = 30 * seconds
        assert world.nodes[name].sent_frames - before[name] <= copies + control
    assert not world.observer.loops
