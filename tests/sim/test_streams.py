"""Links: order, delay, bandwidth, cuts, ends."""

from meshchain.sim.heap import Heap
from meshchain.sim.streams import Connection, Link


class Ear:
    """Notes what arrives, and when."""

    def __init__(self, heap: Heap) -> None:
        self.heap = heap
        self.heard: list[tuple[float, bytes]] = []
        self.over: float | None = None

    def arrived(self, data: bytes) -> None:
        self.heard.append((self.heap.now, data))

    def ended(self) -> None:
        self.over = self.heap.now


def wired(latency: float, rate: float | None = None) -> tuple[Heap, Link, Connection, Ear, Ear]:
    heap, link = Heap(), Link(("a", "b"), latency, rate)
    first, second = Ear(heap), Ear(heap)
    return heap, link, Connection(heap, link, first, second), first, second


def run(heap: Heap, until: float) -> None:
    while heap.step(until):
        pass


def test_bytes_arrive_late_and_no_faster_than_the_wire() -> None:
    heap, link, connection, _, second = wired(latency=0.5, rate=10.0)
    connection.pipes[0].send(b"0123456789")
    connection.pipes[0].send(b"01234")
    run(heap, 10)
    assert second.heard == [(1.5, b"0123456789"), (2.0, b"01234")]
    assert link.carried == 15


def test_the_two_ways_do_not_share_the_wire() -> None:
    heap, _, connection, first, second = wired(latency=0.5, rate=10.0)
    connection.pipes[0].send(b"0123456789")
    connection.pipes[1].send(b"0123456789")
    run(heap, 10)
    assert [when for when, _ in first.heard + second.heard] == [1.5, 1.5]


def test_what_was_sent_into_a_cut_arrives_after_it_in_order() -> None:
    heap, link, connection, _, second = wired(latency=0.5)
    connection.pipes[0].send(b"before")
    run(heap, 1)
    link.set_up(False)
    connection.pipes[0].send(b"one")
    run(heap, 2)
    connection.pipes[0].send(b"two")
    heap.at(2.2, lambda: link.set_up(True))
    run(heap, 10)
    assert [data for _, data in second.heard] == [b"before", b"one", b"two"]
    assert [when for when, _ in second.heard] == [0.5, 2.5, 2.7]


def test_an_end_comes_after_what_was_sent_and_is_told_once() -> None:
    heap, link, connection, first, second = wired(latency=0.5)
    connection.pipes[0].send(b"goodbye")
    connection.close(0)
    connection.pipes[1].send(b"too late")
    run(heap, 10)
    assert [data for _, data in second.heard] == [b"goodbye"]
    assert (first.heard, first.over, second.over) == ([], None, 0.5)
    connection.close(1)
    assert link.connections == []


def test_a_reset_is_told_to_both_and_drops_what_was_under_way() -> None:
    heap, link, connection, first, second = wired(latency=0.5)
    connection.pipes[0].send(b"lost")
    run(heap, 0.25)
    link.reset()
    run(heap, 10)
    assert (first.over, second.over, second.heard) == (0.25, 0.25, [])
    assert link.connections == []


def test_events_of_one_moment_happen_in_the_order_they_were_asked_for() -> None:
    heap, seen = Heap(), list[int]()
    for number in range(5):
        event = heap.at(1.0, lambda number=number: seen.append(number))  # type: ignore[misc]
        if number == 2:
            event.cancel()
    heap.at(-1.0, lambda: seen.append(99))
    run(heap, 2)
    assert seen == [99, 0, 1, 3, 4]
    assert heap.now == 2
