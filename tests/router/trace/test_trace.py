"""Traceroute over a small mesh: honest hops, and every kind of dishonest one."""

from collections.abc import Callable
from dataclasses import replace
from time import perf_counter

import pytest

from meshrouter.directory import Tip
from meshrouter.errors import LocalError
from meshrouter.identity import Identity
from meshrouter.trace.path import Hop
from meshrouter.trace.probe import Probe
from meshrouter.trace.report import Report, SignedReport
from meshrouter.trace.tracer import TraceResult
from meshrouter.wire import meshctl
from meshrouter.wire.packet import PACKET_SIZE, Packet
from tests.router.trace.kit import Traced

LINE = ("ab", "bc", "cd", "de")


def is_report(packet: bytes, of: bytes | None = None) -> bool:
    if packet[6] != 226 or packet[40] != SignedReport.TYPE:
        return False
    return of is None or Report.decode(packet[41 : 41 + 249]).key == of


def repacked(packet: bytes, payload: bytes) -> bytes:
    return replace(Packet.decode(packet), payload=payload).encode()


def test_every_hop_there_and_back() -> None:
    traced = Traced(*LINE)
    result = traced.trace("a", "e")
    assert traced.words(result.forward) == "a b c d e"
    assert traced.words(result.reverse) == "e d c b a"
    assert result.forward.whole
    assert result.reverse is not None
    assert result.reverse.whole
    assert result.round_trip == pytest.approx(0.008)
    assert traced.net.now < 1.0, "it ends when all is there, not when the time is up"


def test_a_report_says_what_the_hop_knows() -> None:
    traced = Traced("ab", "bd", "ac", "cd", "de")
    result = traced.trace("a", "e")
    start, _, third, end = result.forward.steps
    assert isinstance(start, Hop)
    assert isinstance(third, Hop)
    assert isinstance(end, Hop)
    assert start.report.runner_up is not None
    assert (start.report.runner_up.id, start.report.runner_up.why) == (traced.net["c"].id, "metric")
    assert third.report.ingress is not None
    assert third.report.ingress.key == traced.net["b"].key
    assert third.report.ingress.mtu == 1500
    assert third.report.ingress.rtt == pytest.approx(0.002)
    assert (third.report.metric, third.report.height, third.report.version) == (96, 1000, "0.1.0")
    assert end.report.egress is not None, "the target's report opens the way back"


def test_without_the_way_back() -> None:
    traced = Traced(*LINE)
    result = traced.trace("a", "c", reverse=False)
    assert traced.words(result.forward) == "a b c"
    assert result.reverse is None
    assert not any(packet[41:43] == b"\1\1" for place in traced.net.places.values() for packet in place.passed)


def test_to_a_neighbour_and_to_oneself() -> None:
    traced = Traced("ab")
    assert traced.words(traced.trace("a", "b").reverse) == "b a"
    assert traced.words(traced.trace("a", "a").forward) == "a"
    assert traced.trace("a", "a").forward.reached


def test_a_silent_hop_is_a_gap_with_its_key() -> None:
    traced = Traced(*LINE)
    traced.net["c"].on_probe = lambda packet, _ingress: packet
    result = traced.trace("a", "e")
    assert traced.words(result.forward) == "a b [no-report c] d e"
    assert traced.words(result.reverse) == "e d [no-report c] b a"
    assert result.forward.reached
    assert not result.forward.whole


def test_two_silent_hops() -> None:
    traced = Traced(*LINE)
    for name in "bc":
        traced.net[name].on_probe = lambda packet, _ingress: packet
    path = traced.trace("a", "e").forward
    assert traced.words(path) == "a [no-report bc] d e"


def test_a_report_that_is_lost_or_withheld_on_its_way() -> None:
    traced = Traced(*LINE)
    hidden = traced.net["c"].key
    traced.net["b"].corrupt = lambda packet: None if is_report(packet, hidden) else packet
    assert traced.words(traced.trace("a", "e").forward) == "a b [report-lost c] d e"


def test_a_report_that_is_altered_on_its_way_does_not_count() -> None:
    traced = Traced(*LINE)
    victim = traced.net["c"].key

    def lie(packet: bytes) -> bytes:
        if not is_report(packet, victim):
            return packet
        signed = SignedReport.decode(packet[41:])
        return repacked(packet, meshctl.encode(replace(signed, report=replace(signed.report, metric=1))))

    traced.net["b"].corrupt = lie
    assert traced.words(traced.trace("a", "e").forward) == "a b [report-lost c] d e"
    assert traced.net["a"].env.counters["trace-signature"] == 2


