"""Both sides of a handshake, and everything that must not pass for one."""

from hashlib import blake2s
from random import Random

import pytest

from meshchain.crypto import x25519_public_from_ed25519
from meshrouter.errors import WireError
from meshrouter.handshake import Door, Initiation, Offer
from meshrouter.handshake.macs import mac, mac1_key
from meshrouter.identity import Identity
from tests.router.handshake.kit import MINE, PROLOGUE, SOURCE, THEIRS, Exchange, identity, minus, payload, turned


def rule(call: object, *arguments: object) -> str:
    """Which rule refuses."""
    with pytest.raises(WireError) as caught:
        call(*arguments)  # type: ignore[operator]
    return caught.value.code


def remade(body: bytes, responder: Identity) -> bytes:
    """The same Noise message with a mac1 for ``responder``."""
    return body[:-32] + mac(mac1_key(responder.id), body[:-32]) + bytes(16)


def test_both_sides_have_the_same_keys_and_know_each_other() -> None:
    exchange = Exchange()
    offer = exchange.offer()
    assert (offer.key, offer.payload, offer.remote_index) == (exchange.a.key, payload(exchange.a), MINE)
    body, send, receive = offer.answer(payload(exchange.b), THEIRS)
    done = exchange.initiation.finish(body)
    assert (done.payload, done.remote_index) == (payload(exchange.b), THEIRS)
    assert (done.send, done.receive) == (receive, send)
    assert send != receive


def test_sizes_and_codes_are_those_of_the_protocol() -> None:
    exchange = Exchange()
    body = exchange.initiation.message()
    assert len(body) == 172
    key = blake2s(b"mac1" + exchange.b.id).digest()
    assert body[:4] == MINE.to_bytes(4, "big")
    assert body[-32:-16] == blake2s(body[:-32], key=key, digest_size=16).digest()
    assert body[-16:] == bytes(16)
    answer, _, _ = exchange.offer().answer(payload(exchange.b), THEIRS)
    assert len(answer) == 124
    assert answer[-32:-16] == blake2s(answer[:-32], key=key, digest_size=16).digest()


def test_a_message_is_made_once_and_repeated_as_it_is() -> None:
    exchange = Exchange()
    assert exchange.initiation.message() == exchange.initiation.message()
    assert exchange.initiation.message(b"c" * 16)[:-16] == exchange.initiation.message()[:-16]
    assert exchange.initiation.message(b"c" * 16)[-16:] != bytes(16)
    assert exchange.offer().ephemeral == exchange.offer().ephemeral == exchange.initiation.message()[4:36]


def test_no_changed_first_message_passes_even_with_a_new_mac() -> None:
    exchange = Exchange()
    body = exchange.initiation.message()
    for at in range(len(body) - 16):
        changed = body[:at] + bytes((body[at] ^ 1,)) + body[at + 1 :]
        assert rule(exchange.door.consume, changed, SOURCE, at * 10.0) == "handshake-mac1"
    for at in range(4, len(body) - 32, 7):
        changed = remade(body[:at] + bytes((body[at] ^ 1,)) + body[at + 1 :], exchange.b)
        assert rule(exchange.door.consume, changed, SOURCE, 1e4 + at) == "handshake-noise"


def test_no_changed_answer_passes_and_the_true_one_does_after_them() -> None:
    exchange = Exchange()
    body, _, receive = exchange.offer().answer(payload(exchange.b), THEIRS)
    for at in range(len(body) - 16):
        changed = body[:at] + bytes((body[at] ^ 1,)) + body[at + 1 :]
        assert rule(exchange.initiation.finish, changed) == "handshake-mac1"
    for at in range(4, len(body) - 32, 7):
        changed = remade(body[:at] + bytes((body[at] ^ 1,)) + body[at + 1 :], exchange.b)
        assert rule(exchange.initiation.finish, changed) == "handshake-noise"
    assert exchange.initiation.finish(body).send == receive


def test_no_other_size_passes() -> None:
    exchange = Exchange()
    body = exchange.initiation.message()
    answer, _, _ = exchange.offer().answer(payload(exchange.b), THEIRS)
    for size in (*range(len(body)), len(body) + 1, 5000):
        assert rule(exchange.door.consume, body.ljust(size, b"x")[:size], SOURCE, 0.0) in {
            "wire-size",
            "handshake-mac1",
        }
    for size in (*range(len(answer)), len(answer) + 1, 5000):
        assert rule(exchange.initiation.finish, answer.ljust(size, b"x")[:size]) in {"wire-size", "handshake-mac1"}


