"""Building in bulk gives the tree of the definition, node for node."""

import random

import pytest
from hypothesis import given

from meshchain.ledger.tree import EMPTY, build, update
from tests.ledger.tree import strategies as tree_st
from tests.ledger.tree.model import Leaves, model_nodes


@given(tree_st.leaves)
def test_build_equals_the_definition(leaves: Leaves) -> None:
    nodes: dict[bytes, bytes] = {}
    assert (build(sorted(leaves.items()), nodes.__setitem__), nodes) == model_nodes(leaves)


def test_build_equals_update_from_empty_and_writes_each_node_once() -> None:
    rng = random.Random(7)
    leaves = {rng.randbytes(32): rng.randbytes(32) for _ in range(3000)}
    written: list[tuple[bytes, bytes]] = []
    root = build(sorted(leaves.items()), lambda digest, node: written.append((digest, node)))
    change = update(EMPTY, leaves, dict[bytes, bytes]().__getitem__)
    assert (root, sorted(written)) == (change.root, sorted(change.added.items()))


@pytest.mark.parametrize("keys", [(b"b" * 32, b"a" * 32), (b"a" * 32, b"a" * 32)], ids=["descending", "repeated"])
def test_build_wants_strictly_ascending_keys(keys: tuple[bytes, bytes]) -> None:
    with pytest.raises(ValueError, match="ascending"):
        build([(key, bytes(32)) for key in keys], dict[bytes, bytes]().__setitem__)
