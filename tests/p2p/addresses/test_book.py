"""What an address goes through: heard, tried, answered, failed, challenged, forgotten."""

from random import Random

from meshchain.p2p.actions import Endpoint
from meshchain.p2p.addresses import AddressBook, Known, group_of
from meshchain.p2p.addresses.known import PAUSE, STALE
from meshchain.p2p.addresses.places import Shape
from tests.p2p.addresses.crowd import NOW, book, key_of, v4

ONE_PLACE = Shape(new=64, tried=1, size=1, a_source=64, a_position=1)
"""Everything that answers wants the same place in tried."""


def known(found: AddressBook, endpoint: Endpoint) -> Known:
    one = found.get(endpoint)
    assert one is not None
    return one


def tried(found: AddressBook) -> list[Endpoint]:
    return [one.endpoint for one, in_tried in found.all() if in_tried]


def fail(found: AddressBook, endpoint: Endpoint, wall: float) -> None:
    """An attempt that fails while others answer."""
    other = v4(99, 99)
    found.attempted(endpoint, wall)
    found.answered(other, wall, key_of(other))


def test_heard_then_answered() -> None:
    found = book()
    assert found.add(v4(10, 1), b"src", NOW + 10**6, NOW, None)
    assert known(found, v4(10, 1)).seen == NOW, "nobody was seen in the future"
    assert not found.add(v4(10, 1), b"other", NOW - 5, NOW + 5, bytes(32)), "heard already"
    assert known(found, v4(10, 1)) == Known(v4(10, 1), b"src", bytes(32), NOW)
    assert known(found, v4(10, 1)).proven_key is None, "a key that was heard is hearsay"
    found.answered(v4(10, 1), NOW + 9, b"k" * 32)
    assert known(found, v4(10, 1)).proven_key == b"k" * 32
    assert tried(found) == [v4(10, 1)]


def test_who_answers_without_having_been_heard_of_is_known() -> None:
    found = book()
    found.answered(v4(10, 1), NOW, b"k" * 32)
    assert tried(found) == [v4(10, 1)]
    assert known(found, v4(10, 1)).source == group_of(v4(10, 1).ip)


def test_waiting_doubles_with_failures() -> None:
    found = book()
    found.add(v4(10, 1), b"src", NOW, NOW)
    wall, waits = float(NOW), []
    assert known(found, v4(10, 1)).is_due(NOW)
    for _ in range(9):
        fail(found, v4(10, 1), wall)
        start = wall
        while not known(found, v4(10, 1)).is_due(wall):
            wall += 300
        waits.append((wall - start) / 600)
    assert waits == [1, 2, 4, 8, 16, 32, 64, 64, 64]


def test_an_answer_is_followed_by_a_pause() -> None:
    """A peer that takes us in and turns us out again is not dialled four times a second."""
    found = book()
    found.answered(v4(10, 1), NOW, b"k" * 32)
    assert not known(found, v4(10, 1)).is_due(NOW + PAUSE - 1)
    assert known(found, v4(10, 1)).is_due(NOW + PAUSE)


def test_a_clock_that_was_ahead_stops_nothing() -> None:
    found = book()
    found.add(v4(10, 1), b"src", NOW, NOW)
    found.attempted(v4(10, 1), NOW + 14 * 365 * 86400)
    assert known(found, v4(10, 1)).is_due(NOW)
    assert found.select(NOW) is not None


def test_a_clock_at_1970_loses_no_addresses() -> None:
    """What was heard before the clock was right is stale at once; with nothing better it is dialled all the same."""
    found = book()
    found.add(v4(10, 1), b"src", NOW, 100.0)
    found.answered(v4(10, 2), 200.0, b"k" * 32)
    assert known(found, v4(10, 1)).is_bad(NOW)
    drawn = {one.endpoint for _ in range(50) if (one := found.select(NOW)) is not None}
    assert drawn == {v4(10, 1), v4(10, 2)}


