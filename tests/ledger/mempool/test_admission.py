"""The door: order of checks, what each refuses, what a refusal costs."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshchain.ledger import operations
from meshchain.ledger.errors import RuleError
from meshchain.ledger.mempool import Mempool
from meshchain.ledger.stamps import Stamp
from tests.ledger.kit import Node, small_params
from tests.ledger.mempool.desk import Desk


def test_an_operation_enters_and_is_found(desk: Desk) -> None:
    commit = desk.lab.stamp(desk.lab.owner().commit("alice"))
    opid = desk.pool.add(commit, desk.lab.next(), 1234.5)
    (pending,) = desk.pool.pending()
    assert (pending.operation, pending.opid, pending.wid) == (commit, opid, operations.wid(commit))
    assert (pending.size, pending.added) == (len(operations.encode(commit)), 1234.5)
    assert desk.pool.get(opid) == commit
    assert desk.pool.get(bytes(32)) is None
    assert len(desk.pool) == 1
    assert desk.pool.size == pending.size


def test_the_same_form_again_is_taken_as_it_is_and_not_hashed(desk: Desk) -> None:
    commit = desk.lab.stamp(desk.lab.owner().commit("alice"))
    first = desk.add(commit)
    assert desk.hashes.calls == 8
    assert desk.add(commit) == first
    assert desk.hashes.calls == 8
    assert len(desk.pool) == 1


def test_state_is_checked_before_the_signature_and_that_before_the_stamp(desk: Desk) -> None:
    owner, stranger = desk.lab.owner(1), desk.lab.owner(2)
    entry = desk.lab.register(owner, "alice")
    worthless = Stamp(5, bytes(8), 64, (0,) * 8)
    wrong_everything = replace(stranger.update("alice", entry.reg, 0), stamp=worthless)
    desk.refused(wrong_everything, "seq-too-low")
    desk.refused(replace(stranger.update("alice", entry.reg, 1), stamp=worthless), "signature")
    unstamped = owner.update("alice", entry.reg, 1)
    desk.refused(replace(unstamped, stamp=worthless), "stamp-anchor")
    desk.refused(replace(unstamped, stamp=Stamp(0, bytes(8), 64, (0,) * 8)), "stamp-anchor-fork")
    good = desk.lab.stamp(unstamped).stamp
    assert good is not None
    desk.refused(replace(unstamped, stamp=replace(good, bits=0)), "stamp-bits")
    assert desk.hashes.calls == 0
    desk.refused(replace(unstamped, stamp=replace(good, bits=60)), "stamp-work")
    assert desk.hashes.calls == 1
    assert len(desk.pool) == 0


@pytest.mark.parametrize("name", ["alice", "bob"])
def test_an_operation_without_a_stamp_is_refused(desk: Desk, name: str) -> None:
    desk.add(desk.lab.owner().commit("alice"))
    with pytest.raises(RuleError) as caught:
        desk.pool.add(desk.lab.owner().commit(name), desk.lab.next(), 0)
    assert caught.value.code == "stamp-missing"


def test_size_comes_first() -> None:
    desk = Desk(small_params(max_operation_size=512))
    owner = desk.lab.owner()
    error = desk.refused(owner.update("alice", bytes(16), 1, {"note": "x" * 600}), "operation-size")
    assert error.detail["limit"] == 512


def test_checked_work_is_remembered_for_the_chain(desk: Desk) -> None:
    commit = desk.lab.stamp(desk.lab.owner().commit("alice"))
    bad = desk.lab.owner().commit("bob")
    assert commit.stamp is not None
    worthless = replace(bad, stamp=replace(commit.stamp, bits=40))
    desk.add(commit)
    desk.refused(worthless, "stamp-work")
    seen = desk.lab.chain.stamps_seen
    assert operations.wid(commit) in seen
    assert operations.wid(worthless) not in seen


def test_work_that_was_checked_elsewhere_is_not_hashed_again(desk: Desk) -> None:
    commit = desk.lab.stamp(desk.lab.owner().commit("alice"))
    desk.add(commit)
    other = Mempool(desk.lab.params, desk.hashes, desk.lab.chain.stamps_seen)
    other.add(commit, desk.lab.next(), 0)
    assert desk.hashes.calls == 8


def test_a_confirmed_operation_sent_again_hears_where_it_stands(desk: Desk) -> None:
    commit = desk.lab.stamp(desk.lab.owner().commit("alice"))
    desk.add(commit)
    desk.mine_selected()
    error = desk.refused(commit, "already-confirmed")
    assert error.detail["height"] == 1
    other = desk.lab.fork(back=1)
    other.mine_empty(2)
    assert desk.follow(desk.lab.take(other)) == []
    assert desk.opids() == [desk.opid(commit)], "it came back with the block that held it"
    desk.add(desk.lab.owner().commit("alice"), more=1)


def test_a_commit_may_confirm_again_after_its_life_and_a_reveal_never(desk: Desk) -> None:
    owner, life = desk.lab.owner(), desk.lab.params.consensus.commit_life
    desk.mine(desk.lab.stamp(owner.commit("alice")))
    desk.mine()
    desk.mine(desk.lab.stamp(owner.reveal("alice")))
    desk.mine_empty(life - 3)
    desk.refused(owner.commit("alice"), "already-confirmed")
    desk.mine()
    desk.add(owner.commit("alice"))
    desk.mine_empty(desk.lab.entry("alice").expires)  # and the grace
    assert desk.lab.chain.state.entry("alice") is None
    desk.refused(owner.reveal("alice"), "already-confirmed")
    assert desk.held() == []


def test_a_host_that_did_not_sign_is_refused_before_the_stamp(desk: Desk) -> None:
    owner = desk.lab.owner()
    entry = desk.lab.register(owner, "alice")
    stolen = Node(1).host(desk.lab.genesis, desk.lab.owner(2).key, "alice")
    desk.refused(owner.update("alice", entry.reg, 1, {"hosts": [stolen]}), "host-proof")
    assert desk.hashes.calls == 0


@given(seqs=st.lists(st.integers(0, 1200), max_size=60))
def test_a_flood_for_one_name_hashes_and_keeps_a_bounded_number(seqs: list[int]) -> None:
    desk = Desk()
    stranger = desk.lab.owner(9)
    entry = desk.lab.register(desk.lab.owner(), "alice")
    stamp = desk.lab.stamp(desk.lab.owner().commit("x")).stamp
    for seq in seqs:
        forged = replace(stranger.update("alice", entry.reg, seq), stamp=stamp)
        desk.refused(forged, "seq-too-low" if seq == 0 else "signature")
    assert desk.hashes.calls == 0
    assert len(desk.pool) == len(desk.pool.held) == 0
