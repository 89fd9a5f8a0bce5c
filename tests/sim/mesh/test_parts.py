"""The parts that stand in for cables and kernels, and what watches the packets."""

import random
from collections.abc import Callable

import pytest

from meshchain.crypto import ed25519_public_key
from meshchain.ledger.chain.chain import Chain
from meshchain.ledger.workers import InlineWorkers
from meshchain.mesh.bindings import binding_of
from meshchain.p2p.actions import Endpoint
from meshchain.sim.heap import Heap
from meshchain.sim.machine import make_seed
from meshchain.sim.mesh import MeshWorld
from meshchain.sim.mesh.ether import QUEUE, Ether, Owner
from meshchain.sim.mesh.kernel import Kernel
from meshchain.sim.mesh.ledger import Scribe
from meshchain.sim.mesh.segments import ICMPV6, TUN_MTU, ipv6
from meshchain.sim.mesh.stream import Stream
from meshchain.sim.params import small
from meshrouter.directory import Role
from meshrouter.links.link import EVERYBODY
from meshrouter.links.virtual import VirtualLink
from tests.sim.mesh.kit import Traffic, drops, links, settled


class Cable:
    """An ether with three ends; what each has heard, and when."""

    def __init__(self, **nature: float) -> None:
        self.heap = Heap()
        self.ether = Ether(self.heap, random.Random(1), **nature)  # type: ignore[arg-type] # latency, rate, loss
        self.heard: dict[str, list[tuple[float, bytes]]] = {name: [] for name in "abc"}
        self.carriers: list[tuple[str, bool]] = []
        self.ends = {name: self.ether.attach(number, name, self._owner(name)) for number, name in enumerate("abc")}

    def _owner(self, name: str) -> Owner:
        def frames(link: VirtualLink) -> None:
            while batch := link.receive():
                self.heard[name] += [(round(self.heap.now, 6), frame) for _, frame in batch]

        return Owner(name, frames, lambda link: self.carriers.append((name, link.up)))

    def say(self, name: str, *frames: bytes, to: bytes = EVERYBODY) -> None:
        for frame in frames:
            self.ends[name].send(to, frame)
        self.ends[name].flush()

    def run(self, until: float) -> None:
        while self.heap.step(until):
            pass


def test_frames_arrive_late_in_order_and_as_fast_as_the_wire_is() -> None:
    cable = Cable(latency=0.1, rate=1000.0)
    cable.say("a", b"x" * 100, b"y" * 50)
    cable.say("b", b"z" * 100, to=cable.ends["c"].address)
    cable.run(1)
    assert cable.heard["b"] == [(0.2, b"x" * 100), (0.25, b"y" * 50)]
    assert cable.heard["c"] == [(0.2, b"x" * 100), (0.25, b"y" * 50), (0.35, b"z" * 100)]
    assert cable.heard["a"] == []


def test_what_would_wait_too_long_is_lost() -> None:
    cable = Cable(latency=0.0, rate=1000.0)
    cable.say("a", *[b"x" * 100] * 20, to=cable.ends["b"].address)
    cable.run(10)
    assert len(cable.heard["b"]) == QUEUE * 1000 / 100 + 1
    assert cable.ether.lost == 20 - len(cable.heard["b"])


def test_loss_is_its_share_and_may_be_one_ears_alone() -> None:
    cable = Cable(latency=0.0, loss=0.1)
    cable.ether.loss_to["c"] = 0.6
    cable.say("a", *[b"x"] * 1000)
    cable.run(1)
    assert 850 < len(cable.heard["b"]) < 950
    assert 350 < len(cable.heard["c"]) < 450


def test_a_cut_swallows_what_is_under_way_and_tells_nobody() -> None:
    cable = Cable(latency=0.1)
    cable.say("a", b"lost")
    cable.run(0.05)
    cable.ether.cut()
    cable.say("a", b"lost too")
    cable.run(1)
    cable.ether.mend()
    cable.say("a", b"there")
    cable.run(2)
    assert [frame for _, frame in cable.heard["b"]] == [b"there"]
    assert cable.carriers == []


def test_everybody_notices_a_plug() -> None:
    cable = Cable(latency=0.1)
    cable.ether.unplug()
    cable.say("a", b"lost")
    cable.ether.plug()
    cable.ether.detach(cable.ends["c"])
    cable.ether.unplug()
    cable.run(1)
    assert cable.carriers == [(name, up) for up in (False, True) for name in "abc"] + [("a", False), ("b", False)]
    assert not any(cable.heard.values())


# --- kernels -------------------------------------------------------------------------------------------------


