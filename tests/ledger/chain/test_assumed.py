"""Stamps below the assumed-valid block: skipped on the best header chain only, and nothing else is."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from meshchain.ledger.block import Block
from meshchain.ledger.chain.chain import Chain
from meshchain.ledger.errors import RuleError
from meshchain.ledger.operations import Commit
from meshchain.ledger.params import Params
from meshchain.ledger.store.memory import MemoryStore
from meshchain.ledger.workers import InlineWorkers
from tests.ledger.chain.watching import give
from tests.ledger.kit import Lab


def unworked(lab: Lab) -> Commit:
    """A commit whose stamp claims 40 bits that nobody worked for."""
    good = lab.stamp(lab.owner().commit("alice"))
    assert good.stamp is not None
    return replace(good, stamp=replace(good.stamp, bits=40))


def blocks_with_a_bad_stamp(count: int) -> list[Block]:
    """``count`` blocks on genesis, the second with a worthless stamp: made by a lab that trusts its own."""
    lab = Lab()
    lab.mine()
    block = lab.block(unworked(lab))
    lab.chain = assuming(lab.params, [*lab.blocks(), block], block.header.id)
    lab.mine_empty(count - 2)
    return list(lab.blocks())


def assuming(params: Params, blocks: Sequence[Block], block_id: bytes) -> Chain:
    """A chain that assumes ``block_id`` valid and is given these blocks, all headers first."""
    policy = replace(params.policy, assume_valid=block_id)
    chain = Chain(MemoryStore(), replace(params, policy=policy), InlineWorkers())
    chain.add_headers([block.header for block in blocks], None)
    give(chain, blocks)
    return chain


def test_stamps_below_the_assumed_block_are_taken_as_checked() -> None:
    blocks = blocks_with_a_bad_stamp(6)
    for top in (1, 3, 5):
        assert assuming(Lab().params, blocks, blocks[top].header.id).tip.height == 6


@pytest.mark.parametrize("assumed", [0, None])
def test_stamps_above_it_or_without_it_are_checked(assumed: int | None) -> None:
    blocks = blocks_with_a_bad_stamp(4)
    block_id = bytes(32) if assumed is None else blocks[assumed].header.id
    with pytest.raises(RuleError) as error:
        assuming(Lab().params, blocks, block_id)
    assert error.value.code == "stamp-work"


def test_an_assumed_block_off_the_best_header_chain_excuses_nothing() -> None:
    """Also when it was on the best chain when first asked."""
    blocks = blocks_with_a_bad_stamp(4)
    lab = Lab()
    lab.now += 40
    lab.mine_empty(8)
    rival = list(lab.blocks())
    chain = assuming(lab.params, [], blocks[3].header.id)
    chain.add_headers([block.header for block in blocks], None)
    chain.add_block(blocks[0], None)  # asked, and covered
    chain.add_headers([block.header for block in rival], None)
    with pytest.raises(RuleError) as error:
        chain.add_block(blocks[1], None)
    assert error.value.code == "stamp-work"
    give(chain, rival)
    assert chain.tip.id == rival[-1].header.id


def test_a_best_chain_that_grows_keeps_the_excuse() -> None:
    blocks = blocks_with_a_bad_stamp(6)
    chain = assuming(Lab().params, blocks[:1], blocks[2].header.id)
    for upto in (3, 4, 6):
        chain.add_headers([block.header for block in blocks[:upto]], None)
        give(chain, blocks[: upto - 1])
    assert chain.tip.height == 5
