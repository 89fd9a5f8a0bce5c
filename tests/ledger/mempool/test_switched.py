"""A new tip: what leaves, what returns, what is reported and with which evidence, and what is not hashed again."""

from collections.abc import Callable

import pytest

from meshchain.ledger import operations
from meshchain.ledger.chain.chain import Switch
from meshchain.ledger.operations import Operation
from tests.ledger.kit import Lab, Owner, small_params
from tests.ledger.mempool.desk import Desk


def rival(desk: Desk, *blocks: list[Operation], back: int) -> Lab:
    """A branch that leaves the chain ``back`` blocks below the tip and carries these blocks of stamped operations."""
    lab = desk.lab.fork(back=back)
    for listed in blocks:
        lab.mine(*listed)
    return lab


def test_orphaned_operations_return_and_are_not_hashed_again(desk: Desk) -> None:
    owner = desk.lab.owner()
    commit = desk.add(owner.commit("alice"))
    desk.mine_selected()
    desk.mine()
    reveal = desk.add(owner.reveal("alice"))
    desk.mine_selected()
    update = desk.add(owner.update("alice", owner.reg("alice"), 1))
    hashes = desk.hashes.calls
    other = rival(desk, [], [], [], [], back=3)
    assert desk.follow(desk.lab.take(other)) == []
    assert desk.opids() == [commit]
    assert desk.held() == [reveal, update]
    assert desk.hashes.calls == hashes
    for _ in range(3):
        desk.mine_selected()
    assert desk.lab.entry("alice").seq == 1
    assert len(desk.pool) == len(desk.held()) == 0


def test_operations_of_blocks_never_seen_as_operations_return_too(desk: Desk) -> None:
    commit = desk.lab.stamp(desk.lab.owner().commit("alice"))
    desk.mine(commit)
    other = rival(desk, [], [], back=1)
    desk.follow(desk.lab.take(other))
    assert desk.pool.get(desk.opid(commit)) == commit
    assert len(desk.mine_selected()) == 1


def test_what_both_branches_hold_does_not_return(desk: Desk) -> None:
    commit = desk.lab.stamp(desk.lab.owner().commit("alice"))
    other = rival(desk, [commit], [], back=0)
    desk.mine(commit)
    assert desk.follow(desk.lab.take(other)) == []
    assert len(desk.pool) == 0
    desk.refused(commit, "already-confirmed")


def taken(desk: Desk) -> tuple[Owner, Owner]:
    """Two owners whose commits for alice are in the chain and old enough."""
    first, second = desk.lab.owner(1), desk.lab.owner(2)
    desk.mine(*(desk.lab.stamp(owner.commit("alice")) for owner in (first, second)))
    desk.mine()
    return first, second


def test_a_reorg_that_gives_the_name_to_another_names_the_winner(desk: Desk) -> None:
    first, second = taken(desk)
    won = desk.lab.stamp(second.reveal("alice"))
    other = rival(desk, [won], [], back=0)
    lost = first.reveal("alice")
    desk.mine(desk.lab.stamp(lost))
    update = desk.add(first.update("alice", first.reg("alice"), 1))
    dropped = desk.follow(desk.lab.take(other))
    assert [(d.opid, d.code, d.winner) for d in dropped] == [
        (desk.opid(lost), "name-taken", desk.opid(won)),
        (update, "reg-mismatch", desk.opid(won)),
    ]
    assert desk.lab.entry("alice").owner == second.key


def test_a_lost_reveal_whose_commit_was_orphaned_too_is_still_told(desk: Desk) -> None:
    first, second = desk.lab.owner(1), desk.lab.owner(2)
    won = desk.lab.stamp(second.reveal("alice"))
    other = rival(desk, [desk.lab.stamp(second.commit("alice"))], [], [won], [], back=0)
    desk.mine(desk.lab.stamp(first.commit("alice")))
    desk.mine()
    lost = first.reveal("alice")
    desk.mine(desk.lab.stamp(lost))
    dropped = desk.follow(desk.lab.take(other))
    assert [(d.opid, d.code, d.winner) for d in dropped] == [(desk.opid(lost), "name-taken", desk.opid(won))]
    assert desk.opids() == [desk.opid(first.commit("alice"))]


def lost_update(owner: Owner, reg: bytes, expires: int) -> Operation:
    return owner.update("alice", reg, 2)


def lost_renew(owner: Owner, reg: bytes, expires: int) -> Operation:
    return owner.renew("alice", reg, expires)


