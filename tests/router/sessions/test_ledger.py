"""Claimed addresses, and blocks that take them away."""

from dataclasses import replace

import pytest

from meshrouter.directory import Role
from meshrouter.sessions import handshakes as handshakes_module
from meshrouter.sessions.pending import WAIT
from tests.router.offload.packets import Segment
from tests.router.sessions.world import Host, World, between, handshakes, sealed

BEEF = bytes.fromhex("eeee000000000000000000000000beef")
CAFE = bytes.fromhex("eeee000000000000000000000000cafe")


def to(source: Host, own: bytes, other: bytes, payload: bytes = b"hello") -> Segment:
    return replace(between(source, source, payload), source=own, destination=other)


def claimed() -> tuple[World, Host, Host]:
    """A session between two claimed addresses, both ways."""
    world = World("a", "b", "c")
    a, b = world["a"], world["b"]
    world.claim(CAFE, a)
    world.claim(BEEF, b)
    a.send(to(a, CAFE, BEEF))
    world.run(1.0)
    b.send(to(b, BEEF, CAFE))
    world.run(1.0)
    assert [packet[8:40] for packet in b.got()] == [CAFE + BEEF]
    assert [packet[8:40] for packet in a.got()] == [BEEF + CAFE]
    assert handshakes(world.carried) == [1, 2]
    world.carried.clear()
    return world, a, b


def test_claimed_addresses_at_both_ends() -> None:
    """On the wire there are the derived ids only, one session a pair."""
    world, a, b = claimed()
    a.send(to(a, CAFE, BEEF))
    (packet,) = world.carried
    assert packet[8:40] == bytes(2) + a.id + bytes(2) + b.id
    a.send(between(a, b))
    a.send(to(a, CAFE, b.address))
    world.run(1.0)
    assert sorted(packet[8:40] for packet in b.got()) == sorted((CAFE + BEEF, a.address + b.address, CAFE + b.address))
    assert len(a.sessions.by_pair) == 3


def test_the_ledger_takes_its_time() -> None:
    world = World("a", "b")
    world.ledger_delay = 1.0
    a, b = world["a"], world["b"]
    world.claim(CAFE, a)
    world.claim(BEEF, b)
    a.send(to(a, CAFE, BEEF))
    world.run(0.9)
    assert world.carried == []
    world.run(1.5)
    assert len(b.got()) == 1


def test_the_ledger_says_nothing() -> None:
    world = World("a", "b")
    world.ledger_delay = None
    a = world["a"]
    world.claim(BEEF, world["b"])
    a.send(to(a, a.address, BEEF))
    world.run(WAIT + 0.1)
    assert a.complaints() == [(1, 3)]
    assert world.carried == []


def test_nobody_holds_the_address() -> None:
    world = World("a", "b")
    a = world["a"]
    a.send(to(a, a.address, BEEF))
    world.run(0.2)
    assert a.complaints() == [(1, 3)]
    a.send(to(a, a.address, BEEF))
    assert a.complaints() == [(1, 3)]


def test_a_transfer_closes_sessions_at_once_at_both_ends() -> None:
    world, a, b = claimed()
    c = world["c"]
    before = a.sessions.by_pair[CAFE + BEEF]
    world.claim(BEEF, c)
    assert not a.sessions.by_pair
    assert not b.sessions.by_pair
    text = before.seal(b"\x3a\x80" + bytes(7), 6 << 28, 33, 64)
    b.sessions.meshsec(text, world.now)
    assert b.got() == []
    a.send(to(a, CAFE, BEEF))
    world.run(1.0)
    assert b.got() == []
    assert [packet[8:40] for packet in c.got()] == [CAFE + BEEF]
    b.send(to(b, BEEF, CAFE))
    assert b.counters["end-source"] == 1
    b.send(between(b, a))
    world.run(1.0)
    assert len(a.got()) == 1  # as a guest it goes on, by its derived address


def test_a_transfer_in_the_middle_of_a_handshake() -> None:
    world = World("a", "b", "c")
    a, b, c = world["a"], world["b"], world["c"]
    world.claim(BEEF, b)
    a.send(to(a, a.address, BEEF))
    world.run(0.11)
    assert handshakes(world.carried) == [1]
    world.claim(BEEF, c)
    world.run(1.0)
    assert not a.sessions.by_pair
    a.send(to(a, a.address, BEEF))
    world.run(1.0)
    assert b.got() == []
    assert len(c.got()) >= 1


def test_the_holder_changes_and_comes_by_itself() -> None:
    """The new holder begins before we have sent anything."""
    world, a, b = claimed()
    c = world["c"]
    world.claim(BEEF, c)
    c.send(to(c, BEEF, CAFE))
    world.run(1.0)
    assert len(a.got()) == 1
    assert a.sessions.by_pair[CAFE + BEEF].pair.key == c.key
    b.sessions.set_own_addresses((BEEF, b.address))  # as if it had not heard of it
    b.directory.told_holder(BEEF, b.key)
    b.send(to(b, BEEF, CAFE))
    world.run(1.0)
    assert a.got() == []
    assert a.counters["end-handshake-claim"] >= 1
    assert a.sessions.by_pair[CAFE + BEEF].pair.key == c.key


