"""What an enemy on the way, or at the other end, cannot do."""

from dataclasses import replace
from random import Random

import pytest

from meshrouter.directory import Role
from meshrouter.identity import Identity
from meshrouter.sessions.endsession import WINDOW
from meshrouter.sessions.table import MOST_UNPROVEN
from meshrouter.wire.ends import END_COOKIE, END_INIT, END_RESPONSE, EndHandshake
from meshrouter.wire.handshake import EndPayload
from meshrouter.wire.nosession import NoSession
from meshrouter.wire.packet import MESHCTL, MESHHS, MESHSEC
from tests.router.offload.packets import Segment
from tests.router.sessions.evil import Evil, mirrored
from tests.router.sessions.world import World, between, handshakes, sealed

CLAIMED = bytes.fromhex("eeee000000000000000000000000beef")
OTHER = bytes.fromhex("eeee000000000000000000000000cafe")
TCP_HELLO = b"\xfe" + Segment(b"hello").packet()[40:]


def stranger(name: str = "evil") -> Identity:
    return Identity.from_seed(Random(name).randbytes(32))


class TestOnTheWay:
    """Packets of a session, changed, repeated, cut."""

    def one(self) -> tuple[World, bytes]:
        world = World("a", "b", "c")
        a, b = world.connected()
        a.reachable = False
        a.send(between(a, b))
        return world, sealed(world.carried)[-1]

    def test_any_flipped_bit(self) -> None:
        """But for what changes on the way: traffic class, label, length, hop limit, zones. The type is the plane's."""
        world, packet = self.one()
        b = world["b"]
        free = {*range(8), 8, 9, 24, 25}
        for bit in range(8 * len(packet)):
            if bit // 8 not in free:
                flipped = bytearray(packet)
                flipped[bit // 8] ^= 1 << bit % 8
                b.sessions.meshsec(bytes(flipped), world.now)
        assert b.got() == []
        b.sessions.meshsec(packet, world.now)
        assert len(b.got()) == 1

    def test_any_truncation_and_anything_appended(self) -> None:
        world, packet = self.one()
        b = world["b"]
        for size in range(len(packet)):
            b.sessions.meshsec(packet[:size], world.now)
        b.sessions.meshsec(packet + b"\0", world.now)
        assert b.got() == []
        assert b.counters["end-sec-size"] == 65
        assert b.counters["end-tag"] == len(packet) - 64

    def test_repetition(self) -> None:
        world, packet = self.one()
        b = world["b"]
        for _ in range(3):
            b.sessions.meshsec(packet, world.now)
        assert len(b.got()) == 1
        assert b.counters["end-tag"] == 2

    def test_late_packets_within_the_window_only(self) -> None:
        world = World("a", "b")
        a, b = world.connected()
        a.reachable = False
        session = a.sessions.by_pair[a.address + b.address]
        for counter in (9, 10, 10 + WINDOW):
            session.sealer.counter = counter
            a.send(between(a, b, sequence=counter))
        too_old, oldest, newest = sealed(world.carried)
        b.sessions.meshsec(newest, world.now)
        b.sessions.meshsec(oldest, world.now)
        assert len(b.got()) == 1
        session.sealer.counter = 11
        a.send(between(a, b))
        b.sessions.meshsec(sealed(world.carried)[-1], world.now)
        assert len(b.got()) == 1
        b.sessions.meshsec(too_old, world.now)
        assert b.got() == []

    def test_a_forged_counter_makes_nothing_look_old(self) -> None:
        world, packet = self.one()
        b = world["b"]
        b.sessions.meshsec(packet[:44] + b"\x7f\0\0\0" + packet[48:], world.now)
        b.sessions.meshsec(packet, world.now)
        assert len(b.got()) == 1

    def test_a_packet_sent_back(self) -> None:
        """With or without its ids exchanged, and under the index that the sender listens to."""
        world, packet = self.one()
        a, b = world["a"], world["b"]
        back = a.sessions.by_pair[a.address + b.address].index.to_bytes(4, "big")
        exchanged = packet[:8] + packet[24:40] + packet[8:24] + packet[40:]
        for one in (packet, exchanged):
            a.sessions.meshsec(one, world.now)
            a.sessions.meshsec(one[:40] + back + one[44:], world.now)
        assert a.got() == []

    def test_a_packet_moved_to_another_session_of_the_same_nodes(self) -> None:
        world = World("a", "b")
        world.claim(CLAIMED, world["b"])
        a, b = world.connected()
        a.send(replace(between(a, b), destination=CLAIMED))
        world.run(1.0)
        b.got()
        a.reachable = False
        a.send(between(a, b))
        packet = sealed(world.carried)[-1]
        index = a.sessions.by_pair[a.address + CLAIMED].sealer.index
        b.sessions.meshsec(packet[:40] + index.to_bytes(4, "big") + packet[44:], world.now)
        assert b.got() == []

    def test_noise(self) -> None:
        """Nothing raises, nothing is delivered, nothing grows."""
        world = World("a", "b")
        a, b = world.connected()
        indexes = [index.to_bytes(4, "big") for index in b.sessions.by_index]
        for _ in range(3000):
            packet = bytearray(world.rng.randbytes(40 + world.rng.randrange(250)))
            packet[6] = world.rng.choice((MESHSEC, MESHHS))
            if world.rng.random() < 0.3:
                packet[40:44] = indexes[0]
            if world.rng.random() < 0.3:
                packet[40:45] = bytes((world.rng.choice((1, 2, 3)), 0, 0, 0, 0))
            b.receive(bytes(packet))
        assert b.got() == []
        assert len(b.sessions.by_index) == 1
        a.send(between(a, b))
        world.run(0.1)
        assert len(b.got()) == 1


class TestSource:
    """No address without its key."""

    def evil(self, *names: str) -> tuple[World, Evil]:
        world = World("a", "b", *names)
        return world, Evil(world, world["b"], stranger())

    def refused(self, world: World, rule: str) -> None:
        b = world["b"]
        assert b.counters[f"end-{rule}"] == 1
        assert not b.sessions.by_index

    def test_an_honest_stranger_is_answered_and_heard(self) -> None:
        """What the others of these tests are compared with."""
        evil = self.evil()[1]
        finished = evil.begin(evil.payload())
        assert finished is not None
        evil.victim.receive(evil.say(finished, TCP_HELLO))
        assert [packet[8:40] for packet in evil.victim.got()] == [evil.identity.address + evil.victim.address]

    def test_a_derived_address_of_another(self) -> None:
        world, evil = self.evil()
        assert evil.begin(evil.payload(source=world["a"].address)) is None
        self.refused(world, "handshake-claim")

    def test_a_claimed_address_that_another_holds(self) -> None:
        world, evil = self.evil()
        world.claim(CLAIMED, world["a"])
        assert evil.begin(evil.payload(source=CLAIMED)) is None
        self.refused(world, "handshake-claim")

    def test_a_claimed_address_that_nobody_holds(self) -> None:
        world, evil = self.evil()
        assert evil.begin(evil.payload(source=CLAIMED)) is None
        self.refused(world, "handshake-claim")

    def test_a_claimed_address_of_which_the_ledger_says_nothing(self) -> None:
        world, evil = self.evil()
        world.ledger_delay = None
        assert evil.begin(evil.payload(source=CLAIMED)) is None
        world.run(3.0)
        self.refused(world, "handshake-unanswered")

    def test_an_address_outside_of_the_mesh(self) -> None:
        world, evil = self.evil()
        assert evil.begin(evil.payload(source=b"\x20\x01" + bytes(14))) is None
        self.refused(world, "handshake-destination")

    def test_an_id_of_another_in_the_packet(self) -> None:
        world, evil = self.evil()
        initiation = evil.initiation(evil.payload())
        evil.victim.receive(evil.init(initiation, source=world["a"].id))
        self.refused(world, "handshake-source")

    def test_a_destination_that_is_not_ours(self) -> None:
        world, evil = self.evil()
        assert evil.begin(evil.payload(destination=world["a"].address)) is None
        self.refused(world, "handshake-destination")

    def test_a_pair_the_wrong_way_round(self) -> None:
        world, evil = self.evil()
        b = evil.victim
        assert evil.begin(evil.payload(source=b.address, destination=evil.identity.address)) is None
        self.refused(world, "handshake-destination")
        assert evil.begin(evil.payload(source=b.address, destination=b.address)) is None
        self.refused(world, "handshake-claim")

    def test_a_barred_key(self) -> None:
        world, evil = self.evil()
        world.roles[evil.identity.key] = Role.BARRED
        evil.victim.directory.binding(evil.identity.key)
        world.run(1.0)
        assert evil.begin(evil.payload()) is None
        self.refused(world, "handshake-claim")

    def test_minus_a_is_not_a(self) -> None:
        """Two Ed25519 keys of one X25519 key: who has the private part may be −A, but is not A by that."""
        world = World("a", "b")
        a, b = world["a"], world["b"]
        world.claim(CLAIMED, a)
        evil = Evil(world, b, mirrored(a.identity))
        for source, bears in ((a.address, None), (CLAIMED, None), (a.address, a.id), (CLAIMED, a.id)):
            assert evil.begin(evil.payload(source=source), bears) is None
        assert b.counters == {"end-handshake-claim": 2, "end-handshake-source": 2}
        assert evil.begin(evil.payload()) is not None

    def test_an_answer_by_minus_a(self) -> None:
        """Asked for A, −A can read the question, and cannot answer it."""
        world = World("a", "b")
        a, b = world["a"], world["b"]
        true_key = b.key
        b.identity = replace(b.identity, key=mirrored(b.identity).key)
        b.start()
        a.sessions._handshakes._key_of = lambda _: true_key
        a.send(between(a, b))
        world.run(1.0)
        assert handshakes(world.carried)[:2] == [END_INIT, END_RESPONSE]
        assert a.counters["end-handshake-key"] == 1
        assert not a.sessions.by_index


class TestAnswers:
    """The other end answers something else than it was asked."""

    @pytest.mark.parametrize("field", ["source", "destination", "both"])
    def test_an_answer_for_another_pair(self, field: str) -> None:
        world = World("a", "b")
        a, b = world["a"], world["b"]
        before = b.sessions._handshakes._payload

        def lying(pair: object, other: bytes, source: bytes, destination: bytes) -> bytes:
            if field == "both":
                source, destination = destination, source
            source = OTHER if field == "source" else source
            return before(pair, other, source, CLAIMED if field == "destination" else destination)  # type: ignore[arg-type]

        b.sessions._handshakes._payload = lying  # type: ignore[assignment]
        a.send(between(a, b))
        world.run(1.0)
        assert a.counters["end-handshake-pair"] == 1
        assert not a.sessions.by_index
        assert b.got() == []

    def test_answers_that_were_not_asked_for(self) -> None:
        world = World("a", "b", "c")
        a, b, c = world["a"], world["b"], world["c"]
        a.send(between(a, b))
        world.run(0.03)
        answer = next(packet for packet in world.carried if packet[6] == MESHHS and packet[40] == END_RESPONSE)
        a.receive(answer[:10] + c.id + answer[24:])  # in the name of another
        assert a.counters["end-handshake-unknown"] == 1
        changed = answer[:-40] + bytes((answer[-40] ^ 1,)) + answer[-39:]
        a.receive(changed)
        assert not a.sessions.by_index
        a.receive(answer)
        a.receive(answer)
        assert a.counters["end-handshake-unknown"] == 2
        assert len(a.sessions.by_index) == 1

    def test_cookies_that_nobody_made(self) -> None:
        world = World("a", "b")
        a, b = world["a"], world["b"]
        world.rules.append(lambda packet: [] if packet[6] == MESHHS else [packet])
        a.send(between(a, b))
        (index,) = a.sessions._handshakes._by_index
        evil = Evil(world, a, b.identity)
        for _ in range(10):
            body = EndHandshake(END_COOKIE, index, world.rng.randbytes(56)).encode()
            a.receive(evil.packet(MESHHS, body))
        assert handshakes(world.carried) == [END_INIT]
        assert a.counters == {"end-cookie-tag": 10}

    def test_a_cookie_is_used_once(self) -> None:
        """Under load the way in goes by a cookie; the same one again makes nobody send anything."""
        world = World("a", "b")
        a, b = world["a"], world["b"]
        door = b.sessions._handshakes._door
        door._free.tokens = door._free.per_second = 0.0
        answers: list[bytes] = []

        def hold_answers(packet: bytes) -> list[bytes]:
            if packet[6] == MESHHS and packet[40] == END_RESPONSE:
                answers.append(packet)
                return []
            return [packet]

        world.rules.append(hold_answers)
        a.send(between(a, b))
        world.run(0.1)
        assert handshakes(world.carried) == [END_INIT, END_COOKIE, END_INIT, END_RESPONSE]
        cookie = world.carried[1]
        for _ in range(10):
            a.receive(cookie)
        assert handshakes(world.carried).count(END_INIT) == 2
        a.receive(answers[0])
        world.run(0.1)
        assert len(b.got()) == 1


class TestReplayedHandshakes:
    """A recorded INIT is good for nothing."""

    def test_it_takes_nothing_from_a_session(self) -> None:
        world = World("a", "b")
        a, b = world["a"], world["b"]
        a.send(between(a, b))
        world.run(1.0)
        b.got()
        init = world.carried[0]
        current = b.sessions.by_pair[b.address + a.address]
        world.run(20.0)
        for _ in range(5):
            b.receive(init)
        assert b.sessions.by_pair[b.address + a.address] is current
        b.send(between(b, a))
        world.run(0.1)
        assert len(a.got()) == 1
        assert len(b.sessions.by_index) == 1
        assert b.counters["end-handshake-replay"] == 5
        world.run(310.0)
        assert not b.sessions.by_index
        b.receive(init)
        assert b.counters["end-handshake-replay"] == 6
        assert not b.sessions.by_index

    def test_one_recorded_before_a_restart(self) -> None:
        """Nobody remembers it: it makes a session that is never proven, and forgotten."""
        world = World("a", "b")
        a, b = world.connected()
        b.start()
        world.carried.clear()
        a.start()
        a.send(between(a, b))
        world.run(1.0)
        init = world.carried[0]
        b.start()
        b.got()
        world.rules.append(lambda _: [])
        b.receive(init)
        assert len(b.sessions.by_index) == 1
        assert not b.sessions.by_pair
        b.send(between(b, a))
        world.run(0.1)
        assert a.got() == []
        world.run(20.0)
        assert not b.sessions.by_index

    def test_nothing_is_sent_on_a_session_before_it_is_proven(self) -> None:
        world = World("a", "b", "evil")
        b = world["b"]
        evil = Evil(world, b, world["evil"].identity)
        finished = evil.begin(evil.payload())
        assert finished is not None
        b.send(replace(between(b, b), destination=evil.identity.address))
        world.run(0.1)
        assert sealed(world.carried) == []
        assert handshakes(world.carried)[-1] == END_INIT  # our own, for what waits
        b.receive(evil.say(finished, TCP_HELLO))
        (packet,) = sealed(world.carried)
        assert evil.opener(finished).open(0, packet[48:], packet[10:24] + packet[26:48]) is not None

    def test_the_same_message_gets_the_same_answer(self) -> None:
        """The first answer may be late: the initiator goes by whichever comes."""
        world = World("a", "b")
        a, b = world["a"], world["b"]
        world.delay = lambda: 0.6
        a.send(between(a, b))
        world.run(2.0)
        assert handshakes(world.carried) == [1, 1, 2, 2]
        answers = [packet for packet in world.carried if packet[6] == MESHHS and packet[40] == END_RESPONSE]
        assert answers[0] == answers[1]
        assert len(b.got()) == 1
        assert len(b.sessions.by_index) == 1


class TestNoSession:
    def quoted(self, world: World) -> tuple[int, int]:
        a, b = world["a"], world["b"]
        sealer = a.sessions.by_pair[a.address + b.address].sealer
        return sealer.index, sealer.counter

    def test_a_lie_costs_one_handshake_and_drops_nothing(self) -> None:
        world = World("a", "b")
        a, b = world.connected()
        world.run(10.0)
        index, counter = self.quoted(world)
        before = a.sessions.by_pair[a.address + b.address]
        world.rules.append(lambda packet: [] if packet[6] == MESHHS else [packet])
        for _ in range(50):
            a.sessions.nosession(b.id, NoSession(index, counter - 1), world.now)
        assert handshakes(world.carried) == [1]
        for _ in range(10):
            a.send(between(a, b))
        world.run(0.1)
        assert len(b.got()) == 10
        assert a.sessions.by_pair[a.address + b.address] is before
        world.run(30.0)
        for _ in range(50):
            a.sessions.nosession(b.id, NoSession(index, counter - 1), world.now)
            world.run(0.1)
        assert handshakes(world.carried).count(1) <= 1 + 6 + 6

    def test_what_was_not_sent_is_not_believed(self) -> None:
        world = World("a", "b", "c")
        a, b = world.connected()
        world.run(10.0)
        index, counter = self.quoted(world)
        a.sessions.nosession(b.id, NoSession(index ^ 1, counter - 1), world.now)
        a.sessions.nosession(b.id, NoSession(index, counter), world.now)
        a.sessions.nosession(b.id, NoSession(index, 2**32 - 5), world.now)
        a.sessions.nosession(world["c"].id, NoSession(index, counter - 1), world.now)
        a.sessions.by_pair[a.address + b.address].sealer.counter += 100_000
        a.sessions.nosession(b.id, NoSession(index, counter - 1), world.now)
        assert world.carried == []
        assert a.counters == {"end-nosession-quote": 5}

    def test_answers_are_few(self) -> None:
        """One a second to one node, 20 to all."""
        world = World("a", "b", "c")
        a, b = world.connected()
        a.reachable = False
        a.send(between(a, b))
        b.start()
        packet = sealed(world.carried)[-1]
        world.carried.clear()
        for _ in range(100):
            b.receive(packet)
        assert [packet[6] for packet in world.carried] == [MESHCTL]
        for number in range(100):
            b.receive(packet[:10] + number.to_bytes(14, "big") + packet[24:])
        assert len(world.carried) == 20
        world.run(1.0)
        b.receive(packet)
        assert [packet[6] for packet in world.carried].count(MESHCTL) == 21


def test_a_flood_of_handshakes() -> None:
    """What is sealed already goes on; who receives where it sends from gets in; memory stays small."""
    world = World("a", "b", "c")
    a, b = world.connected()
    c = world["c"]
    evil = Evil(world, b, stranger())
    body = evil.initiation(evil.payload())
    flood = [evil.init(body, source=number.to_bytes(14, "big")) for number in range(1500)]
    delivered = 0
    for second in range(3):
        for number in range(500):
            b.receive(flood[500 * second + number])
            if number % 50 == 0:
                a.send(between(a, b))
                world.run(0.1)
                delivered += len(b.got())
        if second == 1:
            c.send(between(c, b))
    world.run(2.0)
    delivered += len(b.got())
    assert delivered == 30 + 1
    assert END_COOKIE in handshakes(world.carried)
    assert len(b.sessions.by_index) <= 2
    assert (b.address + c.address) in b.sessions.by_pair


def test_a_flood_of_good_handshakes_leaves_few_sessions() -> None:
    """One key, ever new handshakes: four sessions a pair; many keys: 256 that are not proven."""
    world = World("a", "b")
    evil = Evil(world, world["b"], stranger())
    for _ in range(20):
        assert evil.begin(evil.payload()) is not None
    assert len(world["b"].sessions.by_index) == 4
    assert len(world["b"].sessions.table.unproven) <= MOST_UNPROVEN


def test_a_handshake_of_another_network() -> None:
    world = World("a", "b")
    a, b = world["a"], world["b"]
    b.env = replace(b.env, genesis=bytes(32))
    b.sessions._handshakes._door._prologue = b"meshp end 1" + bytes(32)
    a.send(between(a, b))
    world.run(4.0)
    assert b.counters["end-handshake-noise"] > 0
    assert not b.sessions.by_index


def test_the_payload_says_what_it_should() -> None:
    world = World("a", "b")
    a, b = world["a"], world["b"]
    a.mtu = 1400
    evil = Evil(world, b, stranger())
    finished = evil.begin(evil.payload(mtu=1333))
    assert finished is not None
    said = EndPayload.decode(finished.payload)
    assert said == EndPayload(b.key, evil.identity.address, b.address, 4, 1472, 5)
