"""Trains that UDP_GRO has put together: opened at once where they are whole, frame by frame where they are not."""

from collections import Counter
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshrouter.links.link import run_of
from meshrouter.neighbours.session import LinkSession
from meshrouter.offload.trains import Trains

KEYS = bytes(range(32)), bytes(range(32, 64))
ROOM = 1000


def ends() -> tuple[LinkSession, LinkSession, Trains]:
    return LinkSession(1, 7, *KEYS), LinkSession(7, 1, *reversed(KEYS)), Trains(Counter())


@pytest.mark.parametrize("size", [985, 2 * ROOM - 16, 2 * ROOM - 15, 20_000, 44_900])
def test_a_whole_train_at_once(size: int) -> None:
    sender, receiver, trains = ends()
    packet = Random(size).randbytes(size)
    frames = sender.seal_cars(packet, ROOM).frames()
    assert trains.received_run(receiver, run_of(b"".join(frames), len(frames[0])), 0.0) == packet
    assert trains.received_run(receiver, run_of(b"".join(frames), len(frames[0])), 0.0) is None, "replayed"
    assert not len(trains)


def test_a_train_in_two_runs_and_two_trains_in_one() -> None:
    sender, receiver, trains = ends()
    packet = Random(1).randbytes(20_000)
    frames = sender.seal_cars(packet, ROOM).frames()
    size = len(frames[0])
    assert trains.received_run(receiver, run_of(b"".join(frames[:9]), size), 0.0) is None
    assert trains.received_run(receiver, run_of(b"".join(frames[9:]), size), 0.0) == packet
    even = [sender.seal_cars(packet[: 3 * ROOM - 16], ROOM).frames() for _ in range(2)]
    both = run_of(b"".join(even[0] + even[1]), size)
    assert trains.received_run(receiver, both, 0.0) == packet[: 3 * ROOM - 16], (
        "the later one; the first is lost or not"
    )


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
    opened = trains.received_run(receiver, run_of(bytes(whole), size), 0.0)
    assert opened in (None, packet), "a changed first byte leaves the train what it was"
    assert opened is None or at % size == 0


@given(st.binary(max_size=9000), st.integers(1, 2000))
def test_any_bytes_at_all(data: bytes, size: int) -> None:
    _, receiver, trains = ends()
    assert trains.received_run(receiver, run_of(b"\x2a" + data, size), 0.0) is None


def test_order_of_runs_is_the_order_of_frames() -> None:
    sender, _, _ = ends()
    frames = sender.seal_cars(bytes(30_000), ROOM).frames()
    assert all(len(one) >= len(other) for one, other in pairwise(frames)), "UDP_SEGMENT asks for that"
