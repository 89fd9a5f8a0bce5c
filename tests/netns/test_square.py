"""Four hosts in a square: the link in use breaks, traffic goes the other way; it is mended; nothing ever circles."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.netns.host import Host, Lab, needs_program, needs_root
from tests.netns.meshes import Mesh, mesh
from tests.netns.nodes import MeshNode
from tests.netns.traffic import pinging
from tests.waiting import eventually

pytestmark = [*needs_root, needs_program("ping")]

LOST_TIME = 5.0
"""Seconds that an established ping may be dead: 1.5 where the machine has nothing else to do. Without a question after
the first second of silence it would be 12."""


@pytest.fixture(scope="module")
def square(registered: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesh]:
    with Lab() as lab:
        for host in lab.ring("a", "b", "c", "d"):
            host.without_ip("left", "right")
        options = {name: ["--link", "ethernet:left", "--link", "ethernet:right"] for name in "abcd"}
        with mesh(lab, tmp_path_factory.mktemp("square"), registered, options) as made:
            yield made


def next_hop(node: MeshNode, to: str) -> str:
    """Empty while there is no route."""
    return "".join(each["next_hop"]["name"] for each in node.call("mesh_routes") if each["name"] == to)


def circled(made: Mesh) -> int:
    """Packets whose hop limit ran out, at any node: a loop would show in that."""
    return sum(node.call("mesh_status")["counters"].get("forward-ttl", 0) for node in made.nodes.values())


Ends = list[tuple[Host, str]]
"""Of a cable: host and device."""


def cut_off(ends: Ends) -> None:
    """Carrier is lost: both ends see it."""
    host, device = ends[0]
    host.down(device)


def mended(ends: Ends) -> None:
    host, device = ends[0]
    host.up(device)


def silent(ends: Ends) -> None:
    """The cable swallows what it is given, and nobody is told."""
    for host, device in ends:
        host.lose(device, percent=100)


def deaf(ends: Ends) -> None:
    """Only one end hears nothing any more."""
    host, device = ends[0]
    host.lose(device, percent=100)


def no_longer_deaf(ends: Ends) -> None:
    ends[0][0].lose_nothing()


def heard_again(ends: Ends) -> None:
    for host, _ in ends:
        host.lose_nothing()


@needs_program("nft")
@pytest.mark.parametrize(
    ("breaks", "mends"),
    [(cut_off, mended), (silent, heard_again), (deaf, no_longer_deaf)],
    ids=["carrier", "silence", "one way"],
)
def test_a_link_in_use_breaks_and_is_mended(
    square: Mesh, tmp_path: Path, breaks: Callable[[Ends], None], mends: Callable[[Ends], None]
) -> None:
    a, c = square.of("a", "c")
    assert a.pings(c.address)
    way = next_hop(a, "c")
    device, other_device = ("right", "left") if way == "b" else ("left", "right")
    cable = [(a.host, device), (square.hosts[way], other_device)]
    with pinging(a.host, c.address, tmp_path) as ping:
        ping.goes_on()
        breaks(cable)
        eventually(lambda: next_hop(a, "c") not in ("", way), "the other way")
        ping.goes_on()
        mends(cable)
        eventually(partial(a.has_neighbours, 2), "the link is used again")
        ping.goes_on()
    assert ping.longest_gap() < LOST_TIME
    assert set(ping.answers().values()) == {63}, "two hops, never more"
    assert circled(square) == 0


@needs_program("nft")
def test_what_was_one_hop_goes_three_hops_round_and_back(square: Mesh) -> None:
    a, b, c, d = square.of("a", "b", "c", "d")
    a.host.down("right")  # a – b
    eventually(lambda: (next_hop(a, "b"), next_hop(b, "a")) == ("d", "c"), "round the other way, there and back")
    assert a.pings(b.address)
    trace = a.ctl_json("traceroute", "b.mesh")
    assert [step["name"] for step in trace["forward"]["steps"]] == ["a", "d", "c", "b"]
    a.host.up("right")
    eventually(lambda: (next_hop(a, "b"), next_hop(b, "a")) == ("b", "a"), "the short way again")
    assert circled(square) == 0
    assert not a.pings(c.address, "-t", "1")
    assert circled(square) == 1, "the counter counts"
    assert all(node.call("mesh_status")["routes"] == 3 for node in (a, b, c, d))
