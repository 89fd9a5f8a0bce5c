"""The parts of the simulator that stand in for a machine."""

from functools import partial

import pytest

from meshchain.p2p.transport import Established, Received
from meshchain.sim import World
from meshchain.sim.carriage import Quick
from meshchain.sim.costs import MemoWorkers
from meshchain.sim.params import small


def test_hashing_is_done_once_for_one_input() -> None:
    made: list[tuple[int, int]] = []

    def add(a: int, b: int) -> int:
        made.append((a, b))
        return a + b

    workers = MemoWorkers()
    assert workers.map(partial(add, 1), [1, 2, 1]) == [2, 3, 2]
    assert workers.map(partial(add, 2), [1]) == [3]
    assert made == [(1, 1), (1, 2), (2, 1)]
    assert (workers.hits, workers.misses) == (1, 3)


def test_input_that_cannot_be_compared_is_computed_every_time() -> None:
    workers = MemoWorkers()
    assert workers.map(partial(len), [[1], [1, 2]]) == [1, 2]
    assert workers.map(len, ["ab"]) == [2]
    assert (workers.hits, workers.misses) == (0, 0)


def test_the_quick_carriage_delivers_the_same_messages_however_they_are_cut() -> None:
    sender = Quick(b"k" * 32)
    for message in (b"one", b"x" * 70_000, b"three"):
        sender.send(message)
    data, receiver = sender.take_output(), Quick(b"r" * 32)
    events = [event for at in range(0, len(data), 997) for event in receiver.receive(data[at : at + 997], 0.0)]
    assert events == [Established(b"k" * 32), *map(Received, (b"one", b"x" * 70_000, b"three"))]
    assert sender.take_output() == b""


def test_a_parameter_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="stamp_gird"):
        small(stamp_gird=4)


def test_another_node_more_changes_nothing_for_those_that_are_there() -> None:
    """Chance is each node's own."""
    alone, two = World(5), World(5)
    alone.add("a")
    two.add("a")
    two.add("b")
    for world in (alone, two):
        world.run(60)
    first, second = ([note for note in world.log if note.who == "a"] for world in (alone, two))
    assert first == second
    assert any("mined" in note.what for note in first)


def test_a_node_that_is_down_says_so() -> None:
    world = World(5)
    node = world.add("a")
    node.kill()
    with pytest.raises(RuntimeError, match="not running"):
        world.kill("a")
    node.start()
    with pytest.raises(RuntimeError, match="is running"):
        world.restart("a")
