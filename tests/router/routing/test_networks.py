"""Whole networks: how soon everybody is found, what idling costs, and what happens when something fails."""

import random
from math import ceil

import pytest

from meshrouter.directory import Role
from meshrouter.routing.own import REFRESH
from tests.router.routing.kit import Ledger, identity
from tests.router.routing.net import Net, Wire, build, grid, line, tree

GRID = 49, grid(7)
LINE = 50, line(50)
TREE = 50, tree(50, random.Random(5))


@pytest.mark.parametrize(("nodes", "edges"), [GRID, LINE, TREE], ids=["grid", "line", "tree"])
def test_everybody_is_found_within_four_seconds(nodes: int, edges: list[tuple[int, int]]) -> None:
    net = build(edges, nodes)
    assert net.run(4.0, until=net.is_complete)
    assert net.loops == []
    net.run(1.0)
    assert net.wrong(tolerance=1.25) == []


def square() -> Net:
    """0 – 1 – 3 and 0 – 2 – 3, the second way a little longer."""
    net = Net(4)
    for first, second in ((0, 1), (1, 3)):
        net.connect(first, second)
    for first, second in ((0, 2), (2, 3)):
        net.connect(first, second, Wire((110, 110)))
    net.run(3.0)
    return net


def test_square_traffic_moves_without_waiting_and_comes_back() -> None:
    net = square()
    assert net.path(0, identity(3).id) == [0, 1, 3]
    net.cut(0, 1)
    net.run(0.0)
    assert net.path(0, identity(3).id) == [0, 2, 3]  # no message was needed
    net.run(1.0)
    assert net.path(3, identity(0).id) == [3, 2, 0]
    net.mend(0, 1)
    net.run(60.0)
    assert net.path(0, identity(3).id) == [0, 1, 3]
    assert net.loops == []


def test_square_where_the_far_link_fails() -> None:
    """Node 0 learns of it from the RETRACT of node 1, or of the origin's neighbour: within tens of milliseconds."""
    net = square()
    net.cut(1, 3)
    assert net.run(0.1, until=lambda: net.path(0, identity(3).id) == [0, 2, 3])
    assert net.run(1.0, until=lambda: net.path(1, identity(3).id) == [1, 0, 2, 3])
    assert net.loops == []


def test_a_restarted_origin_is_found_with_the_next_numbers() -> None:
    net = build(line(5), 5)
    net.run(3.0)
    net.restart(4)
    net.run(3.0)
    assert net.wrong() == []
    assert net.lives[0].routing.routes[identity(4).id].seqno == 1000


def test_an_origin_that_lost_its_store_is_found_again() -> None:
    net = build(line(5), 5)
    net.run(3.0)
    for _ in range(3):
        net.restart(4)
        net.run(3.0)
    net.seqnos[4].next = 0
    net.restart(4)
    net.run(5.0)
    assert net.wrong() == []
    assert net.lives[0].routing.routes[identity(4).id].seqno > 3000


def test_a_guest_in_the_middle_parts_the_network_and_a_name_joins_it() -> None:
    net = Net(3)
    net.roles[1] = Role.GUEST
    for life in net.lives:
        life.ledger.roles[identity(1).key] = Role.GUEST
    for first, second in line(3):
        net.connect(first, second)
    net.run(5.0)
    assert net.wrong() == []
    assert identity(2).id not in net.lives[0].routing.routes
    net.become(1, Role.MEMBER, patience=1.0)
    net.run(10.0)
    assert net.wrong() == []
    assert net.path(0, identity(2).id) == [0, 1, 2]
    assert isinstance(net.lives[0].ledger, Ledger)


def test_a_hundred_joins_on_one_link_do_not_storm_through_the_rest() -> None:
    """A star of 40 behind one end of a line: what a node far away receives is one update for each origin."""
    leaves = 40
    edges = [*line(4), *((3, leaf) for leaf in range(4, 4 + leaves))]
    net = build(edges, 4 + leaves)
    net.run(4.0)
    assert net.is_complete()
    assert net.messages[0] <= 4  # the RETRACT of everything, itself, a DUMP perhaps: it has nothing else to tell
    assert net.messages[1] <= 2 * (4 + leaves) + 10
    assert net.loops == []


def ring(nodes: int) -> list[tuple[int, int]]:
    return [*line(nodes), (0, nodes - 1)]


def test_a_restart_that_neighbours_did_not_notice() -> None:
    """They are told by the RETRACT of everything: routes through the former life are gone when it has arrived."""
    net = build(ring(6), 6)
    net.run(5.0)
    net.restart_unnoticed(2)
    net.run(0.0015)  # a frame takes 1 ms
    assert net.all_loops() == []
    assert identity(2).id not in net.lives[1].routing.routes
    net.run(1.0)
    assert net.all_loops() == []
    assert net.wrong() == []


def test_a_restart_that_neighbours_did_not_notice_nor_were_told() -> None:
    """The frames that told them were lost: the digests show it."""
    net = build(ring(6), 6)
    net.run(5.0)
    for pair, wire in net.wires.items():
        wire.loss = 1.0 if 2 in pair else 0.0
    net.restart_unnoticed(2)
    net.run(0.5)
    for wire in net.wires.values():
        wire.loss = 0.0
    net.run(8.0)
    assert net.wrong() == []


def test_everybody_restarts_at_once() -> None:
    """No storm: each node tells each neighbour of each origin, and of few of them twice."""
    side = 5
    net = build(grid(side), side * side)
    net.run(5.0)
    net.messages.clear()
    for number in range(side * side):
        net.restart(number)
    net.run(10.0)
    assert net.is_complete()
    assert net.loops == []
    assert max(net.messages.values()) < 2 * 4 * side * side


@pytest.mark.slow
@pytest.mark.parametrize(("nodes", "edges"), [GRID, LINE, TREE], ids=["grid", "line", "tree"])
def test_idling(nodes: int, edges: list[tuple[int, int]], capsys: pytest.CaptureFixture[str]) -> None:
    """Routing's own bytes, with 28 a frame; HELLOs are the neighbour machine's."""
    net = build(edges, nodes)
    net.run(0.0, until=net.is_complete)
    net.run(30.0)
    before = net.bytes
    net.run(4 * REFRESH)
    rate = (net.bytes - before) / nodes / (4 * REFRESH)
    with capsys.disabled():
        print(f"\n{nodes} nodes, {len(edges)} links: {rate:.1f} bytes a second of a node, idle")
    degree = ceil(2 * len(edges) / nodes)
    assert rate < 1.5 * nodes * degree * 130 / REFRESH
    assert net.wrong() == []
