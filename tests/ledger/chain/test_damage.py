"""A damaged store is this node's fault: whoever sent the block that showed it is not blamed."""

from dataclasses import replace

import pytest

from meshchain.ledger.chain.chain import Chain
from meshchain.ledger.chain.undo import Undo
from meshchain.ledger.errors import StoreError
from meshchain.ledger.store import layout
from meshchain.ledger.workers import InlineWorkers
from tests.ledger.chain.histories import rich_lab
from tests.ledger.chain.watching import branch, give
from tests.ledger.kit import Lab


def reopened(lab: Lab) -> Chain:
    return Chain(lab.chain.store, lab.params, InlineWorkers())


def expect_damage(chain: Chain, lab: Lab) -> None:
    """A longer branch makes the chain read what is damaged."""
    rival = branch(lab, back=8, count=9)
    with pytest.raises(StoreError) as error:
        give(chain, rival)
    assert error.value.code == "damaged"


@pytest.fixture
def lab() -> Lab:
    return rich_lab()


def test_an_undo_that_does_not_lead_to_the_parents_root(lab: Lab) -> None:
    with_names = next(block for block in lab.blocks()[::-1] if any(op.kind != "commit" for op in block.operations))
    key = layout.UNDO + with_names.header.id
    undo = Undo.decode(lab.chain.store.get(key) or b"")
    wrong = {name: entry and replace(entry, seq=entry.seq + 1) for name, entry in undo.entries.items()}
    lab.chain.store.write({key: Undo(wrong, undo.commitments).encode()})
    expect_damage(reopened(lab), lab)


@pytest.mark.parametrize("data", [None, b"", b"\x80", b"\x82\x81\x00\x80"])
def test_an_undo_that_is_gone_or_no_undo(lab: Lab, data: bytes | None) -> None:
    lab.chain.store.write({layout.UNDO + lab.chain.tip.id: data})
    expect_damage(reopened(lab), lab)


@pytest.mark.parametrize("prefix", [layout.HEADER, layout.BODY])
@pytest.mark.parametrize("data", [None, b"", bytes(181)])
def test_a_header_or_body_that_is_gone_or_none(lab: Lab, prefix: bytes, data: bytes | None) -> None:
    rival = branch(lab, back=8, count=9)
    lab.chain.store.write({prefix + lab.blocks()[-4].header.id: data})
    with pytest.raises(StoreError) as error:
        give(reopened(lab), rival)
    assert error.value.code == "damaged"
