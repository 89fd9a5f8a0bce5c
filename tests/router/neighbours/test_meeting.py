"""How nodes find each other, and what they say when there is nothing to say."""

from collections import Counter
from itertools import pairwise
from random import Random

import pytest

from meshrouter.directory import Binding, Directory, Role
from meshrouter.handshake import Initiation
from meshrouter.neighbours import ground
from meshrouter.neighbours.answering import PROLOGUE
from meshrouter.neighbours.beacons import MOST_SILENT
from meshrouter.neighbours.ground import MOST_ON_SHARED
from meshrouter.wire import frame as frames
from meshrouter.wire.beacon import Beacon, Solicit
from meshrouter.wire.control import Hello
from meshrouter.wire.handshake import LinkPayload
from tests.router.neighbours.world import GENESIS, Node, World, identity, kind_of


@pytest.mark.parametrize("shared", [True, False])
def test_two_meet_and_agree_on_what_they_are(shared: bool) -> None:
    a, b = World(1).pair(shared=shared)
    a.world.run(6)
    for one, other in ((a, b), (b, a)):
        assert one.ups == [one.of(other)]
        assert one.downs == []
        met = one.of(other)
        assert (met.id, met.caps, met.gossip_port, met.mtu, met.cost) == (other.identity.id, 3, 4000, 1500, 96)
        assert met.rtt == pytest.approx(0.002, abs=1e-4)
        assert met.loss == 0.0
        assert met.up
    assert a.of(b).session.sealer.index == b.of(a).session.index
    assert not a.counters
    assert not b.counters


def test_meeting_takes_less_than_a_second_and_few_frames() -> None:
    for seed in range(20):
        world = World(seed)
        a, b = world.pair()
        assert world.now < 0.7
        both = a.sent + b.sent
        assert both["INIT"] == both["RESPONSE"] == 1
        assert both["SOLICIT"] <= 2


def test_on_a_link_with_one_peer_the_first_question_is_answered_at_once() -> None:
    world = World(1)
    bus = world.bus(shared=False)
    a = world.node(bus)
    world.run(100)
    asked = a.sent["SOLICIT"]
    assert 6 <= asked <= 12  # 1, 2, 4 … 64 s
    assert a.sent["BEACON"] == 0
    b = world.node(bus)
    assert world.until(lambda: a.knows(b)) < 0.01
    world.run(600)
    assert a.sent["SOLICIT"] == asked


def test_data_flows_both_ways() -> None:
    a, b = World(2).pair()
    a.say(b, b"forth")
    b.say(a, b"back")
    a.world.run(1)
    assert (a.packets, b.packets) == ([b"back"], [b"forth"])


def test_idle_neighbours_cost_little() -> None:
    world = World(3)
    hub = world.node()
    for _ in range(3):
        bus = world.bus(shared=False)
        hub.attach(bus)
        world.node(bus)
    world.run(60)
    assert len(list(hub.machine)) == 3
    before, frames_before = hub.bytes_sent, hub.sent["CONTROL"]
    world.run(600)
    assert hub.bytes_sent - before < 60 * 600
    assert hub.sent["CONTROL"] - frames_before == pytest.approx(3 * 600 / 4, rel=0.05)


def test_hellos_are_quick_at_first_and_when_another_goes() -> None:
    world = World(4)
    bus = world.bus()
    a, b, c = (world.node(bus) for _ in range(3))
    world.run(4)
    assert sum(isinstance(message, Hello) for _, message in a.heard) > 2 * 5
    world.run(60)
    a.heard.clear()
    world.run(4.5)
    assert len(a.heard) <= 2 * 2
    a.machine.remove_link(a.links[0], world.now)
    world.until(lambda: bool(b.downs and c.downs))
    b.heard.clear()
    world.run(3)
    assert len(b.heard) > 4


