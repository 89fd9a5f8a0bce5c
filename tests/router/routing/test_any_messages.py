"""Whatever neighbours say, in whatever order: nothing is raised, all answers can be sent, and memory is bounded."""

from dataclasses import replace
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from meshrouter.directory import Role
from meshrouter.neighbours.neighbour import Neighbour
from meshrouter.routing.alarms import Alarms
from meshrouter.wire.control import Dump, Message, Retract, RouteRequest, SeqnoRequest, Update
from tests.router.routing.kit import Desk, identity, signed, size

Detail = Message | tuple[int, int] | float | Role | None
IDS = st.sampled_from([identity(number).id for number in range(6)] + [bytes(14), bytes(range(14))])
SEQNOS = st.sampled_from([0, 1, 2, 999, 1000, 5000, (1 << 63) - 1, 1 << 63, (1 << 64) - 1])
METRICS = st.sampled_from([0, 1, 95, 96, 97, 200, 300, 65_000, 65_534, 65_535])
HOPS = st.integers(0, 255)


@st.composite
def updates(draw: st.DrawFn) -> Update:
    """Signed by its origin, or not quite."""
    seqno, height = draw(SEQNOS), draw(st.sampled_from([0, 40, 100, 0xFFFFFFFF]))
    update = signed(draw(st.integers(0, 5)), seqno, draw(METRICS), height=height, zone=draw(st.sampled_from([7, 7, 8])))
    if draw(st.booleans()):
        update = replace(update, key=None)
    return replace(update, seqno=draw(SEQNOS)) if draw(st.integers(0, 9)) == 0 else update


MESSAGES: st.SearchStrategy[Message] = st.one_of(
    updates(),
    updates(),
    st.builds(Retract, IDS, SEQNOS),
    st.builds(SeqnoRequest, IDS, SEQNOS, HOPS),
    st.builds(RouteRequest, IDS, HOPS),
    st.just(Dump()),
)
STEPS = st.one_of(
    st.tuples(st.just("hear"), st.integers(0, 2), MESSAGES),
    st.tuples(st.just("hear"), st.integers(0, 2), MESSAGES),
    st.tuples(st.just("digest"), st.integers(0, 2), st.tuples(st.integers(0, 3), st.integers(0, 3))),
    st.tuples(st.just("wait"), st.just(0), st.sampled_from([0.01, 0.1, 3.0, 40.0, 500.0, 6000.0])),
    st.tuples(st.just("cost"), st.integers(0, 2), st.sampled_from([1, 96, 300, 65_534, 65_535])),
    st.tuples(st.just("down"), st.integers(0, 2), st.just(None)),
    st.tuples(st.just("role"), st.integers(0, 5), st.sampled_from(list(Role))),
)


@given(st.lists(STEPS, max_size=40))
def test_any_messages(steps: list[tuple[str, int, Detail]]) -> None:
    desk = Desk(height=100, synced=True)
    neighbours = [desk.meet(number) for number in (1, 2, 3)]
    for what, number, detail in steps:
        if what == "role":
            desk.become(identity(number).key, cast("Role", detail))
        elif what == "wait":
            desk.run(cast("float", detail))
        else:
            _happen(desk, neighbours, what, number, detail)
        for message in desk.sent():
            assert size(message) <= 118
        assert desk.routing.next_hops == {origin: route.next_hop for origin, route in desk.routing.routes.items()}
        assert {*desk.routing.routes} <= {identity(one).id for one in range(1, 6)}


def _happen(desk: Desk, neighbours: list[Neighbour], what: str, number: int, detail: Detail) -> None:
    neighbour = neighbours[number]
    if what == "hear":
        desk.hear(neighbour, cast("Message", detail))
    elif what == "digest":
        value, count = cast("tuple[int, int]", detail)
        desk.routing.digest(neighbour, value, count, desk.now)
    elif what == "cost":
        neighbour.cost = cast("int", detail)
        desk.routing.changed(neighbour, desk.now)
    else:
        desk.routing.down(neighbour, desk.now)
        neighbours[number] = desk.meet(number + 1, announced=False)


def test_alarms_ring_once_at_the_last_time_that_was_set() -> None:
    alarms: Alarms[str] = Alarms()
    alarms.set("a", 5.0)
    alarms.set("b", 3.0)
    alarms.set("a", 2.0)
    alarms.advance("b", 4.0)
    assert alarms.next() == 2.0
    assert list(alarms.due(10.0)) == ["a", "b"]
    assert alarms.next() == float("inf")
    alarms.set("a", 1.0)
    alarms.set("a", float("inf"))
    alarms.set("a", float("inf"))
    assert list(alarms.due(10.0)) == []


def test_alarms_that_are_moved_for_ever_take_no_memory() -> None:
    alarms: Alarms[int] = Alarms()
    for number in range(10_000):
        alarms.set(number % 3, 1e6 + number)
    assert len(alarms) < 100
    assert list(alarms.due(2e6)) == [9997 % 3, 9998 % 3, 9999 % 3]
