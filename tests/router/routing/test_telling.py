"""What is told to whom, when, and how much of it."""

from meshrouter.directory import Role
from meshrouter.routing.telling import AGAIN, COALESCE, GATHER, is_material
from meshrouter.wire.control import Dump, Message, Retract, Update
from tests.router.routing.kit import Desk, identity, neighbour_of, signed

FAR = 50
ID = identity(FAR).id


def about(messages: list[Message], number: int = FAR) -> list[Message]:
    return [one for one in messages if isinstance(one, Update | Retract) and one.id == identity(number).id]


def test_routes_are_told_with_our_metric_and_not_back_to_where_they_lead() -> None:
    desk = Desk()
    first, second = desk.meet(1), desk.meet(2)
    desk.hear(first, signed(FAR, 5, 100))
    desk.run(1)
    told = [(to, message) for to, message in desk.routing.outputs if about([message])]
    assert told == [(second, signed(FAR, 5, 196))]
    assert first is not second


def test_a_neighbour_is_told_nothing_of_itself() -> None:
    desk = Desk()
    desk.hear(desk.meet(1), signed(FAR, 5, 100))
    desk.settle()
    late = neighbour_of(FAR, cost=5000)  # the way round stays the best
    desk.routing.up(late, desk.now)
    desk.run(1)
    assert about(desk.sent(late)) == []


def test_a_newcomer_is_told_everything_after_a_retract_of_everything() -> None:
    desk = Desk()
    desk.hear(desk.meet(1), signed(FAR, 5, 100))
    desk.settle()
    late = neighbour_of(2)
    desk.routing.up(late, desk.now)
    desk.run(1)
    first, *others = desk.sent(late)
    assert first == Retract(bytes(14), 0)
    assert {one.id for one in others if isinstance(one, Update)} == {identity(n).id for n in (0, 1, FAR)}
    assert all(isinstance(one, Update) and one.key is not None for one in others)


def test_the_key_is_sent_once_a_session() -> None:
    desk = Desk()
    first, second = desk.meet(1), desk.meet(2)
    keys = []
    for seqno in (5, 6):
        desk.hear(first, signed(FAR, seqno, 100))
        desk.run(1)
        keys += [one.key for one in about(desk.sent(second)) if isinstance(one, Update)]
    assert keys == [identity(FAR).key, None]


def test_news_go_at_once_and_changes_together() -> None:
    desk = Desk()
    first, second = desk.meet(1), desk.meet(2)
    desk.hear(first, signed(FAR, 5, 100))
    desk.run(GATHER * 1.1)
    assert len(about(desk.sent(second))) == 1
    for seqno in range(6, 16):
        desk.hear(first, signed(FAR, seqno, 100 + seqno))
        desk.run(COALESCE / 20)
    assert about(desk.sent(second)) == []
    desk.run(COALESCE)
    assert about(desk.sent(second)) == [signed(FAR, 15, 211, key=False)]


def test_a_route_that_is_lost_is_retracted_at_once() -> None:
    desk = Desk()
    first, second = desk.meet(1), desk.meet(2)
    desk.hear(first, signed(FAR, 5, 100))
    desk.settle()
    desk.routing.down(first, desk.now)
    desk.run(GATHER * 1.1)
    assert about(desk.sent(second)) == [Retract(ID, 5)]


def test_what_comes_back_before_it_was_told_is_not_told() -> None:
    desk = Desk()
    first, second = desk.meet(1), desk.meet(2)
    desk.hear(first, signed(FAR, 5, 100))
    desk.settle()
    desk.hear(first, Retract(ID, 5), signed(FAR, 5, 100))
    desk.run(1)
    assert about(desk.sent(second)) == []


def test_small_changes_of_a_metric_are_not_worth_a_message() -> None:
    assert is_material((5, 800), (5, 900)) is None
    assert is_material((5, 800), (5, 700)) is None
    assert is_material((5, 800), (5, 901)) is not None
    assert is_material((5, 800), (5, 699)) is not None
    assert is_material((5, 800), (6, 800)) is not None
    assert is_material(None, None) is None


