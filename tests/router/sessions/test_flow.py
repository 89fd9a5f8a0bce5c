"""Packets go from TUN to TUN as they were, and no more handshakes happen than have to."""

from dataclasses import replace

import pytest

from meshchain.crypto.address import CLAIM_PREFIX
from meshrouter.offload.vnet import COMPLETE, TCP_PARTIAL
from meshrouter.sessions.pending import MOST_BYTES, MOST_PACKETS, WAIT
from meshrouter.sessions.sessions import MOST_STRANGERS
from meshrouter.wire.packet import MESHSEC
from tests.router.offload.packets import CWR, FIN, PSH, Segment, slow_complete
from tests.router.sessions.world import World, between, handshakes, sealed


def whole(segment: Segment, size: int = 0) -> list[bytes]:
    """As the receiver's kernel sees it in the end; the flow label is the mesh's."""
    parts = segment.segments(size) if size else [segment]
    return [unlabelled(slow_complete(part.packet(), part.vnet().checksum_offset)) for part in parts]


def unlabelled(packet: bytes) -> bytes:
    return packet[:1] + bytes((packet[1] & 0xF0, 0, 0)) + packet[4:]


def seen(packets: list[bytes]) -> list[bytes]:
    return [unlabelled(packet) for packet in packets]


def test_the_first_packet_waits_for_a_handshake_and_then_all_go() -> None:
    world = World("a", "b")
    a, b = world["a"], world["b"]
    rows = [between(a, b, bytes((number,)) * 10, sequence=number, label=7, traffic_class=0xB8) for number in range(5)]
    for segment in rows:
        a.send(segment)
    world.run(0.1)
    assert seen(b.got()) == [packet for segment in rows for packet in whole(segment)]
    assert handshakes(world.carried) == [1, 2]
    b.send(between(b, a))
    world.run(0.05)
    assert seen(a.got()) == whole(between(b, a))
    assert handshakes(world.carried) == [1, 2]
    assert not a.counters
    assert not b.counters


def test_partial_checksums_stay_partial() -> None:
    world = World("a", "b")
    a, b = world.connected()
    a.send(between(a, b))
    world.run(0.05)
    assert [vnet for vnet, _ in b.tun] == [TCP_PARTIAL]
    b.tun.clear()
    ping = between(a, b).packet()[:6] + b"\x3a" + between(a, b).packet()[7:40] + b"\x80\0" + bytes(23)
    a.send_packet(ping)
    world.run(0.05)
    assert [(vnet, unlabelled(packet)) for vnet, packet in b.tun] == [(COMPLETE, ping)]


@pytest.mark.parametrize("trains", [False, True])
@pytest.mark.parametrize("protocol", [6, 17])
def test_super_packets(protocol: int, trains: bool) -> None:
    """What comes out is what the kernel would have sent, whole or in segments."""
    world = World("a", "b")
    a, b = world.connected()
    a.trains = trains
    segment = replace(between(a, b, world.rng.randbytes(60_000), flags=PSH | FIN | CWR), protocol=protocol)
    a.send(segment, gso=1300)
    assert len(sealed(world.carried)) == (1 if trains else 47)
    assert all((packet[4:6] == b"\0\0") is trains for packet in sealed(world.carried))
    world.run(0.1)
    assert seen(b.got()) == whole(segment, 1300)


def test_trains_are_no_longer_than_cars_can_carry() -> None:
    """65,000 bytes at most, and on narrow links what 45 frames hold."""
    world = World("a", "b")
    a, b = world.connected()
    a.trains = True
    segment = between(a, b, bytes(64_900))
    a.send(segment, gso=1300)
    assert [len(packet) <= 65_000 for packet in sealed(world.carried)] == [True, True]
    a.mtu = 1305
    world.carried.clear()
    a.send(segment, gso=1200)
    assert len(sealed(world.carried)) == 2
    assert all(len(packet) + 16 <= 45 * (1305 + 16) for packet in sealed(world.carried))
    world.run(0.1)
    assert sum(len(packet) - 60 for packet in b.got()) == 2 * 64_900


def test_an_end_without_trains_gets_segments() -> None:
    world = World("a", "b")
    a, b = world.connected()
    a.trains = True
    a.sessions.by_pair[a.address + b.address].pair.caps = 2
    a.send(between(a, b, bytes(3900)), gso=1300)
    assert len(sealed(world.carried)) == 3


def test_hop_limit_and_congestion_marks_travel() -> None:
    """ECN in the traffic class, both ways; a router's mark arrives."""
    world = World("a", "b")
    a, b = world.connected()

    def router(packet: bytes) -> list[bytes]:
        marked = bytes((packet[0], packet[1] | 0x30)) if packet[1] & 0x30 else packet[:2]
        return [marked + packet[2:7] + bytes((packet[7] - 1,)) + packet[8:]]

    world.rules.append(router)
    for traffic_class in (0xB8, 0xBA, 0xB9, 0xBB):
        a.send(between(a, b, traffic_class=traffic_class, hop_limit=9))
    world.run(0.05)
    got = b.got()
    assert [(packet[0] & 15) << 4 | packet[1] >> 4 for packet in got] == [0xB8, 0xBB, 0xBB, 0xBB]
    assert [packet[7] for packet in got] == [8] * 4


