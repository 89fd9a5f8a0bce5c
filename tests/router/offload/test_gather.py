"""Datagrams that came out of the TUN together leave as one, and are at the far end what they were."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from meshrouter.offload.gather import gathered
from meshrouter.offload.split import split
from meshrouter.offload.vnet import COMPLETE, GSO_UDP_L4, TCP_PARTIAL, UDP_PARTIAL, VnetHeader
from tests.router.offload.packets import Segment

DATAGRAM = Segment(b"d" * 100, protocol=17)
Given = tuple[VnetHeader | None, bytes]


def out(segment: Segment) -> Given:
    """As the TUN gives it."""
    return (UDP_PARTIAL if segment.protocol == 17 else TCP_PARTIAL), segment.packet()


def flow_of(packet: bytes) -> bytes:
    return packet[6:7] + packet[8:44]


def cut_again(batch: list[Given]) -> list[bytes]:
    return [
        part
        for vnet, packet in batch
        for part in (split(packet, vnet) if vnet is not None and vnet.is_super else [packet])
    ]


def test_one_call_a_datagram_is_one_packet_for_the_mesh() -> None:
    batch = [out(replace(DATAGRAM, payload=bytes((number,)) * 100)) for number in range(53)]
    ((vnet, whole),) = gathered(batch)
    assert vnet == DATAGRAM.vnet(100)
    assert split(whole, vnet) == [packet for _, packet in batch]


def test_what_is_alone_stays_as_it_is() -> None:
    batch = [out(DATAGRAM), out(Segment(b"t")), (None, DATAGRAM.packet()), (COMPLETE, DATAGRAM.packet())]
    assert gathered(batch) is batch


def test_tcp_is_the_kernels_affair() -> None:
    segments = [out(part) for part in Segment(bytes(300)).segments(100)]
    made = gathered([*segments, out(DATAGRAM), out(DATAGRAM)])
    assert made[:3] == segments
    assert made[3][0] == DATAGRAM.vnet(100)


def test_packets_for_groups_stay_single() -> None:
    to_many = replace(DATAGRAM, destination=bytes.fromhex("ff18eeee000000000000000000000001"))
    batch = [out(to_many)] * 5
    assert list(gathered(batch)) == batch


def test_a_packet_that_is_longer_than_it_says_is_nobodys_part() -> None:
    longer = (UDP_PARTIAL, DATAGRAM.packet() + b"x")
    batch = [out(DATAGRAM), longer, out(DATAGRAM)]
    assert list(gathered(batch)) == batch


ANY = st.builds(
    replace,
    st.sampled_from((DATAGRAM, Segment(b"t" * 100))),
    payload=st.binary(max_size=6),
    ports=st.sampled_from(((1, 2), (3, 4))),
    traffic_class=st.sampled_from((0, 0, 0, 3)),
)


@given(st.lists(st.tuples(ANY, st.booleans()), max_size=40))
def test_every_flow_is_the_same_in_the_same_order(drawn: list[tuple[Segment, bool]]) -> None:
    batch: list[Given] = [(None, segment.packet()) if whole else out(segment) for segment, whole in drawn]
    made = cut_again(list(gathered(batch)))
    for flow in {flow_of(packet) for _, packet in batch}:
        assert [packet for packet in made if flow_of(packet) == flow] == [
            packet for _, packet in batch if flow_of(packet) == flow
        ]


@given(st.lists(st.tuples(st.sampled_from((None, COMPLETE, TCP_PARTIAL, UDP_PARTIAL)), st.binary(max_size=80))))
def test_any_bytes_come_through(batch: list[Given]) -> None:
    """The kernel gives none such; a mistake of ours might."""
    made = gathered(batch)
    singles = [packet for vnet, packet in made if vnet is None or vnet.gso_type != GSO_UDP_L4]
    assert sum(len(packet) for packet in singles) <= sum(len(packet) for _, packet in batch)
    assert len(made) <= len(batch)
