"""Trains that UDP_GRO has put together: opened at once where they are whole, frame by frame where they are not."""

from collections import Counter
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshrouter.neighbours.session import LinkSession
from meshrouter.offload.trains import MOST_TOGETHER, Trains

KEYS = bytes(range(32)), bytes(range(32, 64))
ROOM = 1000


def ends() -> tuple[LinkSession, LinkSession, Trains]:
    return LinkSession(1, 7, *KEYS), LinkSession(7, 1, *reversed(KEYS)), Trains(Counter())


@pytest.mark.parametrize("size", [985, 2 * ROOM - 16, 2 * ROOM - 15, 20_000, 44_900])
def test_a_whole_train_at_once(size: int) -> None:
    sender, receiver, trains = ends()
    packet = Random(size).randbytes(size)
    frames = sender.seal_cars(packet, ROOM).frames()
    assert trains.received(receiver, b"".join(frames), 0.0) == packet
    assert trains.received(receiver, b"".join(frames), 0.0) is None, "replayed"
    assert not len(trains)


def test_a_train_in_two_runs_and_two_trains_in_one() -> None:
    sender, receiver, trains = ends()
    packet = Random(1).randbytes(20_000)
    frames = sender.seal_cars(packet, ROOM).frames()
    assert trains.received(receiver, b"".join(frames[:9]), 0.0) is None
    assert trains.received(receiver, b"".join(frames[9:]), 0.0) == packet
    even = [sender.seal_cars(packet[: 3 * ROOM - 16], ROOM).frames() for _ in range(2)]
    both = b"".join(even[0] + even[1])
    assert trains.received(receiver, both, 0.0) == packet[: 3 * ROOM - 16], "the later one; the first is lost or not"


@given(st.data())
def test_nothing_that_was_changed_comes_out(data: st.DataObject) -> None:
    sender, receiver, trains = ends()
    packet = Random(2).randbytes(data.draw(st.integers(1, 9000)))
    frames = sender.seal_cars(packet, ROOM).frames()
    size, whole = len(frames[0]), bytearray(b"".join(frames))
    if len(frames) < 2:
        return
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= 1 << data.draw(st.integers(0, 7))
    opened = trains.received(receiver, bytes(whole), 0.0)
    assert opened in (None, packet), "a changed first byte leaves the train what it was"
    assert opened is None or at % size == 0


@given(st.binary(max_size=9000), st.integers(0, 2000))
def test_any_bytes_at_all(data: bytes, size: int) -> None:
    _, receiver, trains = ends()
    assert trains.received(receiver, b"\x2a\x00" + size.to_bytes(2, "big") + data, 0.0) is None


def test_what_a_link_fills_a_frame_up_with_is_no_frame() -> None:
    """Ethernet sends no less than 46 bytes, and the last frame of a train may be shorter."""
    sender, receiver, trains = ends()
    packet = Random(3).randbytes(990)
    first, last = sender.seal_cars(packet, ROOM).frames()
    assert len(last) == 12 + 6
    assert trains.received(receiver, first, 0.0) is None
    assert trains.received(receiver, last.ljust(46, b"\0"), 0.0) == packet
    assert trains.received(receiver, last.ljust(1500, b"\x2a"), 0.0) is None
    assert len(trains) == 0, "another session's number is not ours to begin a train under"


def test_a_run_of_tiny_frames_costs_no_more_than_a_run_can_have() -> None:
    _, receiver, trains = ends()
    tiny = bytes.fromhex("2a 00 0001 00000007 00000000 ff")
    assert trains.received(receiver, tiny * 5000, 0.0) is None
    assert trains._counters["train-size"] + trains.held <= MOST_TOGETHER


def test_order_of_runs_is_the_order_of_frames() -> None:
    sender, _, _ = ends()
    frames = sender.seal_cars(bytes(30_000), ROOM).frames()
    assert all(len(one) >= len(other) for one, other in pairwise(frames)), "UDP_SEGMENT asks for that"
