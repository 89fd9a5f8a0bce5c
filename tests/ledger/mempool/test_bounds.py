"""The pool's size: the least work per byte goes first, and what builds on it."""

import pytest

from meshchain.ledger import operations
from tests.ledger.mempool.desk import Desk

LIMIT = 1200


@pytest.fixture
def desk() -> Desk:
    return Desk(limit=LIMIT)


def fill(desk: Desk, *, more: int) -> list[bytes]:
    """Commits until one is refused."""
    opids: list[bytes] = []
    for number in range(1, 50):
        operation = desk.lab.stamp(desk.lab.owner(number).commit("alice"), more=more)
        if desk.pool.size + len(operations.encode(operation)) > LIMIT:
            return opids
        opids.append(desk.add(operation))
    raise AssertionError("the pool has no bound")


def test_a_full_pool_refuses_the_lowest_and_says_what_it_takes(desk: Desk) -> None:
    waiting = fill(desk, more=3)
    hashes = desk.hashes.calls
    error = desk.refused(desk.lab.owner(99).commit("alice"), "mempool-full")
    floor = min(pending.rank for pending in desk.pool.pending())
    assert float(str(error.detail["floor"])) == pytest.approx(floor, abs=0.001)
    assert float(str(error.detail["rank"])) < floor
    assert desk.hashes.calls == hashes, "refused before its stamp was hashed"
    assert desk.opids() == waiting
    bits = error.detail["bits"]
    assert isinstance(bits, int)
    desk.add(desk.lab.owner(99).commit("alice"), more=bits - 1)


def test_a_better_one_pushes_the_lowest_out(desk: Desk) -> None:
    low = desk.add(desk.lab.owner(60).commit("alice"))
    waiting = fill(desk, more=3)
    assert low in desk.opids()
    newcomer = desk.add(desk.lab.owner(61).commit("alice"), more=4)
    assert sorted(desk.opids()) == sorted([*waiting, newcomer])
    assert desk.pool.size <= LIMIT


def test_what_builds_on_the_lowest_goes_with_it(desk: Desk) -> None:
    owner = desk.lab.owner()
    reg = desk.lab.register(owner, "bob").reg
    desk.add(owner.update("bob", reg, 1))
    desk.add(owner.update("bob", reg, 2), more=6)
    fill(desk, more=3)
    newcomer = desk.add(desk.lab.owner(61).commit("alice"), more=5)
    assert newcomer in desk.opids()
    assert all(pending.name is None for pending in desk.pool.pending())
    desk.mine_selected()


def test_an_operation_cannot_push_out_what_it_builds_on(desk: Desk) -> None:
    owner = desk.lab.owner()
    reg = desk.lab.register(owner, "bob").reg
    base = desk.add(owner.update("bob", reg, 1))
    fill(desk, more=3)
    desk.refused(owner.update("bob", reg, 2, {"x": "y" * 200}), "mempool-full", more=6)
    assert base in desk.opids()


def test_larger_than_the_pool() -> None:
    desk = Desk(limit=50)
    assert "larger" in desk.refused(desk.lab.owner().commit("alice"), "mempool-full").message


def test_what_makes_room_when_blocks_return_is_reported(desk: Desk) -> None:
    desk.lab.mine(*(desk.lab.stamp(desk.lab.owner(number).commit("bob"), more=5) for number in range(70, 74)))
    other = desk.lab.fork(back=1)
    other.mine_empty(2)
    waiting = fill(desk, more=1)
    dropped = desk.follow(desk.lab.take(other))
    assert dropped
    assert {d.code for d in dropped} == {"mempool-full"}
    assert {d.opid for d in dropped} <= set(waiting)
    assert {d.opid for d in dropped} | set(desk.opids()) >= set(waiting)
    assert desk.pool.size <= LIMIT
