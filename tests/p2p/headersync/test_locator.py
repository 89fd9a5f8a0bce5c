"""Locators: few ids that meet any peer's chain near the fork."""

from functools import cache
from itertools import pairwise

import pytest

from meshchain.ledger.header import Header
from meshchain.p2p.headersync import locator
from meshchain.p2p.messages import MAX_LOCATOR
from tests.ledger.kit import Lab, small_params
from tests.p2p.kit import LabFacts
from tests.p2p.mining import lab_of, mine_headers

PARAMS = small_params()


@cache
def chain() -> list[Header]:
    return mine_headers(PARAMS, [120] * 3000)


@cache
def connected() -> LabFacts:
    return LabFacts(lab_of(PARAMS, chain()))


@cache
def headers_only() -> LabFacts:
    lab = Lab(PARAMS)
    lab.chain.add_headers(chain(), None)
    return LabFacts(lab)


def heights(facts: LabFacts, height: int) -> list[int]:
    entry = facts.header(chain()[height - 1].id) if height else facts.header(facts.genesis_id)
    assert entry is not None
    found = [facts.header(block_id) for block_id in locator(facts, entry)]
    return [at.height for at in found if at is not None]


@pytest.mark.parametrize("facts", [connected(), headers_only()], ids=["active", "headers only"])
@pytest.mark.parametrize("height", [0, 1, 2, 7, 8, 9, 10, 100, 2046, 2047, 2048, 2999, 3000])
def test_newest_first_dense_then_doubling_down_to_genesis(facts: LabFacts, height: int) -> None:
    listed = heights(facts, height)
    assert listed == sorted(set(listed), reverse=True)
    assert listed[: min(8, height + 1)] == list(range(height, max(-1, height - 8), -1))
    assert listed[-1] == 0
    assert len(listed) <= MAX_LOCATOR
    for above, below in pairwise(listed):
        assert above - below <= max(1, height - above + 2) or below == 0


def test_ids_are_those_of_the_branch() -> None:
    facts = connected()
    side = facts.lab.chain.add_headers(mine_headers(PARAMS, [120] * 20, above=chain()[:2990], seed=2), None)
    ids = locator(facts, side[-1])
    assert ids[:8] == tuple(entry.id for entry in reversed(side[-8:]))
    assert ids[-1] == facts.genesis_id
    rest = [facts.header(block_id) for block_id in ids[8:]]
    assert all(entry is not None and (entry.height > 2990 or facts.is_main(entry)) for entry in rest)