def test_three_failures_and_nobody_asks_again() -> None:
    found = book()
    found.add(v4(10, 1), b"src", NOW, NOW)
    for n in range(3):
        assert not known(found, v4(10, 1)).is_hopeless
        fail(found, v4(10, 1), NOW + 10_000 * n)
    assert known(found, v4(10, 1)).is_hopeless
    picked = {one.endpoint for n in range(100) if (one := found.select(NOW + 10**6 + n)) is not None}
    assert picked == {v4(99, 99)}


def test_a_night_without_network_says_nothing_about_others() -> None:
    found = book()
    for n in range(20):
        found.add(v4(10, n), b"src", NOW, NOW)
    found.answered(v4(10, 0), NOW, b"k" * 32)
    for hour in range(1, 13):
        for n in range(20):
            found.attempted(v4(10, n), NOW + 3600 * hour)
    assert {known(found, v4(10, n)).failures for n in range(20)} == {1}
    assert known(found, v4(10, 5)).is_due(NOW + 12 * 3600 + 600)


def test_who_has_been_off_gives_way_to_a_newcomer() -> None:
    """One place in new: kept while its holder is good, given up when it is stale."""
    found = AddressBook(bytes(32), Random(1), shape=Shape(new=1, tried=1, size=1))
    assert found.add(v4(10, 1), b"src", NOW, NOW)
    assert not found.add(v4(10, 2), b"src", NOW, NOW)
    assert not found.add(v4(10, 2), b"src", NOW + STALE, NOW + STALE)
    assert found.add(v4(10, 2), b"src", NOW + STALE + 1, NOW + STALE + 1)
    assert (v4(10, 1) in found, v4(10, 2) in found, len(found)) == (False, True, 1)


def test_a_holder_that_fails_the_test_gives_way() -> None:
    found = AddressBook(bytes(32), Random(1), shape=ONE_PLACE)
    old, young = v4(10, 1), v4(10, 2)
    found.answered(old, NOW, key_of(old))
    found.answered(young, NOW + 100, key_of(young))
    assert tried(found) == [old]
    wall = NOW + 200.0
    for _ in range(2):
        tested = found.to_test(wall)
        assert tested is not None
        assert tested.endpoint == old, "challenged, so tested first"
        found.attempted(old, wall)
        found.answered(young, wall + 1, key_of(young))
        wall += 1300
    found.to_test(wall)
    assert tried(found) == [young]
    assert old in found, "back in new"


def test_a_holder_that_answers_the_test_stays() -> None:
    found = AddressBook(bytes(32), Random(1), shape=ONE_PLACE)
    old, young = v4(10, 1), v4(10, 2)
    found.answered(old, NOW, key_of(old))
    found.answered(young, NOW + 100, key_of(young))
    tested = found.to_test(NOW + 200)
    assert tested is not None
    assert tested.endpoint == old
    found.attempted(old, NOW + 200)
    found.answered(old, NOW + 201, key_of(old))
    assert tried(found) == [old]
    again = found.to_test(NOW + 5000)
    assert again is not None
    assert again.endpoint == young, "no challenge is left"


def test_both_tables_are_drawn_from_alike() -> None:
    found = book()
    for n in range(200):
        found.add(v4(10, n), b"src%d" % n, NOW, NOW)
    for n in range(2):
        found.answered(v4(20, n), NOW - 100, key_of(v4(20, n)))
    drawn = [one.endpoint.ip[12] for _ in range(1000) if (one := found.select(NOW)) is not None]
    assert 400 < drawn.count(20) < 600


def test_nothing_fits() -> None:
    found = book()
    assert found.select(NOW) is None
    assert found.to_test(NOW) is None
    found.add(v4(10, 1), b"src", NOW, NOW)
    assert found.select(NOW, lambda one: False) is None
    assert list(found.sample(10, NOW)) == [known(found, v4(10, 1))]