def test_beacons_cost_little_more_for_many_than_for_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 6206: in the quiet state about k of them in an interval, and √N for those who would never be heard."""
    monkeypatch.setattr(Directory, "role", lambda _self, _key: Role.BARRED)  # nothing but beacons
    counts = {}
    for hosts in (4, 49):
        world = World(hosts)
        bus = world.bus()
        nodes = [world.node(bus) for _ in range(hosts)]
        world.run(200)
        world.log.clear()
        world.run(640)
        counts[hosts] = sum(1 for _ in world.frames("BEACON"))
        world.run(1000)
        assert {node for _, node, *_ in world.frames("BEACON")} == set(nodes)
    assert 15 <= counts[4] <= 40
    assert counts[49] <= 110


def test_nobody_can_silence_a_node_for_ever() -> None:
    world = World(5)
    node = world.node(world.bus())
    loud = Beacon(GENESIS[:4], 0, 0, identity(1).key, 0).encode()
    while world.now < 6000:
        for _ in range(20):
            world.arrive(node.links[0], b"loud", frames.clear(frames.BEACON, loud))
        world.run(0.5 if world.now < 100 else 10.0)
    quiet = [when for when, *_ in world.frames("BEACON")]
    assert 4 <= len(quiet) <= 6000 / 640
    assert max(b - a for a, b in pairwise(quiet)) < (MOST_SILENT + 2) * 64


def knock(node: Node, other: Node, seed: int = 1) -> None:
    """Begin a handshake, whether there is reason to or not."""
    payload = LinkPayload(node.key, 0, 0, 0).encode()
    prologue = PROLOGUE + GENESIS
    begun = Initiation(node.identity, other.key, prologue, payload, 77, Random(seed))
    node.world.arrive(other.links[0], node.links[0].address, frames.clear(frames.INIT, begun.message()))


def reach(node: Node, other: Node) -> None:
    """Have a node connect to another, as if it had heard a BEACON and wanted a neighbour."""
    own = Beacon(GENESIS[:4], 0, 0, other.key, 0).encode()
    node.world.arrive(node.links[0], other.links[0].address, frames.clear(frames.BEACON, own))


def solicit(network: bytes = GENESIS[:4]) -> bytes:
    return frames.clear(frames.SOLICIT, Solicit(network).encode())


def answers(world: World, seconds: float = 0.3) -> int:
    world.log.clear()
    world.run(seconds)
    return sum(1 for _ in world.frames("BEACON"))


def quiet(hosts: int) -> World:
    """Hosts that have met, with long intervals."""
    world = World(hosts)
    world.routed = lambda node, origin: origin in node.world.reached(node)
    bus = world.bus()
    for _ in range(hosts):
        world.node(bus)
    world.run(200.0)
    return world


def test_a_question_is_answered_by_few_of_many_within_a_quarter_of_a_second() -> None:
    world = quiet(12)
    for node in world.nodes:
        world.arrive(node.links[0], b"asker!", solicit())
    assert 1 <= answers(world) <= 4


def test_many_questions_are_one() -> None:
    world = quiet(2)
    node = world.nodes[0]
    total = 0
    for _ in range(10):
        for _ in range(50):
            world.arrive(node.links[0], b"asker!", solicit())
        total += answers(world, 0.1)
    assert 1 <= total <= 3


def test_questions_and_beacons_of_other_networks_are_nothing() -> None:
    world = quiet(2)
    node = world.nodes[0]
    world.arrive(node.links[0], b"asker!", solicit(b"else"))
    other = Beacon(b"else", 0, 0, identity(5).key, 0).encode()
    world.arrive(node.links[0], b"other!", frames.clear(frames.BEACON, other))
    assert node.counters == Counter({"link-network": 2})
    assert answers(world) == 0
    world.run(5)
    assert node.sent["INIT"] <= 1


def test_a_third_and_a_fourth_are_taken_but_not_more_than_there_is_reason_for() -> None:
    world = quiet(12)
    counts = sorted(len(list(node.machine)) for node in world.nodes)
    assert counts[0] >= 3
    assert sum(counts) <= 2 * 3 * 12
    assert world.reached(world.nodes[0]) == {node.identity.id for node in world.nodes}


def test_who_cannot_be_reached_otherwise_is_connected_to() -> None:
    world = World(6)
    bus = world.bus()
    nodes = [world.node(bus) for _ in range(4)]
    world.routed = lambda _node, _id: True
    world.run(100)
    late = world.node(bus)
    late.routes.update(node.identity.id for node in nodes)
    world.until(lambda: late.machine.deadline() > 0 and len(list(late.machine)) == 3)
    assert any(not late.knows(node) for node in nodes)
    world.routed = lambda node, origin: origin in node.world.reached(node) - {late.identity.id}
    world.run(700)
    assert all(late.knows(node) for node in nodes)


def test_a_full_link_takes_nobody_in_and_sends_no_beacons(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ground, "MOST_ON_SHARED", 4)
    world = World(7)
    bus = world.bus()
    hub = world.node(bus)
    others = []
    while len(list(hub.machine)) < 4:
        others.append(world.node(bus))
        world.run(5)
    before = hub.sent["BEACON"]
    late = [world.node(bus) for _ in range(3)]
    world.arrive(hub.links[0], b"asker!", solicit())
    world.run(300)
    assert hub.sent["BEACON"] == before
    assert len(list(hub.machine)) == 4
    assert not any(hub.knows(node) for node in late)
    knock(late[0], hub)
    assert hub.counters["link-full"] == 1
    assert {inbound.neighbour.key for inbound in hub.machine.by_index.values()} == {n.key for n in hub.machine}


def test_whom_a_full_link_has_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is there, who was promised a place, and a member while there is a guest; halves take places, too."""
    monkeypatch.setattr(ground, "MOST_ON_SHARED", 2)
    world = World(81)
    hub, known = world.pair()
    other = world.node()
    other.attach(hub.links[0].bus)
    other.asleep = True
    port, keeping = hub.machine._stations[1].port, hub.machine._keeping
    before = port.full
    knock(other, hub)
    assert (before, port.full) == (False, True)
    newcomer = identity(4000)
    assert keeping.room_for(port, known.key)
    assert keeping.room_for(port, other.key)
    assert not keeping.room_for(port, newcomer.key)
    hub.directory.binding(newcomer.key)
    hub.directory.told_binding(Binding(newcomer.key, Role.MEMBER))
    assert keeping.room_for(port, newcomer.key)
    hub.told(known, Role.MEMBER)
    assert not keeping.room_for(port, newcomer.key)


