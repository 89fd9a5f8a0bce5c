"""Errors of routers on the way reach the kernel, if they are about what was sent."""

from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshchain.crypto.address import PREFIX
from meshrouter.counters import Counters
from meshrouter.offload.vnet import TunPacket
from meshrouter.sessions.complaints import RATE, Complaints, icmp_error, may_complain
from meshrouter.sessions.endsession import MOST_PROBES
from meshrouter.wire.meshctl import Error, ErrorCode
from tests.router.offload.packets import Segment, pseudo_header, slow_sum
from tests.router.sessions.world import World, between, sealed


def verifies(packet: bytes) -> bool:
    return slow_sum(pseudo_header(packet, 58) + packet[40:]) == 0xFFFF


def quote(packet: bytes) -> bytes:
    return packet[:48]


def too_big(mtu: int, quoted: bytes) -> Error:
    return Error(ErrorCode.TOO_BIG, mtu, quoted)


class TestTooBig:
    def sent(self) -> tuple[World, bytes]:
        world = World("a", "b", "c")
        a, b = world.connected()
        a.send(between(a, b))
        world.run(0.1)
        return world, sealed(world.carried)[-1]

    def fits(self, world: World, size: int) -> bool:
        """Whether a packet of that size goes."""
        a, b = world["a"], world["b"]
        a.complaints()
        a.send(between(a, b, bytes(size - 60)))
        return a.complaints() == []

    def test_a_true_one(self) -> None:
        world, packet = self.sent()
        a = world["a"]
        a.sessions.error(world["c"].id, too_big(1400, quote(packet)), world.now)
        assert self.fits(world, 1375)
        assert not self.fits(world, 1376)
        for _ in range(6):
            assert not self.fits(world, 1376)
            world.run(99.9)
            a.send(between(a, world["b"]))
        world.run(1.0)
        assert self.fits(world, 1447)

    def test_never_below_1280_and_never_up(self) -> None:
        world, packet = self.sent()
        a = world["a"]
        for mtu in (0, 65535, 1447):
            a.sessions.error(world["c"].id, too_big(mtu, quote(packet)), world.now)
        assert self.fits(world, 1280)
        assert not self.fits(world, 1281)

    @pytest.mark.parametrize("at", [6, 10, 23, 26, 39, 40, 43, 44], ids=lambda at: f"byte {at}")
    def test_not_quoting_what_was_sent(self, at: int) -> None:
        world, packet = self.sent()
        wrong = packet[:at] + bytes((packet[at] ^ 1,)) + packet[at + 1 : 48]
        world["a"].sessions.error(world["c"].id, too_big(1300, wrong), world.now)
        assert world["a"].counters == {"end-error-quote": 1}
        assert self.fits(world, 1447)

    def test_a_counter_to_come_or_long_gone(self) -> None:
        world, packet = self.sent()
        a, b = world["a"], world["b"]
        sealer = a.sessions.by_pair[a.address + b.address].sealer
        for counter in (sealer.counter, sealer.counter + 5, 2**32 - 1):
            wrong = packet[:44] + counter.to_bytes(4, "big")
            a.sessions.error(world["c"].id, too_big(1300, wrong), world.now)
        sealer.counter += 70_000
        a.sessions.error(world["c"].id, too_big(1300, quote(packet)), world.now)
        assert a.counters == {"end-error-quote": 4}
        assert self.fits(world, 1447)

    def test_a_quote_too_short(self) -> None:
        world, packet = self.sent()
        world["a"].sessions.error(world["c"].id, too_big(1300, packet[:47]), world.now)
        assert world["a"].counters == {"end-error-quote": 1}

    def test_the_other_end_hears_of_it(self) -> None:
        """With the next handshake."""
        world, packet = self.sent()
        a, b = world["a"], world["b"]
        a.sessions.error(world["c"].id, too_big(1400, quote(packet)), world.now)
        a.sessions.by_pair[a.address + b.address].due = world.now
        a.send(between(a, b))
        world.run(1.0)
        b.send(between(b, a, bytes(1376 - 60)))
        assert b.complaints() == [(2, 0)]


def test_a_hop_that_takes_no_trains() -> None:
    """Its error makes us split, for ten minutes; the same about a single packet does not."""
    world = World("a", "b", "c")
    a, b = world.connected()
    a.trains = True

    def packets() -> list[bytes]:
        world.carried.clear()
        a.send(between(a, b, bytes(3900)), gso=1300)
        return sealed(world.carried)

    a.send(between(a, b))
    a.sessions.error(world["c"].id, too_big(1472, quote(world.carried[-1])), world.now)
    (train,) = packets()
    a.sessions.error(world["c"].id, too_big(1472, quote(train)), world.now)
    assert [len(packet) for packet in packets()] == [40 + 25 + 20 + 1300] * 3
    for _ in range(5):
        world.run(119.9)
        assert len(packets()) == 3
    world.run(0.5)
    assert len(packets()) == 1


