"""Nodes on our own links: wanted while they are there, dialled once, forgotten when they have gone."""

from itertools import pairwise

from meshchain.p2p.actions import Endpoint
from meshchain.p2p.slots.slots import NEIGHBOURS
from tests.p2p.addresses.crowd import key_of, v4
from tests.p2p.slots.yard import Yard


def neighbours(count: int, start: int = 0) -> dict[Endpoint, bytes]:
    return {v4(30, n): key_of(v4(30, n)) for n in range(start, start + count)}


def test_neighbours_are_dialled_and_redialled_while_they_are_there() -> None:
    yard = Yard()
    yard.slots.set_neighbours(neighbours(3))
    yard.run(5)
    assert [held.purpose for held in yard.slots.held] == ["neighbour"] * 3
    yard.close(yard.slots.held[0].peer)
    yard.run(5)
    assert len(yard.slots.held) == 3
    yard.slots.set_neighbours(neighbours(2, start=1))
    gone = next(held for held in yard.slots.held if held.endpoint == v4(30, 0))
    yard.close(gone.peer)
    yard.run(100)
    assert [held.endpoint for held in yard.held("neighbour")] == [v4(30, 1), v4(30, 2)]


def test_who_has_dialled_us_is_not_dialled() -> None:
    yard = Yard()
    yard.opened(key_of(v4(30, 0)), v4(30, 0, port=50_000), inbound=True, purpose="inbound")
    yard.slots.set_neighbours(neighbours(1))
    yard.run(60)
    assert yard.dials == []


def test_a_crowd_on_one_link_takes_no_more_than_its_places() -> None:
    yard = Yard()
    yard.slots.set_neighbours(neighbours(100))
    yard.run(60)
    assert len(yard.slots.held) == NEIGHBOURS


def test_backoff_is_kept_when_the_neighbourhood_changes() -> None:
    yard = Yard(reach=lambda _: None)
    for _ in range(100):
        yard.slots.set_neighbours(neighbours(1))
        yard.run(1)
    times = [now for now, _, _ in yard.dials]
    assert [b - a for a, b in pairwise(times)] == [1, 2, 4, 8, 16, 32]
    yard.slots.set_neighbours({})
    yard.run(200)
    assert len(yard.dials) == 7
