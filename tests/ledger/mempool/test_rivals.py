"""Several reveals of one name: all wait, one wins; strangers cannot fill a name's places."""

import pytest

from meshchain.ledger.operations import Reveal
from tests.ledger.kit import Owner, small_params
from tests.ledger.mempool.desk import Desk

NAME = "alice"


def ready(desk: Desk, count: int, first: int = 1) -> list[Owner]:
    """Owners whose commits for NAME are old enough."""
    owners = [desk.lab.owner(number) for number in range(first, first + count)]
    desk.mine(*(desk.lab.stamp(owner.commit(NAME)) for owner in owners))
    desk.mine_empty(desk.lab.params.consensus.commit_depth - 1)
    return owners


@pytest.fixture
def desk() -> Desk:
    return Desk(small_params(max_block_size=8192))


def test_rivals_wait_side_by_side_and_the_best_rank_wins(desk: Desk) -> None:
    first, second = ready(desk, 2)
    loser = first.reveal(NAME)
    lost = desk.add(loser)
    won = desk.add(second.reveal(NAME), more=2)
    assert sorted(desk.opids()) == sorted([lost, won])
    (chosen,) = desk.pool.select(desk.lab.next())
    assert desk.opid(chosen) == won
    (dropped,) = desk.mine(chosen)
    assert (dropped.opid, dropped.code, dropped.winner) == (lost, "name-taken", won)
    assert dropped.operation.kind == "reveal"
    assert len(desk.pool) == 0


def test_rival_commits_both_enter_a_block(desk: Desk) -> None:
    for number in (1, 2):
        desk.add(desk.lab.owner(number).commit(NAME))
    assert len(desk.mine_selected()) == 2


def test_each_rival_is_followed_by_its_own_operations(desk: Desk) -> None:
    first, second = ready(desk, 2)
    desk.add(first.reveal(NAME), more=2)
    desk.add(second.reveal(NAME), more=1)
    for owner in (first, second):
        desk.add(owner.update(NAME, owner.reg(NAME), 1, {"by": owner.number}), more=5)
    reveal, update = desk.pool.select(desk.lab.next())
    assert isinstance(reveal, Reveal)
    assert reveal.owner == first.key
    assert [d.code for d in desk.mine(reveal, update)] == ["name-taken", "reg-mismatch"]
    assert desk.lab.entry(NAME).record == {"by": 1}


def test_a_ninth_reveal_needs_more_work_than_the_least_of_eight(desk: Desk) -> None:
    owners = ready(desk, 10)
    opids = [desk.add(owner.reveal(NAME), more=2 if owner.number > 1 else 1) for owner in owners[:8]]
    error = desk.refused(owners[8].reveal(NAME), "mempool-name-full")
    assert error.detail["bits"] == 3, "bits 2 + 1 rank the lowest, or as low as the lowest"
    newcomer = desk.add(owners[8].reveal(NAME), more=2)
    assert sorted(desk.opids()) == sorted([*opids[1:], newcomer])


def test_one_life_cannot_keep_others_out(desk: Desk) -> None:
    greedy, other = ready(desk, 2)
    desk.add(greedy.reveal(NAME), more=4)
    for seq in range(1, 8):
        desk.add(greedy.update(NAME, greedy.reg(NAME), seq), more=4)
    tail = desk.opids()[-1]
    newcomer = desk.add(other.reveal(NAME))
    assert tail not in desk.opids()
    assert newcomer in desk.opids()
    assert len(desk.pool) == 8
    desk.refused(greedy.update(NAME, greedy.reg(NAME), 9), "mempool-name-full", more=9)


def test_a_name_can_be_revealed_in_the_very_block_that_deletes_it(desk: Desk) -> None:
    old, new, c = desk.lab.owner(1), desk.lab.owner(2), desk.lab.params.consensus
    entry = desk.lab.register(old, NAME)
    freed = entry.expires + c.grace
    desk.mine_empty(freed - 3 - desk.lab.height)
    born = desk.lab.height
    desk.mine(desk.lab.stamp(new.commit(NAME, born)))
    desk.refused(new.reveal(NAME, born=born), "name-taken")
    desk.mine()
    assert (desk.lab.height, desk.lab.entry(NAME).owner) == (freed - 1, old.key)
    desk.add(new.reveal(NAME, born=born))
    desk.mine_selected()
    assert desk.lab.entry(NAME).owner == new.key
