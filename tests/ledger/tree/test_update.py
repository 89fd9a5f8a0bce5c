"""Updates against the definition: same root, and the store holds the tree's nodes and nothing else."""

import random
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshchain.ledger.tree import EMPTY, TreeChange, leaf_hash, update
from tests.ledger.tree import strategies as tree_st
from tests.ledger.tree.model import Leaves, model_nodes

Changes = Mapping[bytes, bytes | None]


class Store:
    """A store that does what an update says, and objects where it is not exact."""

    def __init__(self) -> None:
        self.root = EMPTY
        self.nodes: dict[bytes, bytes] = {}

    def apply(self, changes: Changes) -> TreeChange:
        change = update(self.root, changes, self.nodes.__getitem__)
        assert not change.added.keys() & change.removed
        assert not change.added.keys() & self.nodes.keys()
        assert change.removed <= self.nodes.keys()
        for digest in change.removed:
            del self.nodes[digest]
        self.nodes.update(change.added)
        self.root = change.root
        return change


def applied(leaves: Leaves, changes: Changes) -> dict[bytes, bytes]:
    return {key: entry for key, entry in {**leaves, **changes}.items() if entry is not None}


@given(st.lists(tree_st.changes, max_size=12))
def test_every_state_of_a_sequence_equals_the_definition(sequence: list[Changes]) -> None:
    store, leaves = Store(), dict[bytes, bytes]()
    for changes in sequence:
        store.apply(changes)
        leaves = applied(leaves, changes)
        assert (store.root, store.nodes) == model_nodes(leaves)


@given(tree_st.leaves, tree_st.changes)
def test_undoing_a_batch_restores_root_and_nodes(leaves: Leaves, changes: Changes) -> None:
    store = Store()
    store.apply(leaves)
    before = store.root, dict(store.nodes)
    store.apply(changes)
    store.apply({key: leaves.get(key) for key in changes})
    assert (store.root, store.nodes) == before


@given(tree_st.leaves, st.randoms(use_true_random=False))
def test_the_order_of_insertion_does_not_matter(leaves: Leaves, rng: random.Random) -> None:
    one_by_one, at_once = Store(), Store()
    at_once.apply(leaves)
    order = list(leaves.items())
    rng.shuffle(order)
    for key, entry in order:
        one_by_one.apply({key: entry})
    assert (one_by_one.root, one_by_one.nodes) == (at_once.root, at_once.nodes)


def test_a_long_sequence_at_random_keys() -> None:
    rng = random.Random(5)
    keys = [rng.randbytes(32) for _ in range(60)]
    store, leaves = Store(), dict[bytes, bytes]()
    for _ in range(60):
        changes = {key: rng.choice((None, rng.randbytes(32))) for key in rng.sample(keys, rng.randrange(8))}
        store.apply(changes)
        leaves = applied(leaves, changes)
        assert (store.root, store.nodes) == model_nodes(leaves)


def test_nothing_to_do_is_nothing_done() -> None:
    store = Store()
    assert store.apply({}) == TreeChange(EMPTY, {}, frozenset())
    assert store.apply({bytes(32): None}) == TreeChange(EMPTY, {}, frozenset())
    root = store.apply({bytes(32): b"e" * 32, b"\xff" * 32: b"e" * 32}).root
    assert store.apply({bytes(32): b"e" * 32, b"k" * 32: None}) == TreeChange(root, {}, frozenset())


def test_one_leaf_is_the_root_at_any_key() -> None:
    store = Store()
    assert store.apply({b"k" * 32: b"e" * 32}).root == leaf_hash(b"k" * 32, b"e" * 32)


def test_a_leaf_left_alone_moves_up_a_whole_chain_unwritten() -> None:
    twins = {bytes(32): b"a" * 32, bytes(31) + b"\1": b"b" * 32}  # differ in the last bit: 256 inner nodes
    store = Store()
    assert len(store.apply(twins).added) == 258
    change = store.apply({bytes(32): None})
    assert change.root == leaf_hash(bytes(31) + b"\1", b"b" * 32)
    assert (dict(change.added), len(change.removed)) == ({}, 257)


def test_a_missing_node_is_reported_by_its_hash() -> None:
    store = Store()
    store.apply({bytes(32): b"e" * 32, b"\xff" * 32: b"e" * 32})
    del store.nodes[leaf_hash(b"\xff" * 32, b"e" * 32)]
    with pytest.raises(KeyError) as caught:
        update(store.root, {b"\xff" * 32: None}, store.nodes.__getitem__)
    assert caught.value.args == (leaf_hash(b"\xff" * 32, b"e" * 32),)


def test_shared_paths_are_read_once() -> None:
    store = Store()
    rng = random.Random(6)
    keys = [rng.randbytes(32) for _ in range(64)]
    store.apply(dict.fromkeys(keys, b"e" * 32))
    reads: list[bytes] = []

    def read(digest: bytes) -> bytes:
        reads.append(digest)
        return store.nodes[digest]

    update(store.root, dict.fromkeys(keys, b"f" * 32), read)
    assert sorted(reads) == sorted(store.nodes)