def test_an_answer_after_a_transfer_of_which_we_were_not_told() -> None:
    """The ledger is asked again before an answer is taken for good."""
    world = World("a", "b", "c")
    a, b, c = world["a"], world["b"], world["c"]
    world.claim(BEEF, b)
    a.send(to(a, a.address, BEEF))
    world.run(0.11)
    assert handshakes(world.carried) == [1]
    a.directory.on_holder = lambda _address, _key: None
    b.sessions.handshake(world.carried[0], world.now)
    a.directory.told_holder(BEEF, c.key)
    world.run(0.05)
    assert a.counters["end-handshake-claim"] == 1
    assert not a.sessions.by_index


def test_a_new_holder_ends_what_the_old_one_had() -> None:
    """Though nobody has said so to the machine before."""
    world, a, b = claimed()
    c = world["c"]
    old = a.sessions.by_pair[CAFE + BEEF]
    a.directory.on_holder = lambda _address, _key: None
    world.claim(BEEF, c)
    assert old.index in a.sessions.by_index
    c.send(to(c, BEEF, CAFE))
    world.run(1.0)
    assert len(a.got()) == 1
    assert old.index not in a.sessions.by_index
    assert a.sessions.by_pair[CAFE + BEEF].pair.key == c.key
    assert b.id != c.id


def test_an_address_without_a_holder_any_more() -> None:
    world, a, _ = claimed()
    world.claim(BEEF, None)
    assert not a.sessions.by_pair
    a.send(to(a, CAFE, BEEF))
    assert a.complaints() == [(1, 3)]


def test_a_revoked_key_loses_all_its_sessions_at_once() -> None:
    world, a, b = claimed()
    a.send(between(a, b))
    world.run(1.0)
    b.got()
    old = a.sessions.by_pair[a.address + b.address]
    world.give(b.key, Role.BARRED)
    assert not a.sessions.by_index
    b.send(between(b, a))
    world.run(0.1)
    assert a.got() == []
    a.sessions.meshsec(old.seal(b"x", 6 << 28, 25, 64), world.now)
    a.send(between(a, b))
    assert a.complaints()[-1:] == [(1, 3)]
    world.run(20.0)
    assert not a.sessions.by_index
    assert a.counters["end-handshake-claim"] > 0
    world.give(b.key, Role.GUEST)
    a.send(between(a, b))
    world.run(1.0)
    assert len(b.got()) >= 1


def test_changes_that_do_not_concern_a_session_leave_it() -> None:
    world, a, b = claimed()
    current = a.sessions.by_pair[CAFE + BEEF]
    world.give(b.key, Role.MEMBER)
    world.give(b.key, Role.GUEST)
    world.claim(bytes.fromhex("eeee0000000000000000000000000001"), world["c"])
    assert a.sessions.by_pair[CAFE + BEEF] is current
    b.send(to(b, BEEF, CAFE))
    world.run(0.1)
    assert len(a.got()) == 1
    assert handshakes(world.carried) == []


def test_an_offer_waits_for_the_ledger() -> None:
    """The answerer has to ask, too; what it hears late it answers late."""
    world = World("a", "b")
    a, b = world["a"], world["b"]
    world.claim(CAFE, a)
    a.send(to(a, CAFE, b.address))
    world.run(0.1)
    assert handshakes(world.carried) == [1]
    assert not b.sessions.by_index
    world.run(0.1)
    assert handshakes(world.carried) == [1, 2]
    assert len(b.got()) == 1


def test_offers_that_wait_are_few_and_not_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handshakes_module, "MOST_OFFERS", 5)
    world = World("b", *(f"x{number}" for number in range(8)))
    world.ledger_delay = None
    b = world["b"]
    for number in range(8):
        host = world[f"x{number}"]
        address = BEEF[:14] + number.to_bytes(2, "big")
        host.sessions.set_own_addresses((address,))
        host.send(to(host, address, b.address))
        world.run(0.03)
        host.reachable = False
    assert len(b.sessions._handshakes._waiting) == 5
    world.run(6.0)
    assert b.counters["end-handshake-unanswered"] == 5
    assert not b.sessions._handshakes._waiting
    assert not b.sessions.by_index


def test_the_directory_goes_on_watching_who_has_a_session() -> None:
    """What nobody asks for is forgotten, and its changes are not told: a session must keep asking."""
    world, a, b = claimed()
    for number in range(200):
        a.send(to(a, CAFE, BEEF))
        world.run(1.0)
        b.got()
        if number == 130:  # after a renewal, and long before the next
            for table in (a.directory._bindings, a.directory._holders):
                table.pop(b.key, None)
                table.pop(BEEF, None)
    assert a.directory.is_answered(BEEF)
    assert a.directory.is_answered(b.key)
    assert len(sealed(world.carried)) >= 200
