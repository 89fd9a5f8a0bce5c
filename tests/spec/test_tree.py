"""tree.json: built at once and name by name, proofs made and verified."""

from typing import Any

import pytest

from meshchain.ledger import tree
from meshchain.ledger.entry import NameEntry
from meshchain.ledger.errors import ProofError
from meshchain.ledger.proof import verify_proof
from tests.spec.reading import load, raw

VECTORS = load("tree.json")
ENTRIES = {case["name"]: raw(case["entry"]) for case in VECTORS["entries"]}


def _leaves(names: list[str]) -> dict[bytes, bytes]:
    return {tree.name_key(name): tree.entry_hash(ENTRIES[name]) for name in names}


def _grown(leaves: dict[bytes, bytes]) -> tuple[bytes, dict[bytes, bytes]]:
    """Root and nodes after one update a leaf, greatest key first."""
    root, nodes = tree.EMPTY, dict[bytes, bytes]()
    for key, value in sorted(leaves.items(), reverse=True):
        change = tree.update(root, {key: value}, nodes.__getitem__)
        root, nodes = change.root, {k: v for k, v in nodes.items() if k not in change.removed} | dict(change.added)
    return root, nodes


@pytest.mark.parametrize("case", VECTORS["entries"], ids=lambda case: case["name"])
def test_entries(case: dict[str, Any]) -> None:
    encoded = raw(case["entry"])
    assert NameEntry.decode(encoded).encode() == encoded
    key, hashed = tree.name_key(case["name"]), tree.entry_hash(encoded)
    assert (key, hashed) == (raw(case["key"]), raw(case["entry_hash"]))
    assert tree.leaf_hash(key, hashed) == raw(case["leaf_hash"])


@pytest.mark.parametrize("case", VECTORS["roots"], ids=lambda case: str(len(case["names"])))
def test_roots_of_names(case: dict[str, Any]) -> None:
    leaves = _leaves(case["names"])
    assert tree.build(sorted(leaves.items()), lambda *_: None) == raw(case["root"])
    assert _grown(leaves)[0] == raw(case["root"])


@pytest.mark.parametrize("case", VECTORS["leaf_roots"], ids=lambda case: case["why"])
def test_roots_of_leaves(case: dict[str, Any]) -> None:
    leaves = {raw(key): raw(value) for key, value in case["leaves"]}
    assert tree.build(sorted(leaves.items()), lambda *_: None) == raw(case["root"])
    assert _grown(leaves)[0] == raw(case["root"])


def test_proofs_of_all_three_ends() -> None:
    assert {case["end"] for case in VECTORS["proofs"]} == {"entry", "null", "other"}


@pytest.mark.parametrize("case", VECTORS["proofs"], ids=lambda case: f"{case['name']}-{case['root'][:8]}")
def test_proofs_verify(case: dict[str, Any]) -> None:
    entry = verify_proof(raw(case["proof"]), raw(case["root"]), case["name"])
    assert (None if entry is None else entry.encode().hex()) == case["entry"]


def test_proofs_are_made_so() -> None:
    root, nodes = _grown(_leaves(list(ENTRIES)))
    made = [case for case in VECTORS["proofs"] if raw(case["root"]) == root]
    assert len(made) > len(ENTRIES)
    for case in made:
        assert tree.prove(root, case["name"], nodes.__getitem__, ENTRIES.get) == raw(case["proof"])


@pytest.mark.parametrize("case", VECTORS["refused"], ids=lambda case: case["why"])
def test_refused_proofs(case: dict[str, Any]) -> None:
    with pytest.raises(ProofError) as caught:
        verify_proof(raw(case["proof"]), raw(case["root"]), case["name"])
    assert caught.value.code == case["code"]