def test_a_hop_that_invents_another_behind_itself() -> None:
    """c answers in d's place with a key of its own making: the honest e names d, whom nobody showed."""
    traced = Traced(*LINE)
    ghost = Identity.from_seed(b"g" * 32)
    victim = traced.net["d"].key

    def replace_d(packet: bytes) -> bytes:
        if not is_report(packet, victim):
            return packet
        forged = replace(SignedReport.decode(packet[41:]).report, key=ghost.key)
        return repacked(packet, meshctl.encode(forged.signed_by(ghost)))

    traced.net["c"].corrupt = replace_d
    path = traced.trace("a", "e").forward
    assert traced.words(path) == "a b c [names-differ d] ? [names-differ d] e"
    assert not path.whole


def test_a_hop_that_shows_two_stories() -> None:
    """b alters the hash in the probe: c's report is over another one than b's."""
    traced = Traced(*LINE)
    tracer = traced.tracers["b"]

    def rewrite(packet: bytes, ingress: object) -> bytes:
        passed = tracer.transit(packet, traced.net["b"].neighbours["a"], traced.net.now)
        assert passed is not None
        probe = Probe.decode(passed[41:])
        return repacked(passed, meshctl.encode(replace(probe, previous=b"x" * 32)))

    traced.net["b"].on_probe = rewrite
    assert traced.words(traced.trace("a", "e").forward) == "a b [chain-broken] c d e"


def test_a_probe_that_gets_nowhere() -> None:
    traced = Traced(*LINE)
    traced.net["d"].corrupt = lambda packet: None
    result = traced.trace("a", "e")
    assert traced.words(result.forward) == "a b c [unreached d]"
    assert traced.words(result.reverse) == "[unreached]"
    assert result.round_trip is None


def test_no_end_but_the_target() -> None:
    """c says that the probe ended at itself."""
    traced = Traced(*LINE)
    tracer, c = traced.tracers["c"], traced.net["c"]

    def claim(packet: bytes, ingress: object) -> None:
        parsed = Packet.decode(packet)
        probe = Probe.decode(parsed.payload[1:])
        passed = tracer.transit(packet, c.neighbours["b"], traced.net.now)
        assert passed is not None
        opening = tracer._responder.opening(probe.ticket.nonce, parsed.destination, traced.net.now)
        lie = replace(opening, ends=True, previous=probe.previous, hop_limit=parsed.hop_limit)
        tracer._responder.send(parsed.source, lie.signed_by(c.env.identity), traced.net.now)

    c.on_probe = claim
    path = traced.trace("a", "e").forward
    assert not path.reached
    assert traced.net["a"].env.counters["trace-unfit"] == 1


def test_no_route() -> None:
    traced = Traced("ab", "cd")
    with pytest.raises(LocalError, match="no route"):
        traced.trace("a", "d")


def test_nobody_is_made_a_mirror() -> None:
    """A probe in another's name, whether by its source or by a ticket of the attacker's own, moves no report to it."""
    for forge in (forged_source, forged_ticket):
        traced = Traced(*LINE)
        traced.tracers["a"].trace(traced.net["e"].id, 0.0, timeout=3.0)
        traced.net["b"].corrupt = forge(traced)
        traced.net.run()
        reports = [p for place in "acde" for p in traced.net[place].passed if is_report(p)]
        assert reports == []


def forged_source(traced: Traced) -> Callable[[bytes], bytes]:
    victim = traced.net["d"].id
    return lambda packet: replace(Packet.decode(packet), source=victim).encode()


def forged_ticket(traced: Traced) -> Callable[[bytes], bytes]:
    def forge(packet: bytes) -> bytes:
        probe = Probe.decode(packet[41:])
        signature = bytes([probe.ticket.signature[0] ^ 1]) + probe.ticket.signature[1:]
        ticket = replace(probe.ticket, signature=signature)
        return repacked(packet, meshctl.encode(replace(probe, ticket=ticket)))

    return forge


def test_a_repeated_probe_is_reported_once() -> None:
    traced = Traced(*LINE)
    traced.tracers["a"].trace(traced.net["e"].id, 0.0, timeout=3.0)
    traced.net.run()
    probe = next(p for p in traced.net["c"].passed if not is_report(p))
    before = sum(map(is_report, traced.net["b"].passed))
    for _ in range(50):
        passed = traced.tracers["c"].transit(probe, traced.net["c"].neighbours["b"], traced.net.now)
        assert passed == probe, "it goes on as it came"
    traced.net.run()
    assert sum(map(is_report, traced.net["b"].passed)) == before


def test_the_budget_is_kept_and_shared() -> None:
    """One neighbour's probes get half of it, all together all: 20 reports at once, 20 a second after."""
    traced = Traced("ac", "bc", "ec", "cd")
    c = traced.net["c"]
    for name in "abe":
        traced.net[name].corrupt = lambda packet: None
        for _ in range(40):
            ask(traced, name)
        traced.net.run()
    sent = [packet for name in "abe" for packet in traced.net[name].passed if is_report(packet, c.key)]
    assert len(sent) == 20
    assert sum(packet[26:40] == traced.net["a"].id for packet in sent) == 10
    assert c.env.counters["trace-budget"] == 100


