"""The simulator's TCP over a wire that loses, delays, doubles and reorders."""

import random
from collections.abc import Callable
from math import inf

import pytest

from meshchain.sim.heap import Heap
from meshchain.sim.mesh.segments import ACK, MSS, RST, SYN, Segment, ipv6, read_tcp, read_udp, tcp, udp
from meshchain.sim.mesh.stream import WINDOW, State, Stream

LATENCY = 0.01


class Listening:
    def __init__(self) -> None:
        self.data = bytearray()
        self.is_open = False
        self.over = 0

    def opened(self) -> None:
        self.is_open = True

    def arrived(self, data: bytes) -> None:
        assert not self.over, "nothing comes after the end"
        self.data += data

    def ended(self) -> None:
        self.over += 1


class Pair:
    """Two ends on one wire. ``fate``: how late each segment is, None if it is lost, several times if it is doubled."""

    def __init__(self, fate: Callable[[Segment], list[float]] = lambda _segment: [LATENCY]) -> None:
        self.heap = Heap()
        self.fate = fate
        self.ears = Listening(), Listening()
        self.segments: list[Segment] = []
        self.ends = (
            Stream((1, 2), lambda segment: self.carry(1, segment), self.ears[0]),
            Stream((2, 1), lambda segment: self.carry(0, segment), self.ears[1]),
        )

    def carry(self, to: int, segment: Segment) -> None:
        self.segments.append(segment)
        for late in self.fate(segment):
            self.heap.at(self.heap.now + late, lambda: self.ends[to].received(segment, self.heap.now))

    def run(self, until: float) -> None:
        """Events and timers, whichever comes first."""
        while True:
            due = min(end.deadline() for end in self.ends)
            if not self.heap.step(min(due, until)):
                if due > until:
                    return
                for end in self.ends:
                    if end.deadline() <= self.heap.now:
                        end.tick(self.heap.now)

    def call(self) -> "Pair":
        self.ends[0].open(self.heap.now)
        self.run(self.heap.now + 1)
        assert self.ears[0].is_open
        return self


def test_a_call_takes_three_segments() -> None:
    pair = Pair().call()
    assert [segment.flags for segment in pair.segments] == [SYN, SYN | ACK, ACK]
    assert [end.state for end in pair.ends] == [State.OPEN, State.OPEN]


def test_what_is_said_before_the_answer_is_sent_after_it() -> None:
    pair = Pair()
    pair.ends[0].open(0.0)
    pair.ends[0].send(b"early", 0.0)
    pair.run(1)
    assert pair.ears[1].data == b"early"


def test_both_ways_and_the_end_in_order() -> None:
    pair = Pair().call()
    pair.ends[0].send(b"question", 1.0)
    pair.run(2)
    pair.ends[1].send(b"answer" * 1000, 2.0)
    pair.ends[1].finish(2.0)
    pair.run(4)
    assert [bytes(ear.data) for ear in pair.ears] == [b"answer" * 1000, b"question"]
    assert (pair.ears[0].over, pair.ears[1].over) == (1, 0), "who hangs up is not told"
    pair.ends[0].finish(4.0)
    pair.run(6)
    assert pair.ends[0].state is State.CLOSED


def test_acknowledgements_are_few() -> None:
    pair = Pair().call()
    before = len(pair.segments)
    pair.ends[0].send(bytes(100 * MSS), 1.0)
    pair.run(5)
    acks = [segment for segment in pair.segments[before:] if not segment.length]
    assert len(pair.ears[1].data) == 100 * MSS
    assert 50 <= len(acks) <= 55


def test_no_more_than_the_window_is_under_way() -> None:
    pair = Pair(lambda _segment: [LATENCY]).call()
    pair.fate = lambda _segment: []
    pair.ends[0].send(bytes(10 * WINDOW), 1.0)
    pair.run(1.1)
    assert sum(len(segment.payload) for segment in pair.segments) <= WINDOW + MSS


@pytest.mark.parametrize("chance", range(12))
def test_everything_arrives_once_and_in_order_whatever_the_wire_does(chance: int) -> None:
    rng = random.Random(chance)

    def fate(_segment: Segment) -> list[float]:
        if rng.random() < 0.3:
            return []
        return [rng.uniform(LATENCY, 10 * LATENCY) for _ in range(1 + (rng.random() < 0.1))]

    pair, said = Pair(fate), rng.randbytes(60_000)
    pair.ends[0].open(0.0)
    for start in range(0, len(said), 7000):
        pair.ends[0].send(said[start : start + 7000], pair.heap.now)
        pair.run(pair.heap.now + 0.5)
    pair.ends[0].finish(pair.heap.now)
    pair.run(pair.heap.now + 2000)
    assert pair.ears[1].data == said
    assert pair.ears[1].over == 1


def test_a_lost_segment_is_said_again_before_its_time_is_up() -> None:
    """After three acknowledgements that say the same (RFC 5681 §3.2)."""
    pair = Pair().call()
    lost: list[Segment] = []

    def fate(segment: Segment) -> list[float]:
        if len(segment.payload) == MSS and not lost:
            lost.append(segment)
            return []
        return [LATENCY]

    pair.fate = fate
    pair.ends[0].send(bytes(8 * MSS), 1.0)
    pair.run(1.1)
    assert len(pair.ears[1].data) == 8 * MSS


def test_silence_ends_a_stream_after_a_quarter_of_an_hour() -> None:
    pair = Pair().call()
    pair.fate = lambda _segment: []
    pair.ends[0].send(b"anybody?", 1.0)
    ended = list[int]()
    for until in (600, 1500):
        pair.run(until)
        ended.append(pair.ears[0].over)
    assert ended == [0, 1]
    assert pair.ends[0].deadline() == inf


def test_a_call_that_nobody_answers_ends() -> None:
    pair = Pair(lambda _segment: [])
    pair.ends[0].open(0.0)
    pair.run(200)
    assert (pair.ears[0].over, pair.ends[0].state) == (1, State.CLOSED)
    assert len(pair.segments) == 7


def test_a_reset_ends_both_and_a_router_only_an_attempt() -> None:
    pair = Pair().call()
    pair.ends[0].refused()
    assert pair.ends[0].state is State.OPEN
    pair.ends[0].abort()
    pair.run(2)
    assert (pair.ears[0].over, pair.ears[1].over) == (0, 1)
    assert pair.segments[-1].flags & RST
    attempt = Pair(lambda _segment: [])
    attempt.ends[0].open(0.0)
    attempt.ends[0].refused()
    assert attempt.ears[0].over == 1


def test_packets_are_as_long_as_real_ones_and_read_back() -> None:
    segment = Segment(1, 2, 3, 4, ACK, 5, b"data")
    packet = ipv6(b"s" * 16, b"d" * 16, 6, tcp(segment))
    assert len(packet) == 40 + 20 + 4
    assert read_tcp(packet) == segment
    assert read_tcp(packet[:50]) is None
    datagram = ipv6(b"s" * 16, b"d" * 16, 17, udp(7, 8, b"data"))
    assert (len(datagram), read_udp(datagram), read_udp(datagram[:40])) == (40 + 8 + 4, (7, 8, b"data"), None)
