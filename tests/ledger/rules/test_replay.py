"""Nothing signed for one life of a name, one network or one set of fields does anything in another."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from meshchain.ledger.operations import Operation
from tests.ledger.kit import Lab, Owner
from tests.ledger.rules.trying import DEPTH, EXPIRY, GRACE, LIFE, accept, mine_to, refusal, short_lab

Make = Callable[[Owner, bytes, int], Operation]
"""(owner, reg, expires) → an operation on ``alice``."""

MAKERS: dict[str, Make] = {
    "update": lambda owner, reg, _: owner.update("alice", reg, 1, {"x": 1}),
    "transfer": lambda owner, reg, _: owner.transfer("alice", reg, 1, Owner(2, owner.genesis).key),
    "revoke": lambda owner, reg, _: owner.revoke("alice", reg, 1),
    "renew": lambda owner, reg, expires: owner.renew("alice", reg, expires),
}


@pytest.fixture
def second_life() -> tuple[Lab, Owner, bytes]:
    """``alice`` registered, expired, deleted and registered again by the same owner; the first life's reg."""
    lab = short_lab()
    alice = lab.owner()
    first = lab.register(alice, "alice").reg
    lab.mine_empty(EXPIRY + GRACE)
    assert lab.chain.state.entry("alice") is None
    assert lab.register(alice, "alice").reg != first
    return lab, alice, first


@pytest.mark.parametrize("kind", MAKERS)
def test_an_operation_of_an_earlier_life_is_refused_in_a_later_one(
    second_life: tuple[Lab, Owner, bytes], kind: str
) -> None:
    lab, alice, first = second_life
    now = lab.entry("alice")
    lab.mine()  # so that a renewal would gain a block
    old = MAKERS[kind](alice, first, now.expires)
    assert refusal(lab, old) == "reg-mismatch"
    accept(lab, MAKERS[kind](alice, now.reg, now.expires))


@pytest.mark.parametrize("wait", [0, LIFE - DEPTH])
def test_an_old_commit_and_reveal_cannot_be_replayed_once_the_name_is_free(wait: int) -> None:
    """Anyone may stamp both again; as early as possible, and later, the commit is too far from born."""
    lab = short_lab()
    alice = lab.owner()
    lab.mine_empty(5)
    deleted = lab.register(alice, "alice").expires + GRACE
    born = 0
    pair = alice.commit("alice", born), alice.reveal("alice", born=born)
    assert lab.entry("alice").reg == alice.reg("alice", born)
    mine_to(lab, deleted - LIFE + wait)
    accept(lab, pair[0])
    mine_to(lab, deleted)
    assert refusal(lab, pair[1]) == "born-range"


def test_an_operation_for_another_network_is_refused() -> None:
    """Networks that differ in one parameter have different genesis ids, and those are in every digest."""
    lab, other = short_lab(), short_lab(max_seq_step=999)
    assert lab.genesis != other.genesis
    entry = lab.register(lab.owner(), "alice")
    lab.mine()
    stranger = other.owner()
    assert stranger.key == entry.owner
    for make in MAKERS.values():
        assert refusal(lab, make(stranger, entry.reg, entry.expires)) == "signature"
    accept(lab, stranger.commit("bob"), lab.owner().commit("carol"))
    lab.mine_empty(DEPTH - 1)
    assert refusal(lab, stranger.reveal("bob")) == "commitment-missing"
    assert refusal(lab, stranger.reveal("carol")) == "signature"


CHANGES: list[tuple[str, str, Any]] = [
    ("update", "seq", 2),
    ("update", "record", {"x": 2}),
    ("transfer", "seq", 2),
    ("transfer", "new_owner", Owner(3, b"").key),
    ("revoke", "seq", 2),
    ("update", "signature", b"\1" * 64),
    ("transfer", "signature", b"\1" * 64),
    ("revoke", "signature", b"\1" * 64),
    ("renew", "signature", b"\1" * 64),
]


@pytest.mark.parametrize(("kind", "field", "value"), CHANGES)
def test_a_signed_field_cannot_be_changed(kind: str, field: str, value: object) -> None:
    lab = short_lab()
    entry = lab.register(lab.owner(), "alice")
    lab.mine()
    good = MAKERS[kind](lab.owner(), entry.reg, entry.expires)
    changed: Any = {field: value}
    assert refusal(lab, replace(good, **changed)) == "signature"
    accept(lab, good)


def test_an_operation_cannot_be_turned_to_another_name_or_kind() -> None:
    lab = short_lab()
    alice = lab.owner()
    entry = lab.register(alice, "alice")
    bob = lab.register(alice, "bob")
    update = alice.update("alice", entry.reg, 1)
    assert refusal(lab, replace(update, name="bob", reg=bob.reg)) == "signature"
    assert refusal(lab, replace(alice.revoke("bob", bob.reg, 1), signature=update.signature)) == "signature"


def test_a_reveals_record_is_signed() -> None:
    lab = short_lab()
    alice = lab.owner()
    accept(lab, alice.commit("alice"))
    lab.mine_empty(DEPTH - 1)
    reveal = alice.reveal("alice")
    assert refusal(lab, replace(reveal, record={"hosts": []})) == "signature"
    accept(lab, reveal)


def test_the_former_owner_has_no_say_after_a_transfer() -> None:
    lab = short_lab()
    alice, bob = lab.owner(1), lab.owner(2)
    entry = lab.register(alice, "alice")
    accept(lab, alice.transfer("alice", entry.reg, 1, bob.key))
    assert refusal(lab, alice.update("alice", entry.reg, 2)) == "signature"
    assert refusal(lab, alice.renew("alice", entry.reg, entry.expires)) == "signature"
    accept(lab, bob.update("alice", entry.reg, 2))
