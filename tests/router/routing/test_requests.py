"""Questions for newer announcements: asked when there is need, passed on once, with hops, within budgets."""

from meshrouter.directory import Role
from meshrouter.neighbours.neighbour import Neighbour
from meshrouter.routing.requests import HOPS, PATIENCE
from meshrouter.wire.control import Message, Retract, RouteRequest, SeqnoRequest, Update
from tests.router.routing.kit import Desk, identity, signed

FAR = 50
ID = identity(FAR).id


def asked(messages: list[Message]) -> list[SeqnoRequest]:
    return [message for message in messages if isinstance(message, SeqnoRequest)]


def stranded() -> tuple[Desk, Neighbour, Neighbour]:
    """The route by 1 (metric 196 told) is gone, that by 2 is not feasible."""
    desk = Desk()
    first, second = desk.meet(1), desk.meet(2)
    desk.hear(first, signed(FAR, 5, 100))
    desk.hear(second, signed(FAR, 5, 250))
    desk.settle()
    desk.hear(first, Retract(ID, 5))
    return desk, first, second


def test_a_node_without_a_feasible_route_has_none_and_asks() -> None:
    desk, _first, second = stranded()
    assert desk.route(FAR) is None
    assert asked(desk.sent(second)) == [SeqnoRequest(ID, 6, HOPS)]
    desk.hear(second, signed(FAR, 6, 250))
    assert desk.via(FAR) == 2


def test_it_asks_again_ever_less_often_until_it_is_answered() -> None:
    desk, _first, second = stranded()
    desk.run(120)
    assert 5 <= len(asked(desk.sent(second))) <= 8
    desk.hear(second, signed(FAR, 6, 250))
    desk.run(120)
    assert asked(desk.sent()) == []


def test_it_stops_asking_when_nobody_offers_anything() -> None:
    desk, _first, second = stranded()
    desk.hear(second, Retract(ID, 5))
    desk.sent()
    desk.run(120)
    assert asked(desk.sent()) == []


def test_the_next_hop_in_use_is_kept_while_it_gets_worse_and_the_origin_is_asked() -> None:
    desk = Desk()
    first = desk.meet(1)
    desk.meet(2)
    desk.hear(first, signed(FAR, 5, 100))
    desk.settle()
    desk.hear(first, signed(FAR, 5, 400))
    route = desk.route(FAR)
    assert route is not None
    assert (desk.via(FAR), route.metric) == (1, 496)
    assert asked(desk.sent(first)) == [SeqnoRequest(ID, 6, HOPS)]


def test_a_better_route_that_is_not_feasible_is_asked_for_with_patience() -> None:
    desk = Desk()
    first, second = desk.meet(1), desk.meet(2)
    desk.hear(first, signed(FAR, 5, 100))
    desk.settle()
    first.cost = 700
    desk.routing.changed(first, desk.now)
    desk.hear(second, signed(FAR, 5, 250))
    desk.run(PATIENCE / 2)
    assert (desk.via(FAR), asked(desk.sent())) == (1, [])
    desk.run(PATIENCE)
    assert SeqnoRequest(ID, 6, HOPS) in asked(desk.sent(second))


def test_a_question_is_answered_by_whoever_can() -> None:
    desk = Desk()
    asker = desk.meet(2)
    desk.hear(desk.meet(1), signed(FAR, 5, 100))
    desk.settle()
    desk.hear(asker, SeqnoRequest(ID, 5, HOPS))
    desk.run(0.1)
    (update,) = desk.sent()
    assert isinstance(update, Update)
    assert (update.id, update.seqno) == (ID, 5)


def passing() -> tuple[Desk, Neighbour, Neighbour]:
    desk = Desk()
    towards, asker = desk.meet(1), desk.meet(2)
    desk.hear(towards, signed(FAR, 5, 100))
    desk.settle()
    return desk, towards, asker


def test_a_question_is_passed_on_along_the_route_once() -> None:
    desk, towards, asker = passing()
    desk.hear(asker, SeqnoRequest(ID, 6, 10), SeqnoRequest(ID, 6, 10), SeqnoRequest(ID, 6, 5))
    assert list(desk.routing.outputs) == [(towards, SeqnoRequest(ID, 6, 9))]
    desk.run(3)
    desk.sent()
    desk.hear(asker, SeqnoRequest(ID, 6, 10))
    assert asked(desk.sent(towards)) == [SeqnoRequest(ID, 6, 9)]


def test_a_question_that_would_not_arrive_does_not_silence_one_that_would() -> None:
    desk, towards, asker = passing()
    desk.hear(asker, SeqnoRequest(ID, 1 << 63, 2), SeqnoRequest(ID, 6, HOPS))
    assert asked(desk.sent(towards)) == [SeqnoRequest(ID, 1 << 63, 1), SeqnoRequest(ID, 6, HOPS - 1)]


def test_hops_end_and_are_not_believed_beyond_the_most() -> None:
    desk, towards, asker = passing()
    desk.hear(asker, SeqnoRequest(ID, 6, 1), SeqnoRequest(ID, 6, 0))
    assert asked(desk.sent()) == []
    desk.hear(asker, SeqnoRequest(ID, 6, 255))
    assert asked(desk.sent(towards)) == [SeqnoRequest(ID, 6, HOPS - 1)]


def test_a_question_never_goes_back_to_who_asked() -> None:
    desk, towards, _asker = passing()
    desk.hear(towards, SeqnoRequest(ID, 6, HOPS))
    assert asked(desk.sent()) == []


def test_guests_pass_nothing_on() -> None:
    desk, _towards, asker = passing()
    desk.become(identity(0).key, Role.GUEST)
    desk.hear(asker, SeqnoRequest(ID, 6, HOPS))
    assert asked(desk.sent()) == []


def test_the_answer_hurries_to_those_who_wait() -> None:
    desk, towards, asker = passing()
    desk.hear(asker, SeqnoRequest(ID, 6, HOPS))
    desk.sent()
    desk.hear(towards, signed(FAR, 6, 100))
    desk.run(0.02)
    (update,) = desk.sent(asker)
    assert isinstance(update, Update)
    assert update.seqno == 6


def test_a_flood_of_questions_is_rationed_by_neighbour() -> None:
    desk, towards, asker = passing()
    desk.hear(asker, *(SeqnoRequest(ID, 6 + number, HOPS) for number in range(5000)))
    assert len(asked(desk.sent(towards))) <= 256
    assert desk.count("route-budget") > 4000


def test_questions_about_nobody_are_counted() -> None:
    desk, _towards, asker = passing()
    desk.hear(asker, SeqnoRequest(identity(51).id, 1, HOPS), RouteRequest(identity(51).id, 1))
    desk.run(1)
    assert desk.sent() == []
    assert desk.count("route-unknown") == 1


def test_route_request_is_answered_with_the_key() -> None:
    desk, _towards, asker = passing()
    desk.hear(asker, RouteRequest(ID, 1))
    desk.run(0.1)
    (update,) = desk.sent(asker)
    assert isinstance(update, Update)
    assert update.key == identity(FAR).key
