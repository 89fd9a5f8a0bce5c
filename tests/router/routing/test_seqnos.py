"""Numbers: never used twice, never rewound, and no faster than once in two seconds."""

import pytest

from meshrouter.directory import Role, Tip
from meshrouter.neighbours.neighbour import Neighbour
from meshrouter.routing.own import BLOCK, HEIGHT_STEP, REFRESH
from meshrouter.wire.control import INFINITY, Message, SeqnoRequest, Update
from tests.router.routing.kit import CAPS, GENESIS, Desk, identity, neighbour_of, signed, verify

FAR = 50


def own(messages: list[Message]) -> list[Update]:
    return [one for one in messages if isinstance(one, Update) and one.id == identity(0).id]


def greet(desk: Desk, number: int = 1) -> Neighbour:
    neighbour = neighbour_of(number)
    desk.routing.up(neighbour, desk.now)
    desk.run(0.5)
    return neighbour


def test_our_announcement_goes_to_whoever_comes() -> None:
    desk = Desk()
    (update,) = own(desk.sent(greet(desk)))
    assert (update.metric, update.key, update.caps) == (0, identity(0).key, CAPS)
    assert verify(identity(0).key, update.signed(GENESIS, identity(0).key), update.signature)


def test_numbers_are_reserved_in_blocks_and_a_restart_goes_on_in_the_next() -> None:
    first = Desk()
    (before,) = own(first.sent(greet(first)))
    assert first.seqnos.reservations == [BLOCK]
    first.run(10 * REFRESH)
    assert first.seqnos.reservations == [BLOCK]
    used = max(update.seqno for update in own(first.sent()))
    second = Desk()
    second.seqnos.next = first.seqnos.next
    (after,) = own(second.sent(greet(second)))
    assert after.seqno == BLOCK > used > before.seqno


def test_a_block_that_is_used_up_is_followed_by_another() -> None:
    desk = Desk()
    neighbour = greet(desk)
    seen = []
    for _ in range(BLOCK + 10):
        desk.hear(neighbour, SeqnoRequest(identity(0).id, 1 << 60, 64))
        desk.run(3)
        seen += [update.seqno for update in own(desk.sent())]
    assert seen == sorted(set(seen))
    assert desk.seqnos.reservations == [BLOCK, BLOCK]


def test_refresh() -> None:
    desk = Desk()
    neighbour = greet(desk)
    desk.sent()
    desk.run(REFRESH * 0.85)
    assert own(desk.sent(neighbour)) == []
    desk.run(REFRESH * 0.3)
    (update,) = own(desk.sent(neighbour))
    assert (update.seqno, update.key) == (1, None)


def test_requests_cost_one_number_in_two_seconds_whatever_they_ask_for() -> None:
    desk = Desk()
    neighbour = greet(desk)
    desk.sent()
    for _ in range(100):
        desk.hear(neighbour, SeqnoRequest(identity(0).id, (1 << 64) - 1, 64))
        desk.run(0.1)
    seqnos = [update.seqno for update in own(desk.sent())]
    assert 4 <= len(seqnos) <= 6
    assert seqnos == list(range(1, 1 + len(seqnos)))


def test_a_request_that_is_answered_already_costs_nothing() -> None:
    desk = Desk()
    neighbour = greet(desk)
    desk.hear(neighbour, SeqnoRequest(identity(0).id, 0, 64))
    desk.sent()
    desk.run(10)
    assert own(desk.sent()) == []


@pytest.mark.parametrize("known", [500, 5000])
def test_an_origin_that_lost_its_memory_jumps_past_what_is_known_of_it(known: int) -> None:
    desk = Desk()
    neighbour = greet(desk)
    desk.run(5)
    desk.sent()
    desk.hear(neighbour, signed(0, known, INFINITY))
    desk.run(0.5)
    (update,) = own(desk.sent())
    assert update.seqno == known + 1
    assert desk.seqnos.next > known + 1  # nor will it be used again after the next restart
    assert desk.count("route-rewound") == 1


def test_the_same_number_with_other_contents_is_jumped_past() -> None:
    desk = Desk()
    neighbour = greet(desk)
    desk.run(5)
    desk.sent()
    desk.hear(neighbour, signed(0, 0, INFINITY, height=77))
    desk.run(0.5)
    assert [update.seqno for update in own(desk.sent())] == [1]


def test_nobody_else_makes_us_jump() -> None:
    desk = Desk()
    neighbour = greet(desk)
    (current,) = own(desk.sent())
    desk.run(5)
    forged = Update(
        id=current.id, key=current.key, seqno=5000, height=0, caps=CAPS, zone=7, metric=96, signature=current.signature
    )
    desk.hear(neighbour, forged, current)
    desk.run(10)
    assert own(desk.sent()) == []
    assert desk.count("route-signature") == 1


def test_who_tells_an_older_number_is_given_the_newer_announcement() -> None:
    desk = Desk()
    ahead, behind = desk.meet(1), desk.meet(2)
    desk.hear(ahead, signed(FAR, 9, 100))
    desk.settle()
    desk.hear(behind, signed(FAR, 8, 100))
    desk.run(0.1)
    (update,) = desk.sent(behind)
    assert isinstance(update, Update)
    assert (update.id, update.seqno, update.metric) == (identity(FAR).id, 9, 196)


def test_an_origin_that_announces_an_old_number_is_given_its_own_newest() -> None:
    desk = Desk()
    desk.hear(desk.meet(1), signed(FAR, 9, 100))
    origin = desk.meet(FAR, announced=False)
    desk.hear(origin, signed(FAR, 3, 0))
    (update,) = (one for one in desk.sent(origin) if isinstance(one, Update))
    assert (update.seqno, update.metric, update.key) == (9, INFINITY, identity(FAR).key)


def test_replays_of_older_announcements_bring_nothing_back() -> None:
    desk = Desk()
    neighbour = desk.meet(1)
    desk.hear(neighbour, signed(FAR, 9, 100), signed(FAR, 8, 96))
    route = desk.route(FAR)
    assert route is not None
    assert (route.seqno, route.metric, desk.count("route-late")) == (9, 196, 1)


def test_height_and_caps_are_announced_anew_when_they_have_changed() -> None:
    desk = Desk()
    greet(desk)
    desk.run(5)
    desk.sent()
    desk.directory.tip = Tip(HEIGHT_STEP - 1, True)
    desk.routing.tip_changed(desk.now)
    desk.run(5)
    assert own(desk.sent()) == []
    desk.directory.tip = Tip(HEIGHT_STEP, True)
    desk.routing.tip_changed(desk.now)
    desk.run(0.1)
    assert [update.height for update in own(desk.sent())] == [HEIGHT_STEP]
    desk.run(5)
    desk.become(identity(0).key, Role.GUEST)
    desk.run(0.1)
    assert [update.caps for update in own(desk.sent())] == [CAPS & ~1]


def test_a_newcomer_announces_the_height_that_its_neighbour_told() -> None:
    desk = Desk(height=0, synced=False)
    neighbour = neighbour_of(1)
    neighbour.height = 5000
    desk.routing.up(neighbour, desk.now)
    desk.run(0.1)
    assert [update.height for update in own(desk.sent())] == [5000]
