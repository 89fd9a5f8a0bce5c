"""What strangers can make a node remember, and how often they can make it work."""

from itertools import pairwise
from random import Random

import pytest

from meshrouter.directory import Role
from meshrouter.handshake import Initiation
from meshrouter.handshake.macs import mac, mac1_key
from meshrouter.neighbours.answering import MOST_OF_ONE_KEY, MOST_SPENT, PROLOGUE, Answering
from meshrouter.neighbours.beacons import LONGEST
from meshrouter.neighbours.connecting import (
    FINISH_RATE,
    MOST_ALONE,
    MOST_ATTEMPTS,
    MOST_CANDIDATES,
    Attempt,
    Connecting,
)
from meshrouter.neighbours.machine import RECENT
from meshrouter.neighbours.probing import LEAST_FRAME
from meshrouter.neighbours.redirects import follow
from meshrouter.tokens import Bucket
from meshrouter.wire import frame as frames
from meshrouter.wire.beacon import Beacon
from meshrouter.wire.control import Hello, Redirect
from meshrouter.wire.handshake import LinkPayload
from meshrouter.wire.nosession import NoSession
from tests.router.neighbours.test_meeting import knock, reach, solicit
from tests.router.neighbours.world import GENESIS, Node, World, identity


def connecting(node: Node) -> Connecting:
    return node.machine._stations[1].connecting


def answering(node: Node) -> Answering:
    return node.machine._stations[1].answering


def waiting_halves(node: Node) -> int:
    return sum("half" in str(name) for name in node.machine.ground.timers._set)


def first_message(node: Node, other: Node, seed: int = 1) -> Initiation:
    payload = LinkPayload(node.key, 0, 0, 0).encode()
    return Initiation(node.identity, other.key, PROLOGUE + GENESIS, payload, 77, Random(seed))


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


def two() -> tuple[World, Node, Node]:
    """Who answers, and who knocks without a machine that would go on."""
    world = World(20)
    bus = world.bus()
    a, b = world.node(bus), world.node()
    b.attach(bus)
    return world, a, b


def test_a_repetition_counts_only_with_its_mac_and_all_that_it_covers() -> None:
    """The ephemeral key of a half, in a message that is not the one that was answered."""
    world, a, b = two()
    knock(b, a)
    assert a.sent["RESPONSE"] == 1
    body = first_message(b, a).message()
    wrong_mac = body[:-32] + bytes(16) + body[-16:]
    world.arrive(a.links[0], b.links[0].address, frames.clear(frames.INIT, wrong_mac))
    assert a.counters["handshake-mac1"] == 1
    changed = body[:60] + bytes((body[60] ^ 1,)) + body[61:-32]
    changed += mac(mac1_key(a.identity.id), changed) + bytes(16)
    world.arrive(a.links[0], b.links[0].address, frames.clear(frames.INIT, changed))
    assert a.counters["link-replay"] == 1
    assert a.sent["RESPONSE"] == 1


def test_the_oldest_half_of_a_key_goes_first_and_leaves_nothing() -> None:
    world, a, b = two()
    b.asleep = True
    knock(b, a, 0)
    (oldest,) = a.machine.by_index
    for seed in range(1, MOST_OF_ONE_KEY + 1):
        knock(b, a, seed)
    halves = list(a.machine.by_index.values())
    assert oldest not in a.machine.by_index
    assert len(halves) == MOST_OF_ONE_KEY
    assert len({id(inbound.neighbour) for inbound in halves}) == 1
    assert answering(a)._port.strangers == {b.key: halves[0].neighbour}
    assert waiting_halves(a) == MOST_OF_ONE_KEY
    world.run(11)
    assert answering(a)._port.strangers == {}


def test_the_oldest_half_of_all_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("meshrouter.neighbours.answering.MOST_HALVES", 2)
    world, a, b = two()
    order = []
    for number in range(3):
        stranger = Node(world, 5000 + number)
        stranger.links = b.links
        knock(stranger, a, number)
        order += [index for index in a.machine.by_index if index not in order]
    assert list(a.machine.by_index) == order[1:]


def test_a_link_that_is_gone_takes_its_halves_with_it() -> None:
    world, a, b = two()
    knock(b, a)
    assert a.machine.by_index
    a.machine.remove_link(a.links[0], world.now)
    assert a.machine.by_index == {}
    assert waiting_halves(a) == 0


def test_ephemeral_keys_that_are_spent_are_bounded_and_the_newest_stays() -> None:
    world, a, b = two()
    spent = answering(a)._spent
    for number in range(MOST_SPENT):
        spent[b"%d" % number] = None
    a.asleep = b.asleep = True
    knock(b, a)
    (half,) = answering(a)._halves.values()
    a.machine.proved(half.session, world.now)
    assert len(spent) == MOST_SPENT
    assert half.ephemeral in spent
    knock(b, a)
    assert a.counters["link-replay"] == 1


def test_a_cookie_is_good_only_where_it_was_sent() -> None:
    world, a, b = two()
    answering(a)._door._free = Bucket(0, 0)
    begun = first_message(b, a)
    world.arrive(a.links[0], b"first!", frames.clear(frames.INIT, begun.message()))
    ((_, _, to, cookie),) = world.frames("COOKIE")
    assert to == b"first!"
    begun.read_cookie(frames.Frame.decode(cookie).body)
    world.arrive(a.links[0], b"second", frames.clear(frames.INIT, begun.message()))
    assert (a.sent["COOKIE"], a.sent["RESPONSE"]) == (2, 0)
    world.arrive(a.links[0], b"first!", frames.clear(frames.INIT, begun.message()))
    assert (a.sent["COOKIE"], a.sent["RESPONSE"]) == (2, 1)


