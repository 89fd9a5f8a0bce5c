"""How an end is noticed: under traffic, idle, with the link, by word, and not by bad weather."""

import pytest

from meshrouter.directory import Role
from meshrouter.wire.control import Bye, Redirect
from tests.router.neighbours.test_sessions import talk
from tests.router.neighbours.world import Node, Weather, World


def dead(world: World) -> None:
    world.tamper = lambda _flight: []


def reasons(node: Node) -> list[str]:
    return [reason for _, reason in node.downs]


@pytest.mark.parametrize("seed", range(5))
def test_with_traffic_silence_is_noticed_within_1_7_s(seed: int) -> None:
    world = World(seed)
    a, b = world.pair()
    world.run(20 + seed)
    talk(a, b, 3, 0.1)
    dead(world)
    start = world.now
    while not a.downs:
        a.say(b, b"anybody there?")
        world.run(0.05)
        assert world.now - start < 1.75
    assert world.now - start > 1.5
    assert reasons(a) == ["silent"]
    assert not a.knows(b)
    assert all(inbound.neighbour.key != b.key for inbound in a.machine.by_index.values())


@pytest.mark.parametrize("seed", range(5))
def test_where_one_direction_dies_the_end_that_hears_is_told(seed: int) -> None:
    world = World(seed)
    a, b = world.pair()
    world.run(20 + seed)
    talk(a, b, 3, 0.1)
    deaf = a.links[0]
    world.tamper = lambda flight: [] if flight.receiver is deaf else [flight]
    while not a.downs:
        a.say(b, b"anybody there?")
        world.run(0.05)
    world.run(0.05)
    assert (reasons(a), reasons(b)) == (["silent"], ["bye"])
    world.run(10)
    assert not a.knows(b), "one direction is no link"
    assert not b.knows(a), "one direction is no link"
    world.tamper = lambda flight: [flight]
    world.until(lambda: a.knows(b) and b.knows(a), 70)


@pytest.mark.parametrize("seed", range(5))
def test_idle_silence_is_noticed_within_12_s(seed: int) -> None:
    world = World(seed)
    a, _b = world.pair()
    world.run(60)
    dead(world)
    start = world.now
    world.until(lambda: bool(a.downs))
    assert 7.5 < world.now - start < 12.1
    assert reasons(a) == ["silent"]


def test_one_who_only_listens_is_not_given_up() -> None:
    world = World(1)
    a, b = world.pair()
    world.run(20)
    for _ in range(600):
        a.say(b, b"one way")
        world.run(0.1)
    assert a.downs == b.downs == []
    assert a.sent["CONTROL"] < 150


def test_it_comes_back_when_the_link_does() -> None:
    world = World(2)
    a, b = world.pair()
    world.run(20)
    dead(world)
    world.until(lambda: bool(a.downs and b.downs))
    world.run(3)
    world.tamper = lambda flight: [flight]
    assert world.until(lambda: a.knows(b) and b.knows(a), 70) < 66
    world.run(1)
    assert talk(a, b, 1, 0.1) == len(a.packets) == len(b.packets)


def test_without_carrier_it_is_over_at_once_and_with_it_begins_at_once() -> None:
    world = World(3)
    a, b = world.pair()
    link = a.links[0]
    link.up = False
    a.machine.carrier(link, world.now)
    assert reasons(a) == ["carrier"]
    assert a.machine.by_index == {}
    world.run(30)
    before = a.sent.total()
    world.run(100)
    assert a.sent.total() == before
    link.up = True
    a.machine.carrier(link, world.now)
    a.settle()
    assert world.until(lambda: a.knows(b) and b.knows(a)) < 1


def test_a_link_that_is_removed_takes_everything_with_it() -> None:
    world = World(4)
    a, b = world.pair()
    link = a.links.pop()
    a.machine.remove_link(link, world.now)
    assert reasons(a) == ["removed"]
    assert a.machine.by_index == {}
    assert a.machine.deadline() == float("inf")
    world.arrive(link, b"xxxxxx", b"\x21" + bytes(55))
    a.machine.remove_link(link, world.now)
    again = a.attach(b.links[0].bus)
    assert world.until(lambda: a.knows(b)) < 2
    assert a.of(b).link is again
    with pytest.raises(ValueError, match="in use"):
        a.machine.add_link(again, world.now)


def test_bye_is_believed_and_the_one_who_said_it_is_left_alone() -> None:
    world = World(5)
    a, b = world.pair(shared=False)
    b.machine.close(world.now)
    b.settle()
    b.asleep = True
    world.run(0.1)
    assert reasons(a) == ["bye"]
    assert reasons(b) == ["closing"]
    assert a.sent["INIT"] <= 1
    assert isinstance(a.heard[-1][1], Bye)


@pytest.mark.parametrize("seed", range(3))
def test_thirty_percent_loss_is_lived_with(seed: int) -> None:
    world = World(seed, Weather(loss=0.3, twice=0.1, delay=0.005, spread=0.05))
    a, b = world.pair()
    count = talk(a, b, 400, 0.25)
    assert a.downs == b.downs == []
    for node in (a, b):
        assert 0.62 * count < len(node.packets) < 0.78 * count
        assert len(set(node.packets)) == len(node.packets)
    assert a.of(b).cost == pytest.approx(96 / 0.49 + 30, rel=0.6)
    assert 0.2 < a.of(b).loss < 0.8


