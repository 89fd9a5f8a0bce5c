"""Enemies on the link: whatever they send, what is known, and what arrives, stays the same."""

from collections import Counter
from collections.abc import Iterator
from random import Random

import pytest

from meshchain.crypto import is_ed25519_public_key
from meshchain.crypto.address import node_id
from meshrouter.directory import Role
from meshrouter.handshake.macs import mac, mac1_key
from meshrouter.identity import Identity
from meshrouter.links.link import Medium
from meshrouter.neighbours.answering import HALF_TIME, MOST_HALVES, MOST_OF_ONE_KEY
from meshrouter.neighbours.connecting import MOST_ATTEMPTS, MOST_TRIES
from meshrouter.tokens import Bucket
from meshrouter.wire import frame as frames
from meshrouter.wire.beacon import Beacon
from meshrouter.wire.nosession import NoSession
from tests.router.handshake.kit import minus
from tests.router.neighbours.test_meeting import knock
from tests.router.neighbours.test_sessions import check_well, talk
from tests.router.neighbours.world import GENESIS, Flight, Node, World, identity, kind_of


def mutants(frame: bytes, rng: Random) -> Iterator[bytes]:
    """Bits flipped, ends cut off, bytes added, other types, other lengths."""
    for _ in range(6):
        at = rng.randrange(len(frame))
        yield frame[:at] + bytes((frame[at] ^ 1 << rng.randrange(8),)) + frame[at + 1 :]
    for size in (0, 1, 11, 12, 27, rng.randrange(len(frame)), len(frame) - 1):
        yield frame[:size]
    yield bytes((0x20 | rng.randrange(32),)) + frame[1:]
    yield frame[:12] + rng.randbytes(len(frame) - 12)
    yield frame[:2] + (len(frame) - 12 + 16).to_bytes(2, "big") + frame[4:] + bytes(16)


