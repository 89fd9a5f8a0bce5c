"""Sums against RFC 1071's own way of making them."""

from hypothesis import given
from hypothesis import strategies as st

from meshrouter.offload.checksum import completed, ones_sum, pseudo_sum, with_checksum
from tests.router.offload.packets import Segment, pseudo_header, segments, slow_complete, slow_sum, verifies


@given(st.binary(max_size=300))
def test_a_sum_is_that_of_its_words(data: bytes) -> None:
    assert ones_sum(data) == slow_sum(data) % 0xFFFF


def test_the_example_of_rfc_1071() -> None:
    assert ones_sum(bytes.fromhex("0001f203f4f5f6f7")) == 0xDDF2


@given(segments())
def test_the_pseudo_header(segment: Segment) -> None:
    packet = segment.packet()
    expected = slow_sum(pseudo_header(packet, segment.protocol)) % 0xFFFF
    assert pseudo_sum(packet[8:40], len(packet) - 40, segment.protocol) == expected


@given(segments())
def test_a_completed_checksum_verifies(segment: Segment) -> None:
    packet, offset = segment.packet(), segment.vnet().checksum_offset
    whole = completed(packet, 40, offset)
    assert verifies(whole)
    assert whole == slow_complete(packet, offset)


@given(segments(), st.binary(min_size=2, max_size=2))
def test_what_the_field_held_does_not_count(segment: Segment, before: bytes) -> None:
    packet, offset = segment.packet(), segment.vnet().checksum_offset
    wrong = packet[: 40 + offset] + before + packet[42 + offset :]
    assert with_checksum(wrong, segment.protocol, offset) == completed(packet, 40, offset)


def test_no_checksum_is_written_as_none() -> None:
    """0 in a UDP header says that there is none (RFC 8200 §8.1); a sum of all ones gives it."""
    base = Segment(protocol=17, payload=bytes(2), ports=(1, 2))
    missing = 0xFFFF - slow_sum(pseudo_header(base.packet(), 17) + base.packet()[40:46] + bytes(2))
    packet = Segment(protocol=17, payload=missing.to_bytes(2, "big"), ports=(1, 2)).packet()
    assert completed(packet, 40, 6)[46:48] == b"\xff\xff"