def ask(traced: Traced, start: str) -> None:
    """A probe from ``start`` to d by a tracer of its own, since one has at most 16 under way."""
    tracer = traced.tracer(traced.net[start], traced.results.append)
    tracer.trace(traced.net["d"].id, traced.net.now, reverse=False, timeout=3.0)


def test_a_hop_sends_no_more_than_it_was_sent() -> None:
    traced = Traced(*LINE)
    traced.trace("a", "e")
    sizes = {len(packet) for place in traced.net.places.values() for packet in place.passed}
    assert sizes == {PACKET_SIZE + 314}


def test_an_old_ticket_goes_no_further() -> None:
    traced = Traced(*LINE)
    traced.net["a"].directory.tip = Tip(939, synced=True)
    assert traced.words(traced.trace("a", "e").forward) == "a [unreached b]"
    assert traced.net["b"].env.counters["trace-height"] == 1
    traced.net["a"].directory.tip = Tip(5000, synced=True)
    assert traced.trace("a", "e").forward.whole, "never refused for being ahead"


def test_a_probe_comes_back_once_and_as_it_left() -> None:
    traced = Traced(*LINE)
    kept: list[bytes] = []

    def alter(packet: bytes) -> bytes:
        if packet[40] != Probe.TYPE:
            return packet
        probe = Probe.decode(packet[41:])
        ticket = replace(probe.ticket, height=probe.ticket.height + 1)
        return repacked(packet, meshctl.encode(replace(probe, ticket=ticket)))

    def keep(packet: bytes) -> bytes:
        if packet[40] == Probe.TYPE:
            kept.append(packet)
        return packet

    a = traced.net["a"]
    a.corrupt = alter
    assert traced.trace("a", "c").round_trip is None
    assert a.env.counters["trace-unasked"] == 1
    a.corrupt = keep
    traced.tracers["a"].trace(traced.net["c"].id, traced.net.now, timeout=3.0)
    start = traced.net.now
    traced.net.run()
    for later in (0.5, 1.0):
        traced.tracers["a"].arrived(kept[-1], a.neighbours["b"], start + later)
    traced.settle()
    result = traced.results.pop()
    assert isinstance(result, TraceResult)
    assert result.round_trip == pytest.approx(0.004)
    assert a.env.counters["trace-unasked"] == 3


def test_a_flood_of_signed_reports_is_worked_off_quickly() -> None:
    """From a hop on the way, which knows the nonce: the most that count, at every position. Slow was seconds."""
    traced = Traced(*LINE)
    traced.net["e"].corrupt = lambda packet: None
    traced.tracers["a"].trace(traced.net["e"].id, 0.0, timeout=3.0)
    traced.net.run()
    a, b = traced.net["a"], traced.net["b"]
    honest = next(p for p in a.passed if is_report(p, b.key))
    report = SignedReport.decode(honest[41:]).report
    began = perf_counter()
    for number in range(252):
        other = replace(report, hop_limit=64 - number % 63, sent=report.sent + number)
        packet = repacked(honest, meshctl.encode(other.signed_by(b.env.identity)))
        traced.tracers["a"].arrived(packet, a.neighbours["b"], 0.5)
    traced.settle()
    assert perf_counter() - began < 2
    result = traced.results.pop()
    assert isinstance(result, TraceResult)
    assert not result.forward.reached


def test_a_probers_bounds() -> None:
    traced = Traced("ab")
    for _ in range(16):
        traced.tracers["a"].trace(traced.net["b"].id, 0.0, timeout=3.0)
    with pytest.raises(LocalError, match="16 traceroutes"):
        traced.tracers["a"].trace(traced.net["b"].id, 0.0, timeout=3.0)


def test_forged_reports_cost_a_bounded_number_of_checks() -> None:
    traced = Traced("ab", "bc")
    traced.net["c"].corrupt = lambda packet: None
    traced.tracers["a"].trace(traced.net["c"].id, 0.0, timeout=3.0)
    traced.net.run()
    packet = next(p for p in traced.net["a"].passed if is_report(p))
    checked: list[bytes] = []
    a = traced.net["a"]

    def refuse(key: bytes, message: bytes, signature: bytes) -> bool:
        checked.append(key)
        return False

    object.__setattr__(a.env, "verify", refuse)
    for _ in range(1000):
        traced.tracers["a"].arrived(packet, a.neighbours["b"], 0.5)
    assert len(checked) == 255
    assert a.env.counters["trace-unasked"] == 745
