"""One step ahead: held, checked as far as it can be, bounded, and promoted when its turn comes."""

from dataclasses import replace

import pytest

from meshchain.ledger.errors import HeldError, RuleError
from meshchain.ledger.mempool import HeldOperationError
from meshchain.ledger.operations import Operation
from tests.ledger.kit import small_params
from tests.ledger.mempool.desk import Desk


def hold(desk: Desk, operation: Operation, code: str, *, more: int = 0) -> bytes:
    with pytest.raises(HeldOperationError) as caught:
        desk.add(operation, more=more)
    assert caught.value.code == code
    assert isinstance(caught.value, RuleError)
    assert isinstance(caught.value, HeldError)
    assert desk.opid(operation) in desk.held()
    assert desk.opid(operation) not in desk.opids()
    return desk.opid(operation)


def test_a_reveal_waits_for_its_commit_and_for_its_age(desk: Desk) -> None:
    owner = desk.lab.owner()
    reveal = hold(desk, owner.reveal("alice"), "commitment-missing")
    desk.add(owner.commit("alice"))
    assert desk.held() == [reveal], "a pooled commit is not a confirmed one"
    desk.mine_selected()
    assert desk.held() == [reveal]
    with pytest.raises(HeldOperationError) as caught:
        desk.add(owner.reveal("alice"))
    assert (caught.value.code, caught.value.detail["reveal_from"]) == ("reveal-too-early", 3)
    assert desk.pool.select(desk.lab.next()) == ()
    desk.mine()
    assert (desk.held(), desk.opids()) == ([], [reveal])
    desk.mine_selected()
    assert desk.lab.entry("alice").owner == owner.key


def test_an_update_waits_for_the_reveal_and_is_promoted_with_it(desk: Desk) -> None:
    owner = desk.lab.owner()
    desk.mine(desk.lab.stamp(owner.commit("alice")))
    desk.mine()
    updates = [hold(desk, owner.update("alice", owner.reg("alice"), seq), "name-absent") for seq in (2, 1)]
    reveal = desk.add(owner.reveal("alice"))
    assert desk.opids() == [reveal, *reversed(updates)]
    assert desk.held() == []
    desk.mine_selected()
    assert desk.lab.entry("alice").seq == 2


def test_a_held_update_comes_with_the_block_that_reveals(desk: Desk) -> None:
    owner = desk.lab.owner()
    desk.mine(desk.lab.stamp(owner.commit("alice")))
    desk.mine()
    update = hold(desk, owner.update("alice", owner.reg("alice"), 1), "name-absent")
    desk.mine(desk.lab.stamp(owner.reveal("alice")))
    assert (desk.held(), desk.opids()) == ([], [update])


@pytest.mark.parametrize(("seq", "code"), [(1500, "seq-too-high"), (1, "name-in-grace")])
def test_an_update_waits_for_the_step_before_it(desk: Desk, seq: int, code: str) -> None:
    owner = desk.lab.owner()
    entry = desk.lab.register(owner, "alice")
    if code == "name-in-grace":
        desk.mine_empty(entry.expires - desk.lab.height)
    update = hold(desk, owner.update("alice", entry.reg, seq), code)
    if code == "name-in-grace":
        before = desk.add(owner.renew("alice", entry.reg, entry.expires))
    else:
        before = desk.add(owner.update("alice", entry.reg, 800))
    assert desk.opids() == [before, update]


def test_what_waits_has_been_checked(desk: Desk) -> None:
    owner, thief = desk.lab.owner(1), desk.lab.owner(2)
    entry = desk.lab.register(owner, "taken")
    forged = replace(owner.reveal("alice"), signature=bytes(64))
    desk.refused(forged, "signature")
    desk.refused(thief.reveal("taken"), "name-taken")
    desk.refused(thief.update("taken", entry.reg, 5000), "signature")
    unpaid = desk.lab.stamp(owner.reveal("alice"))
    assert unpaid.stamp is not None
    desk.refused(replace(unpaid, stamp=replace(unpaid.stamp, bits=50)), "stamp-work")
    desk.refused(replace(unpaid, stamp=replace(unpaid.stamp, bits=0)), "stamp-bits")
    desk.refused(replace(unpaid, stamp=replace(unpaid.stamp, anchor_hash=bytes(8))), "stamp-anchor-fork")
    assert desk.held() == []


def test_a_held_form_is_replaced_only_by_a_better_one(desk: Desk) -> None:
    reveal = desk.lab.owner().reveal("alice")
    hold(desk, reveal, "commitment-missing", more=1)
    desk.refused(reveal, "stamp-not-better")
    hold(desk, reveal, "commitment-missing", more=2)
    (pending,) = desk.pool.held
    assert pending.stamp.bits == 3


def test_nothing_waits_for_ever(desk: Desk) -> None:
    reveal = hold(desk, desk.lab.owner().reveal("alice"), "commitment-missing")
    dropped = desk.mine_empty(30)
    assert [(d.opid, d.code) for d in dropped] == [(reveal, "stamp-anchor")]
    assert desk.held() == []


def test_a_held_reveal_whose_name_is_taken_is_reported_with_the_winner(desk: Desk) -> None:
    loser, winner = desk.lab.owner(1), desk.lab.owner(2)
    desk.mine(desk.lab.stamp(winner.commit("alice")))
    desk.mine()
    lost = hold(desk, loser.reveal("alice"), "commitment-missing")
    reveal = winner.reveal("alice")
    (dropped,) = desk.mine(desk.lab.stamp(reveal))
    assert (dropped.opid, dropped.code, dropped.winner) == (lost, "name-taken", desk.opid(reveal))


def test_eight_a_name_the_least_work_leaves(desk: Desk) -> None:
    reveals = [desk.lab.owner(number).reveal("alice") for number in range(1, 10)]
    for reveal in reveals[:8]:
        hold(desk, reveal, "commitment-missing", more=1)
    desk.refused(reveals[8], "mempool-full")
    hold(desk, reveals[8], "commitment-missing", more=2)
    assert len(desk.held()) == 8


def test_bytes_of_what_waits_are_bounded() -> None:
    desk = Desk(small_params(max_block_size=4096))
    owner = desk.lab.owner()
    for number in range(20):
        with pytest.raises(RuleError) as caught:
            desk.add(owner.reveal(f"name{number}", {"note": "n" * 1000}), more=number % 4)
        assert caught.value.code in ("commitment-missing", "mempool-full")
        assert sum(pending.size for pending in desk.pool.held) <= 2 * 4096
    assert sorted(pending.stamp.bits for pending in desk.pool.held) == [3, 4, 4, 4, 4, 4], "the least work left"
