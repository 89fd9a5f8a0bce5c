"""Super-packets are cut as the slow model cuts them, and every segment verifies once its sum is made."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshrouter.errors import WireError
from meshrouter.offload.split import finished, split
from meshrouter.offload.vnet import COMPLETE, GSO_TCPV6, GSO_UDP_L4, NEEDS_CSUM, VnetHeader
from tests.router.offload.packets import ACK, CWR, ECE, FIN, PSH, Segment, read, segments, slow_complete, verifies

DESTINATION_OPTIONS = bytes((60, 0, 1, 4, 0, 0, 0, 0))
"""Next header of the IPv6 header, then one extension header of 8 bytes without its own next header."""


@given(segments(), st.integers(1, 300))
def test_as_the_model(segment: Segment, size: int) -> None:
    parts = split(segment.packet(), segment.vnet(size))
    assert parts == [part.packet() for part in segment.segments(size)]


@given(segments(), st.integers(1, 300))
def test_every_segment_verifies_once_completed(segment: Segment, size: int) -> None:
    parts = split(segment.packet(), segment.vnet(size))
    assert all(verifies(slow_complete(part, segment.vnet().checksum_offset)) for part in parts)
    assert finished(segment.packet(), segment.vnet(size)) == [
        slow_complete(part, segment.vnet().checksum_offset) for part in parts
    ]


@given(segments(), st.integers(1, 300))
def test_the_header_hint_is_not_believed(segment: Segment, size: int) -> None:
    lying = segment.vnet(size)._replace(header_length=3)
    assert split(segment.packet(), lying) == split(segment.packet(), segment.vnet(size))


@given(segments(), st.integers(30, 300))
def test_extension_headers_stand_on_every_segment(segment: Segment, size: int) -> None:
    parts = finished(segment.packet(DESTINATION_OPTIONS), segment.vnet(size, start=48))
    assert all(part[40:48] == bytes((segment.protocol,)) + DESTINATION_OPTIONS[1:] for part in parts)
    assert all(verifies(part, 48, segment.protocol) for part in parts)
    assert b"".join(read(part[:6] + part[40:41] + part[7:], 48).payload for part in parts) == segment.payload


def test_flags_of_a_flow_that_ends() -> None:
    segment = Segment(payload=bytes(250), flags=ACK | PSH | FIN | CWR | ECE)
    flags = [read(part).flags for part in split(segment.packet(), segment.vnet(100))]
    assert flags == [ACK | ECE | CWR, ACK | ECE, ACK | ECE | PSH | FIN]


def test_the_sequence_number_wraps() -> None:
    segment = Segment(payload=bytes(250), sequence=2**32 - 150)
    assert [read(part).sequence for part in split(segment.packet(), segment.vnet(100))] == [2**32 - 150, 2**32 - 50, 50]


def test_tcp_is_cut_smaller_where_the_way_is_narrow() -> None:
    segment = Segment(payload=bytes(range(250)))
    parts = split(segment.packet(), segment.vnet(100), limit=110)
    assert [len(part) for part in parts] == [110] * 5
    assert parts == [part.packet() for part in segment.segments(50)]


def test_datagrams_are_not_cut_smaller() -> None:
    segment = Segment(protocol=17, payload=bytes(250))
    assert len(split(segment.packet(), segment.vnet(100), limit=148)) == 3
    with pytest.raises(WireError, match="segments of 100 bytes in packets of 147") as refusal:
        split(segment.packet(), segment.vnet(100), limit=147)
    assert refusal.value.code == "gso-limit"


def test_tcp_is_not_cut_into_nothing() -> None:
    segment = Segment(payload=bytes(250))
    assert len(split(segment.packet(), segment.vnet(100), limit=61)) == 250
    with pytest.raises(WireError) as refusal:
        split(segment.packet(), segment.vnet(100), limit=60)
    assert refusal.value.code == "gso-limit"


@pytest.mark.parametrize(
    "vnet",
    [
        VnetHeader(0, GSO_TCPV6, 60, 100, 40, 16),
        VnetHeader(NEEDS_CSUM, 0, 0, 0, 39, 16),
        VnetHeader(NEEDS_CSUM, 0, 0, 0, 40, 119),
        VnetHeader(NEEDS_CSUM, 0, 0, 0, 160, 0),
    ],
)
def test_what_cannot_be_finished_is_refused(vnet: VnetHeader) -> None:
    """Of 160 bytes: a super-packet whose checksum is said to be whole; a checksum before or behind the payload."""
    packet = Segment(payload=bytes(100)).packet()
    with pytest.raises(WireError) as refusal:
        finished(packet, vnet)
    assert refusal.value.code == "gso-partial"
    assert len(finished(packet, VnetHeader(NEEDS_CSUM, 0, 0, 0, 40, 118))) == 1


def test_a_complete_packet_is_left_alone() -> None:
    packet = Segment(payload=b"x").packet()
    assert finished(packet, COMPLETE) == [packet]


@pytest.mark.parametrize(
    ("vnet", "code"),
    [
        (VnetHeader(NEEDS_CSUM, 1, 60, 100, 40, 16), "gso-type"),
        (VnetHeader(NEEDS_CSUM, 3, 60, 100, 40, 6), "gso-type"),
        (VnetHeader(NEEDS_CSUM, GSO_UDP_L4 | 0x80, 48, 100, 40, 6), "gso-type"),
        (VnetHeader(NEEDS_CSUM, GSO_TCPV6, 60, 0, 40, 16), "gso-size"),
        (VnetHeader(0, GSO_TCPV6, 60, 100, 40, 16), "gso-partial"),
        (VnetHeader(NEEDS_CSUM, GSO_TCPV6, 60, 100, 39, 16), "gso-partial"),
        (VnetHeader(NEEDS_CSUM, GSO_TCPV6, 60, 100, 40, 6), "gso-partial"),
        (VnetHeader(NEEDS_CSUM, GSO_TCPV6, 60, 100, 130, 16), "gso-header"),
        (VnetHeader(NEEDS_CSUM, GSO_UDP_L4, 60, 100, 153, 6), "gso-header"),
    ],
)
def test_what_makes_no_sense_is_refused(vnet: VnetHeader, code: str) -> None:
    with pytest.raises(WireError) as refusal:
        split(Segment(payload=bytes(100)).packet(), vnet)
    assert refusal.value.code == code


def test_a_header_shorter_than_any_is_refused() -> None:
    packet = Segment(payload=bytes(100)).packet()
    with pytest.raises(WireError, match="a TCP header of 16 bytes"):
        split(packet[:52] + b"\x40" + packet[53:], Segment().vnet(50))


@given(st.binary(max_size=120), st.builds(VnetHeader, *[st.integers(0, 0xFF)] * 2, *[st.integers(0, 200)] * 4))
def test_any_bytes_are_cut_or_refused(data: bytes, vnet: VnetHeader) -> None:
    try:
        assert finished(data, vnet)
    except WireError:
        return


@given(st.binary(max_size=12))
def test_the_header_itself(data: bytes) -> None:
    if len(data) < 10:
        with pytest.raises(WireError):
            VnetHeader.decode(data)
    else:
        assert VnetHeader.decode(data).encode() == data[:10]
