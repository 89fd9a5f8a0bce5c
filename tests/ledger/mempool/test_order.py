"""Operations of one name: in seq order, valid together, eight at most."""

import itertools

import pytest

from tests.ledger.kit import Node
from tests.ledger.mempool.desk import Desk


@pytest.mark.parametrize("arrival", list(itertools.permutations((1, 3, 7))))
def test_updates_wait_in_seq_order_however_they_arrive(desk: Desk, arrival: tuple[int, ...]) -> None:
    owner = desk.lab.owner()
    reg = desk.lab.register(owner, "alice").reg
    opids = {seq: desk.add(owner.update("alice", reg, seq)) for seq in arrival}
    assert desk.opids() == [opids[1], opids[3], opids[7]]
    assert len(desk.mine_selected()) == 3
    assert desk.lab.entry("alice").seq == 7
    assert len(desk.pool) == 0


def test_the_ninth_operation_of_a_name_is_refused(desk: Desk) -> None:
    owner = desk.lab.owner()
    reg = desk.lab.register(owner, "alice").reg
    for seq in range(1, 9):
        desk.add(owner.update("alice", reg, seq))
    error = desk.refused(owner.update("alice", reg, 9), "mempool-name-full", more=5)
    assert error.detail["limit"] == 8
    desk.mine_selected()
    desk.add(owner.update("alice", reg, 9))


def test_of_two_with_one_seq_the_first_stays(desk: Desk) -> None:
    owner = desk.lab.owner()
    reg = desk.lab.register(owner, "alice").reg
    first = desk.add(owner.update("alice", reg, 1))
    desk.refused(owner.update("alice", reg, 1, {"other": True}), "seq-too-low", more=4)
    assert desk.opids() == [first]


def test_what_would_spoil_a_waiting_operation_is_refused(desk: Desk) -> None:
    owner, buyer = desk.lab.owner(1), desk.lab.owner(2)
    reg = desk.lab.register(owner, "alice").reg
    waiting = desk.add(owner.update("alice", reg, 5))
    error = desk.refused(owner.transfer("alice", reg, 3, buyer.key), "mempool-conflict")
    assert (error.detail["opid"], error.detail["rule"]) == (waiting.hex(), "signature")
    desk.add(owner.transfer("alice", reg, 6, buyer.key))


def test_the_new_owner_may_go_on_where_a_transfer_waits(desk: Desk) -> None:
    owner, buyer = desk.lab.owner(1), desk.lab.owner(2)
    reg = desk.lab.register(owner, "alice").reg
    desk.add(owner.transfer("alice", reg, 1, buyer.key))
    desk.refused(owner.update("alice", reg, 2), "signature")
    desk.add(buyer.update("alice", reg, 2, {"mine": True}))
    desk.mine_selected()
    assert desk.lab.entry("alice").owner == buyer.key
    assert desk.lab.entry("alice").record == {"mine": True}


def test_nothing_follows_a_revocation(desk: Desk) -> None:
    owner = desk.lab.owner()
    reg = desk.lab.register(owner, "alice").reg
    desk.add(owner.revoke("alice", reg, 1))
    desk.refused(owner.update("alice", reg, 2), "name-revoked")


def test_a_renew_in_grace_goes_before_the_update_it_permits(desk: Desk) -> None:
    owner = desk.lab.owner()
    entry = desk.lab.register(owner, "alice")
    desk.lab.mine_empty(entry.expires - desk.lab.height)
    renew = desk.add(owner.renew("alice", entry.reg, entry.expires))
    update = desk.add(owner.update("alice", entry.reg, 1))
    assert desk.opids() == [renew, update]
    desk.mine_selected()
    assert desk.lab.entry("alice").seq == 1


def test_a_renew_comes_before_a_transfer_and_after_the_update_that_brings_its_signer(desk: Desk) -> None:
    owner, node = desk.lab.owner(), Node(3)
    entry = desk.lab.register(owner, "alice")
    desk.mine()
    host = node.host(desk.lab.genesis, owner.key, "alice")
    update = desk.add(owner.update("alice", entry.reg, 1, {"hosts": [host]}))
    transfer = desk.add(owner.transfer("alice", entry.reg, 2, desk.lab.owner(2).key))
    unsigned = owner.renew("alice", entry.reg, entry.expires)
    signature = node.sign(desk.opid(unsigned))
    renew = desk.add(type(unsigned)(name="alice", reg=entry.reg, expires=entry.expires, signature=signature))
    assert desk.opids() == [update, renew, transfer]
    desk.mine_selected()
    assert desk.lab.entry("alice").expires > entry.expires
