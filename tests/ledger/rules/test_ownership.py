"""update, transfer, revoke: their order, their effects, and what a revoked name no longer does."""

import pytest

from meshchain.ledger.entry import Record
from meshchain.ledger.operations import Operation
from tests.ledger.kit import Lab, Node, Owner
from tests.ledger.rules.trying import EXPIRY, GRACE, LIFE, accept, mine_to, refusal, short_lab


@pytest.fixture
def lab() -> Lab:
    lab = short_lab(max_seq_step=10)
    lab.register(lab.owner(), "alice")
    return lab


@pytest.fixture
def alice(lab: Lab) -> Owner:
    return lab.owner()


@pytest.mark.parametrize("seq", [4, 13])
def test_seq_may_rise_by_one_to_the_greatest_step(lab: Lab, alice: Owner, seq: int) -> None:
    reg = lab.entry("alice").reg
    accept(lab, alice.update("alice", reg, 3))
    accept(lab, alice.update("alice", reg, seq, {"x": seq}))
    assert (lab.entry("alice").seq, lab.entry("alice").record) == (seq, {"x": seq})


@pytest.mark.parametrize(
    ("seq", "code"), [(3, "seq-too-low"), (0, "seq-too-low"), (14, "seq-too-high"), (2**64 - 1, "seq-too-high")]
)
def test_seq_may_neither_stay_nor_jump(lab: Lab, alice: Owner, seq: int, code: str) -> None:
    reg = lab.entry("alice").reg
    accept(lab, alice.update("alice", reg, 3))
    assert refusal(lab, alice.update("alice", reg, seq)) == code
    assert refusal(lab, alice.transfer("alice", reg, seq, lab.owner(2).key)) == code
    assert refusal(lab, alice.revoke("alice", reg, seq)) == code


def test_seq_orders_the_operations_of_one_block(lab: Lab, alice: Owner) -> None:
    reg = lab.entry("alice").reg
    first, second = alice.update("alice", reg, 1, {"n": 1}), alice.update("alice", reg, 2, {"n": 2})
    assert refusal(lab, second, first) == "seq-too-low"
    accept(lab, first, second)
    assert lab.entry("alice").record == {"n": 2}


def test_an_operation_that_depends_on_a_later_one_of_its_block_is_refused(lab: Lab, alice: Owner) -> None:
    reg, bob = lab.entry("alice").reg, lab.owner(2)
    transfer, update = alice.transfer("alice", reg, 1, bob.key), bob.update("alice", reg, 2)
    assert refusal(lab, update, transfer) == "signature"
    accept(lab, transfer, update)


def test_a_transfer_empties_the_record_and_keeps_the_rest(lab: Lab, alice: Owner) -> None:
    reg, bob = lab.entry("alice").reg, lab.owner(2)
    accept(lab, alice.update("alice", reg, 1, {"x": 1}))
    before = lab.entry("alice")
    accept(lab, alice.transfer("alice", reg, 5, bob.key))
    after = lab.entry("alice")
    assert (after.owner, after.record, after.seq) == (bob.key, {}, 5)
    assert (after.reg, after.registered, after.expires) == (before.reg, before.registered, before.expires)


def test_a_transfer_to_what_is_no_key_is_refused(lab: Lab, alice: Owner) -> None:
    reg = lab.entry("alice").reg
    for key in (bytes(33), b"\x02" + b"\xff" * 32, b"\x04" + alice.key[1:], b"\x02" + bytes(32)):
        assert refusal(lab, alice.transfer("alice", reg, 1, key)) == "owner-key"


def test_revoke_keeps_the_record_and_bars_everything_until_deletion(lab: Lab, alice: Owner) -> None:
    reg, node = lab.entry("alice").reg, Node()
    record: Record = {"hosts": [node.host(lab.genesis, alice.key, "alice")]}
    accept(lab, alice.update("alice", reg, 1, record))
    accept(lab, alice.revoke("alice", reg, 2))
    entry = lab.entry("alice")
    assert (entry.revoked, entry.record, entry.seq, entry.address) == (True, record, 2, None)
    barred: list[Operation] = [
        alice.update("alice", reg, 3),
        alice.transfer("alice", reg, 3, lab.owner(2).key),
        alice.revoke("alice", reg, 3),
        alice.renew("alice", reg, entry.expires),
    ]
    for height in (lab.height + 2, entry.expires + 1, entry.expires + GRACE - 1):
        mine_to(lab, height)
        assert [refusal(lab, operation) for operation in barred] == ["name-revoked"] * 4
    _registrable_again_at(lab, entry.expires + GRACE)


def _registrable_again_at(lab: Lab, height: int) -> None:
    """On a branch with a commit as early as possible: the reveal is refused in the block before ``height``."""
    bob, born = lab.owner(2), height - LIFE
    fork = lab.fork(back=lab.height - (born - 1))
    accept(fork, bob.commit("alice", born))
    mine_to(fork, height - 1)
    assert refusal(fork, bob.reveal("alice", born=born)) == "name-taken"
    fork.mine()
    accept(fork, bob.reveal("alice", born=born))
    assert fork.entry("alice").owner == bob.key


def test_in_grace_only_a_renewal_is_valid(lab: Lab, alice: Owner) -> None:
    entry = lab.entry("alice")
    mine_to(lab, entry.expires - 1)
    accept(lab, alice.update("alice", entry.reg, 1, {"last": True}))
    late: list[Operation] = [
        alice.update("alice", entry.reg, 2),
        alice.transfer("alice", entry.reg, 2, lab.owner(2).key),
        alice.revoke("alice", entry.reg, 2),
    ]
    for height in (entry.expires, entry.expires + GRACE - 1):
        if lab.height < height - 1:
            mine_to(lab, height)
        assert [refusal(lab, operation) for operation in late] == ["name-in-grace"] * 3
    accept(lab, alice.renew("alice", entry.reg, entry.expires))
    assert lab.entry("alice").expires == lab.height + EXPIRY
    accept(lab, late[0])


def test_a_name_is_deleted_at_the_end_of_grace_and_no_block_earlier(lab: Lab, alice: Owner) -> None:
    entry = lab.entry("alice")
    mine_to(lab, entry.expires + GRACE)
    assert lab.entry("alice") == entry
    assert refusal(lab, alice.renew("alice", entry.reg, entry.expires)) == "name-absent"
    lab.mine()
    assert lab.chain.state.entry("alice") is None
    assert lab.chain.tip.header.state_root == bytes(32)


def test_a_name_free_at_the_end_of_grace_can_be_registered_in_that_very_block(lab: Lab) -> None:
    entry = lab.entry("alice")
    mine_to(lab, entry.expires + GRACE)
    _registrable_again_at(lab, entry.expires + GRACE)


def test_time_does_not_expire_a_name(lab: Lab, alice: Owner) -> None:
    """A miner whose clock is a century ahead moves no expiry: only heights do."""
    entry = lab.entry("alice")
    lab.now += 100 * 365 * 86400
    lab.mine_empty(8)
    assert lab.entry("alice") == entry
    accept(lab, alice.update("alice", entry.reg, 1))


def test_operations_on_absent_names_are_refused(lab: Lab, alice: Owner) -> None:
    reg = alice.reg("nobody")
    for operation in (
        alice.update("nobody", reg, 1),
        alice.renew("nobody", reg, 0),
        alice.transfer("nobody", reg, 1, alice.key),
        alice.revoke("nobody", reg, 1),
    ):
        assert refusal(lab, operation) == "name-absent"