def test_a_flapping_route_costs_the_neighbours_little() -> None:
    """Two thousand changes in a second: what leaves is bounded by time, not by what came."""
    desk = Desk()
    first, second = desk.meet(1), desk.meet(2)
    update = signed(FAR, 5, 100)
    for _ in range(1000):
        desk.hear(first, update, Retract(ID, 5))
        desk.run(0.001)
    assert len(about(desk.sent(second))) <= 1 / GATHER


def test_a_storm_costs_a_budget_for_each_neighbour() -> None:
    """Two hundred routes that come and go ten times a second; when it is over, all is told as it is then."""
    desk = Desk()
    storm, second = desk.meet(1), desk.meet(2)
    updates = [signed(number, 1, 100) for number in range(100, 300)]
    for _ in range(9):
        desk.hear(storm, *updates)
        desk.run(0.05)
        desk.hear(storm, *(Retract(update.id, 1) for update in updates))
        desk.run(0.05)
    desk.hear(storm, *updates)
    assert 1024 < len(desk.sent(second)) <= 1024 + 200
    desk.run(5)
    told = {one.id: one for one in desk.sent(second) if isinstance(one, Update)}
    known = desk.routing._state.adjacencies[second].told.entries
    assert all(update.id in known for update in updates)
    assert told


def test_guests_tell_of_themselves_only() -> None:
    desk = Desk()
    desk.ledger.roles[identity(0).key] = Role.GUEST
    desk.directory.told_binding(desk.ledger.binding(identity(0).key))
    desk.routing.role_changed(identity(0).key, desk.now)
    first, second = desk.meet(1), neighbour_of(2)
    desk.hear(first, signed(FAR, 5, 100))
    desk.routing.up(second, desk.now)
    desk.run(5)
    assert {one.id for one in desk.sent(second) if isinstance(one, Update)} == {identity(0).id}
    assert desk.via(FAR) == 1


def test_who_does_not_want_to_forward_tells_of_itself_only() -> None:
    desk = Desk(caps=2)
    first, second = desk.meet(1), neighbour_of(2)
    desk.hear(first, signed(FAR, 5, 100))
    desk.routing.up(second, desk.now)
    desk.run(5)
    assert {one.id for one in desk.sent(second) if isinstance(one, Update)} == {identity(0).id}


def test_on_a_link_that_loses_frames_everything_is_said_twice() -> None:
    desk = Desk()
    first, second = desk.meet(1), desk.meet(2)
    second.loss = 0.2
    desk.hear(first, signed(FAR, 5, 100))
    desk.run(AGAIN * 2)
    assert about(desk.sent(second)) == [signed(FAR, 5, 196), signed(FAR, 5, 196)]
    desk.routing.down(first, desk.now)
    desk.run(AGAIN * 2)
    assert about(desk.sent(second)) == [Retract(ID, 5)] * 2


def test_what_has_changed_meanwhile_is_not_said_again() -> None:
    desk = Desk()
    first, second = desk.meet(1), desk.meet(2)
    second.loss = 0.2
    desk.hear(first, signed(FAR, 5, 100))
    desk.run(AGAIN / 2)
    desk.hear(first, Retract(ID, 5))
    desk.run(AGAIN * 3)
    assert about(desk.sent(second)) == [signed(FAR, 5, 196), Retract(ID, 5), Retract(ID, 5)]


def test_a_dump_repeats_everything_with_keys_and_not_too_often() -> None:
    desk = Desk()
    first, second = desk.meet(1), desk.meet(2)
    desk.hear(first, signed(FAR, 5, 100))
    desk.settle()
    desk.hear(second, *[Dump()] * 20)
    desk.run(1)
    assert about(desk.sent(second)) == [signed(FAR, 5, 196)]
    assert desk.count("route-budget") == 18


def test_a_packet_that_came_for_nothing_brings_the_retract_again() -> None:
    desk = Desk()
    first, second = desk.meet(1), desk.meet(2)
    desk.hear(first, signed(FAR, 5, 100))
    desk.settle()
    desk.routing.misrouted(second, ID, desk.now)
    assert desk.sent() == []  # there is a route
    desk.routing.down(first, desk.now)
    desk.settle()
    for _ in range(1000):
        desk.routing.misrouted(second, ID, desk.now)
    desk.routing.misrouted(second, identity(51).id, desk.now)
    messages = desk.sent(second)
    assert messages[0] == Retract(ID, 5)
    assert len(messages) <= 256
