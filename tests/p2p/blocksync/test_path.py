"""Paths: ids by height, whatever way they were walked, in bounded memory."""

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshchain.ledger.header import Header
from meshchain.p2p.blocksync.path import STRETCH, BranchPath
from tests.ledger.kit import Lab, small_params
from tests.p2p.kit import LabFacts
from tests.p2p.mining import mine_headers

PARAMS = small_params()
LENGTH = 5000


@cache
def chain() -> list[Header]:
    return mine_headers(PARAMS, [120] * LENGTH)


@cache
def facts() -> LabFacts:
    """Headers only: everything is still to be fetched."""
    lab = Lab(PARAMS)
    lab.chain.add_headers(chain(), None)
    return LabFacts(lab)


def path_to(height: int) -> BranchPath:
    entry = facts().header(chain()[height - 1].id)
    assert entry is not None
    return BranchPath(facts(), entry)


@given(st.lists(st.integers(1, LENGTH), min_size=1, max_size=20))
def test_any_order_of_questions_gives_the_ids_of_the_chain(heights: list[int]) -> None:
    path = path_to(LENGTH)
    for height in heights:
        assert path.id_at(height) == chain()[height - 1].id


@given(st.lists(st.integers(1, 3 * STRETCH), min_size=1, max_size=6))
def test_growing_in_steps_is_the_same_as_at_once(steps: list[int]) -> None:
    path, height = path_to(1), 1
    for step in steps:
        height = min(LENGTH, height + step)
        entry = facts().header(chain()[height - 1].id)
        assert entry is not None
        assert path.extend(entry)
        for at in (1, height // 2 + 1, height):
            assert path.id_at(at) == chain()[at - 1].id
        assert path.holds(entry)


def test_another_branch_does_not_extend_it_and_is_not_held() -> None:
    side = mine_headers(PARAMS, [120] * 30, above=chain()[:90], seed=2)
    entries = facts().lab.chain.add_headers(side, None)
    path = path_to(100)
    assert not path.extend(entries[-1])
    assert not any(path.holds(entry) for entry in entries)


def test_memory_is_two_stretches_and_an_id_for_each() -> None:
    path = path_to(LENGTH)
    for height in range(1, LENGTH, 500):
        path.id_at(height)
    assert sum(map(len, path._ids.values())) == 2 * 32 * STRETCH
    assert len(path._tops) == LENGTH // STRETCH + 1


@pytest.mark.parametrize("height", [1, STRETCH - 1, STRETCH, STRETCH + 1, 2 * STRETCH])
def test_edges_of_stretches(height: int) -> None:
    path = path_to(height)
    assert path.id_at(height) == chain()[height - 1].id
    assert path.id_at(1) == chain()[0].id
    assert path.first == 1
