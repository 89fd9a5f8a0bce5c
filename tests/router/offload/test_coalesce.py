"""Segments become super-packets exactly where cutting those again gives the segments."""

from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshrouter.offload.coalesce import Coalescer
from meshrouter.offload.split import finished, split
from meshrouter.offload.vnet import COMPLETE, TCP_PARTIAL, UDP_PARTIAL, TunPacket, VnetHeader
from tests.router.offload.packets import ACK, CWR, ECE, FIN, PSH, RST, SYN, URG, Segment, segments, slow_complete


def tun(segment: Segment) -> TunPacket:
    """As a session delivers it."""
    return TunPacket(UDP_PARTIAL if segment.protocol == 17 else TCP_PARTIAL, segment.packet())


def coalesced(packets: list[TunPacket]) -> list[TunPacket]:
    coalescer = Coalescer(udp=True)
    for packet in packets:
        coalescer.add(packet)
    return coalescer.take()


def cut_again(packets: list[TunPacket]) -> list[bytes]:
    return [part for vnet, packet in packets for part in (split(packet, vnet) if vnet.is_super else [packet])]


FLOWING = st.sampled_from((ACK, ACK | PSH, ACK | FIN, ACK | ECE, ACK | CWR, ACK | CWR | ECE | PSH))
"""Flags of super-packets that the kernel makes."""


@given(segments(FLOWING), st.integers(5, 100))
def test_what_was_split_is_one_again(segment: Segment, size: int) -> None:
    parts = segment.segments(size)
    whole = coalesced([tun(part) for part in parts])
    expected = segment.vnet(size) if len(parts) > 1 else segment.vnet()
    assert whole == [TunPacket(expected, segment.packet())]


def test_two_flows_in_turns() -> None:
    ones, others = Segment(bytes(1000)).segments(100), Segment(b"x" * 900, ports=(5, 6)).segments(100)
    datagrams = Segment(b"y" * 450, protocol=17).segments(100)
    mixed = [tun(segment) for trio in zip(ones, others, datagrams, strict=False) for segment in trio]
    assert [len(packet) for _, packet in coalesced(mixed)] == [560, 560, 498]


def test_datagrams_stay_single_where_the_kernel_wants_them_so() -> None:
    packets = [tun(part) for part in Segment(bytes(500), protocol=17).segments(100)]
    coalescer = Coalescer()
    for packet in packets:
        coalescer.add(packet)
    assert coalescer.take() == packets


def test_datagrams_sent_as_one_are_cut_where_the_kernel_wants_them_single() -> None:
    whole = Segment(bytes(450), protocol=17)
    coalescer = Coalescer()
    sent_as_one = TunPacket(whole.vnet(100), whole.packet())
    coalescer.add(sent_as_one)
    assert coalescer.take() == [tun(part) for part in whole.segments(100)]
    assert coalesced([sent_as_one]) == [sent_as_one]


def test_a_batch_is_taken_once() -> None:
    coalescer = Coalescer()
    assert not coalescer
    coalescer.add(tun(Segment(b"x")))
    assert coalescer
    assert len(coalescer.take()) == 1
    coalescer.add(tun(Segment(b"y", sequence=2)))
    assert coalescer.take() == [tun(Segment(b"y", sequence=2))]
    assert coalescer.take() == []


