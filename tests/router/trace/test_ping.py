"""Ping: echoes through sessions."""

import pytest

from meshrouter.errors import LocalError
from meshrouter.trace.echo import Echo
from meshrouter.wire import meshctl
from tests.router.trace.kit import Traced

LINE = ("ab", "bc", "cd")


def test_there_and_back() -> None:
    traced = Traced(*LINE)
    result = traced.ping("a", "d", seq=7)
    assert result.problem == ""
    assert result.round_trip == pytest.approx(0.006)
    assert (result.seq, result.size, result.hops_there, result.hops_back) == (7, 56, 3, 3)


def test_no_answer() -> None:
    traced = Traced(*LINE)
    traced.net["d"].delivered = lambda packet: None
    result = traced.ping("a", "d")
    assert (result.problem, result.round_trip) == ("timeout", None)
    assert traced.net.now == 2.0


def test_an_icmpv6_error_ends_it_at_once() -> None:
    traced = Traced("ab", "cd")
    sent: list[bytes] = []
    source, target = (traced.net[name].env.identity.address for name in "ad")
    traced.tracers["a"]._echoes._send = lambda packet, now: sent.append(packet)
    traced.tracers["a"].ping(source, target, 0.0, timeout=2.0)
    error = bytes([0x60, 0, 0, 0, 0, 99, 58, 64]) + source + source + bytes([1, 0, 0, 0, 0, 0, 0, 0]) + sent[0]
    assert traced.tracers["a"].delivered(error, 0.1)
    (result,) = traced.results
    assert getattr(result, "problem", None) == "unreachable"
    other = error.replace(bytes([226, 64]), bytes([17, 64]))
    assert not traced.tracers["a"].delivered(other, 0.1), "an error about a datagram is the TUN's"


def test_an_answer_from_elsewhere_is_none() -> None:
    traced = Traced(*LINE)
    sent: list[bytes] = []
    a, b = (traced.net[name].env.identity.address for name in "ab")
    d = traced.net["d"].env.identity.address
    traced.tracers["a"]._echoes._send = lambda packet, now: sent.append(packet)
    traced.tracers["a"].ping(a, d, 0.0, timeout=2.0)
    echo = Echo.decode(sent[0][41:])
    payload = meshctl.encode(echo.reply(64))
    head = bytes([0x60, 0, 0, 0]) + len(payload).to_bytes(2, "big") + bytes([226, 64])
    assert traced.tracers["a"].delivered(head + b + a + payload, 0.1)
    assert traced.results == []
    assert traced.tracers["a"].delivered(head + d + a + payload, 0.1)
    assert len(traced.results) == 1


def test_echoes_are_answered_within_a_budget() -> None:
    traced = Traced("ab")
    a, b = (traced.net[name].env.identity.address for name in "ab")
    payload = meshctl.encode(Echo(bytes(8), 1))
    packet = bytes([0x60, 0, 0, 0]) + len(payload).to_bytes(2, "big") + bytes([226, 64]) + a + b + payload
    for _ in range(1500):
        traced.tracers["b"].delivered(packet, 0.0)
    assert len(traced.net.events) == 1000
    assert traced.net["b"].env.counters["trace-budget"] == 500


def test_malformed_echoes_cost_a_counter() -> None:
    traced = Traced("ab")
    a, b = (traced.net[name].env.identity.address for name in "ab")
    for payload in (b"", b"\3", b"\3\1" + bytes(10), b"\4" + bytes(11), b"\7" * 20):
        packet = bytes([0x60, 0, 0, 0]) + len(payload).to_bytes(2, "big") + bytes([226, 64]) + a + b + payload
        assert traced.tracers["b"].delivered(packet, 0.0)
    assert sum(traced.net["b"].env.counters.values()) == 5
    assert not traced.tracers["b"].delivered(b"\x60" + bytes(20), 0.0)


def test_a_bound_on_pings_under_way() -> None:
    traced = Traced("ab")
    a, b = (traced.net[name].env.identity.address for name in "ab")
    for _ in range(64):
        traced.tracers["a"].ping(a, b, 0.0, timeout=2.0)
    with pytest.raises(LocalError, match="64 pings"):
        traced.tracers["a"].ping(a, b, 0.0, timeout=2.0)