class Enemy:
    """Hears everything on the link, and sends from wherever it likes."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.rng = Random(99)
        self.recorded: list[Flight] = []
        self.seen: Counter[str] = Counter()
        world.tamper = self.first

    def first(self, flight: Flight) -> list[Flight]:
        """Changed copies of every frame arrive before it, from its sender and from elsewhere."""
        self.recorded.append(flight)
        self.seen[kind_of(flight.frame)] += 1
        forged = [
            Flight(source, flight.receiver, frame)
            for frame in mutants(flight.frame, self.rng)
            for source in (flight.source, b"enemy!")
        ]
        return [*forged, flight]

    def replay(self, times: int = 1) -> None:
        """All of it again, in order and out of it."""
        self.world.tamper = lambda flight: [flight]
        flights = list(self.recorded)
        for _ in range(times):
            for flight in flights:
                self.world.arrive(flight.receiver, flight.source, flight.frame)
                self.world.arrive(flight.receiver, b"enemy!", flight.frame)
            self.rng.shuffle(flights)


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_changed_copies_of_every_frame_change_nothing(seed: int, shared: bool) -> None:
    world = World(seed)
    enemy = Enemy(world)
    a, b = world.pair(shared=shared)
    count = talk(a, b, 130, 1.0)
    assert {"INIT", "RESPONSE", "CONTROL", "PACKET"} <= enemy.seen.keys()
    assert a.packets == b.packets == [b"%d" % i for i in range(count)]
    for node, other in ((a, b), (b, a)):
        assert [neighbour.key for neighbour in node.ups] == [other.key]
        assert node.downs == []
        assert node.of(other).link_address == (other.links[0].address if shared else b"")
        assert node.counters["link-tag"] > 50


def test_a_whole_recorded_conversation_played_again_changes_nothing() -> None:
    world = World(1)
    enemy = Enemy(world)
    a, b = world.pair()
    talk(a, b, 10, 0.5)
    before = a.of(b).session, b.of(a).session, len(a.packets), len(b.packets)
    enemy.replay(5)
    world.run(1)
    assert (a.of(b).session, b.of(a).session, len(a.packets), len(b.packets)) == before
    assert a.counters["link-replay"] + b.counters["link-replay"] > 0
    world.run(HALF_TIME + 40)
    check_well(a, b)
    assert len(a.machine.by_index) <= 2


def test_a_conversation_played_to_who_has_restarted_makes_no_neighbour() -> None:
    world = World(2)
    enemy = Enemy(world)
    a, b = world.pair()
    talk(a, b, 5, 0.5)
    a.asleep = True
    b.restart()
    b.ups.clear()
    b.packets.clear()
    enemy.replay(3)
    world.run(5)
    assert b.ups == []
    assert b.packets == []
    world.run(HALF_TIME)
    assert b.machine.by_index == {}


def test_a_first_message_repeated_is_answered_alike_and_costs_nothing() -> None:
    world = World(3)
    bus = world.bus()
    a, b = world.node(bus), world.node()
    b.attach(bus)
    for _ in range(10):
        knock(b, a)
    responses = [frame for *_, frame in world.frames("RESPONSE")]
    assert len(responses) == 10
    assert len(set(responses)) == 1
    assert len(a.machine.by_index) == 1


def test_halves_are_bounded_and_forgotten() -> None:
    world = World(4)
    bus = world.bus()
    a = world.node(bus)
    peer = world.node()
    peer.attach(bus)
    for seed in range(3 * MOST_OF_ONE_KEY):
        knock(peer, a, seed)
    assert len(a.machine.by_index) == MOST_OF_ONE_KEY
    for number in range(MOST_HALVES + 40):
        stranger = Node(world, 5000 + number // MOST_OF_ONE_KEY)
        stranger.links = peer.links
        world.now += 0.05
        knock(stranger, a, 100 + number)
    assert len(a.machine.by_index) == MOST_HALVES
    for seed in range(100):
        knock(peer, a, 100 + seed)  # ephemeral keys that others have used
    assert len(a.machine.by_index) == MOST_HALVES
    assert list(a.machine) == []
    world.run(HALF_TIME + 1)
    assert {inbound.neighbour.key for inbound in a.machine.by_index.values()} <= {peer.key}


def test_a_half_that_data_has_proven_is_not_forgotten() -> None:
    """A data plane that opens frames and does not say so at once."""
    world = World(14)
    a, b = world.pair()
    world.run(1)
    b.machine.remove_link(b.links[0], world.now)
    world.until(lambda: not a.knows(b))
    world.log.clear()
    knock(b, a)
    (half,) = a.machine.by_index.values()
    half.session.window.seen(0)
    world.run(HALF_TIME + 0.1)
    assert a.of(b).session is half.session


def test_a_first_message_passed_on_from_elsewhere_does_not_move_its_sender() -> None:
    world = World(15)
    bus = world.bus()
    a, b = world.node(bus), world.node(bus)
    for node in (a, b):
        node.links[0].medium = Medium.ETHERNET

    def relay(flight: Flight) -> list[Flight]:
        copies = [Flight(b"enemy!", flight.receiver, flight.frame)] if kind_of(flight.frame) == "INIT" else []
        return [*copies, flight]

    world.tamper = relay
    world.until(lambda: a.knows(b) and b.knows(a))
    check_well(a, b)
    assert a.of(b).link_address == b.links[0].address
    assert b.of(a).link_address == a.links[0].address


def test_neighbours_renew_while_strangers_have_used_up_the_door() -> None:
    world = World(16)
    a, b = world.pair()
    for node in (a, b):
        door = node.machine._stations[1].answering._door
        door._free, door._all = Bucket(0, 0), Bucket(0, 0)
    old = a.of(b).session
    world.run(140)
    assert a.of(b).session is not old
    assert a.downs == b.downs == []
    before = a.sent["RESPONSE"]
    stranger = Node(world, 5000)
    stranger.attach(a.links[0].bus)
    knock(stranger, a)
    assert a.sent["RESPONSE"] == before
    assert a.counters["link-cookie"] > 0


def test_established_sessions_do_not_notice_a_flood_of_handshakes() -> None:
    """Ten thousand INITs whose mac1 fits, forged from 100 addresses, in a second; and a newcomer gets in."""
    world = World(5)
    a, b = world.pair()
    world.run(5)
    for at in range(10):
        for burst in range(100):
            for source in range(10):
                number = burst * 10 + source
                body = Random(number * 10 + at).randbytes(172)
                forged = frames.clear(frames.INIT, with_mac(body, a))
                world.arrive(a.links[0], b"enemy%d" % source, forged)
        a.say(b, b"%d" % at)
        b.say(a, b"%d" % at)
        world.run(0.1)
    assert a.packets == b.packets == [b"%d" % i for i in range(10)]
    assert a.counters["link-cookie"] > 9000
    assert a.downs == b.downs == []
    assert len(a.machine.by_index) <= 4
    c = world.node()
    c.attach(b.links[0].bus)
    b.links[0].bus.detach(b.links[0])
    for _ in range(100):
        world.arrive(a.links[0], b"enemy", frames.clear(frames.INIT, with_mac(bytes(172), a)))
    assert world.until(lambda: a.knows(c)) < 3


def with_mac(body: bytes, responder: Node) -> bytes:
    return body[:-32] + mac(mac1_key(responder.identity.id), body[:-32]) + bytes(16)


def test_forged_beacons_make_no_neighbours_and_few_frames() -> None:
    world = World(6)
    a, b = world.pair()
    world.run(5)
    before = a.sent["INIT"]
    for number in range(400):
        forged = Beacon(GENESIS[:4], 3, 0, identity(9000 + number % 100).key, 0).encode()
        world.arrive(a.links[0], b"nobody", frames.clear(frames.BEACON, forged))
        noise = Beacon(GENESIS[:4], 3, 0, Random(number).randbytes(32), 0).encode()
        world.arrive(a.links[0], b"nobody", frames.clear(frames.BEACON, noise))
        world.run(0.1)
    assert [neighbour.key for neighbour in a.machine] == [b.key]
    assert a.downs == []
    assert a.sent["INIT"] - before <= MOST_ATTEMPTS * MOST_TRIES * 40 / 7
    assert len(a.machine.ground.begun) <= MOST_ATTEMPTS


def test_beacons_with_keys_that_are_none_cost_a_bounded_rate_of_work() -> None:
    world = World(17)
    node = world.node(world.bus(shared=False))
    keys = (Random(number).randbytes(32) for number in range(4000))
    for key in [key for key in keys if not is_ed25519_public_key(key)][:1900]:
        noise = Beacon(GENESIS[:4], 3, 0, key, 0).encode()
        world.arrive(node.links[0], b"", frames.clear(frames.BEACON, noise))
        world.run(0.001)
    assert 30 <= node.counters["handshake-key"] <= 20 + 10 * 2
    assert node.counters["link-begin-rate"] > 1500


def test_a_beacon_in_anothers_name_gets_no_session() -> None:
    """The enemy names b's key and its own address; only who holds the key can answer."""
    world = World(7)
    bus = world.bus()
    a = world.node(bus)
    enemy = world.node()
    enemy.attach(bus)
    enemy.asleep = True
    victim = identity(4242)
    forged = Beacon(GENESIS[:4], 3, 0, victim.key, 0).encode()
    world.arrive(a.links[0], enemy.links[0].address, frames.clear(frames.BEACON, forged))
    world.run(30)
    assert a.sent["INIT"] >= MOST_TRIES
    assert list(a.machine) == []
    assert a.machine.by_index == {}


