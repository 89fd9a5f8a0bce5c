"""Claimed addresses: free, own, held, none; who keeps one and what frees it."""

import pytest

from meshchain.crypto.address import CLAIM_PREFIX
from meshchain.ledger.entry import Record
from tests.ledger.kit import Lab, Node, Owner
from tests.ledger.rules.trying import DEPTH, GRACE, accept, mine_to, short_lab

ONE = CLAIM_PREFIX + bytes(5) + b"\1"
TWO = CLAIM_PREFIX + bytes(5) + b"\2"


def claiming(lab: Lab, owner: Owner, name: str, address: bytes | None) -> Record:
    """A record whose primary host asks for ``address``; None: for its own."""
    return {"hosts": [Node(owner.number).host(lab.genesis, owner.key, name, ip6=address)]}


def claim(lab: Lab, owner: Owner, name: str, address: bytes | None) -> None:
    entry = lab.entry(name)
    accept(lab, owner.update(name, entry.reg, entry.seq + 1, claiming(lab, owner, name, address)))


@pytest.fixture
def lab() -> Lab:
    """``alice`` holds ONE; ``bob`` and his node are there without a claim."""
    lab = short_lab(max_block_size=16384)
    alice, bob = lab.owner(1), lab.owner(2)
    accept(lab, alice.commit("alice"), bob.commit("bob"))
    lab.mine_empty(DEPTH - 1)
    accept(lab, alice.reveal("alice", claiming(lab, alice, "alice", ONE)), bob.reveal("bob"))
    return lab


def holders(lab: Lab) -> dict[bytes, str]:
    """The address index; it must agree with the entries."""
    state = lab.chain.state
    index = {address: name for address in (ONE, TWO) if (name := state.holder(address)) is not None}
    assert index == {entry.address: name for name, entry in state.names() if entry.address}
    return index


def test_a_free_claim_is_granted_by_a_reveal(lab: Lab) -> None:
    assert lab.entry("alice").address == ONE
    assert holders(lab) == {ONE: "alice"}


def test_a_claim_held_by_another_never_invalidates_a_reveal(lab: Lab) -> None:
    """An attacker who claims the address of a published reveal first takes the address, not the name."""
    carol = lab.owner(3)
    accept(lab, carol.commit("carol"))
    lab.mine_empty(DEPTH - 1)
    accept(lab, carol.reveal("carol", claiming(lab, carol, "carol", ONE)))
    assert lab.entry("carol").address is None
    assert holders(lab) == {ONE: "alice"}


def test_the_first_claim_of_a_block_wins_and_the_second_operation_stays_valid(lab: Lab) -> None:
    bob, carol, dave = lab.owner(2), lab.owner(3), lab.owner(4)
    accept(lab, carol.commit("carol"), dave.commit("dave"))
    lab.mine_empty(DEPTH - 1)
    reveals = [
        owner.reveal(name, claiming(lab, owner, name, TWO)) for owner, name in ((carol, "carol"), (dave, "dave"))
    ]
    accept(lab, reveals[1], reveals[0])
    assert holders(lab) == {ONE: "alice", TWO: "dave"}
    claim(lab, bob, "bob", TWO)
    assert lab.entry("bob").address is None


def test_a_claim_that_is_held_leaves_an_update_its_old_address(lab: Lab) -> None:
    bob = lab.owner(2)
    claim(lab, bob, "bob", TWO)
    claim(lab, bob, "bob", ONE)
    assert holders(lab) == {ONE: "alice", TWO: "bob"}
    assert lab.entry("bob").record == claiming(lab, bob, "bob", ONE)


def test_an_own_claim_is_kept(lab: Lab) -> None:
    claim(lab, lab.owner(1), "alice", ONE)
    assert holders(lab) == {ONE: "alice"}


def test_another_free_claim_moves_the_name_and_frees_the_old_address(lab: Lab) -> None:
    claim(lab, lab.owner(1), "alice", TWO)
    assert holders(lab) == {TWO: "alice"}
    claim(lab, lab.owner(2), "bob", ONE)
    assert holders(lab) == {ONE: "bob", TWO: "alice"}


@pytest.mark.parametrize("how", ["own address", "no host"])
def test_an_update_without_a_claim_frees_the_address(lab: Lab, how: str) -> None:
    alice = lab.owner(1)
    if how == "own address":
        claim(lab, alice, "alice", None)
    else:
        accept(lab, alice.update("alice", lab.entry("alice").reg, 1, {}))
    assert lab.entry("alice").address is None
    assert holders(lab) == {}


def test_names_may_swap_addresses_within_a_block(lab: Lab) -> None:
    alice, bob = lab.owner(1), lab.owner(2)
    claim(lab, bob, "bob", TWO)
    first, second = lab.entry("alice").reg, lab.entry("bob").reg
    swap = [
        alice.update("alice", first, 1, {}),
        bob.update("bob", second, 2, claiming(lab, bob, "bob", ONE)),
        alice.update("alice", first, 2, claiming(lab, alice, "alice", TWO)),
    ]
    accept(lab, *swap)
    assert holders(lab) == {ONE: "bob", TWO: "alice"}
    lab.take(_longer_without_the_last_block(lab))
    assert holders(lab) == {ONE: "alice", TWO: "bob"}


def _longer_without_the_last_block(lab: Lab) -> Lab:
    fork = lab.fork(back=1)
    fork.mine_empty(2)
    return fork


def test_nothing_is_granted_later_without_a_new_update(lab: Lab) -> None:
    alice, bob = lab.owner(1), lab.owner(2)
    claim(lab, bob, "bob", ONE)
    accept(lab, alice.update("alice", lab.entry("alice").reg, 1, {}))
    lab.mine_empty(2)
    assert lab.entry("bob").address is None
    assert holders(lab) == {}
    claim(lab, bob, "bob", ONE)
    assert holders(lab) == {ONE: "bob"}


def test_transfer_renew_and_grace_keep_the_address(lab: Lab) -> None:
    alice, new = lab.owner(1), lab.owner(9)
    reg = lab.entry("alice").reg
    accept(lab, alice.transfer("alice", reg, 1, new.key))
    assert holders(lab) == {ONE: "alice"}
    accept(lab, new.renew("alice", reg, lab.entry("alice").expires))
    assert holders(lab) == {ONE: "alice"}
    mine_to(lab, lab.entry("alice").expires + GRACE)
    assert holders(lab) == {ONE: "alice"}
    lab.mine()
    assert holders(lab) == {}


def test_revoke_frees_the_address_at_once(lab: Lab) -> None:
    alice, bob = lab.owner(1), lab.owner(2)
    revoke = alice.revoke("alice", lab.entry("alice").reg, 1)
    taken = bob.update("bob", lab.entry("bob").reg, 1, claiming(lab, bob, "bob", ONE))
    accept(lab, revoke, taken)
    assert holders(lab) == {ONE: "bob"}
    assert lab.entry("alice").address is None


def test_deletion_frees_the_address_for_the_same_block(lab: Lab) -> None:
    alice, bob = lab.entry("alice"), lab.owner(2)
    mine_to(lab, alice.expires)
    accept(lab, bob.renew("bob", lab.entry("bob").reg, lab.entry("bob").expires))
    mine_to(lab, alice.expires + GRACE - 1)
    claim(lab, bob, "bob", ONE)
    assert holders(lab) == {ONE: "alice"}
    claim(lab, bob, "bob", ONE)
    assert holders(lab) == {ONE: "bob"}
    assert lab.chain.state.entry("alice") is None
