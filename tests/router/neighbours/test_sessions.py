"""Sessions of an adjacency: begun by both sides in every order, renewed without loss; restarts and sleep."""

from itertools import product
from random import Random

import pytest

from meshrouter.links.link import Medium
from meshrouter.neighbours.machine import SLEPT
from tests.router.neighbours.test_meeting import reach
from tests.router.neighbours.world import Flight, Node, Weather, World, kind_of


class Crossing:
    """Two nodes on a wire; frames arrive when and in the order that the test says."""

    def __init__(self, seed: int = 0) -> None:
        self.world = World(seed)
        self.waiting: list[Flight] = []
        self.world.tamper = self._hold
        bus = self.world.bus(shared=False)
        self.a, self.b = self.world.node(bus), self.world.node(bus)
        self.holding = True
        self.waiting.clear()
        reach(self.a, self.b)
        reach(self.b, self.a)
        assert [kind_of(flight.frame) for flight in self.waiting] == ["INIT", "INIT"]

    def _hold(self, flight: Flight) -> list[Flight]:
        if getattr(self, "holding", True):
            self.waiting.append(flight)
            return []
        return [flight]

    def deliver(self, pick: int) -> None:
        if self.waiting:
            flight = self.waiting.pop(pick % len(self.waiting))
            self.world.now += 0.001
            self.world.arrive(flight.receiver, flight.source, flight.frame)

    def let_go(self) -> None:
        self.holding = False
        for flight in self.waiting:
            self.world.arrive(flight.receiver, flight.source, flight.frame)


def talk(a: Node, b: Node, seconds: float, every: float) -> int:
    """Data both ways all the time; how many packets each side has sent."""
    count = 0
    a.packets.clear()
    b.packets.clear()
    end = a.world.now + seconds
    while a.world.now < end:
        a.say(b, b"%d" % count)
        b.say(a, b"%d" % count)
        count += 1
        a.world.run(every)
    a.world.run(1)
    return count


def check_well(a: Node, b: Node) -> None:
    """Each was up once, nothing is lost either way, and both send on a session that the other opens."""
    assert [neighbour.key for neighbour in a.ups] == [b.key]
    assert [neighbour.key for neighbour in b.ups] == [a.key]
    count = talk(a, b, 5, 0.5)
    assert a.packets == b.packets == [b"%d" % i for i in range(count)]
    assert a.downs == b.downs == []


@pytest.mark.parametrize("picks", list(product((0, 1), repeat=5)))
def test_both_begin_at_once_in_every_order(picks: tuple[int, ...]) -> None:
    crossing = Crossing()
    for pick in picks:
        crossing.deliver(pick)
    crossing.let_go()
    check_well(crossing.a, crossing.b)


@pytest.mark.parametrize("seed", range(40))
def test_both_begin_at_once_in_random_orders_with_repetitions(seed: int) -> None:
    crossing, rng = Crossing(seed), Random(seed)
    for _ in range(10):
        if crossing.waiting and rng.random() < 0.3:
            crossing.waiting.append(rng.choice(crossing.waiting))
        crossing.deliver(rng.randrange(10))
    crossing.let_go()
    check_well(crossing.a, crossing.b)


def test_two_sessions_become_one_and_renewal_goes_on() -> None:
    crossing = Crossing()
    crossing.let_go()
    a, b = crossing.a, crossing.b
    crossing.world.run(1)
    assert len(a.machine.by_index) == len(b.machine.by_index) == 2
    assert a.of(b).session.sealer.index == b.of(a).session.index
    crossing.world.run(100)
    assert len(a.machine.by_index) == len(b.machine.by_index) == 1
    before = a.sent["INIT"] + b.sent["INIT"]
    crossing.world.run(1200)
    renewed = a.sent["INIT"] + b.sent["INIT"] - before
    assert 9 <= renewed <= 11  # one side each 120 s


def test_a_session_that_the_other_side_prefers_opens_as_long_as_it_is_used() -> None:
    crossing = Crossing()
    crossing.let_go()
    a, b = crossing.a, crossing.b
    crossing.world.run(1)
    preferred = b.of(a).session
    (other,) = [inbound.session for inbound in b.machine.by_index.values() if inbound.session is not preferred]
    b.of(a).session = other
    count = talk(a, b, 100, 1.0)
    assert a.packets == b.packets == [b"%d" % i for i in range(count)]


def test_the_responder_does_not_send_on_a_session_before_a_frame_has_come_on_it() -> None:
    world = World(1)
    a, b = world.pair(shared=False)
    world.run(1)
    if not a.of(b).session.initiator:
        a, b = b, a
    held: list[Flight] = []
    old, before = b.of(a).session, a.sent["INIT"]

    def hold(flight: Flight) -> list[Flight]:
        if world.owners[id(flight.receiver)] is a or kind_of(flight.frame) == "INIT":
            return [flight]
        held.append(flight)
        return []

    world.until(lambda: a.sent["INIT"] > before, 200)
    world.tamper = hold
    world.run(2)
    assert a.of(b).session is not old
    assert len(b.machine.by_index) == 2
    assert b.of(a).session is old
    b.say(a, b"on the old one")
    world.run(0.1)
    assert a.packets == [b"on the old one"]
    world.tamper = lambda flight: [flight]
    for flight in held:
        world.arrive(flight.receiver, flight.source, flight.frame)
    assert b.of(a).session is not old