def test_minus_a_key_is_somebody_else() -> None:
    """Who holds A can also go by −A; that is another neighbour, and A's own bar and bond stay A's."""
    world = World(8)
    a, b = world.pair()
    world.run(1)
    other_id = node_id(minus(b.key))
    assert other_id is not None
    twin = Node(world, b.number)
    twin.identity = Identity(b.identity.seed, minus(b.key), other_id, b.identity.static)
    twin.links = b.links
    session = a.of(b).session
    knock(twin, a)
    world.run(0.5)
    assert a.of(b).session is session
    assert {inbound.neighbour.key for inbound in a.machine.by_index.values()} == {b.key, minus(b.key)}
    world.run(HALF_TIME)
    assert {inbound.neighbour.key for inbound in a.machine.by_index.values()} == {b.key}
    beacon = Beacon(GENESIS[:4], 3, 0, minus(b.key), 0).encode()
    inits = a.sent["INIT"]
    world.arrive(a.links[0], b.links[0].address, frames.clear(frames.BEACON, beacon))
    world.run(30)
    assert a.sent["INIT"] > inits
    assert [neighbour.key for neighbour in a.machine] == [b.key]
    a.told(b, Role.BARRED)
    assert list(a.machine) == []


def nosession(index: int, counter: int) -> bytes:
    return frames.clear(frames.NOSESSION, NoSession(index, counter).encode())