def test_with_a_cookie_a_stranger_still_shares_what_strangers_may() -> None:
    world = World(21)
    a, b = world.pair()
    stranger = Node(world, 5000)
    answering(a)._door._free = answering(a)._door._all = Bucket(0, 0)
    begun = first_message(stranger, a)
    world.arrive(a.links[0], b"other!", frames.clear(frames.INIT, begun.message()))
    ((*_, cookie),) = world.frames("COOKIE")
    begun.read_cookie(frames.Frame.decode(cookie).body)
    before = a.sent["RESPONSE"]
    world.arrive(a.links[0], b"other!", frames.clear(frames.INIT, begun.message()))
    assert a.counters["handshake-rate"] == 1
    assert a.sent["RESPONSE"] == before
    assert a.knows(b)


def test_questions_of_many_peers_are_answered_at_a_bounded_rate() -> None:
    """A listener hears them from wherever somebody likes to say that it is."""
    world = World(22)
    a = world.node(world.bus(shared=False))
    for number in range(500):
        world.arrive(a.links[0], b"%d" % number, solicit())
    assert a.sent["BEACON"] == 10


def test_who_keeps_asking_gets_an_answer_a_second() -> None:
    world = World(23)
    a = world.node(world.bus())
    world.run(100)
    before = a.sent["BEACON"]
    for _ in range(60):
        world.arrive(a.links[0], b"nobody", solicit())
        world.run(0.05)
    assert 3 <= a.sent["BEACON"] - before <= 5


def test_a_second_question_does_not_begin_the_count_of_answers_again() -> None:
    world = World(24)
    a = world.node(world.bus())
    world.run(100)
    before = a.sent["BEACON"]
    world.arrive(a.links[0], b"nobody", solicit())
    beacon(a, 1)
    beacon(a, 2)
    world.arrive(a.links[0], b"nobody", solicit())
    beacon(a, 3)
    world.run(0.3)
    assert a.sent["BEACON"] == before


def test_who_is_alone_asks_again_at_least_once_a_minute_or_so() -> None:
    world = World(25)
    world.node(world.bus())
    world.run(1000)
    asked = [when for when, *_ in world.frames("SOLICIT")]
    assert max(later - before for before, later in pairwise([*asked, 1000.0])) <= 1.25 * LONGEST


def test_one_handshake_at_a_time_with_a_key() -> None:
    world = World(26)
    a = world.node(world.bus())
    key = identity(20_001).key
    for _ in range(3):
        connecting(a).reach(key, b"nobody", world.now)
    assert len(a.machine.ground.begun) == 1


def test_neighbours_are_renewed_however_many_strangers_are_tried() -> None:
    world = World(27)
    a, b = world.pair()
    world.run(1)
    for number in range(MOST_ATTEMPTS):
        connecting(a).reach(identity(20_000 + number).key, b"nobody", world.now)
    connecting(a)._begins = Bucket(0, 0)
    connecting(a).reach(identity(30_000).key, b"nobody", world.now)
    assert a.counters["link-attempts"] == 1
    connecting(a).reach(b.key, b.links[0].address, world.now)
    assert b.key in connecting(a)._attempts


def test_nothing_more_is_tried_with_who_is_gone_or_barred() -> None:
    world = World(28)
    a, b = world.pair()
    world.run(1)
    connecting(a).reach(b.key, b.links[0].address, world.now)
    b.asleep = True
    a.machine._keeping.end(next(iter(a.machine._keeping.bonds.values())), "bye", world.now)
    assert connecting(a)._attempts == {}
    stranger = Node(world, 5000)
    connecting(a).reach(stranger.key, b"nobody", world.now)
    a.told(stranger, Role.BARRED)
    assert connecting(a)._attempts == {}
    assert a.machine.ground.begun == {}
    connecting(a).reach(stranger.key, b"nobody", world.now)
    assert connecting(a)._attempts == {}


def test_a_nosession_about_what_was_sent_long_ago_is_nothing() -> None:
    world = World(29)
    a, b = world.pair()
    world.run(1)
    sealer = a.of(b).session.sealer
    long_ago = sealer.counter - 1
    sealer.counter = long_ago + RECENT
    about = frames.clear(frames.NOSESSION, NoSession(sealer.index, long_ago).encode())
    world.arrive(a.links[0], b"enemy!", about)
    assert a.counters["link-nosession"] == 1
    sealer.counter -= 1
    world.arrive(a.links[0], b"enemy!", about)
    assert a.counters["link-nosession"] == 1


def test_a_neighbour_that_says_it_takes_next_to_nothing_is_not_believed() -> None:
    world = World(30)
    a, b = world.pair()
    world.run(1)
    hello = Hello(seq=9, sent=1, echo=0, held=0, received=0xFFFF, queue=0, mtu=1, flags=0, digest=0, count=0)
    a.machine._probing.hello(a.machine._keeping.bonds[a.of(b)], hello, world.now)
    assert a.of(b).mtu == LEAST_FRAME


def test_no_redirect_is_followed_where_there_is_but_one_peer() -> None:
    world = World(31)
    a, b = world.pair(shared=False)
    bond = a.machine._keeping.bonds[a.of(b)]
    reached: list[bytes] = []
    redirect = Redirect(identity(20_001).id, identity(20_001).key, b"nobody")
    assert not follow(bond, redirect, lambda key, _address: reached.append(key), world.now)
    assert reached == []
