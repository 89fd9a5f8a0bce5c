"""RFC 8906 §8: how a server that does not know something says so; and truncation, cookies, rate limits."""

import dns.edns
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meshchain.dns.cookies import Cookies
from meshchain.dns.engine import Engine
from meshchain.dns.ratelimit import BURST, Leave, RateLimit
from tests.dns.lab import ask

LONG = f"{'n' * 60}.alice.mesh"


def send(server: Engine, query: dns.message.Message, source: str = "127.0.0.1") -> dns.message.Message:
    answer = server.udp(query.to_wire(), source)
    assert answer
    return dns.message.from_wire(answer)


def query(kind: str = "SOA", **options: object) -> dns.message.QueryMessage:
    return dns.message.make_query("mesh", kind, **options)  # type: ignore[arg-type]


def test_plain_dns_gets_plain_dns(server: Engine) -> None:
    message = send(server, query(use_edns=False))
    assert (message.rcode(), message.edns, bool(message.answer)) == (dns.rcode.NOERROR, -1, True)
    assert message.flags & dns.flags.AA
    assert message.flags & dns.flags.RD


def test_an_unknown_type_is_no_data(server: Engine) -> None:
    message = send(server, query("TYPE1000"))
    assert (message.rcode(), message.answer) == (dns.rcode.NOERROR, [])


@pytest.mark.parametrize("bit", [0x40, dns.flags.AD, dns.flags.CD])
def test_bits_for_others_are_not_echoed(server: Engine, bit: int) -> None:
    asked = query(use_edns=False)
    asked.flags |= bit
    message = send(server, asked)
    assert message.answer
    assert not message.flags & bit


@pytest.mark.parametrize("with_question", [True, False])
def test_an_unknown_opcode(server: Engine, with_question: bool) -> None:
    wire = bytearray(query(use_edns=False).to_wire())
    wire[2] = 15 << 3
    if not with_question:
        wire[4:] = bytes(8)
    answer = server.udp(bytes(wire), "127.0.0.1")
    assert answer is not None
    assert (answer[2], answer[3] & 0xF, answer[4:]) == (0x80 | 15 << 3, dns.rcode.NOTIMP, bytes(8))


def test_edns(server: Engine) -> None:
    message = send(server, query(use_edns=0, payload=1400))
    assert (message.edns, message.payload, bool(message.answer)) == (0, 1232, True)


def test_a_later_version_of_edns(server: Engine) -> None:
    nothing: list[dns.edns.Option] = []
    for options in (nothing, [*nothing, dns.edns.GenericOption(dns.edns.OptionType.make(100), b"x")]):
        asked = query()
        asked.use_edns(1, dns.flags.DO, options=options)
        message = send(server, asked)
        assert (message.rcode(), message.edns, message.answer) == (dns.rcode.BADVERS, 0, [])
        assert message.ednsflags & dns.flags.DO


def test_unknown_options_and_flags_are_ignored(server: Engine) -> None:
    message = send(
        server, query(use_edns=0, options=[dns.edns.GenericOption(dns.edns.OptionType.make(100), b"x")], ednsflags=0x40)
    )
    assert message.answer
    assert (message.options, message.ednsflags & 0xFFFF) == ((), 0)


def test_several_known_options_together(server: Engine) -> None:
    options = [
        dns.edns.GenericOption(dns.edns.OptionType.make(3), b""),
        dns.edns.ECSOption("192.0.2.0", 24),
        dns.edns.GenericOption(dns.edns.OptionType.make(9), b""),
    ]
    assert send(server, query(use_edns=0, options=options)).answer


def test_what_does_not_fit_is_cut_and_says_so(server: Engine) -> None:
    message = send(server, dns.message.make_query(LONG, "A", want_dnssec=True, payload=512))
    assert message.flags & dns.flags.TC
    assert (message.edns, message.ednsflags & dns.flags.DO, message.authority) == (0, dns.flags.DO, [])
    whole = server.stream(dns.message.make_query(LONG, "A", want_dnssec=True, payload=512).to_wire(), "::1")
    assert whole is not None
    assert dns.message.from_wire(whole).authority


def test_transfers_are_not_for_udp(server: Engine) -> None:
    assert send(server, query("AXFR")).rcode() == dns.rcode.REFUSED


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=80))
def test_any_bytes_get_an_answer_that_can_be_read_or_none(server: Engine, packet: bytes) -> None:
    for bytes_ in (packet, packet[:2] + b"\1\0\0\1\0\0\0\0\0\0" + packet):
        answer = server.udp(bytes_, "127.0.0.1")
        if answer:
            dns.message.from_wire(answer, question_only=True)
            assert answer[:2] == bytes_[:2]
            assert len(answer) <= 1232


@pytest.fixture
def cookies() -> Cookies:
    return Cookies(bytes(32))


def test_a_cookie_is_for_one_address_and_an_hour(cookies: Cookies) -> None:
    cookie = cookies.make(b"client01", "192.0.2.1", 10_000)
    assert cookie[:8] == b"client01"
    assert cookies.verify(cookie, "192.0.2.1", 10_000 + 3600)
    assert not cookies.verify(cookie, "192.0.2.2", 10_000)
    assert not cookies.verify(cookie, "192.0.2.1", 10_000 + 3601)
    assert not cookies.verify(cookie[:-1] + b"\0", "192.0.2.1", 10_000) or cookie.endswith(b"\0")
    assert not cookies.verify(cookie[:8], "192.0.2.1", 10_000)


def test_strangers_are_answered_at_a_bounded_rate_until_they_show_a_cookie(server: Engine) -> None:
    packet = dns.message.make_query("alice.mesh", "TXT", use_edns=0).to_wire()
    replies = [server.udp(packet, "203.0.113.7") for _ in range(int(BURST) + 20)]
    assert all(reply is not None and len(reply) > len(packet) for reply in replies[: int(BURST)])
    rest = replies[int(BURST) :]
    assert [reply is None for reply in rest] == [False, True] * 10
    assert all(reply is None or len(reply) <= len(packet) for reply in rest), "nothing is amplified"
    given = dns.message.make_query("alice.mesh", "TXT", options=[dns.edns.CookieOption(b"client01", b"")])
    told = server.stream(given.to_wire(), "203.0.113.7")
    assert told is not None
    own = dns.message.from_wire(told).options[0]
    shown = dns.message.make_query("alice.mesh", "TXT", options=[own])
    assert all(send(server, shown, "203.0.113.7").answer for _ in range(200))
    assert ask(server, "alice.mesh", "TXT", source="203.0.114.7").answer, "another network"


def test_the_rate_recovers() -> None:
    rates = RateLimit()
    assert [rates.ask("2001:db8::1", 0) for _ in range(int(BURST))] == [Leave.ANSWER] * int(BURST)
    assert rates.ask("2001:db8::2", 0) is Leave.TRUNCATE
    assert rates.ask("2001:db8:0:0100::", 0) is Leave.ANSWER
    assert rates.ask("2001:db8::3", 1) is Leave.ANSWER
