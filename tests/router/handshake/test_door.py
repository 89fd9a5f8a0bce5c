"""The door under load: cookies, rates, and who is let in all the same."""

from contextlib import nullcontext
from random import Random

import pytest

from meshrouter.errors import WireError
from meshrouter.handshake import CookieReply, Door, Initiation, Offer
from meshrouter.handshake.door import FREE_BURST, MOST_RATE, MOST_SOURCES, SOURCE_BURST
from tests.router.handshake.kit import MINE, PROLOGUE, SOURCE, THEIRS, Exchange, payload
from tests.router.handshake.test_exchange import rule


def loaded(now: float = 0.0) -> Exchange:
    """A door whose free handshakes are used up."""
    exchange = Exchange()
    for _ in range(int(FREE_BURST)):
        exchange.offer(now=now)
    return exchange


def cookie(exchange: Exchange, source: bytes = SOURCE, now: float = 0.0) -> CookieReply:
    reply = exchange.door.consume(exchange.initiation.message(), source, now)
    assert isinstance(reply, CookieReply)
    return reply


def with_cookie(exchange: Exchange, source: bytes = SOURCE, now: float = 0.0) -> bytes:
    exchange.initiation.read_cookie(cookie(exchange, source, now).body)
    return exchange.initiation.message()


def test_under_load_a_cookie_comes_back_and_opens_the_door() -> None:
    exchange = loaded()
    reply = cookie(exchange)
    assert reply.remote_index == MINE
    assert len(reply.body) == 56 < len(exchange.initiation.message())
    exchange.initiation.read_cookie(reply.body)
    offer = exchange.offer(exchange.initiation.message())
    answer, send, _ = offer.answer(payload(exchange.b), THEIRS)
    assert exchange.initiation.finish(answer).receive == send


def test_the_load_passes() -> None:
    exchange = loaded()
    cookie(exchange)
    assert isinstance(exchange.door.consume(exchange.initiation.message(), SOURCE, 1.0), Offer)


def test_a_cookie_is_for_one_source() -> None:
    exchange = loaded()
    body = with_cookie(exchange)
    assert isinstance(exchange.door.consume(body, SOURCE + b"'", 0.0), CookieReply)
    assert isinstance(exchange.door.consume(body, SOURCE, 0.0), Offer)


def test_a_cookie_is_for_one_door() -> None:
    exchange, other = loaded(), loaded()
    other.door = Door(other.b, PROLOGUE, Random(99))
    body = with_cookie(exchange)
    for _ in range(int(FREE_BURST)):
        other.door.consume(other.initiation.message(), SOURCE, 0.0)
    assert isinstance(other.door.consume(body, SOURCE, 0.0), CookieReply)


def test_a_changed_mac2_is_worthnullcontext() -> None:
    exchange = loaded()
    body = with_cookie(exchange)
    for at in range(len(body) - 16, len(body)):
        changed = body[:at] + bytes((body[at] ^ 1,)) + body[at + 1 :]
        assert isinstance(exchange.door.consume(changed, SOURCE, 0.0), CookieReply)


@pytest.mark.parametrize("story", [((119.0, True), (200.0, True), (361.0, False)), ((1000.0, False),)])
def test_cookies_grow_old(story: tuple[tuple[float, bool], ...]) -> None:
    exchange = loaded()
    body = with_cookie(exchange)
    stranger = Exchange().initiation.message()
    for now, holds in story:
        while isinstance(exchange.door.consume(stranger, SOURCE, now), Offer):
            pass
        assert isinstance(exchange.door.consume(body, SOURCE, now), Offer) is holds


def test_a_forged_cookie_changesnullcontext() -> None:
    exchange = loaded()
    reply = cookie(exchange)
    before = exchange.initiation.message()
    for at in range(len(reply.body)):
        changed = reply.body[:at] + bytes((reply.body[at] ^ 1,)) + reply.body[at + 1 :]
        assert rule(exchange.initiation.read_cookie, changed) == "cookie-tag"
    for size in range(56):
        assert rule(exchange.initiation.read_cookie, reply.body[:size]) == "wire-size"
    assert exchange.initiation.message() == before


def test_a_cookie_is_bound_to_the_message_it_answers() -> None:
    exchange = loaded()
    reply = cookie(exchange)
    other = Initiation(exchange.a, exchange.b.key, PROLOGUE, payload(exchange.a), MINE, Random(5))
    assert rule(other.read_cookie, reply.body) == "cookie-tag"


def test_one_source_has_a_rate_of_its_own() -> None:
    exchange = loaded()
    body = with_cookie(exchange)
    for _ in range(int(SOURCE_BURST)):
        assert isinstance(exchange.door.consume(body, SOURCE, 0.0), Offer)
    assert rule(exchange.door.consume, body, SOURCE, 0.0) == "handshake-rate"
    other = b"another source"
    assert isinstance(exchange.door.consume(with_cookie(exchange, other), other, 0.0), Offer)


def test_all_sources_together_have_a_rate_and_those_known_are_not_in_it() -> None:
    exchange = loaded()
    for i in range(int(MOST_RATE)):
        source = b"source %d" % i
        assert isinstance(exchange.door.consume(with_cookie(exchange, source), source, 0.0), Offer)
    body = with_cookie(exchange, b"one more")
    assert rule(exchange.door.consume, body, b"one more", 0.0) == "handshake-rate"
    known = exchange.door.consume(with_cookie(exchange, b"known"), b"known", 0.0, known=lambda: True)
    assert isinstance(known, Offer)


def test_sources_remembered_are_bounded() -> None:
    exchange = loaded()
    for i in range(MOST_SOURCES + 50):
        source = b"%d" % i
        with pytest.raises(WireError) if i >= MOST_RATE else nullcontext():
            exchange.door.consume(with_cookie(exchange, source), source, 0.0)
    assert len(exchange.door._sources) == MOST_SOURCES
