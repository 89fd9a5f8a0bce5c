"""Many on one link: what a join costs, and how little of it anybody else hears."""

from collections import Counter

import pytest

from meshchain.sim.mesh import MeshNode, MeshWorld
from meshrouter.links.virtual import VirtualLink
from meshrouter.wire import frame as frames

HOSTS = 100
HANDSHAKES = (frames.INIT, frames.RESPONSE, frames.COOKIE)


class Tap:
    """Counts the frames that each node puts onto its links, by kind, for everybody and for one."""

    def __init__(self, world: MeshWorld, *nodes: str) -> None:
        self.sent: dict[str, Counter[int]] = {}
        self.multicasts: Counter[str] = Counter()
        for name in nodes:
            node = world.nodes[name]
            self.sent[name] = Counter()
            for link in node.on_mesh.links:
                self._listen(node, link)

    def _listen(self, node: MeshNode, link: VirtualLink) -> None:
        flush = link.flush

        def counted() -> None:
            for address, data in link.outbox:
                assert isinstance(data, bytes)
                self.sent[node.name][data[0] & 0x1F] += 1
                self.multicasts[node.name] += address == b""
            flush()

        link.flush = counted  # type: ignore[method-assign]


def lan(world: MeshWorld, count: int, *beyond: str) -> list[str]:
    """``count`` nodes on one link; those beyond hang in a line from the first of them."""
    names = [f"n{number}" for number in range(count)]
    world.found([*names, *beyond])
    world.ether(*names)
    for a, b in zip([names[0], *beyond], beyond, strict=False):
        world.ether(a, b, shared=False)
    return names


def join_together(world: MeshWorld, names: list[str]) -> None:
    for name in names:
        world.at(world.now, world.nodes[name].start)


@pytest.mark.slow
def test_a_hundred_hosts_join_one_link_at_once() -> None:
    """O(neighbours) frames each, however many they are: handshakes with a few, a handful of BEACONs for all."""
    world = MeshWorld(1)
    names = lan(world, HOSTS, "one", "two", "three")
    for name in ("one", "two", "three"):
        world.nodes[name].start()
    world.nodes[names[0]].start()
    world.run(5)
    before = {name: Counter(world.nodes[name].on_mesh.router.env.counters) for name in ("two", "three")}
    far = Tap(world, "one", "two", "three")
    join_together(world, names[1:])
    world.run(0.001)
    tap = Tap(world, *names[1:])
    world.run(10)
    neighbours = [len(list(world.nodes[name].router.neighbours)) for name in names]
    assert 3 <= sum(neighbours) / HOSTS < 16
    handshakes = [sum(kinds[kind] for kind in HANDSHAKES) for kinds in tap.sent.values()]
    assert sum(handshakes) / HOSTS < 25, "frames of a join that are not O(neighbours)"
    assert max(handshakes) < 100
    assert sum(tap.multicasts.values()) < 3 * HOSTS, "BEACONs and SOLICITs that all hear"
    _heard_of_it_in_updates_only(world, far, before)


def _heard_of_it_in_updates_only(world: MeshWorld, far: Tap, before: dict[str, Counter[str]]) -> None:
    """Two hops away nothing comes but sealed control frames, of a number that has nothing to do with N² or edges."""
    for name in ("two", "three"):
        assert len(world.nodes[name].router.routing.routes) == HOSTS + 2
        assert Counter(world.nodes[name].router.env.counters) == before[name]
    for name in ("one", "two"):
        assert set(far.sent[name]) <= {frames.CONTROL, frames.PACKET}
        assert far.sent[name][frames.CONTROL] < 2 * HOSTS, "updates of 100 origins, many to a frame"


def test_frames_of_a_join_do_not_grow_with_the_link() -> None:
    """Twice as many hosts: as many handshakes each."""
    means = []
    for count in (12, 24):
        world = MeshWorld(3)
        names = lan(world, count)
        join_together(world, names)
        world.run(0.001)
        tap = Tap(world, *names)
        world.run(6)
        kinds = sum(tap.sent.values(), Counter[int]())
        means.append(sum(kinds[kind] for kind in HANDSHAKES) / count)
        assert all(len(node.router.routing.routes) == count - 1 for node in world.nodes.values())
        assert kinds[frames.BEACON] < count, "Trickle: most are silent"
    assert means[1] < 1.3 * means[0]


def test_a_clear_frame_never_crosses_a_node() -> None:
    """What one link says in clear is not heard on another."""
    world = MeshWorld(1)
    names = lan(world, 4, "one", "two")
    world.start()
    world.run(8)
    tap = Tap(world, "one")
    for name in names[1:]:
        world.nodes[name].kill()
        world.nodes[name].start()
    world.run(5)
    assert not any(tap.sent["one"][kind] for kind in frames.CLEAR)
    assert tap.sent["one"][frames.CONTROL] > 0