def test_flow_labels_tell_flows_apart_and_nothing_else() -> None:
    world = World("a", "b")
    a, b = world.connected()

    def label(**fields: int | tuple[int, int]) -> int:
        world.carried.clear()
        a.send(between(a, b, b"hello", **fields))
        return int.from_bytes(world.carried[0][:4], "big") & 0xFFFFF

    base = label(label=1)
    assert label(label=2) == base
    assert label(sequence=77, traffic_class=1) == base
    others = {label(ports=(port, 80)) for port in range(20)}
    assert len(others) >= 19
    a.start()
    b.send(between(b, a))
    world.run(1.0)
    assert label() != base  # keyed anew


def test_flow_labels_of_packets_without_ports_are_few() -> None:
    world = World("a", "b")
    a, b = world.connected()
    head = between(a, b).packet()[:40]
    for number in range(50):
        a.send_packet(head[:4] + b"\0\x08\x3a" + head[7:] + b"\x80\0" + number.to_bytes(2, "big") + bytes(4))
    assert len({packet[1:4] for packet in sealed(world.carried)}) == 1


def test_nothing_in_clear() -> None:
    world = World("a", "b")
    a, b = world["a"], world["b"]
    secret = b"a secret that must not be seen"
    a.send(between(a, b, secret))
    world.run(1.0)
    assert any(packet[6] == MESHSEC for packet in world.carried)
    assert not any(secret in packet or a.key in packet for packet in world.carried)


def test_only_own_source_addresses_and_mesh_destinations() -> None:
    world = World("a", "b", "c")
    a, b, c = world["a"], world["b"], world["c"]
    for segment in (between(b, c), replace(between(a, b), source=bytes(16))):
        a.send(segment)
    assert a.counters == {"end-source": 2}
    for destination in (bytes(15) + b"\1", b"\xff\x02" + bytes(14), a.address):
        a.send(replace(between(a, b), destination=destination))
    assert a.counters["end-destination"] == 3
    a.send_packet(b"")
    a.send_packet(bytes(39))
    assert a.counters["end-source"] == 4
    assert world.carried == []


def test_a_packet_that_lies_about_its_length_is_dropped() -> None:
    world = World("a", "b")
    a, b = world.connected()
    packet = between(a, b).packet()
    a.send_packet(packet + b"x")
    a.send_packet(packet[:-1])
    a.send_packet(packet[:40])
    assert a.counters == {"end-packet-size": 3}
    assert world.carried == []


def test_what_means_something_else_inside_is_dropped() -> None:
    world = World("a", "b")
    a, b = world.connected()
    packet = between(a, b).packet()
    a.send_packet(packet[:6] + b"\xfe" + packet[7:])
    assert a.counters == {"end-inner-reserved": 1}