def test_one_guest_goes_the_youngest_and_no_member(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ground, "MOST_ON_SHARED", 3)
    world = World(82)
    hub = world.node(world.bus())
    others = []
    for _ in range(3):
        others.append(world.node(hub.links[0].bus))
        world.until(lambda: hub.knows(others[-1]))
    hub.told(others[2], Role.MEMBER)
    hub.machine._keeping._make_room(hub.machine._stations[1].port, world.now)
    assert [(neighbour.key, reason) for neighbour, reason in hub.downs] == [(others[1].key, "full")]
    assert not hub.downs[0][0].up


def test_a_bar_ends_one_neighbour_and_no_other() -> None:
    world = World(83)
    bus = world.bus()
    hub, first, second = (world.node(bus) for _ in range(3))
    world.until(lambda: hub.knows(first) and hub.knows(second))
    gone = hub.of(first)
    hub.told(first, Role.BARRED)
    assert hub.downs == [(gone, "barred")]
    assert not gone.up
    assert hub.of(second).up


def test_indexes_are_nobody_elses_and_not_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(84)
    a, _b = world.pair()
    stands_on = a.machine.ground
    given = iter((0, next(iter(stands_on.by_index)), 5, 7))
    monkeypatch.setattr(stands_on.env.rng, "getrandbits", lambda _bits: next(given))
    stands_on.begun[5] = object()
    assert stands_on.new_index() == 7


def test_a_member_takes_the_place_of_the_youngest_guest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ground, "MOST_ON_SHARED", 2)
    world = World(8)
    bus = world.bus()
    hub, first, second = (world.node(bus) for _ in range(3))
    world.until(lambda: len(list(hub.machine)) == 2)
    hub.told(first, Role.MEMBER)
    member = world.node()
    hub.told(member, Role.MEMBER)
    member.attach(bus)
    world.run(4)
    reach(member, hub)
    world.run(1)
    assert [hub.knows(node) for node in (first, second, member)] == [True, False, True]
    assert [reason for _, reason in hub.downs] == ["full"]
    assert (second.downs[0][0].key, second.downs[0][1]) == (hub.key, "bye")


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow), pytest.param(2, marks=pytest.mark.slow)])
def test_a_hundred_that_join_at_once_send_a_few_frames_for_each_neighbour(seed: int) -> None:
    """Within seconds everybody is connected, and nobody has sent more than some frames per neighbour it has."""
    world = World(seed)
    world.routed = lambda node, origin: origin in node.world.reached(node)
    bus = world.bus()
    nodes = [world.node(bus) for _ in range(100)]
    world.run(4)
    assert world.reached(nodes[0]) == {node.identity.id for node in nodes}
    total = sum((node.sent for node in nodes), Counter())
    assert total["SOLICIT"] + total["BEACON"] <= 100
    assert total.total() <= 70 * 100
    for node in nodes:
        neighbours = len(list(node.machine))
        assert 1 <= neighbours <= MOST_ON_SHARED
        hellos = 2 * 4 + 2  # 0.5 s apart
        assert node.sent.total() <= (hellos + 4) * neighbours + 40, node.sent


def test_order_and_seed_make_a_run() -> None:
    def story(seed: int) -> list[tuple[float, bytes, str]]:
        world = World(seed)
        bus = world.bus()
        for _ in range(5):
            world.node(bus)
        world.run(30)
        return [(when, node.key, kind_of(frame)) for when, node, _, frame in world.log]

    assert story(1) == story(1)
    assert story(1) != story(2)


def test_a_public_listener_takes_more_than_a_crowd_would_need(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ground, "MOST_ON_SHARED", 2)
    world = World(9)
    bus = world.bus()
    hub, *others = (world.node(bus) for _ in range(5))
    for node in (hub, *others):
        node.links[0].invited = True
    world.run(4)
    for other in others:
        if not hub.knows(other):
            reach(other, hub)
    world.run(1)
    assert len(list(hub.machine)) > 2
