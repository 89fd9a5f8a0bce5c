"""Digests: what was lost is noticed, asked for once in a while, and what is gone goes."""

from hashlib import blake2s

import pytest

from meshrouter.routing.digest import FIRST_PAUSE, Account, term
from meshrouter.wire.control import Dump, Retract
from tests.router.routing.kit import Desk, identity, signed

FAR, OTHER = 50, 51
KEY = identity(FAR).key


def of(*routes: tuple[int, int, int]) -> tuple[int, int]:
    """(node, seqno, metric) … as the rule says it, in one go."""
    hashes = (
        blake2s(identity(n).key + s.to_bytes(8, "big") + m.to_bytes(2, "big"), digest_size=8).digest()
        for n, s, m in routes
    )
    return sum(int.from_bytes(one, "big") for one in hashes) % 2**64, len(routes)


def test_account_is_the_sum_of_its_terms() -> None:
    account = Account()
    assert account.digest == (0, 0)
    account.put(b"a", KEY, 1, 96)
    account.put(b"b", KEY, 2, 96)
    account.put(b"a", KEY, 3, 100)
    assert account.digest == ((term(KEY, 3, 100) + term(KEY, 2, 96)) % 2**64, 2)
    account.drop(b"a")
    account.drop(b"a")
    assert account.digest == (term(KEY, 2, 96), 1)
    account.clear()
    assert account.digest == (0, 0)


def test_digest_of_what_was_told() -> None:
    desk = Desk()
    first, second = desk.meet(1), desk.meet(2)
    desk.hear(first, signed(FAR, 5, 100))
    desk.run(1)
    assert desk.routing.digest_for(second) == of((0, 0, 0), (1, 1, 96), (FAR, 5, 196))
    assert desk.routing.digest_for(first) == of((0, 0, 0), (2, 1, 96))
    desk.hear(first, Retract(identity(FAR).id, 5))
    desk.run(1)
    assert desk.routing.digest_for(second) == of((0, 0, 0), (1, 1, 96))
    desk.routing.down(second, desk.now)
    assert desk.routing.digest_for(second) == (0, 0)


def test_a_dump_is_asked_for_after_two_mismatches() -> None:
    desk = Desk()
    neighbour = desk.meet(1)
    desk.routing.digest(neighbour, *of((1, 1, 0)), desk.now)
    wrong = of((1, 1, 0), (FAR, 5, 100))
    desk.routing.digest(neighbour, *wrong, desk.now)
    assert desk.sent() == []
    desk.routing.digest(neighbour, *of((1, 1, 0)), desk.now)
    desk.routing.digest(neighbour, *wrong, desk.now)
    assert desk.sent() == []
    desk.routing.digest(neighbour, *wrong, desk.now)
    assert desk.sent() == [Dump()]


def test_dumps_that_do_not_help_are_asked_for_ever_less_often() -> None:
    desk = Desk()
    neighbour = desk.meet(1)
    for _ in range(3600):
        desk.routing.digest(neighbour, 1, 1, desk.now)
        desk.run(1)
    assert 8 <= desk.sent().count(Dump()) <= 20
    desk.routing.digest(neighbour, *desk.routing._state.adjacencies[neighbour].heard.all.digest, desk.now)
    desk.routing.digest(neighbour, 1, 1, desk.now)
    desk.routing.digest(neighbour, 1, 1, desk.now)
    assert desk.sent() == [Dump()]


def test_what_a_dump_does_not_repeat_is_gone() -> None:
    desk = Desk()
    neighbour = desk.meet(1)
    desk.hear(neighbour, signed(FAR, 5, 100), signed(OTHER, 5, 100))
    truth = of((1, 1, 0), (OTHER, 5, 100))  # the RETRACT of FAR was lost
    desk.routing.digest(neighbour, *truth, desk.now)
    desk.routing.digest(neighbour, *truth, desk.now)
    assert desk.sent(neighbour)[-1] == Dump()
    desk.hear(neighbour, signed(1, 1, 0))
    desk.routing.digest(neighbour, *truth, desk.now)  # came before the rest of the dump
    assert desk.via(FAR) == desk.via(OTHER) == 1
    desk.hear(neighbour, signed(OTHER, 5, 100))
    desk.routing.digest(neighbour, *truth, desk.now)
    assert (desk.via(FAR), desk.via(OTHER)) == (None, 1)


def test_what_goes_between_two_dumps_goes_as_well() -> None:
    """It was repeated by the first dump, its RETRACT was lost, and so was part of every dump."""
    desk = Desk()
    neighbour = desk.meet(1)
    desk.hear(neighbour, signed(FAR, 5, 100))
    truth = of((1, 1, 0), (OTHER, 5, 100))
    dumps = 0
    while desk.via(FAR) == 1:
        desk.run(FIRST_PAUSE)
        desk.routing.digest(neighbour, *truth, desk.now)
        if Dump() in desk.sent():
            dumps += 1
            desk.hear(neighbour, signed(1, 1, 0), signed(FAR, 5, 100) if dumps == 1 else signed(OTHER, 5, 100))
        assert dumps <= 8
    assert desk.via(OTHER) == 1


def test_refused_routes_count_as_heard() -> None:
    desk = Desk()
    neighbour = desk.meet(1)
    desk.hear(neighbour, signed(FAR, 5, 100, zone=9))
    for _ in range(5):
        desk.routing.digest(neighbour, *of((1, 1, 0), (FAR, 5, 100)), desk.now)
    assert desk.sent() == []


def test_what_is_remembered_of_refused_routes_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("meshrouter.routing.reception.MOST_HEARD", 10)
    desk = Desk()
    neighbour = desk.meet(1)
    for number in range(100, 130):
        desk.hear(neighbour, signed(number, 5, 100, zone=9))
    assert len(desk.routing._state.adjacencies[neighbour].heard.all.entries) == 10


def test_a_neighbour_that_begins_anew_has_nothing_and_knows_nothing() -> None:
    desk = Desk()
    first, second = desk.meet(1), desk.meet(2)
    desk.hear(first, signed(FAR, 5, 100))
    desk.settle()
    desk.hear(first, Retract(bytes(14), 0))
    assert desk.route(FAR) is desk.route(1) is None
    desk.run(1)
    assert {getattr(message, "id", None) for message in desk.sent(first)} == {identity(0).id, identity(2).id}
    desk.hear(second, Retract(bytes(14), 0), Retract(bytes(14), 0))
    assert desk.route(2) is None
