"""Tickets, probes, reports, echoes as bytes: both ways, and every refusal."""

from contextlib import suppress
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshchain.crypto import ed25519_public_key, verify_ed25519
from meshrouter.errors import WireError
from meshrouter.identity import Identity
from meshrouter.links.link import Medium
from meshrouter.trace.echo import Echo, EchoReply
from meshrouter.trace.probe import Probe
from meshrouter.trace.report import Report, RunnerUp, Side, SignedReport
from meshrouter.trace.ticket import Ticket

ME = Identity.from_seed(b"m" * 32)
KEYS = [ed25519_public_key(bytes([n]) * 32) for n in range(4)]
GENESIS = b"g" * 32
TICKET = Ticket.make(ME, GENESIS, b"n" * 16, b"t" * 14, 77, 1)


def u(bits: int) -> st.SearchStrategy[int]:
    return st.integers(0, 2**bits - 1)


def raw(size: int) -> st.SearchStrategy[bytes]:
    return st.binary(min_size=size, max_size=size)


MICROSECONDS = st.integers(0, 2**50).map(lambda n: n / 1e6)
SIDES = st.builds(
    Side, key=st.sampled_from(KEYS), medium=st.sampled_from(Medium), cost=u(16),
    rtt=st.none() | st.integers(0, 2**32 - 2).map(lambda n: n / 1e6), loss=u(16).map(lambda n: n / 0xFFFF),
    queue_ms=u(16), mtu=u(16),
)  # fmt: skip
TEXTS = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=12)
REPORTS = st.builds(
    Report, nonce=raw(16), direction=st.sampled_from((0, 1)), previous=raw(32), key=st.just(ME.key), hop_limit=u(8),
    ends=st.booleans(), height=u(32), zone=u(16), ingress=st.none() | SIDES, egress=st.none() | SIDES, metric=u(16),
    runner_up=st.none() | st.builds(RunnerUp, raw(14), u(16), TEXTS), received=MICROSECONDS, sent=MICROSECONDS,
    version=TEXTS,
)  # fmt: skip


@given(REPORTS)
def test_reports_both_ways(report: Report) -> None:
    signed = report.signed_by(ME)
    encoded = signed.encode()
    assert len(encoded) == SignedReport.SIZE == 313
    assert SignedReport.decode(encoded) == signed
    assert SignedReport.decode(encoded).holds(verify_ed25519)


def a_report() -> Report:
    side = Side(KEYS[0], Medium.UDP, 96, 0.002, 0.25, 3, 1472)
    return Report(
        nonce=b"n" * 16, direction=0, previous=b"p" * 32, key=ME.key, hop_limit=64, ends=False, height=9, zone=1,
        ingress=side, egress=side, metric=96, runner_up=RunnerUp(b"r" * 14, 200, "dearer"), received=1.5, sent=1.75,
        version="0.1.0",
    )  # fmt: skip


def test_every_bit_of_a_report_is_signed() -> None:
    encoded = a_report().signed_by(ME).encode()
    for position in range(8 * len(encoded)):
        flipped = bytearray(encoded)
        flipped[position // 8] ^= 1 << position % 8
        try:
            signed = SignedReport.decode(bytes(flipped))
        except WireError:
            continue
        assert not signed.holds(verify_ed25519), position


@pytest.mark.parametrize(
    ("at", "value", "code"),
    [
        (16, b"\2", "report-direction"),
        (82, b"\x16", "report-form"),
        (89 + 32, b"\0", "report-medium"),
        (89 + 32, b"\5", "report-medium"),
        (82, b"\x04", "report-form"),
        (197, b"\x1b", "report-text"),
        (237, b"\xff", "report-text"),
        (198, b"\0", "report-text"),
    ],
)
def test_reports_that_are_refused(at: int, value: bytes, code: str) -> None:
    encoded = a_report().signed_by(ME).encode()
    with pytest.raises(WireError) as refused:
        SignedReport.decode(encoded[:at] + value + encoded[at + len(value) :])
    assert refused.value.code == code


@given(st.binary(max_size=400))
def test_anything_else_is_a_wire_error(data: bytes) -> None:
    for cls in (SignedReport, Probe, Ticket, Echo, EchoReply):
        with suppress(WireError):
            cls.decode(data)


def test_tickets() -> None:
    assert Ticket.decode(TICKET.encode()) == TICKET
    assert len(TICKET.encode()) == 131
    assert TICKET.prober == ME.id
    assert TICKET.holds(GENESIS, verify_ed25519)
    assert not TICKET.holds(b"h" * 32, verify_ed25519), "another network"
    others = (
        replace(TICKET, nonce=b"o" * 16), replace(TICKET, key=KEYS[0]), replace(TICKET, target=b"u" * 14),
        replace(TICKET, height=78), replace(TICKET, flags=0),
    )  # fmt: skip
    assert not any(other.holds(GENESIS, verify_ed25519) for other in others)


def test_probes() -> None:
    probe = Probe(1, b"p" * 32, TICKET)
    encoded = probe.encode()
    assert len(encoded) == 313
    assert Probe.decode(encoded) == probe
    assert probe.ends == (b"t" * 14, ME.id)
    assert replace(probe, direction=0).ends == (ME.id, b"t" * 14)
    broken = [(0, b"\0", "probe-mode"), (1, b"\2", "probe-direction"), (312, b"\1", "probe-padding")]
    for at, value, code in [*broken, (34 + 66, b"\2", "probe-flags")]:
        with pytest.raises(WireError) as refused:
            Probe.decode(encoded[:at] + value + encoded[at + 1 :])
        assert refused.value.code == code


def test_echoes() -> None:
    echo = Echo(b"12345678", 65535, Random(1).randbytes(30))
    assert Echo.decode(echo.encode()) == echo
    reply = echo.reply(61)
    assert EchoReply.decode(reply.encode()) == reply
    assert (reply.token, reply.seq, reply.hop_limit, reply.filling) == (echo.token, 65535, 61, echo.filling)
