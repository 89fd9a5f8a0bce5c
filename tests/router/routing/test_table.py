"""Floods of ids: the table is bounded, and members find their place in it."""

from dataclasses import replace

import pytest

from meshrouter.directory import Role
from meshrouter.routing import table as tables
from meshrouter.routing.announcement import Announcement
from meshrouter.routing.table import LIFETIME, MEMORY, Table
from meshrouter.wire.control import Update
from tests.router.routing.kit import CAPS, ZONE, Desk, identity, neighbour_of, signed

FAR = 50


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same rules with a table of 40, 20 guests, 10 by one neighbour."""
    monkeypatch.setattr(tables, "MOST_ORIGINS", 40)
    monkeypatch.setattr(tables, "MOST_GUESTS", 20)
    monkeypatch.setattr(tables, "MOST_GUESTS_A_NEIGHBOUR", 10)


def invented(number: int) -> Announcement:
    return Announcement(
        key=number.to_bytes(32, "big"),
        id=number.to_bytes(14, "big"),
        seqno=0,
        height=0,
        caps=CAPS,
        zone=ZONE,
        signature=bytes(64),
        first_heard=float(number),
    )


@pytest.mark.usefixtures("small")
def test_a_flood_of_ids_fills_one_neighbours_part_of_the_guests_part() -> None:
    desk = Desk()
    liar, honest = desk.meet(1), desk.meet(2)
    for number in range(100, 200):
        desk.ledger.roles[identity(number).key] = Role.GUEST
        desk.hear(liar, signed(number, 1, 100))
    assert len(desk.routing.routes) == 2 + 10
    assert desk.count("route-table") == 90
    for number in (200, 201):
        desk.ledger.roles[identity(number).key] = Role.GUEST
        desk.hear(honest, signed(number, 1, 100))
        assert desk.via(number) == 2
    desk.hear(liar, signed(FAR, 1, 100))
    assert desk.via(FAR) == 1  # a member


@pytest.mark.usefixtures("small")
def test_guests_all_together() -> None:
    desk = Desk()
    for sender in (1, 2, 3):
        neighbour = desk.meet(sender)
        for number in range(100 * sender, 100 * sender + 10):
            desk.ledger.roles[identity(number).key] = Role.GUEST
            desk.hear(neighbour, signed(number, 1, 100))
    assert len(desk.routing.routes) == 3 + 20
    guest = desk.meet(4, role=Role.GUEST)
    assert desk.routing.next_hops[guest.id] is guest  # a guest of ours has its place


@pytest.mark.usefixtures("small")
def test_members_take_the_place_of_guests_and_not_of_members() -> None:
    table, neighbour = Table(), neighbour_of(1)
    for number in range(10):
        assert table.admit(invented(number), Role.GUEST, neighbour)[0] is not None
    for number in range(10, 40):
        assert table.admit(invented(number), Role.MEMBER, neighbour) == (table.get(invented(number).id), None)
    assert table.admit(invented(40), Role.GUEST, neighbour_of(2))[0] is not None  # for one that nobody offers
    origin, evicted = table.admit(invented(41), Role.MEMBER, neighbour)
    assert origin is not None
    assert evicted is not None
    assert evicted.is_guest
    assert len(table.origins) == 40


@pytest.mark.usefixtures("small")
def test_a_table_full_of_members_in_use_takes_nobody() -> None:
    desk = Desk()
    neighbour = desk.meet(1)
    for number in range(100, 150):
        desk.hear(neighbour, signed(number, 1, 100))
    assert len(desk.routing.routes) == 40
    assert desk.count("route-table") == 11
    desk.hear(neighbour, *(replace(signed(number, 2, 0), metric=65535) for number in (100, 101)))
    desk.hear(neighbour, signed(FAR, 1, 100))
    assert desk.via(FAR) == 1  # in the place of one that nobody offers any more
    assert len(desk.routing._state.table.origins) == 40


@pytest.mark.usefixtures("small")
def test_an_evicted_guest_is_retracted() -> None:
    desk = Desk()
    first, second = desk.meet(1), desk.meet(2)
    for number in range(100, 106):
        desk.ledger.roles[identity(number).key] = Role.GUEST
        desk.hear(first, signed(number, 1, 100))
    for number in range(200, 232):
        desk.hear(first, signed(number, 1, 100))
    desk.settle()
    desk.hear(first, signed(FAR, 1, 100))
    gone = [number for number in range(100, 106) if desk.route(number) is None]
    assert len(gone) == 1
    desk.run(1)
    assert identity(gone[0]).id in {
        getattr(one, "id", None) for one in desk.sent(second) if not isinstance(one, Update)
    }


def test_a_guest_that_becomes_a_member_no_longer_counts_as_one() -> None:
    table, neighbour = Table(), neighbour_of(1)
    origin, _ = table.admit(invented(1), Role.GUEST, neighbour)
    assert origin is not None
    table.set_role(origin, Role.MEMBER)
    table.forget(origin)
    assert (table._guests, table._guests_of) == (0, {})


def test_an_announcement_lives_from_its_first_hearing_however_often_it_is_repeated() -> None:
    desk = Desk()
    first, second = desk.meet(1), desk.meet(2)
    desk.hear(first, signed(FAR, 5, 100))
    for _ in range(20):
        desk.run(LIFETIME / 20 - 1)
        desk.hear(first, signed(FAR, 5, 100))
        desk.hear(second, signed(FAR, 5, 100))
    assert desk.via(FAR) is not None
    desk.run(20)
    assert desk.route(FAR) is None
    desk.hear(second, signed(FAR, 5, 100))
    assert desk.route(FAR) is None
    assert desk.count("route-expired") == 1
    desk.hear(second, signed(FAR, 6, 100))
    assert desk.via(FAR) == 2


def test_an_older_announcement_does_not_outlive_the_newer_one() -> None:
    desk = Desk(caps=2)  # tells nobody, so that everything is feasible
    first, second = desk.meet(1), desk.meet(2)
    desk.hear(first, signed(FAR, 6, 60_000))
    desk.run(LIFETIME - 10)
    desk.hear(second, signed(FAR, 5, 100))
    assert desk.via(FAR) == 2
    desk.run(20)
    assert desk.route(FAR) is None
    desk.hear(second, signed(FAR, 4, 100))
    assert desk.route(FAR) is None


def test_seqnos_are_remembered_for_an_hour_more_and_then_forgotten() -> None:
    desk = Desk()
    neighbour, witness = desk.meet(1), desk.meet(2)
    desk.hear(neighbour, signed(FAR, 5, 100))
    desk.settle()
    desk.routing.down(neighbour, desk.now)
    desk.run(LIFETIME + MEMORY - 10)
    again = desk.meet(1)
    desk.hear(again, signed(FAR, 4, 100))
    assert desk.route(FAR) is None  # neither fresh nor feasible
    desk.run(20)
    assert desk.routing._state.table.get(identity(FAR).id) is None
    desk.sent()
    desk.hear(again, signed(FAR, 6, 100))
    assert desk.via(FAR) == 1
    desk.run(1)
    told = [one for one in desk.sent(witness) if isinstance(one, Update) and one.id == identity(FAR).id]
    assert [one.key for one in told] == [identity(FAR).key]  # who has forgotten it needs the key