def test_thirty_percent_loss_one_way_traffic() -> None:
    world = World(9, Weather(loss=0.3))
    a, b = world.pair()
    world.run(60)
    for _ in range(2000):
        if a.knows(b):
            a.say(b, b"one way")
        world.run(0.1)
    assert len(a.downs) <= 2
    assert a.knows(b)


def test_a_healthy_link_has_a_steady_cost() -> None:
    world = World(10, Weather(spread=0.002))
    a, b = world.pair()
    world.run(500)
    assert a.of(b).cost == 96
    assert a.of(b).loss == 0.0


# --- the ledger ----------------------------------------------------------------------------------------------------


def test_a_key_that_is_barred_loses_its_sessions_on_the_news_and_gets_none() -> None:
    world = World(11)
    a, b = world.pair()
    a.told(b, Role.BARRED)
    assert reasons(a) == ["barred"]
    assert a.machine.by_index == {}
    world.run(120)
    assert reasons(b)[0] == "bye"
    assert not a.knows(b)
    assert a.counters["link-barred"] > 0
    assert a.sent["RESPONSE"] + a.sent["INIT"] <= 2
    a.told(b, Role.GUEST)
    world.until(lambda: a.knows(b), 200)


@pytest.mark.parametrize("after", ["INIT", "RESPONSE"])
def test_a_bar_that_comes_during_the_handshake_is_kept(after: str) -> None:
    for which in (0, 1):
        world = World(12)
        bus = world.bus(shared=False)
        nodes = world.node(bus), world.node(bus)
        barring, other = nodes if which else nodes[::-1]
        world.until(lambda sent=barring.sent: sent[after] > 0)  # type: ignore[misc]
        barring.told(other, Role.BARRED)
        world.run(60)
        assert barring.ups == []


def test_other_news_of_a_key_change_nothing_here() -> None:
    world = World(13)
    a, b = world.pair()
    for role in (Role.MEMBER, Role.GUEST):
        a.told(b, role)
    world.run(1)
    assert a.downs == []


# --- REDIRECT ------------------------------------------------------------------------------------------------------


def lan(seed: int, monkeypatch: pytest.MonkeyPatch) -> tuple[World, Node, Node, Node]:
    """Three on one link, of which a and c do not look for each other."""
    monkeypatch.setattr("meshrouter.neighbours.redirects.WANTED", 1)
    monkeypatch.setattr("meshrouter.neighbours.connecting.WANTED", 1)
    world = World(seed)
    bus = world.bus()
    a, b, c = (world.node() for _ in range(3))
    for node, other in ((a, c), (c, a)):
        node.routes.add(other.identity.id)
    world.tamper = lambda flight: (
        [] if world.owners[id(flight.receiver)] is not b and flight.source in ends else [flight]
    )
    ends: set[bytes] = set()
    ends.update((a.attach(bus).address, c.attach(bus).address))
    b.attach(bus)
    world.run(10)
    assert not a.knows(c)
    world.tamper = lambda flight: [flight]
    return world, a, b, c


def test_a_redirect_is_followed_and_lasts_as_long_as_the_traffic(monkeypatch: pytest.MonkeyPatch) -> None:
    world, a, b, c = lan(1, monkeypatch)
    b.machine.send_control(b.of(a), [Redirect(c.identity.id, c.key, c.links[0].address)], world.now)
    b.settle()
    assert world.until(lambda: a.knows(c) and c.knows(a)) < 0.1
    for _ in range(200):
        a.say(c, b"directly")
        world.run(1)
    assert a.knows(c)
    world.run(100)
    assert not a.knows(c)
    assert reasons(a) == ["unused"]
    assert reasons(c) == ["bye"]
    assert a.knows(b)


def test_redirects_that_lead_nowhere_are_a_few_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    world, a, b, c = lan(2, monkeypatch)
    before = a.sent["INIT"]
    wrong = [
        Redirect(a.identity.id, a.key, b"itself"),
        Redirect(b.identity.id, b.key, b"knows!"),
        Redirect(c.identity.id, c.key, b""),
    ]
    b.machine.send_control(b.of(a), wrong, world.now)
    b.settle()
    world.run(1)
    assert a.counters["link-redirect"] == 3
    assert a.sent["INIT"] == before
    liars = [Redirect(world.node().identity.id, world.nodes[-1].key, b"nobody") for _ in range(30)]
    b.machine.send_control(b.of(a), liars, world.now)
    b.settle()
    world.run(60)
    assert a.counters["link-redirect"] >= 3 + 20
    assert a.sent["INIT"] - before <= 8 * 4
    assert [neighbour.key for neighbour in a.machine] == [b.key]


def test_a_bye_ends_what_comes_after_it_in_its_frame() -> None:
    world = World(14)
    a, b = world.pair()
    world.run(1)
    session = b.of(a).session
    b.machine.send_control(b.of(a), [Bye(1), Redirect(a.identity.id, a.key, b"x")], world.now)
    b.settle()
    world.run(0.1)
    assert reasons(a) == ["bye"]
    assert a.counters["link-redirect"] == 0
    assert session.sealer.counter > 0