def test_an_answer_serves_once() -> None:
    exchange = Exchange()
    body, _, _ = exchange.offer().answer(payload(exchange.b), THEIRS)
    exchange.initiation.finish(body)
    assert rule(exchange.initiation.finish, body) == "handshake-over"


def test_an_answer_to_another_handshake_is_none() -> None:
    first, second = Exchange(1), Exchange(2)
    body, _, _ = first.offer().answer(payload(first.b), THEIRS)
    assert rule(second.initiation.finish, body) == "handshake-noise"


def test_networks_and_purposes_do_not_mix() -> None:
    exchange = Exchange()
    for prologue in (b"meshp end 1" + PROLOGUE[12:], PROLOGUE[:-1] + b"x", b""):
        door = Door(exchange.b, prologue, Random(0))
        assert rule(door.consume, exchange.initiation.message(), SOURCE, 0.0) == "handshake-noise"


def test_a_message_for_somebody_else_is_dropped_by_its_mac() -> None:
    other = Door(identity("c"), PROLOGUE, Random(0))
    assert rule(other.consume, Exchange().initiation.message(), SOURCE, 0.0) == "handshake-mac1"


def test_the_key_named_must_be_that_of_the_maker() -> None:
    exchange = Exchange()
    for named in (payload(identity("c")), bytes(40), b"\xff" * 40, minus(identity("c").key) + bytes(8)):
        liar = Initiation(exchange.a, exchange.b.key, PROLOGUE, named, MINE, Random(0))
        assert rule(exchange.door.consume, liar.message(), SOURCE, 0.0) == "handshake-key"


def test_an_answer_from_minus_the_key_is_refused() -> None:
    """Who looks for A must not find −A, and cannot tell them apart by the X25519 key."""
    exchange = Exchange()
    sought = turned(exchange.b)
    assert x25519_public_from_ed25519(sought.key) == x25519_public_from_ed25519(exchange.b.key)
    initiation = Initiation(exchange.a, sought.key, PROLOGUE, payload(exchange.a), MINE, Random(0))
    assert rule(exchange.door.consume, initiation.message(), SOURCE, 0.0) == "handshake-mac1"
    offer = exchange.door.consume(remade(initiation.message(), exchange.b), SOURCE, 0.0)
    assert isinstance(offer, Offer)
    answer, _, _ = offer.answer(payload(exchange.b), THEIRS)
    assert rule(initiation.finish, remade(answer, sought)) == "handshake-key"
    assert rule(initiation.finish, remade(answer, sought)) == "handshake-over"


def test_minus_the_key_is_another_name_for_the_responder() -> None:
    exchange = Exchange()
    other = turned(exchange.a)
    initiation = Initiation(other, exchange.b.key, PROLOGUE, payload(other), MINE, Random(0))
    assert exchange.offer(initiation.message()).key == minus(exchange.a.key)


def test_a_node_does_not_meet_itself() -> None:
    exchange = Exchange()
    assert rule(Initiation, exchange.b, exchange.b.key, PROLOGUE, b"", 1, Random(0)) == "handshake-key"
    echo = Initiation(exchange.a, exchange.b.key, PROLOGUE, payload(exchange.b), MINE, Random(0))
    assert rule(exchange.door.consume, echo.message(), SOURCE, 0.0) == "handshake-key"
    mirror = Initiation(turned(exchange.b), exchange.b.key, PROLOGUE, payload(exchange.b), MINE, Random(0))
    assert rule(exchange.door.consume, mirror.message(), SOURCE, 0.0) == "handshake-key"


@pytest.mark.parametrize("key", [bytes(32), b"\x01" + bytes(31), b"\xff" * 32, b"\x02" + bytes(31)])
def test_what_is_no_key_is_not_looked_for(key: bytes) -> None:
    assert rule(Initiation, identity("a"), key, PROLOGUE, b"", 1, Random(0)) == "handshake-key"


def test_secrets_are_not_shown() -> None:
    done, _, _ = Exchange().finished()
    assert done.send.hex() not in repr(done)
    assert repr(done.send) not in repr(done)
