"""What is sealed of a packet gives the packet again, and says what the kernel still has to do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshrouter.errors import WireError
from meshrouter.offload.checksum import completed, pseudo_sum
from meshrouter.offload.inner import RESERVED, opened, single_text, split_texts, super_texts
from meshrouter.offload.split import finished, split
from meshrouter.offload.vnet import COMPLETE, NEEDS_CSUM, VnetHeader
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


def test_a_sum_that_is_neither_tcps_nor_udps_is_made_here() -> None:
    head = Segment().packet()
    echo = bytes((128, 0, 0, 0, 1, 2, 3, 4)) + b"ping"
    packet = head[:4] + len(echo).to_bytes(2, "big") + bytes((58,)) + head[7:40] + echo
    packet = packet[:42] + pseudo_sum(packet[8:40], len(echo), 58).to_bytes(2, "big") + packet[44:]
    vnet, again = rebuilt(packet, single_text(packet, VnetHeader(NEEDS_CSUM, checksum_start=40, checksum_offset=2)))
    assert vnet == COMPLETE
    assert verifies(again)


@pytest.mark.parametrize(("start", "offset"), [(48, 16), (40, 6), (44, 12)])
def test_a_sum_elsewhere_than_it_belongs_is_made_where_the_kernel_says(start: int, offset: int) -> None:
    packet = Segment(bytes(40)).packet()
    text = single_text(packet, VnetHeader(NEEDS_CSUM, checksum_start=start, checksum_offset=offset))
    assert text == packet[6:7] + completed(packet, start, offset)[40:]


def test_a_sum_beyond_the_packet_is_refused() -> None:
    packet = Segment(bytes(4)).packet()
    for start, offset in ((39, 16), (0, 40), (48, 15), (48, 16), (200, 0)):
        with pytest.raises(WireError) as refusal:
            single_text(packet, VnetHeader(NEEDS_CSUM, checksum_start=start, checksum_offset=offset))
        assert refusal.value.code == "gso-partial"
    assert single_text(packet, VnetHeader(NEEDS_CSUM, checksum_start=48, checksum_offset=14))[0] == 6


@pytest.mark.parametrize(("first", "start"), [(6, 48), (60, 40)])
def test_a_super_packet_with_something_between_is_cut_and_made_complete(first: int, start: int) -> None:
    """What the kernel says of the place, and what the IPv6 header says of it, must both be that nothing is."""
    packet = Segment(bytes(300)).packet()
    packet = packet[:6] + bytes((first,)) + packet[7:52] + b"\x50" * 9 + packet[61:]
    vnet = Segment().vnet(100, start=start)
    whole = [bytes((first,)) + completed(part, start, 16)[40:] for part in split(packet, vnet)]
    assert split_texts(packet, vnet, 0xFFFF) == whole
    assert super_texts(packet, vnet, 60_000) is None


@pytest.mark.parametrize("protocol", [6, 17])
def test_super_texts_are_no_longer_than_the_limit_and_have_two_segments_at_least(protocol: int) -> None:
    segment = Segment(bytes(600), protocol=protocol)
    two = 1 + 3 + (20 if protocol == 6 else 8) + 200
    texts = super_texts(segment.packet(), segment.vnet(100), two)
    assert texts is not None
    assert [len(text) for text in texts] == [two] * 3
    assert super_texts(segment.packet(), segment.vnet(100), two - 1) is None


@pytest.mark.parametrize(("protocol", "most"), [(6, 1024), (17, 64)])
def test_the_greatest_number_of_segments_and_one_byte_more(protocol: int, most: int) -> None:
    def text(payload: int) -> bytes:
        return bytes((252, protocol, 0, 10)) + Segment(bytes(payload), protocol=protocol).packet()[40:]

    assert opened(text(10 * most))[1].gso_size == 10
    with pytest.raises(WireError) as refusal:
        opened(text(10 * most + 1))
    assert refusal.value.code == "super-size"
    assert opened(text(11))[1].is_super
    assert not opened(text(10))[1].is_super


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
        (b"\xfc\x06\x00\x10", "gso-header"),
        (b"\xfc\x06\x00\x10" + bytes(12), "gso-header"),
        (b"\xfc\x06\x00\x10" + bytes(12) + b"\x50" + bytes(6), "gso-header"),
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