BASE = Segment(b"a" * 100, sequence=1000, options=bytes(12))
DATAGRAM = Segment(b"d" * 100, protocol=17)
CHANGES: dict[str, Callable[[Segment], Segment]] = {
    "a hole": lambda s: replace(s, sequence=s.sequence + 1),
    "a repetition": lambda s: replace(s, sequence=1000),
    "acknowledgement": lambda s: replace(s, acknowledged=8),
    "options": lambda s: replace(s, options=bytes(11) + b"\1"),
    "more options": lambda s: replace(s, options=bytes(16)),
    "window": lambda s: replace(s, window=501),
    "urgent pointer": lambda s: replace(s, urgent=1),
    "hop limit": lambda s: replace(s, hop_limit=63),
    "congestion mark": lambda s: replace(s, traffic_class=3),
    "label": lambda s: replace(s, label=1),
    "longer": lambda s: replace(s, payload=bytes(101)),
    "empty": lambda s: replace(s, payload=b""),
    "port": lambda s: replace(s, ports=(1000, 81)),
    "source": lambda s: replace(s, source=s.destination),
    "protocol": lambda s: replace(s, protocol=17),
    "SYN": lambda s: replace(s, flags=ACK | SYN),
    "RST": lambda s: replace(s, flags=ACK | RST),
    "URG": lambda s: replace(s, flags=ACK | URG),
    "ECE": lambda s: replace(s, flags=ACK | ECE),
    "CWR": lambda s: replace(s, flags=ACK | CWR),
    "no acknowledgement": lambda s: replace(s, flags=0),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_differs_stays_by_itself(change: str) -> None:
    odd = CHANGES[change](replace(BASE, sequence=1100))
    assert coalesced([tun(BASE), tun(odd)]) == [tun(BASE), tun(odd)]


@pytest.mark.parametrize("end", [{"flags": ACK | PSH}, {"flags": ACK | FIN}, {"payload": b"short"}], ids=str)
def test_what_ends_a_packet(end: dict[str, int]) -> None:
    last = replace(BASE, sequence=1100, **end)  # type: ignore[arg-type]
    after = replace(BASE, sequence=1100 + len(last.payload))
    made = coalesced([tun(BASE), tun(last), tun(after)])
    assert len(made) == 2
    assert cut_again(made) == [BASE.packet(), last.packet(), after.packet()]


@pytest.mark.parametrize("flags", [SYN, RST, FIN, URG, PSH])
def test_nothing_is_added_to_a_first_that_ends(flags: int) -> None:
    first = replace(BASE, flags=ACK | flags)
    pair = [tun(first), tun(replace(BASE, sequence=1100))]
    assert coalesced(pair) == pair


@pytest.mark.parametrize("flags", [SYN, RST, URG, ACK | SYN, ACK | RST, ACK | URG])
def test_two_alike_that_no_kernel_makes_of_one(flags: int) -> None:
    pair = [tun(replace(BASE, flags=flags)), tun(replace(BASE, flags=flags, sequence=1100))]
    assert coalesced(pair) == pair


def test_an_empty_segment_is_not_overtaken() -> None:
    """An acknowledgement between two segments: what follows must not be put before it."""
    row = [tun(BASE), tun(replace(BASE, payload=b"", sequence=1100)), tun(replace(BASE, sequence=1100))]
    assert coalesced(row) == row


@pytest.mark.parametrize("other", [COMPLETE, Segment().vnet(40)])
def test_only_single_partial_segments_join_and_others_are_not_overtaken(other: object) -> None:
    first, second, third = (tun(replace(BASE, sequence=1000 + 100 * at)) for at in range(3))
    odd = TunPacket(other, second.packet)  # type: ignore[arg-type]
    assert coalesced([first, odd, third]) == [first, odd, third]


def test_what_is_no_part_ends_its_flows_packet_and_no_others() -> None:
    first, again, third = tun(BASE), tun(BASE), tun(replace(BASE, sequence=1100))
    odd = TunPacket(COMPLETE, again.packet)
    assert coalesced([first, odd, third]) == [first, odd, third]
    elsewhere = TunPacket(COMPLETE, tun(replace(BASE, ports=(1, 2))).packet)
    assert len(coalesced([first, elsewhere, third])) == 2


@pytest.mark.parametrize("other", [COMPLETE, DATAGRAM.vnet(40)])
def test_datagrams_with_a_checksum_of_their_own_do_not_join(other: VnetHeader) -> None:
    """Damage that was done to one before the mesh must not come out as valid."""
    one = tun(DATAGRAM)
    odd = TunPacket(other, one.packet)
    assert coalesced([one, odd, one]) == [one, odd, one]


DATAGRAM_CHANGES: dict[str, Callable[[Segment], Segment]] = {
    change: CHANGES[change] for change in ("hop limit", "congestion mark", "label", "longer", "empty", "port", "source")
}


@pytest.mark.parametrize("change", DATAGRAM_CHANGES)
def test_a_datagram_that_differs_stays_by_itself(change: str) -> None:
    odd = DATAGRAM_CHANGES[change](DATAGRAM)
    assert coalesced([tun(DATAGRAM), tun(odd)]) == [tun(DATAGRAM), tun(odd)]
    assert len(coalesced([tun(DATAGRAM), tun(DATAGRAM)])) == 1


def test_no_packet_longer_than_ipv6_can_say() -> None:
    made = coalesced([tun(part) for part in Segment(bytes(130_000)).segments(1300)])
    assert [len(packet) for _, packet in made] == [65_060, 65_060]


def test_the_longest_that_ipv6_can_say() -> None:
    (whole,) = coalesced([tun(part) for part in Segment(bytes(5 * 13_103)).segments(13_103)])
    assert len(whole.packet) == 40 + 0xFFFF
    made = coalesced([tun(part) for part in Segment(bytes(8 * 8191), protocol=17).segments(8191)])
    assert [len(packet) for _, packet in made] == [48 + 7 * 8191, 48 + 8191]


def test_no_more_datagrams_than_the_kernel_cuts() -> None:
    made = coalesced([tun(part) for part in Segment(bytes(1000), protocol=17).segments(10)])
    assert [len(packet) - 48 for _, packet in made] == [640, 360]


def test_a_datagram_that_says_another_length_stays_alone() -> None:
    row = [tun(part) for part in Segment(bytes(300), protocol=17).segments(100)]
    liar = TunPacket(UDP_PARTIAL, row[1].packet[:44] + b"\0\x09" + row[1].packet[46:])
    assert coalesced([row[0], liar, row[2]]) == [row[0], liar, row[2]]


@pytest.mark.parametrize("offset", [0x00, 0x40, 0xF0])
def test_a_header_length_that_lies(offset: int) -> None:
    packet = tun(Segment(b"x" * 10)).packet
    row = [TunPacket(TCP_PARTIAL, packet[:52] + bytes((offset,)) + packet[53:])] * 2
    assert coalesced(row) == row


@pytest.mark.parametrize("offset", [0x00, 0x40, 0xF0])
def test_a_header_length_that_lies_in_the_middle_of_a_flow(offset: int) -> None:
    """It joins nothing, nothing joins it, and nobody overtakes it."""
    first, last = tun(BASE), tun(replace(BASE, sequence=1100))
    shorter = replace(BASE, options=b"", payload=b"")
    liar = tun(shorter).packet[:52] + bytes((offset,)) + tun(shorter).packet[53:]
    row = [first, TunPacket(TCP_PARTIAL, liar), last]
    assert coalesced(row) == row


def test_two_that_lie_alike_about_their_headers_stay_two() -> None:
    """Each says that it has 16 bytes of header, so 4 more of payload; the numbers would fit."""
    first = tun(replace(BASE, options=b""))
    second = tun(replace(BASE, options=b"", sequence=BASE.sequence + 104))
    row = [TunPacket(TCP_PARTIAL, each.packet[:52] + b"\x40" + each.packet[53:]) for each in (first, second)]
    assert coalesced(row) == row


def streams(rng: Random) -> list[list[Segment]]:
    """What a few flows send: super-packets cut, mostly, with odd segments between."""
    flows = []
    for port in range(rng.randrange(1, 4)):
        flow, sequence = [], rng.randrange(2**32)
        for _ in range(rng.randrange(1, 5)):
            flags = rng.choice((ACK, ACK | PSH, ACK | CWR, ACK | ECE, ACK | FIN, SYN))
            payload = rng.randbytes(rng.choice((0, 5, 40, 95, 100)))
            whole = Segment(payload, ports=(port, rng.choice((80, 81))), sequence=sequence, flags=flags)
            whole = replace(whole, protocol=rng.choice((6, 6, 6, 17)), window=rng.choice((9, 9, 10)))
            flow += whole.segments(rng.choice((20, 30)))
            sequence = (sequence + len(payload)) % 2**32
        flows.append(flow)
    return flows


@pytest.mark.parametrize("seed", range(60))
def test_of_every_flow_nothing_is_lost_changed_or_overtaken(seed: int) -> None:
    rng = Random(seed)
    flows = streams(rng)
    row = [flow.pop(0) for _ in range(sum(map(len, flows))) for flow in [rng.choice([f for f in flows if f])]]
    if rng.random() < 0.3:
        rng.shuffle(row)
    made = coalesced([tun(segment) for segment in row])
    again = cut_again(made)
    for flow in {(s.protocol, s.ports) for s in row}:
        sent = [s.packet() for s in row if (s.protocol, s.ports) == flow]
        key = sent[0][6:7] + sent[0][40:44]
        assert [packet for packet in again if packet[6:7] + packet[40:44] == key] == sent
    completed = [part for vnet, packet in made for part in finished(packet, vnet)]
    assert completed == [slow_complete(part, 6 if part[6] == 17 else 16) for part in again]
