"""What strangers can make a node remember, and how often they can make it work."""

from random import Random

from meshrouter.handshake.macs import mac, mac1_key
from meshrouter.neighbours.connecting import (
    FINISH_RATE,
    MOST_ALONE,
    MOST_ATTEMPTS,
    MOST_CANDIDATES,
    Attempt,
    Connecting,
)
from meshrouter.tokens import Bucket
from meshrouter.wire import frame as frames
from meshrouter.wire.beacon import Beacon
from tests.router.neighbours.test_meeting import knock, reach
from tests.router.neighbours.world import GENESIS, Node, World, identity


def connecting(node: Node) -> Connecting:
    return node.machine._stations[1].connecting


def beacon(node: Node, number: int, address: bytes = b"nobody") -> None:
    """Somebody who will not answer says that it is here."""
    forged = Beacon(GENESIS[:4], 3, 0, identity(20_000 + number).key, 0).encode()
    node.world.arrive(node.links[0], address, frames.clear(frames.BEACON, forged))


def test_candidates_are_bounded() -> None:
    world = World(1)
    node = world.node(world.bus())
    for number in range(MOST_CANDIDATES + 50):
        beacon(node, number)
    assert len(connecting(node)._candidates) == MOST_CANDIDATES
    assert node.counters["link-candidates"] == 50


def test_those_not_needed_are_bounded_and_those_that_did_not_answer_too() -> None:
    world = World(2)
    node = world.node(world.bus())
    for number in range(4):
        beacon(node, number)
    world.run(0.3)
    world.routed = lambda _node, _id: True
    for number in range(4, MOST_CANDIDATES + 60):
        beacon(node, number)
    assert len(connecting(node)._spare) == MOST_CANDIDATES
    for number in range(MOST_ALONE + 20):
        connecting(node)._give_up(_attempt(node, number), world.now)
    assert len(connecting(node)._alone) == MOST_ALONE


def _attempt(node: Node, number: int) -> Attempt:
    connecting(node).stop()
    node.world.now += 0.2
    connecting(node).reach(identity(20_000 + number).key, b"nobody", node.world.now)
    (attempt,) = connecting(node)._attempts.values()
    return attempt


def test_who_does_not_answer_is_left_alone_for_a_while() -> None:
    world = World(3)
    node = world.node(world.bus())
    world.routed = lambda _node, _id: False
    beacon(node, 1)
    world.run(9)
    tried = node.sent["INIT"]
    assert tried == 4
    for _ in range(5):
        beacon(node, 1)
        world.run(1)
    assert node.sent["INIT"] == tried
    world.run(20)
    beacon(node, 1)
    world.run(1)
    assert node.sent["INIT"] > tried


def test_another_is_tried_when_the_first_do_not_answer_at_once() -> None:
    world = World(4)
    bus = world.bus()
    node, other = world.node(), world.node()
    world.routed = lambda _node, _id: True
    node.attach(bus)
    for number in range(3):
        beacon(node, number)
    world.run(0.3)
    assert node.sent["INIT"] >= 3
    other.asleep = True
    other.attach(bus)
    reach(node, other)
    assert connecting(node)._spare.keys() == {other.key}
    assert world.until(lambda: any(to == other.links[0].address for *_, to, _ in world.frames("INIT"))) < 1.5


def test_forged_answers_cost_a_bounded_rate_of_work_and_the_true_one_counts() -> None:
    world = World(5)
    bus = world.bus()
    node, other = world.node(bus), world.node()
    other.attach(bus)
    world.tamper = lambda flight: [] if flight.source == other.links[0].address else [flight]
    reach(node, other)
    world.until(lambda: node.sent["INIT"] > 0)
    (index,) = node.machine.ground.begun
    for number in range(int(FINISH_RATE) + 100):
        body = Random(number).randbytes(124)
        body = body[:-32] + mac(mac1_key(other.identity.id), body[:-32]) + bytes(16)
        world.arrive(node.links[0], b"enemy!", frames.clear(frames.RESPONSE, body, index))
    assert node.counters["handshake-noise"] == FINISH_RATE
    assert node.counters["link-finish-rate"] == 100
    world.tamper = lambda flight: [flight]
    world.until(lambda: node.knows(other))


def test_answers_to_nothing_are_counted() -> None:
    world = World(6)
    node = world.node(world.bus())
    world.arrive(node.links[0], b"enemy!", frames.clear(frames.RESPONSE, bytes(124), 5))
    world.arrive(node.links[0], b"enemy!", frames.clear(frames.COOKIE, bytes(56), 5))
    assert node.counters["link-index"] == 2


def test_a_repeated_first_message_is_answered_at_a_bounded_rate() -> None:
    world = World(7)
    bus = world.bus()
    node, other = world.node(bus), world.node()
    other.attach(bus)
    for _ in range(500):
        knock(other, node)
    assert node.sent["RESPONSE"] == 1 + 20


def test_cookies_played_again_do_not_make_a_node_repeat_itself() -> None:
    world = World(8)
    bus = world.bus()
    a, b = world.node(bus), world.node()
    b.attach(bus)
    b.machine._stations[1].answering._door._free = Bucket(0, 0)
    world.tamper = lambda flight: [flight] if flight.frame[0] & 31 in {frames.INIT, frames.COOKIE} else []
    reach(a, b)
    world.until(lambda: a.sent["INIT"] == 2)
    assert b.sent["COOKIE"] == 1
    ((*_, cookie),) = world.frames("COOKIE")
    for _ in range(100):
        world.arrive(a.links[0], b.links[0].address, cookie)
    assert a.sent["INIT"] == 2
    world.tamper = lambda flight: [flight]
    world.until(lambda: a.knows(b))


def test_a_node_does_not_connect_to_its_own_echo() -> None:
    world = World(9)
    node = world.node(world.bus())
    own = frames.clear(frames.BEACON, Beacon(GENESIS[:4], 3, 0, node.key, 0).encode())
    for _ in range(10):
        world.arrive(node.links[0], b"mirror", own)
        world.run(1)
    assert not node.counters
    assert node.machine._stations[1].beacons._heard == 0


def test_attempts_are_bounded_and_end() -> None:
    world = World(10)
    node = world.node(world.bus())
    for number in range(60):
        beacon(node, number)
    world.run(4)
    assert len(connecting(node)._attempts) == MOST_ATTEMPTS
    assert node.counters["link-attempts"] == 60 - MOST_ATTEMPTS
    world.run(10)
    assert connecting(node)._attempts == {}
    assert node.machine.ground.begun == {}


def test_a_link_that_is_down_hears_nothing() -> None:
    world = World(11)
    a, b = world.node(world.bus()), world.node()
    b.attach(a.links[0].bus)
    a.links[0].up = False
    a.machine.carrier(a.links[0], world.now)
    knock(b, a)
    assert a.machine.by_index == {}
    assert a.sent["RESPONSE"] == 0
