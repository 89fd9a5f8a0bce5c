"""What is sealed of a packet gives the packet again, and says what the kernel still has to do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshrouter.errors import WireError
from meshrouter.offload.inner import RESERVED, opened, single_text, split_texts, super_texts
from meshrouter.offload.split import finished, split
from meshrouter.offload.vnet import COMPLETE, VnetHeader
from tests.router.offload.packets import CWR, Segment, segments, slow_complete, verifies
from tests.router.offload.test_split import DESTINATION_OPTIONS


def rebuilt(like: bytes, text: bytes) -> tuple[VnetHeader, bytes]:
    """The IPv6 packet that a text stands for, under the header of another one."""
    protocol, vnet, start = opened(text)
    body = text[start:]
    return vnet, like[:4] + len(body).to_bytes(2, "big") + bytes((protocol,)) + like[7:40] + body


@given(segments())
def test_a_partial_packet(segment: Segment) -> None:
    packet = segment.packet()
    text = single_text(packet, segment.vnet())
    assert text[0] == {6: 254, 17: 253}[segment.protocol]
    vnet, again = rebuilt(packet, text)
    assert again == packet
    assert vnet == segment.vnet()


@given(st.integers(0, 255).filter(lambda protocol: protocol not in RESERVED), st.binary(max_size=80))
def test_a_complete_packet(protocol: int, body: bytes) -> None:
    packet = Segment().packet()[:6] + bytes((protocol,)) + Segment().packet()[7:40] + body
    for vnet in (None, COMPLETE, VnetHeader(2)):
        text = single_text(packet, vnet)
        assert text == packet[6:7] + body
        assert opened(text) == (protocol, COMPLETE, 1)


@given(segments())
def test_behind_extension_headers_the_sum_is_made_here(segment: Segment) -> None:
    packet = segment.packet(DESTINATION_OPTIONS)
    vnet, again = rebuilt(packet, single_text(packet, segment.vnet(start=48)))
    assert vnet == COMPLETE
    assert verifies(again, 48, segment.protocol)


def test_experimental_next_headers_cannot_travel() -> None:
    for protocol in sorted(RESERVED):
        packet = Segment().packet()[:6] + bytes((protocol,)) + Segment().packet()[7:]
        with pytest.raises(WireError, match="means something else") as refusal:
            single_text(packet, None)
        assert refusal.value.code == "inner-reserved"


@given(segments(), st.integers(30, 300))
def test_split(segment: Segment, size: int) -> None:
    packet = segment.packet()
    texts = split_texts(packet, segment.vnet(size), 0xFFFF)
    assert [rebuilt(packet, text) for text in texts] == [
        (segment.vnet(), part) for part in split(packet, segment.vnet(size))
    ]


@given(segments(), st.integers(30, 300))
def test_split_behind_extension_headers(segment: Segment, size: int) -> None:
    packet, vnet = segment.packet(DESTINATION_OPTIONS), segment.vnet(size, start=48)
    texts = split_texts(packet, vnet, 0xFFFF)
    assert [rebuilt(packet, text) for text in texts] == [(COMPLETE, part) for part in finished(packet, vnet)]
    assert super_texts(packet, vnet, 60_000) is None


@given(segments(), st.integers(30, 300), st.integers(200, 700))
def test_whole(segment: Segment, size: int, limit: int) -> None:
    """However few super-packets it takes: what they are cut into in the end is the same."""
    packet, vnet = segment.packet(), segment.vnet(size)
    texts = super_texts(packet, vnet, limit)
    if texts is None:
        assert limit < 4 + 60 + 2 * size
        return
    assert all(len(text) <= limit for text in texts)
    assert all(len(text) > limit - 2 * size - 60 for text in texts[:-1])
    again = [part for text in texts for part in _finished(*rebuilt(packet, text))]
    assert again == [slow_complete(part, vnet.checksum_offset) for part in split(packet, vnet)]


def _finished(vnet: VnetHeader, packet: bytes) -> list[bytes]:
    return finished(packet, vnet)


def test_a_whole_super_packet_is_told_as_it_was() -> None:
    for segment in (Segment(payload=bytes(5000)), Segment(payload=bytes(5000), flags=CWR), Segment(bytes(5000), 17)):
        texts = super_texts(segment.packet(), segment.vnet(1000), 60_000)
        assert texts is not None
        assert [rebuilt(segment.packet(), text) for text in texts] == [(segment.vnet(1000), segment.packet())]


@pytest.mark.parametrize(("protocol", "most"), [(6, 1024), (17, 64)])
def test_no_more_segments_than_a_kernel_can_bear(protocol: int, most: int) -> None:
    segment = Segment(payload=bytes(2 * most + 7), protocol=protocol)
    header = 20 if protocol == 6 else 8
    texts = super_texts(segment.packet(), segment.vnet(1), 60_000)
    assert texts is not None
    assert [len(text) - 4 - header for text in texts] == [most, most, 7]
    assert opened(texts[0])[1].gso_size == 1
    with pytest.raises(WireError) as refusal:
        opened(bytes((252, protocol, 0, 1)) + segment.packet()[40:])
    assert refusal.value.code == "super-size"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"", "inner-size"),
        (b"\xfe" + bytes(19), "inner-size"),
        (b"\xfd" + bytes(7), "inner-size"),
        (b"\xfc\x06\x00", "super-size"),
        (b"\xfc\x3a\x00\x10" + bytes(100), "super-protocol"),
        (b"\xfc\x06\x00\x10" + bytes(100), "gso-header"),
        (b"\xfc\x06\x00\x10" + bytes(12) + b"\xf0" + bytes(40), "gso-header"),
        (b"\xfc\x11\x00\x10" + bytes(7), "gso-header"),
        (b"\xfc\x11\x00\x00" + bytes(9), "super-size"),
        (b"\xfc\x11\x00\x00" + bytes(8), "super-size"),
    ],
)
def test_what_no_sender_makes(text: bytes, code: str) -> None:
    with pytest.raises(WireError) as refusal:
        opened(text)
    assert refusal.value.code == code


@given(st.binary(max_size=100) | st.builds(lambda head, rest: b"\xfc" + head + rest, st.binary(), st.binary()))
def test_any_text_is_opened_or_refused(text: bytes) -> None:
    try:
        _, vnet, start = opened(text)
    except WireError:
        return
    body = bytes(40) + text[start:]
    assert not vnet.is_partial or vnet.checksum_start + vnet.checksum_offset + 2 <= len(body)
    assert not vnet.is_super or len(body) - vnet.header_length > vnet.gso_size > 0
    assert finished(body, vnet)