def test_forged_nosessions_cost_a_handshake_a_second_and_nothing_else() -> None:
    world = World(9)
    a, b = world.pair()
    world.run(5)
    before = a.sent["INIT"]
    for i in range(1000):
        sealer = a.of(b).session.sealer
        world.arrive(a.links[0], b"enemy!", nosession(sealer.index, sealer.counter - 1))
        if i % 10 == 0:
            a.say(b, b"%d" % i)
        world.run(0.01)
    assert len(b.packets) == 100
    assert a.downs == b.downs == []
    assert 5 <= a.sent["INIT"] - before <= 12
    assert len(a.machine.by_index) <= 5
    assert len(b.machine.by_index) <= 5


def test_a_nosession_about_what_was_not_sent_is_nothing() -> None:
    world = World(10)
    a, b = world.pair()
    world.run(5)
    before, sealer = a.sent["INIT"], a.of(b).session.sealer
    for index, counter in ((sealer.index, sealer.counter), (sealer.index ^ 1, 0), (sealer.index, 1 << 31)):
        world.arrive(a.links[0], b.links[0].address, nosession(index, counter))
    assert a.counters["link-nosession"] == 3
    world.run(3)
    assert a.sent["INIT"] == before


def test_frames_for_nobody_are_answered_now_and_then_and_never_with_more() -> None:
    world = World(11)
    a, _b = world.pair()
    world.run(5)
    for i in range(1000):
        world.arrive(a.links[0], b"enemy!", frames.FRAME.pack(0x29, 0, 16, 0x7777, i) + bytes(16))
        world.run(0.001)
    replies = [frame for *_, frame in world.frames("NOSESSION")]
    assert 10 <= len(replies) <= 21
    assert {len(frame) for frame in replies} == {20}


def test_any_bytes_at_all_are_counted_and_nothing_else() -> None:
    world = World(12)
    a, b = world.pair()
    rng = Random(12)
    for _ in range(3000):
        frame = rng.randbytes(rng.choice((0, 1, 12, 20, 56, 68, 136, 184, 1500)))
        if frame and rng.random() < 0.8:
            frame = bytes((0x20 | rng.randrange(12),)) + frame[1:]
        if len(frame) >= 12 and rng.random() < 0.8:
            frame = frame[:1] + b"\0" + (len(frame) - 12).to_bytes(2, "big") + frame[4:]
        if len(frame) >= 12 and rng.random() < 0.3:
            frame = frame[:4] + rng.choice(list(a.machine.by_index)).to_bytes(4, "big") + frame[8:]
        world.arrive(a.links[0], rng.choice((b"enemy!", b.links[0].address)), frame)
    world.run(30)
    check_well(a, b)
    assert a.counters.total() > 1000


def test_a_control_frame_that_is_no_message_is_counted() -> None:
    world = World(13)
    a, b = world.pair()
    world.run(1)
    for plaintext in (b"x", b"\x01\x00\x22short", b"\x08\x00\x02\x01\x01", b"\xee\x00\x01\x01"):
        neighbour = b.of(a)
        neighbour.link.send(neighbour.link_address, neighbour.session.seal(frames.CONTROL, plaintext))
        b.settle()
    world.run(1)
    check_well(a, b)
    assert a.counters["control-size"] == 2
    assert a.counters["wire-size"] == 1