@pytest.mark.parametrize(
    ("kind", "loser", "code"),
    [
        ("update", lost_update, "seq-too-low"),
        ("transfer", lost_update, "signature"),
        ("revoke", lost_update, "name-revoked"),
        ("revoke", lost_renew, "name-revoked"),
        ("transfer", lost_renew, "signature"),
    ],
)
def test_each_kind_of_winner_is_found(
    desk: Desk, kind: str, loser: Callable[[Owner, bytes, int], Operation], code: str
) -> None:
    owner = desk.lab.owner()
    entry = desk.lab.register(owner, "alice")
    desk.mine()
    winners: dict[str, Operation] = {
        "update": owner.update("alice", entry.reg, 3, {"new": True}),
        "transfer": owner.transfer("alice", entry.reg, 1, desk.lab.owner(2).key),
        "revoke": owner.revoke("alice", entry.reg, 1),
    }
    other = rival(desk, [desk.lab.stamp(winners[kind])], [], back=0)
    opid = desk.add(loser(owner, entry.reg, entry.expires))
    (dropped,) = desk.follow(desk.lab.take(other))
    assert (dropped.opid, dropped.code, dropped.winner) == (opid, code, desk.opid(winners[kind]))
    assert dropped.message


def test_a_renewal_of_a_renewal_that_moved_is_lost_to_it(desk: Desk) -> None:
    owner = desk.lab.owner()
    entry = desk.lab.register(owner, "alice")
    desk.mine()
    renew = desk.lab.stamp(owner.renew("alice", entry.reg, entry.expires))
    other = rival(desk, [], [renew], [], [], back=0)
    desk.mine(renew)
    desk.mine()
    again = desk.add(owner.renew("alice", entry.reg, desk.lab.entry("alice").expires))
    (dropped,) = desk.follow(desk.lab.take(other))
    assert (dropped.opid, dropped.code, dropped.winner) == (again, "expires-mismatch", desk.opid(renew))


def test_stamps_of_the_branch_that_was_left_are_dropped() -> None:
    desk = Desk(small_params(stamp_grid=2))
    desk.lab.mine_empty(4)
    other = desk.lab.fork(back=3)
    other.mine_empty(4)
    commit = desk.add(desk.lab.owner().commit("alice"))
    (pending,) = desk.pool.pending()
    assert pending.stamp.anchor_height == 2
    (dropped,) = desk.follow(desk.lab.take(other))
    assert (dropped.opid, dropped.code, dropped.winner) == (commit, "stamp-anchor-fork", None)


def test_stamps_run_out_with_their_anchor(desk: Desk) -> None:
    commit = desk.add(desk.lab.owner().commit("alice"))
    dropped = desk.mine_empty(40)
    assert [(d.opid, d.code) for d in dropped] == [(commit, "stamp-anchor")]


def test_names_that_expire_leave_their_operations(desk: Desk) -> None:
    owner = desk.lab.owner()
    entry = desk.lab.register(owner, "alice")
    desk.mine_empty(entry.expires - desk.lab.height - 2)
    update = desk.add(owner.update("alice", entry.reg, 1))
    desk.mine()
    assert desk.opids() == [], "the next block is in grace"
    assert desk.held() == [update]
    desk.add(owner.renew("alice", entry.reg, entry.expires))
    assert update in desk.opids()


def test_blocks_taken_back_without_others_return_their_operations(desk: Desk) -> None:
    commit = desk.lab.stamp(desk.lab.owner().commit("alice"))
    desk.mine(commit)
    switch = desk.lab.chain.hold_future(desk.lab.params.consensus.genesis_time)
    assert len(switch.disconnected) == 1
    assert desk.follow(switch) == []
    assert desk.opids() == [desk.opid(commit)]


def test_a_tip_nobody_told_of_is_followed_and_reported_later(desk: Desk) -> None:
    first, second = taken(desk)
    lost = desk.add(first.reveal("alice"))
    won = desk.lab.stamp(second.reveal("alice"))
    desk.lab.mine(won)
    assert desk.pool.select(desk.lab.next()) == ()
    (dropped,) = desk.follow(Switch())
    assert (dropped.opid, dropped.code) == (lost, "name-taken")
    assert desk.follow(Switch()) == []


def test_what_returns_is_hashed_before_it_is_mined_again(desk: Desk) -> None:
    commit = desk.lab.stamp(desk.lab.owner().commit("alice"))
    desk.mine(commit)
    desk.follow(desk.lab.take(rival(desk, [], [], back=1)))
    assert operations.wid(commit) not in desk.lab.chain.stamps_seen
    desk.mine_selected()
    assert operations.wid(commit) in desk.lab.chain.stamps_seen