class TestWaiting:
    """Pending packets: 16, 32 kB, 3 s, and then an error."""

    def test_sixteen(self) -> None:
        world = World("a", "b")
        a, b = world["a"], world["b"]
        for number in range(20):
            a.send(between(a, b, sequence=number))
        assert a.counters["end-pending"] == 20 - MOST_PACKETS
        world.run(1.0)
        assert len(b.got()) == MOST_PACKETS

    def test_32_kilobytes(self) -> None:
        world = World("a", "b")
        a, b = world["a"], world["b"]
        for _ in range(16):
            a.send(between(a, b, bytes(3000)), gso=1000)
        assert a.counters["end-pending"] == 16 - MOST_BYTES // 3060
        world.run(1.0)
        assert len(b.got()) == 3 * (MOST_BYTES // 3060)

    def test_one_super_packet(self) -> None:
        world = World("a", "b")
        a, b = world["a"], world["b"]
        a.send(between(a, b, bytes(60_000)), gso=1000)
        a.send(between(a, b))
        assert a.counters["end-pending"] == 1
        world.run(1.0)
        assert len(b.got()) == 60

    def test_three_seconds(self) -> None:
        world = World("a", "b")
        a, b = world["a"], world["b"]
        world.rules.append(lambda _: [])
        a.send(between(a, b))
        world.run(WAIT - 0.01)
        assert a.complaints() == []
        world.run(0.02)
        assert a.complaints() == [(1, 3)]
        assert handshakes(world.carried) == [1, 1, 1, 1]

    def test_of_all_pairs_together(self) -> None:
        world = World("a", "b")
        a, b = world["a"], world["b"]
        for number in range(100):
            a.send(replace(between(a, b, bytes(60_000)), destination=b"\xee\xee\xff" + bytes((number,)) * 13), gso=1000)
        assert a.counters["end-pending"] == 100 - (4 << 20) // 60_060
        world.run(WAIT)
        for _ in range(2):
            a.send(between(a, b))
        world.run(1.0)
        assert len(b.got()) == 2

    def test_a_scan_of_addresses_is_bounded(self) -> None:
        """One attempt for each, 256 at once; more are told at once that nobody is there."""
        world = World("a", "b")
        a, b = world["a"], world["b"]
        for number in range(300):
            a.send(replace(between(a, b), destination=b"\xee\xee\xff" + number.to_bytes(13, "big")))
        assert a.complaints() == [(1, 3)] * 44
        assert a.counters == {"end-attempts": 44}
        world.run(6.0)
        assert len(a.complaints()) == 200  # a second's worth of errors
        world.run(10.0)
        assert not a.sessions.table.pairs
        assert a.sessions.deadline() == float("inf")


def test_no_route() -> None:
    world = World("a", "b")
    a, b = world.connected()
    a.reachable = False
    a.send(between(a, b))
    a.send(between(a, b, bytes(4000)), gso=1000)
    assert a.complaints() == [(1, 0), (1, 0)]


def test_a_node_that_comes_within_three_seconds() -> None:
    """The key behind an address is not known at first: it is looked for again."""
    world = World("a", "b")
    a, b = world["a"], world["b"]
    late = world.hosts.pop(b.id)
    a.send(between(a, b))
    world.run(2.0)
    world.hosts[b.id] = late
    world.run(1.0)
    assert len(b.got()) == 1


class TestSizes:
    """Nothing is fragmented: what is too big is told so."""

    def test_too_big_for_the_first_link(self) -> None:
        world = World("a", "b")
        a, b = world.connected()
        a.send(between(a, b, bytes(1447 - 60)))
        assert len(world.carried[0]) == 1472
        a.send(between(a, b, bytes(1447 - 59)))
        ((vnet, packet),) = a.tun
        assert vnet == COMPLETE
        assert packet[40:42] == b"\2\0"
        assert int.from_bytes(packet[44:48], "big") == 1447
        assert packet[48:] == between(a, b, bytes(1447 - 59)).packet()[:1232]
        assert len(packet) == 1280

    def test_what_the_other_end_says_counts(self) -> None:
        world = World("a", "b")
        world["b"].mtu = 1400
        a, b = world.connected()
        a.send(between(a, b, bytes(1375 - 59)))
        assert a.complaints() == [(2, 0)]
        a.send(between(a, b, bytes(1375 - 60)))
        assert len(world.carried) == 1

    def test_never_below_1280(self) -> None:
        world = World("a", "b")
        world["b"].mtu = 600
        a, b = world.connected()
        a.send(between(a, b, bytes(1280 - 60)))
        assert len(world.carried) == 1
        a.send(between(a, b, bytes(1281 - 60)))
        assert len(world.carried) == 1

    def test_super_packets_of_too_large_segments(self) -> None:
        """TCP is cut smaller and told so; datagrams are only told."""
        world = World("a", "b")
        world["b"].mtu = 1400
        a, b = world.connected()
        segment = between(a, b, bytes(range(250)) * 16)
        a.send(segment, gso=1400)
        assert a.complaints() == [(2, 0)]
        world.run(0.1)
        assert seen(b.got()) == whole(segment, 1315)
        a.send(replace(segment, protocol=17), gso=1400)
        assert a.complaints() == [(2, 0)]
        assert a.counters["end-gso-limit"] == 1


def test_nothing_is_held_of_what_is_gone() -> None:
    """Neither of what has waited too long, nor of what has gone, nor of what was refused."""
    world = World("a", "b", "c")
    a, b, c = (world[name] for name in "abc")
    b.reachable = False
    a.send(between(a, b))
    assert a.sessions._held > 0
    world.run(6.0)
    assert a.sessions._held == 0
    assert a.sessions._handshakes._by_index == {}
    a.send(between(a, c))
    world.run(1.0)
    assert len(c.got()) == 1
    assert a.sessions._held == 0
    a.send(replace(between(a, c), destination=CLAIM_PREFIX + b"nobody"))
    world.run(1.0)
    assert a.complaints() == [(1, 3), (1, 3)]
    assert a.sessions._held == 0


def test_a_packet_without_a_whole_header_is_dropped() -> None:
    world = World("a", "b")
    a, b = world["a"], world["b"]
    a.send_packet(between(a, b).packet()[:39])
    assert a.counters == {"end-source": 1}
    assert a.sessions.table.pairs == {}


def test_where_there_are_too_many_pairs_packets_and_handshakes_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World("a", "b")
    a, b = world["a"], world["b"]
    a.send(between(a, b))
    monkeypatch.setattr("meshrouter.sessions.table.MOST_PAIRS", 0)
    b.send(between(b, a))
    world.run(1.0)
    assert b.counters["end-pairs"] >= 2
    assert b.sessions.by_index == {}


def test_who_was_told_that_a_session_is_not_known_is_remembered_for_few() -> None:
    world = World("a", "b")
    a, b = world.connected()
    a.send(between(a, b))
    packet = world.carried[-1]
    for number in range(MOST_STRANGERS + 10):
        forged = packet[:10] + number.to_bytes(14, "big") + packet[24:40] + bytes(4) + packet[44:]
        b.sessions.meshsec(forged, 100.0 + number)
    assert len(b.sessions._strangers) == MOST_STRANGERS
    assert bytes(14) not in b.sessions._strangers
