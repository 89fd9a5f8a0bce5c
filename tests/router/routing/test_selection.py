"""Which route is used, what waits behind it, and why that is not used."""

import pytest

from meshrouter.directory import Role
from meshrouter.neighbours.neighbour import INFINITY
from meshrouter.routing.feasibility import Distance, is_feasible, tightened
from meshrouter.routing.selection import STEADY
from meshrouter.wire.control import Retract, Update
from tests.router.routing.kit import Desk, identity, signed

FAR = 50
ID = identity(FAR).id


@pytest.mark.parametrize(
    ("offer", "bound", "feasible"),
    [
        (Distance(5, 100), None, True),
        (Distance(5, 99), Distance(5, 100), True),
        (Distance(5, 100), Distance(5, 100), False),
        (Distance(5, 101), Distance(5, 100), False),
        (Distance(6, 900), Distance(5, 100), True),
        (Distance(4, 1), Distance(5, 100), False),
    ],
)
def test_feasibility(offer: Distance, bound: Distance | None, feasible: bool) -> None:
    assert is_feasible(offer, bound) is feasible


def test_the_bound_only_improves() -> None:
    assert tightened(None, Distance(5, 100)) == Distance(5, 100)
    assert tightened(Distance(5, 100), Distance(5, 200)) == Distance(5, 100)
    assert tightened(Distance(5, 100), Distance(5, 50)) == Distance(5, 50)
    assert tightened(Distance(5, 100), Distance(6, 500)) == Distance(6, 500)


def test_a_spare_takes_over_within_the_call() -> None:
    desk = Desk()
    first, second = desk.meet(1), desk.meet(2)
    desk.hear(first, signed(FAR, 5, 100))
    desk.hear(second, signed(FAR, 5, 150))
    desk.settle()
    route = desk.route(FAR)
    assert route is not None
    assert (desk.via(FAR), route.spare) == (1, second)
    desk.routing.down(first, desk.now)
    assert desk.via(FAR) == 2


@pytest.mark.parametrize("how", ["retract", "cost", "role"])
def test_every_loss_moves_traffic_at_once(how: str) -> None:
    desk = Desk()
    first, second = desk.meet(1), desk.meet(2)
    desk.hear(first, signed(FAR, 5, 100))
    desk.hear(second, signed(FAR, 5, 150))
    desk.settle()
    if how == "retract":
        desk.hear(first, Retract(ID, 5))
    elif how == "cost":
        first.cost = INFINITY
        desk.routing.changed(first, desk.now)
    else:
        desk.become(first.key, Role.GUEST)
    assert desk.via(FAR) == 2


def test_what_is_not_feasible_is_not_used() -> None:
    desk = Desk()
    first, second = desk.meet(1), desk.meet(2)
    desk.hear(first, signed(FAR, 5, 100))
    desk.settle()
    desk.hear(second, signed(FAR, 5, 196))  # as far as we told others that we are: it may lead through us
    route = desk.route(FAR)
    assert route is not None
    assert (route.spare, route.runner_up, route.why) == (None, second, "feasibility")
    desk.routing.down(first, desk.now)
    assert desk.route(FAR) is None


def test_a_rival_must_be_better_by_a_fifth() -> None:
    desk = Desk()
    first, second, third = desk.meet(1), desk.meet(2), desk.meet(3)
    desk.hear(first, signed(FAR, 5, 504))  # 600
    desk.hear(second, signed(FAR, 5, 404))  # 500
    route = desk.route(FAR)
    assert route is not None
    assert (desk.via(FAR), route.runner_up, route.runner_up_metric, route.why) == (1, second, 500, "hysteresis")
    desk.hear(third, signed(FAR, 5, 403))  # 499
    assert desk.via(FAR) == 3


def test_a_rival_that_stays_better_wins_in_time() -> None:
    desk = Desk()
    first, second = desk.meet(1), desk.meet(2)
    desk.hear(first, signed(FAR, 5, 504))
    desk.hear(second, signed(FAR, 5, 424))
    desk.run(STEADY - 1)
    assert desk.via(FAR) == 1
    desk.run(2)
    assert desk.via(FAR) == 2


