"""Trains come together in whatever order their frames come, and cost what is said at most."""

from collections import Counter
from random import Random

import pytest

from meshrouter.neighbours.session import LinkSession
from meshrouter.offload.trains import A_SESSION, MOST_TRAINS, Trains
from meshrouter.wire.frame import FRAME, LAST
from meshrouter.wire.train import MAX_TRAIN, MOST_SEALED, TRAIN_TIME, car_header

KEYS = bytes(range(32)), bytes(range(32, 64))


class Pair:
    """Two ends of a link session, and the receiver's trains."""

    def __init__(self, index: int = 7) -> None:
        self.sender = LinkSession(1, index, *KEYS)
        self.receiver = LinkSession(index, 1, *reversed(KEYS))
        self.counters: Counter[str] = Counter()
        self.trains = Trains(self.counters)

    def receive(self, frames: list[bytes], now: float = 0.0) -> list[bytes]:
        answers = [self.trains.received(self.receiver, frame, now) for frame in frames]
        return [packet for packet in answers if packet is not None]


PACKET = Random(1).randbytes(20_000)


@pytest.mark.parametrize("size", [1, 1000, 1471, 1472, 1473, MAX_TRAIN])
def test_there_and_back(size: int) -> None:
    pair, packet = Pair(), Random(size).randbytes(size)
    assert pair.receive(pair.sender.seal_cars(packet, 1460).frames()) == [packet]
    assert not pair.trains
    assert not pair.counters


@pytest.mark.parametrize("seed", range(10))
def test_any_order_and_repetitions(seed: int) -> None:
    pair, rng = Pair(), Random(seed)
    frames = pair.sender.seal_cars(PACKET, 1000).frames()
    assert len(frames) == 21
    shuffled = rng.sample(frames, len(frames))
    doubled = [frame for frame in shuffled for _ in range(rng.randrange(1, 3))]
    assert pair.receive(doubled) == [PACKET]


def test_the_first_of_a_number_stays() -> None:
    pair = Pair()
    frames = pair.sender.seal_cars(PACKET, 1000).frames()
    assert pair.receive(frames[:5]) == []
    held = pair.trains.held
    forged = [frame[:12] + bytes(len(frame) - 12) for frame in frames[:5]]
    assert pair.receive(forged * 100) == []
    assert pair.trains.held == held
    assert pair.receive(frames[5:]) == [PACKET]


def test_a_train_is_taken_once() -> None:
    pair = Pair()
    frames = pair.sender.seal_cars(PACKET, 1000).frames()
    assert pair.receive(frames + frames) == [PACKET]
    assert len(pair.trains) == 0
    assert pair.counters == {"train-late": len(frames)}


def test_trains_that_overlap_where_they_meet() -> None:
    pair = Pair()
    first, second = (pair.sender.seal_cars(PACKET[at:], 1000).frames() for at in range(2))
    assert pair.receive(first[:-1] + second[:1] + first[-1:] + second[1:]) == [PACKET, PACKET[1:]]


def test_a_third_train_ends_the_first() -> None:
    pair = Pair()
    rows = [pair.sender.seal_cars(PACKET[at:], 1000).frames() for at in range(3)]
    assert pair.receive([frame for row in rows for frame in row[:-1]]) == []
    assert len(pair.trains) == A_SESSION
    assert pair.receive([row[-1] for row in rows[1:]]) == [PACKET[1:], PACKET[2:]]


@pytest.mark.parametrize("at", [0, 11, 12, 20, -1])
def test_a_flipped_bit_anywhere_and_nothing_is_believed(at: int) -> None:
    pair = Pair()
    frames = pair.sender.seal_cars(PACKET, 1000).frames()
    broken = bytearray(frames[3])
    broken[at] ^= 1
    frames[3] = bytes(broken)
    if at == 0:  # the type is looked at before the frame comes here
        assert pair.receive(frames) == [PACKET]
    else:
        assert pair.receive(frames) == []


def test_a_train_is_not_a_packet() -> None:
    """What was sealed as one frame does not open as a train of one."""
    pair = Pair()
    frame = pair.sender.seal(9, PACKET[:100])
    _, _, length, index, counter = FRAME.unpack_from(frame)
    assert pair.receive([car_header(0, length, index, counter, last=True) + frame[12:]]) == []
    assert pair.counters == {"train-tag": 1}


def test_two_seconds() -> None:
    pair = Pair()
    frames = pair.sender.seal_cars(PACKET, 1000).frames()
    pair.receive(frames[:-1], now=10.0)
    assert pair.trains.deadline() == 10.0 + TRAIN_TIME
    pair.trains.tick(11.9)
    assert len(pair.trains) == 1
    pair.trains.tick(12.0)
    assert len(pair.trains) == 0
    assert pair.trains.deadline() == float("inf")
    assert pair.receive(frames[-1:], now=12.0) == []


def test_memory_is_bounded() -> None:
    """Whoever writes frames of ever new trains to ever new indexes gets so far and no further."""
    counters: Counter[str] = Counter()
    trains = Trains(counters)
    car = bytes(60_000)
    for index in range(200):
        session = LinkSession(index, 1, *KEYS)
        for counter in range(4):
            trains.received(session, car_header(0, len(car), index, counter, last=False) + car, 0.0)
            assert len(trains) <= MOST_TRAINS
    assert trains.held <= MOST_TRAINS * MOST_SEALED
    assert counters["train-late"] == 800 - MOST_TRAINS


def test_a_train_too_long_is_dropped() -> None:
    pair = Pair()
    pair.receive([car_header(number, 10_000, 7, 0, last=False) + bytes(10_000) for number in range(7)])
    assert pair.counters == {"train-long": 1}
    assert pair.trains.held == 0


@pytest.mark.parametrize("marks", [(5, 3 | LAST), (3 | LAST, 4), (3 | LAST, 9 | LAST)])
def test_numbers_past_the_last(marks: tuple[int, int]) -> None:
    pair = Pair()
    pair.receive([FRAME.pack(0x2A, mark, 3, 7, 0) + b"abc" for mark in marks])
    assert pair.counters == {"train-long": 1}
    assert len(pair.trains) == 0


@pytest.mark.parametrize(
    "frame",
    [b"", bytes(12), FRAME.pack(0x2A, 0, 0, 7, 0) + b"x", FRAME.pack(0x2A, 0, 2, 7, 0) + b"x", b"\x2a\x2d" + bytes(40)],
)
def test_frames_of_wrong_sizes_cost_a_counter(frame: bytes) -> None:
    pair = Pair()
    assert pair.receive([frame]) == []
    assert pair.counters == {"train-size": 1}


@pytest.mark.parametrize("seed", range(20))
def test_any_bytes(seed: int) -> None:
    pair, rng = Pair(), Random(seed)
    for _ in range(300):
        pair.receive([rng.randbytes(rng.randrange(80))], rng.random() * 10)
        assert len(pair.trains) <= MOST_TRAINS
    assert pair.trains.held < 300 * 80