class Program:
    """At one end of a stream."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.heard = bytearray()
        self.story: list[str] = []

    def opened(self) -> None:
        self.story.append("opened")

    def arrived(self, data: bytes) -> None:
        self.heard += data

    def ended(self) -> None:
        self.story.append("ended")


A, B = b"a" * 16, b"b" * 16


def programs() -> tuple[list[Program], Callable[[Stream], Program]]:
    """Those that have been made, and what makes the next one."""
    those: list[Program] = []

    def made(stream: Stream) -> Program:
        those.append(Program(stream))
        return those[-1]

    return those, made


@pytest.fixture
def hosts() -> tuple[Kernel, Kernel, list[Program]]:
    """Two kernels; whoever calls port 5 of the second finds a program there."""
    called, made = programs()
    first = Kernel(A, 1, lambda _endpoint, _stream: None, now=lambda: 0.0, stir=lambda: None)
    return first, Kernel(B, 5, lambda _endpoint, stream: made(stream), now=lambda: 0.0, stir=lambda: None), called


def exchange(first: Kernel, second: Kernel) -> int:
    """Carry packets until nothing moves; how many."""
    count = 0
    while first.outbox or second.outbox:
        for sender, receiver in ((first, second), (second, first)):
            packets, sender.outbox = sender.outbox, []
            for packet in packets:
                assert len(packet) <= TUN_MTU
                receiver.take(packet)
            count += len(packets)
    return count


def test_programs_talk_and_hang_up(hosts: tuple[Kernel, Kernel, list[Program]]) -> None:
    first, second, called = hosts
    caller, made = programs()

    stream = first.dial(Endpoint(B, 5), made)
    stream.send(b"hello" * 1000, 0.0)
    exchange(first, second)
    assert called[0].heard == b"hello" * 1000
    stream.finish(0.0)
    exchange(first, second)
    called[0].stream.finish(0.0)
    exchange(first, second)
    assert (caller[0].story, called[0].story) == (["opened"], ["ended"])
    assert first.deadline() == second.deadline() == float("inf"), "nothing is left of it"


def test_nobody_listens_there(hosts: tuple[Kernel, Kernel, list[Program]]) -> None:
    first, second, called = hosts
    caller, made = programs()

    first.dial(Endpoint(B, 6), made)
    assert exchange(first, second) == 2, "a call, and a reset"
    assert (caller[0].story, called) == (["ended"], [])


def test_a_router_says_that_there_is_no_way(hosts: tuple[Kernel, Kernel, list[Program]]) -> None:
    first, _, _ = hosts
    caller, made = programs()

    first.dial(Endpoint(B, 5), made)
    (call,) = first.outbox
    first.take(ipv6(A, A, ICMPV6, b"\1\0" + bytes(6) + call[:20]))  # too short to be about anything
    assert caller[0].story == []
    first.take(ipv6(A, A, ICMPV6, b"\1\0" + bytes(6) + call))
    assert caller[0].story == ["ended"]


@pytest.mark.parametrize(
    "packet", [ipv6(A, B, kind, bytes(size)) for kind in (6, 17, 58, 59) for size in (0, 3, 20, 60)]
)
def test_any_packet_is_taken(packet: bytes, hosts: tuple[Kernel, Kernel, list[Program]]) -> None:
    _, second, called = hosts
    second.take(packet)
    assert called == []


# --- the ledger, the observer ----------------------------------------------------------------------------------


def test_a_chain_made_beforehand_is_one_like_any_other() -> None:
    """Another node checks every rule of it; and copies of its rows are apart."""
    rng, params = random.Random(1), small()
    seeds = {f"n{number}": make_seed(rng) for number in range(40)}
    scribe = Scribe(params, 1)
    scribe.register(seeds, depth=3)
    other = Chain(type(scribe.store())(), params, InlineWorkers())
    for entry in list(scribe.chain.index.ancestors(scribe.chain.tip))[-2::-1]:
        other.add_block(scribe.chain.block(entry), None)
    assert other.tip.id == scribe.chain.tip.id
    before = scribe.store()
    scribe.mine_all([scribe.revoke("n1"), scribe.transfer("n2"), scribe.update("n3", None)])
    roles = [[binding_of(view, key).role for key in _keys(seeds)] for view in (other.view(), scribe.chain.view())]
    assert roles[0] == [Role.MEMBER] * 4
    assert roles[1] == [Role.MEMBER, Role.BARRED, Role.GUEST, Role.GUEST]
    assert Chain(before, params, InlineWorkers()).tip.id == other.tip.id


def _keys(seeds: dict[str, bytes]) -> list[bytes]:
    return [ed25519_public_key(seeds[name]) for name in ("n0", "n1", "n2", "n3")]


def test_an_operation_that_breaks_a_rule_is_not_mined() -> None:
    scribe = Scribe(small(), 1)
    with pytest.raises(RuntimeError, match="valid"):
        scribe.mine_all([scribe.revoke("nobody")])


def test_a_loop_would_be_seen() -> None:
    """Tables that no machine would make: b, c and d lead to e in a circle."""
    world = MeshWorld(1)
    links(world, "ab", "bc", "cd", "db", "de")
    assert settled(world)
    traffic = Traffic(world, "a", "e", pace=0.5)
    world.run(2)
    assert traffic.share(0, 1) == 1.0
    assert not world.observer.loops
    for name, hop in ("bc", "cd", "db"):
        router = world.nodes[name].router
        (towards,) = [neighbour for neighbour in router.neighbours if neighbour.key == world.nodes[hop].key]
        router.routing.next_hops[world.nodes["e"].identity.id] = towards
    world.run(1)
    assert len(world.observer.loops) > 10
    assert drops(world.nodes.values(), "forward-ttl") > 0