def test_a_rival_that_falls_back_starts_anew() -> None:
    desk = Desk()
    first, second = desk.meet(1), desk.meet(2)
    desk.hear(first, signed(FAR, 5, 304))
    for metric in (254, 310, 254):
        desk.hear(second, signed(FAR, 5, metric))
        desk.run(STEADY - 5)
        assert desk.via(FAR) == 1


def test_another_rival_starts_anew() -> None:
    desk = Desk()
    first, second, third = desk.meet(1), desk.meet(2), desk.meet(3)
    desk.hear(first, signed(FAR, 5, 504))
    desk.hear(second, signed(FAR, 5, 444))
    desk.run(STEADY - 5)
    desk.hear(third, signed(FAR, 5, 424))
    desk.run(STEADY - 5)
    assert desk.via(FAR) == 1
    desk.run(10)
    assert desk.via(FAR) == 3


def test_a_direct_link_wins_unless_it_is_twice_as_bad() -> None:
    desk = Desk()
    around = desk.meet(1)
    desk.hear(around, signed(FAR, 5, 104))
    direct = desk.meet(FAR, 320, announced=False)
    desk.hear(direct, signed(FAR, 5, 0))
    assert desk.via(FAR) == FAR  # 320 against 200
    direct.cost = 520
    desk.routing.changed(direct, desk.now)
    assert desk.via(FAR) == 1


def test_why_the_direct_link_was_chosen() -> None:
    desk = Desk()
    desk.hear(desk.meet(FAR, 300, announced=False), signed(FAR, 5, 0))
    around = desk.meet(1)
    desk.hear(around, signed(FAR, 5, 104))
    route = desk.route(FAR)
    assert route is not None
    assert (route.metric, route.runner_up, route.runner_up_metric, route.why) == (300, around, 200, "direct")


def test_why_guests_and_worse_routes_lose() -> None:
    desk = Desk()
    first, second = desk.meet(1), desk.meet(2)
    desk.hear(first, signed(FAR, 5, 104))
    route = desk.route(FAR)
    assert route is not None
    assert (route.runner_up, route.why) == (None, "none")
    desk.hear(second, signed(FAR, 5, 150))
    route = desk.route(FAR)
    assert route is not None
    assert (route.runner_up, route.runner_up_metric, route.why) == (second, 246, "metric")
    guest = desk.meet(3, role=Role.GUEST)
    desk.hear(guest, signed(FAR, 5, 96))
    desk.hear(first, signed(FAR, 6, 104))
    route = desk.route(FAR)
    assert route is not None
    assert (desk.via(FAR), route.runner_up, route.why) == (1, guest, "guest")


def test_a_metric_beyond_infinity_is_no_route() -> None:
    desk = Desk()
    desk.hear(desk.meet(1), signed(FAR, 5, 65_500))
    assert desk.route(FAR) is None


def test_nothing_is_said_of_a_route_whose_only_change_is_its_metric() -> None:
    """on_route is for those who keep sessions: another next hop, not every measurement."""
    desk = Desk()
    neighbour = desk.meet(1)
    desk.hear(neighbour, signed(FAR, 5, 104))
    desk.told.clear()
    desk.hear(neighbour, signed(FAR, 6, 110))
    assert desk.told == []
    desk.hear(neighbour, signed(FAR, 7, 110, caps=7))
    assert [origin for origin, _ in desk.told] == [ID]


def test_two_links_to_one_neighbour_are_two_ways() -> None:
    desk = Desk()
    slow, quick = desk.meet(1, 190), desk.meet(1, 96)
    desk.hear(slow, signed(FAR, 5, 100))
    desk.hear(quick, signed(FAR, 5, 100))
    assert desk.routing.next_hops[ID] is quick
    desk.routing.down(quick, desk.now)
    assert desk.routing.next_hops[ID] is slow
    desk.run(1)
    assert not [one for one in desk.sent(slow) if isinstance(one, Update) and one.id == ID]