@pytest.mark.parametrize("seed", range(3))
def test_renewal_loses_nothing(seed: int) -> None:
    world = World(seed, Weather(spread=0.05, twice=0.1))
    a, b = world.pair()
    sessions = {a.of(b).session}
    sent = 0
    for _ in range(4):
        count = talk(a, b, 100, 0.2)
        sessions.add(a.of(b).session)
        sent += count
        assert sorted(a.packets, key=int) == sorted(b.packets, key=int) == [b"%d" % i for i in range(count)]
    assert len(sessions) >= 3
    assert a.downs == b.downs == []
    assert len(a.machine.by_index) <= 3


def test_renewal_is_tried_until_it_works_and_the_old_session_serves_meanwhile() -> None:
    world = World(3)
    a, b = world.pair()
    world.run(100)
    world.tamper = lambda flight: [] if kind_of(flight.frame) in {"INIT", "RESPONSE"} else [flight]
    world.run(115)
    assert a.downs == b.downs == []
    count = talk(a, b, 3, 0.1)
    assert len(a.packets) == len(b.packets) == count
    world.tamper = lambda flight: [flight]
    world.run(10)
    assert a.of(b).session.made > 215
    world.tamper = lambda flight: [] if kind_of(flight.frame) in {"INIT", "RESPONSE"} else [flight]
    world.run(250)
    assert {reason for _, reason in a.downs + b.downs} <= {"rekey", "silent"}
    assert "rekey" in {reason for _, reason in a.downs + b.downs}


def test_a_spent_session_is_renewed() -> None:
    world = World(4)
    a, b = world.pair()
    world.run(10)
    session = a.of(b).session
    session.sealer.counter = 1 << 30
    world.run(6)
    assert a.of(b).session is not session
    assert b.of(a).session.index == a.of(b).session.sealer.index


@pytest.mark.parametrize("shared", [True, False])
def test_who_restarts_is_back_with_the_first_frame_sent_to_it(shared: bool) -> None:
    world = World(5)
    a, b = world.pair(shared=shared)
    world.run(100)
    b.restart()
    a.say(b, b"to one who has forgotten everything")
    assert world.until(lambda: b.knows(a)) < 0.3
    world.run(1)
    b.packets.clear()
    a.say(b, b"heard")
    b.say(a, b"heard")
    world.run(1)
    assert a.packets[-1:] == b.packets == [b"heard"]
    assert a.downs == []


def test_restarting_in_a_loop_harms_nobody() -> None:
    world = World(6)
    bus = world.bus()
    a, b, c = (world.node(bus) for _ in range(3))
    world.run(5)
    for _ in range(100):
        b.restart()
        world.run(0.7)
    world.run(10)
    assert a.knows(b)
    assert a.knows(c)
    assert all(neighbour.key != c.key for neighbour, _ in a.downs)
    assert len(a.machine.by_index) <= 8
    world.run(60)
    assert len(a.machine.by_index) <= 4


@pytest.mark.parametrize("both", [False, True])
def test_who_has_slept_begins_all_sessions_anew_at_once(both: bool) -> None:
    world = World(7)
    a, b = world.pair()
    world.run(50)
    old = a.of(b).session
    a.asleep = True
    b.asleep = both
    world.run(3600)
    a.asleep = b.asleep = False
    for node in (a, b):
        node.wakes = float("inf")
        node.settle()
    took = world.until(lambda: a.knows(b) and a.of(b).session is not old and b.knows(a))
    assert took < 1
    assert [reason for _, reason in a.downs] == ["suspended"]
    world.run(30)
    count = talk(a, b, 2, 0.1)
    assert len(a.packets) == len(b.packets) == count


def test_a_little_late_is_not_asleep() -> None:
    world = World(8)
    a, _b = world.pair()
    world.run(50)
    a.asleep = True
    world.run(SLEPT - 5)
    a.asleep = False
    a.wakes = float("inf")
    a.settle()
    world.run(1)
    assert "suspended" not in [reason for _, reason in a.downs]


@pytest.mark.parametrize("medium", [Medium.UDP, Medium.ETHERNET])
def test_a_neighbour_moves_over_ip_with_its_frames_but_not_its_mac(medium: Medium) -> None:
    world = World(9)
    a, b = world.pair()
    a.links[0].medium = medium
    at = a.of(b).link_address
    moved = b"elsewhere"
    world.tamper = lambda flight: [
        Flight(moved if flight.receiver is a.links[0] else flight.source, flight.receiver, flight.frame)
    ]
    world.run(5)
    assert a.of(b).link_address == (at if medium is Medium.ETHERNET else moved)
