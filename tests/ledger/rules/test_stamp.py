"""Stamps in blocks: the anchor, the bits, the work; and that anyone may stamp again."""

from dataclasses import replace

import pytest

from meshchain.ledger import operations, stamps
from meshchain.ledger.errors import RuleError
from meshchain.ledger.operations import Operation
from meshchain.ledger.stamps import Stamp
from tests.ledger.kit import Lab
from tests.ledger.rules.trying import short_lab

BITS = 3


@pytest.fixture
def lab() -> Lab:
    """Next block: 45, so anchors lie at 30 and 20."""
    lab = short_lab(stamp_bits=dict.fromkeys(("commit", "reveal", "update", "renew", "transfer", "revoke"), BITS))
    lab.mine_empty(44)
    return lab


def refusal(lab: Lab, operation: Operation) -> str:
    """The code a block with ``operation``, stamp and all, ends with."""
    block = lab.block(operation)
    with pytest.raises(RuleError) as error:
        lab.chain.add_block(block, None)
    return error.value.code


def stamp_of(operation: Operation) -> Stamp:
    assert operation.stamp is not None
    return operation.stamp


@pytest.mark.parametrize("anchor", [30, 20])
def test_both_anchors_of_the_grid_are_good(lab: Lab, anchor: int) -> None:
    lab.mine(lab.stamp(lab.owner().commit("alice"), anchor=anchor))


@pytest.mark.parametrize("anchor", [40, 10, 0, 31])
def test_other_anchors_are_refused(lab: Lab, anchor: int) -> None:
    assert refusal(lab, lab.stamp(lab.owner().commit("alice"), anchor=anchor)) == "stamp-anchor"


def test_an_anchor_of_another_branch_is_refused(lab: Lab) -> None:
    """Same heights, other ids below: the stamp would be good on its own branch."""
    fork = lab.fork(back=30)
    fork.mine_empty(30)
    commit = lab.owner().commit("alice")
    assert refusal(lab, fork.stamp(commit)) == "stamp-anchor-fork"
    fork.mine(fork.stamp(commit))


def test_a_changed_anchor_hash_is_refused(lab: Lab) -> None:
    good = lab.stamp(lab.owner().commit("alice"))
    assert refusal(lab, replace(good, stamp=replace(stamp_of(good), anchor_hash=bytes(8)))) == "stamp-anchor-fork"


def test_an_anchor_claimed_at_the_other_height_is_refused(lab: Lab) -> None:
    good = lab.stamp(lab.owner().commit("alice"), anchor=30)
    assert refusal(lab, replace(good, stamp=replace(stamp_of(good), anchor_height=20))) == "stamp-anchor-fork"


def test_too_few_and_too_many_bits_are_refused(lab: Lab) -> None:
    commit = lab.owner().commit("alice")
    assert refusal(lab, lab.stamp(commit, more=-1)) == "stamp-bits"
    good = lab.stamp(commit)
    assert refusal(lab, replace(good, stamp=replace(stamp_of(good), bits=65))) == "stamp-bits"


def test_a_short_name_needs_more_bits() -> None:
    lab = short_lab(stamp_short_name=6)
    alice = lab.owner()
    lab.mine(lab.stamp(alice.commit("abcd")), lab.stamp(alice.commit("abcdef")))
    lab.mine()
    reveal = alice.reveal("abcd")
    assert stamp_of(lab.stamp(reveal)).bits == 3
    assert refusal(lab, lab.stamp(reveal, more=-1)) == "stamp-bits"
    lab.mine(lab.stamp(reveal), lab.stamp(alice.reveal("abcdef")))


@pytest.mark.parametrize("index", range(8))
def test_each_of_the_eight_nonces_counts(lab: Lab, index: int) -> None:
    good = lab.stamp(lab.owner().commit("alice"))
    stamp = stamp_of(good)
    challenge = stamps.challenge(stamp.anchor_height, stamp.anchor_hash, operations.body(good), good.signature)
    bad = next(n for n in range(100) if not stamps.meets(challenge, index, n, BITS, 8))
    nonces = (*stamp.nonces[:index], bad, *stamp.nonces[index + 1 :])
    assert refusal(lab, replace(good, stamp=replace(stamp, nonces=nonces))) == "stamp-work"


def test_more_bits_than_were_worked_for_are_refused(lab: Lab) -> None:
    good = lab.stamp(lab.owner().commit("alice"))
    assert refusal(lab, replace(good, stamp=replace(stamp_of(good), bits=20))) == "stamp-work"


def test_a_stamp_belongs_to_one_body_and_signature(lab: Lab) -> None:
    alice = lab.owner()
    lent = stamp_of(lab.stamp(alice.commit("alice")))
    assert refusal(lab, replace(alice.commit("bob"), stamp=lent)) == "stamp-work"


def test_anyone_may_stamp_again_and_the_identity_stays(lab: Lab) -> None:
    first = lab.stamp(lab.owner().commit("alice"))
    second = lab.stamp(lab.owner().commit("alice"), more=1, anchor=20)
    assert operations.opid(first, lab.genesis) == operations.opid(second, lab.genesis)
    assert operations.wid(first) != operations.wid(second)
    with pytest.raises(RuleError) as error:
        lab.mine(first, second)
    assert error.value.code == "operation-repeated"
    lab.mine(second)


def test_an_operation_without_a_stamp_is_refused(lab: Lab) -> None:
    assert refusal(lab, lab.owner().commit("alice")) == "stamp-missing"
