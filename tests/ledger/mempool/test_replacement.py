"""One form an operation: replaced only by a better stamp, and by no cycle of them."""

from contextlib import suppress
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshchain.ledger import operations
from meshchain.ledger.errors import RuleError
from tests.ledger.mempool.desk import Desk


@pytest.fixture
def grown(desk: Desk) -> Desk:
    """Height 20: anchors 10 and 0 are both valid."""
    desk.lab.mine_empty(20)
    return desk


def test_more_bits_or_a_newer_anchor_replace(grown: Desk) -> None:
    commit, lab = grown.lab.owner().commit("alice"), grown.lab
    forms = [lab.stamp(commit, anchor=0), lab.stamp(commit, anchor=0, more=1), lab.stamp(commit, anchor=10, more=1)]
    for form in forms:
        opid = grown.add(form)
        assert grown.pool.get(opid) == form
    assert len(grown.pool) == 1
    assert grown.pool.size == len(operations.encode(forms[-1]))


def test_neither_less_nor_equal_nor_a_trade_replaces(grown: Desk) -> None:
    commit, lab = grown.lab.owner().commit("alice"), grown.lab
    kept = lab.stamp(commit, anchor=10, more=2)
    opid = grown.add(kept)
    hashes = grown.hashes.calls
    others = [
        lab.stamp(commit, anchor=10, more=1),
        lab.stamp(commit, anchor=10, more=2, start=10_000),
        lab.stamp(commit, anchor=0, more=2),
        lab.stamp(commit, anchor=0, more=3),
    ]
    for other in others:
        error = grown.refused(other, "stamp-not-better")
        assert (error.detail["anchor"], error.detail["bits"]) == (10, 3)
    assert grown.pool.get(opid) == kept
    assert grown.hashes.calls == hashes, "refused before anything was hashed"


def test_a_better_claim_without_work_does_not_replace(grown: Desk) -> None:
    kept = grown.lab.stamp(grown.lab.owner().commit("alice"))
    opid = grown.add(kept)
    assert kept.stamp is not None
    grown.refused(replace(kept, stamp=replace(kept.stamp, bits=50)), "stamp-work")
    assert grown.pool.get(opid) == kept


def test_a_better_stamp_on_a_forged_signature_does_not_replace(desk: Desk) -> None:
    owner = desk.lab.owner()
    reg = desk.lab.register(owner, "alice").reg
    update = owner.update("alice", reg, 1)
    opid = desk.add(update)
    kept = desk.pool.get(opid)
    desk.refused(replace(update, signature=bytes(64)), "signature", more=3)
    assert desk.pool.get(opid) == kept


def test_a_replaced_operation_keeps_its_place(desk: Desk) -> None:
    owner = desk.lab.owner()
    reg = desk.lab.register(owner, "alice").reg
    opids = [desk.add(owner.update("alice", reg, seq)) for seq in (1, 2, 3)]
    desk.add(owner.update("alice", reg, 2), more=2)
    assert desk.opids() == opids
    desk.mine_selected()


@settings(max_examples=25)
@given(forms=st.lists(st.tuples(st.sampled_from((0, 10)), st.integers(0, 3), st.booleans()), max_size=12))
def test_forms_never_go_round_in_a_circle(forms: list[tuple[int, int, bool]]) -> None:
    desk = Desk()
    desk.lab.mine_empty(20)
    commit = desk.lab.owner().commit("alice")
    kept: list[tuple[int, int]] = []
    for anchor, more, other_nonces in forms:
        with suppress(RuleError):
            desk.add(desk.lab.stamp(commit, anchor=anchor, more=more, start=10_000 * other_nonces))
        (pending,) = desk.pool.pending()
        kept.append((pending.stamp.anchor_height, pending.stamp.bits))
    assert all(old[0] <= new[0] and old[1] <= new[1] for old, new in pairwise(kept))