class TestOthers:
    @pytest.mark.parametrize(
        ("code", "kind"),
        [(ErrorCode.NO_ROUTE, (1, 0)), (ErrorCode.POLICY, (1, 1)), (ErrorCode.GUEST, (1, 1)), (ErrorCode.TTL, (3, 0))],
    )
    def test_as_icmp(self, code: ErrorCode, kind: tuple[int, int]) -> None:
        world = World("a", "b", "c")
        a, b = world.connected()
        a.send(between(a, b, bytes(1000)))
        a.sessions.error(world["c"].id, Error(code, 0, quote(sealed(world.carried)[-1])), world.now)
        ((_, packet),) = a.tun
        assert (packet[40], packet[41]) == kind
        assert packet[8:40] == PREFIX + world["c"].id + a.address
        assert packet[48:] == between(a, b, bytes(1000)).packet()[:128]
        assert verifies(packet)

    def test_traceroute_sees_its_own_probes(self) -> None:
        """Sixteen at once, amid other traffic; each answer quotes the probe that it answers."""
        world = World("a", "b", "c")
        a, b = world.connected()
        probes = [between(a, b, ports=(5000, 33434 + hop), hop_limit=1 + hop // 3) for hop in range(16)]
        for probe in probes:
            a.send(probe)
            a.send(between(a, b, bytes(1000)))
        for packet in sealed(world.carried)[::2]:
            a.sessions.error(world["c"].id, Error(ErrorCode.TTL, 0, quote(packet)), world.now)
        assert [packet[48:] for _, packet in a.tun] == [probe.packet() for probe in probes]

    def test_other_traffic_pushes_no_probe_out_and_old_probes_go_first(self) -> None:
        world = World("a", "b", "c")
        a, b = world.connected()
        probes = [between(a, b, ports=(5000, port), hop_limit=2) for port in range(MOST_PROBES + 1)]
        for probe in probes:
            a.send(probe)
        for _ in range(2 * MOST_PROBES):
            a.send(between(a, b))
        packets = sealed(world.carried)[-2 * MOST_PROBES - len(probes) :]
        for packet in (packets[1], packets[MOST_PROBES], packets[0]):
            a.sessions.error(world["c"].id, Error(ErrorCode.TTL, 0, quote(packet)), world.now)
        quoted = [packet[48:] for _, packet in a.tun]
        assert quoted == [probes[1].packet(), probes[-1].packet(), between(a, b).packet()]

    def test_probes_kept_are_few(self) -> None:
        world = World("a", "b")
        a, b = world.connected()
        for number in range(200):
            a.send(between(a, b, hop_limit=2, sequence=number))
        assert len(a.sessions.by_pair[a.address + b.address].probes) == 64

    def test_errors_are_not_written_without_end(self) -> None:
        world = World("a", "b", "c")
        a, b = world.connected()
        a.send(between(a, b))
        error = Error(ErrorCode.NO_ROUTE, 0, quote(sealed(world.carried)[-1]))
        for _ in range(1000):
            a.sessions.error(world["c"].id, error, world.now)
        assert len(a.complaints()) == RATE
        assert a.counters == {"end-icmp-rate": 1000 - RATE}

    def test_no_word_of_what_was_never_sent(self) -> None:
        world = World("a", "b", "c")
        a, b = world.connected()
        a.send(between(a, b))
        packet = sealed(world.carried)[-1]
        wrong = packet[:40] + bytes(4) + packet[44:48]
        a.sessions.error(world["c"].id, Error(ErrorCode.NO_ROUTE, 0, wrong), world.now)
        assert a.tun == []


@given(st.binary(min_size=40, max_size=2000), st.integers(0, 2**32 - 1))
def test_an_error_is_whole(packet: bytes, value: int) -> None:
    made = icmp_error((2, 0), value, bytes(16), packet)
    assert verifies(made)
    assert len(made) <= 1280
    assert int.from_bytes(made[4:6], "big") == len(made) - 40
    assert made[24:40] == packet[8:24]


def icmp(kind: int) -> bytes:
    head = Segment().packet()
    return head[:4] + pack(">HB", 8, 58) + head[7:40] + bytes((kind,)) + bytes(7)


@pytest.mark.parametrize(
    ("packet", "may"),
    [
        (Segment().packet(), True),
        (icmp(128), True),
        (icmp(1), False),
        (icmp(3), False),
        (icmp(137), False),
        (Segment(source=bytes(16)).packet(), False),
        (Segment(source=b"\xff" + bytes(15)).packet(), False),
        (icmp(128)[:40], False),
        (bytes(39), False),
        (Segment().packet()[:39], False),
    ],
)
def test_of_what_errors_are_made(packet: bytes, may: bool) -> None:
    """RFC 4443 §2.4(e)."""
    assert may_complain(packet) is may


def test_no_error_about_an_error() -> None:
    told: list[TunPacket] = []
    complaints = Complaints(told.append, Counters())
    complaints.unreachable((1, 0), icmp(1), 0.0)
    assert told == []
    complaints.unreachable((1, 0), icmp(128), 0.0)
    assert len(told) == 1
