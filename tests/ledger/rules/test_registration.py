"""commit and reveal: who can register what, when, and how often."""

from dataclasses import replace

import pytest

from meshchain.ledger import operations
from tests.ledger.kit import Lab
from tests.ledger.rules.trying import DEPTH, EXPIRY, GRACE, LIFE, accept, mine_to, refusal, short_lab


def test_a_reveal_registers_the_name() -> None:
    lab = short_lab()
    alice = lab.owner()
    accept(lab, alice.commit("alice"))
    lab.mine_empty(DEPTH - 1)
    accept(lab, alice.reveal("alice", {"x": 1}))
    entry = lab.entry("alice")
    assert (entry.owner, entry.reg, entry.record) == (alice.key, alice.reg("alice"), {"x": 1})
    assert (entry.address, entry.seq, entry.revoked) == (None, 0, False)
    assert (entry.registered, entry.expires) == (lab.height, lab.height + EXPIRY)


def test_a_copied_commit_cannot_be_revealed_by_the_copier() -> None:
    """Mallory sends Alice's commitment as her own, and later copies salt and born from the published reveal."""
    lab = short_lab()
    alice, mallory = lab.owner(1), lab.owner(666)
    copied = alice.commit("alice")  # the operation has no sender: the copy is Alice's commit
    accept(lab, copied)
    lab.mine_empty(DEPTH)
    stolen = mallory.sign(replace(alice.reveal("alice"), owner=mallory.key))
    assert refusal(lab, stolen) == "commitment-missing"
    assert refusal(lab, mallory.sign(replace(alice.reveal("alice"), signature=b""))) == "signature"
    accept(lab, alice.reveal("alice"))
    assert lab.entry("alice").owner == alice.key


def test_a_rivals_younger_commit_does_not_overtake() -> None:
    """Who sees the reveal of ``alice`` can only commit then, and is too late by the depth."""
    lab = short_lab()
    alice, mallory = lab.owner(1), lab.owner(666)
    accept(lab, alice.commit("alice"))
    lab.mine_empty(DEPTH - 1)
    accept(lab, mallory.commit("alice"), alice.reveal("alice"))
    lab.mine_empty(DEPTH - 1)
    assert refusal(lab, mallory.reveal("alice")) == "name-taken"


@pytest.mark.parametrize(("age", "code"), [(DEPTH - 1, "reveal-too-early"), (LIFE + 1, "commitment-missing")])
def test_a_reveal_outside_its_window_is_refused(age: int, code: str) -> None:
    """Past its life the commit has left the index."""
    lab = short_lab()
    alice = lab.owner()
    accept(lab, alice.commit("alice"))
    mine_to(lab, lab.height + age)
    assert refusal(lab, alice.reveal("alice")) == code


@pytest.mark.parametrize("age", [DEPTH, LIFE])
def test_a_reveal_at_the_edges_of_its_window_is_valid(age: int) -> None:
    lab = short_lab()
    alice = lab.owner()
    accept(lab, alice.commit("alice"))
    mine_to(lab, lab.height + age)
    accept(lab, alice.reveal("alice"))


def test_a_commit_in_the_same_block_is_too_young() -> None:
    lab = short_lab(commit_depth=1)
    alice = lab.owner()
    assert refusal(lab, alice.commit("alice"), alice.reveal("alice")) == "reveal-too-early"


def test_a_used_commitment_is_used_up() -> None:
    """Grace and expiry are shorter than the commit's life here, so only ``used`` stands in the way."""
    lab = short_lab(expiry=32, grace=0)
    alice = lab.owner()
    accept(lab, alice.commit("alice"))
    lab.mine_empty(DEPTH - 1)
    accept(lab, alice.reveal("alice"))
    assert refusal(lab, alice.reveal("alice", {"second": True})) == "commitment-used"


def test_a_commitment_is_refused_while_it_is_in_the_index_and_may_come_again_after() -> None:
    lab = short_lab()
    alice = lab.owner()
    accept(lab, alice.commit("alice"))
    first = lab.height
    assert refusal(lab, alice.commit("alice")) == "commitment-known"
    lab.mine_empty(DEPTH - 1)
    accept(lab, alice.reveal("alice"))
    assert refusal(lab, alice.commit("alice")) == "commitment-known"  # used, and still there
    mine_to(lab, first + LIFE)
    assert refusal(lab, alice.commit("alice")) == "commitment-known"
    lab.mine()
    accept(lab, alice.commit("alice"))
    assert lab.height == first + LIFE + 1
    known = lab.chain.state.commitment(alice.commitment("alice"))
    assert known is not None
    assert (known.height, known.used) == (lab.height, False)


@pytest.mark.parametrize("back", [0, EXPIRY + GRACE - LIFE])
def test_born_at_the_edges_of_its_range_is_valid(back: int) -> None:
    lab = short_lab()
    lab.mine_empty(60)
    _reveal_with_born(lab, lab.height + 1 - back)
    assert lab.entry("alice")


@pytest.mark.parametrize("back", [-1, EXPIRY + GRACE - LIFE + 1])
def test_born_outside_its_range_is_refused(back: int) -> None:
    lab = short_lab()
    lab.mine_empty(60)
    alice = lab.owner()
    born = lab.height + 1 - back
    accept(lab, alice.commit("alice", born))
    lab.mine_empty(DEPTH - 1)
    assert refusal(lab, alice.reveal("alice", born=born)) == "born-range"


def _reveal_with_born(lab: Lab, born: int) -> None:
    accept(lab, lab.owner().commit("alice", born))
    lab.mine_empty(DEPTH - 1)
    accept(lab, lab.owner().reveal("alice", born=born))


def test_two_reveals_of_a_name_in_one_block_are_invalid_and_either_alone_is_not() -> None:
    lab = short_lab()
    alice, bob = lab.owner(1), lab.owner(2)
    accept(lab, alice.commit("alice"), bob.commit("alice"))
    lab.mine_empty(DEPTH - 1)
    assert refusal(lab, alice.reveal("alice"), bob.reveal("alice")) == "name-taken"
    assert refusal(lab, bob.reveal("alice"), alice.reveal("alice")) == "name-taken"
    accept(lab, bob.reveal("alice"))
    assert lab.entry("alice").owner == bob.key


def test_a_reveal_by_a_key_that_is_no_key_is_refused() -> None:
    lab = short_lab()
    alice = lab.owner()
    bad = replace(alice.reveal("alice"), owner=b"\x02" + b"\xff" * 32)
    accept(lab, replace(alice.commit("alice"), commitment=_commitment(lab, bad.salt, bad.owner)))
    lab.mine_empty(DEPTH - 1)
    assert refusal(lab, bad) == "signature"


def _commitment(lab: Lab, salt: bytes, owner: bytes) -> bytes:
    return operations.commitment(lab.genesis, salt, owner, 0, "alice")
