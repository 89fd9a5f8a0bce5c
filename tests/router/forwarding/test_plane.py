"""What the data plane refuses of a neighbour that is proven: its frames are real, what is in them need not be."""

from collections.abc import Callable

import pytest

from meshrouter.forwarding.complaints import _MOST_BUCKETS, RATE
from meshrouter.forwarding.plane import largest_packet, largest_train, takes_trains
from meshrouter.wire import frame as frames
from meshrouter.wire.beacon import TAKES_TRAINS
from meshrouter.wire.frame import FRAME, HEADER_SIZE, MAX_CARS, OVERHEAD, TAG_SIZE
from meshrouter.wire.meshctl import ErrorCode
from meshrouter.wire.packet import MESHCTL, MESHP, MESHSEC
from meshrouter.wire.train import MAX_TRAIN
from tests.router.whole.world import Node, World


def pair(*, trains: bool = False) -> tuple[World, Node, Node]:
    world = World("a", "b")
    world.line("a", "b", trains=trains)
    world.run(5)
    return world, world["a"], world["b"]


def meshp(a: Node, b: Node, *, next_header: int = MESHSEC, length: int = 60, destination: bytes = b"") -> bytes:
    """A header that says ``length``, and 60 bytes."""
    return MESHP.pack(6 << 28, length, next_header, 64, 0, a.id, 0, destination or b.id) + bytes(60)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda packet: packet[:39], "packet-header"),
        (lambda _packet: b"", "packet-header"),
        (lambda packet: b"\x40" + packet[1:], "packet-header"),
        (lambda packet: packet + b"x", "packet-size"),
        (lambda packet: packet[:-1], "packet-size"),
        (lambda packet: packet[:6] + b"\xfe" + packet[7:], "packet-next-header"),
        (lambda packet: packet, "end-unknown"),
    ],
)
def test_packets_that_are_none(change: Callable[[bytes], bytes], rule: str) -> None:
    world, a, b = pair()
    before = b.router.plane.delivered
    b.router.plane.packet(change(meshp(a, b)), b.neighbour(a), world.now)
    assert b.dropped(rule) == 1
    assert b.router.plane.delivered - before == (rule == "end-unknown")


def test_frames_of_no_kind_and_frames_that_nobody_sealed_are_counted() -> None:
    world, a, b = pair()
    index = a.neighbour(b).session.send_index
    for kind, rule in ((31, "frame-type"), (frames.CONTROL, "link-sealed"), (frames.PIECE, "link-sealed")):
        before = b.dropped(rule)
        frame = FRAME.pack(frames.first_byte(kind), 0, 40, index, 1 << 20) + bytes(40)
        b.router.plane.frames(b.links[0], [(a.links[0].address, frame), (a.links[0].address, frame[:11])], world.now)
        assert b.dropped(rule) == before + 1
    assert b.dropped("frame-size") == 3


@pytest.mark.parametrize("kind", [frames.PACKET, frames.PIECE, frames.CONTROL])
def test_of_who_is_not_up_nothing_is_taken(kind: int) -> None:
    """Its session may open frames still, or already."""
    world, a, b = pair()
    neighbour = b.neighbour(a)
    neighbour.up = False
    before = neighbour.frames_in, neighbour.heard, b.router.plane.delivered
    frame = a.neighbour(b).session.seal(kind, meshp(a, b))
    b.router.plane.frames(b.links[0], [(a.links[0].address, frame)], world.now + 1)
    assert (neighbour.frames_in, neighbour.heard, b.router.plane.delivered) == before
    assert b.dropped("link-stranger") == (kind == frames.PACKET)


def test_nobody_is_told_about_what_tells_others() -> None:
    world, a, b = pair()
    before = a.neighbour(b).frames_in
    b.router.plane.packet(meshp(a, b, next_header=MESHCTL, destination=bytes(range(14))), b.neighbour(a), world.now)
    world.run(0.01)
    assert b.dropped("forward-no-route") == 1
    assert a.neighbour(b).frames_in == before
    b.router.plane.packet(meshp(a, b, destination=bytes(range(14))), b.neighbour(a), world.now)
    world.run(0.01)
    assert a.neighbour(b).frames_in == before + 1


def test_nobody_is_told_about_ones_own_packet_and_budgets_are_few() -> None:
    world, a, b = pair()
    complaints = b.router.plane.complaints
    complaints.complain(meshp(b, a), None, ErrorCode.NO_ROUTE, world.now)
    assert complaints._buckets == {}
    for number in range(_MOST_BUCKETS + 5):
        complaints._spend(b"%d" % number, world.now)
    assert len(complaints._buckets) == 5
    assert sum(complaints._spend(b"one", world.now) for _ in range(100)) == RATE


@pytest.mark.parametrize(("ours", "theirs"), [(1500, 1300), (1300, 1500)])
def test_what_a_neighbour_takes_is_the_less_of_both(ours: int, theirs: int) -> None:
    _, a, b = pair(trains=True)
    neighbour = a.neighbour(b)
    neighbour.link.mtu, neighbour.mtu = ours, theirs
    assert largest_packet(neighbour) == 1300 - OVERHEAD
    assert largest_train(neighbour) == MAX_CARS * (1300 - HEADER_SIZE) - TAG_SIZE
    neighbour.link.mtu = neighbour.mtu = 9000
    assert largest_train(neighbour) == MAX_TRAIN


def test_trains_only_where_both_ends_take_them_and_little_is_lost() -> None:
    _, a, b = pair(trains=True)
    neighbour = a.neighbour(b)
    assert takes_trains(neighbour)
    neighbour.loss = 0.01
    assert [takes_trains(neighbour)] == [False]
    neighbour.loss, neighbour.caps = 0.0, neighbour.caps & ~TAKES_TRAINS
    assert [takes_trains(neighbour)] == [False]
    neighbour.caps |= TAKES_TRAINS
    neighbour.link.trains = False
    assert [takes_trains(neighbour)] == [False]
