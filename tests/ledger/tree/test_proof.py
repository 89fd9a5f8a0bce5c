"""Proofs that hold: of every name, present or absent, at any depth, and with no library but Python's own."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import meshchain
from meshchain.ledger import codec
from meshchain.ledger.errors import ProofError
from meshchain.ledger.proof import verify_proof
from meshchain.ledger.tree import EMPTY, build, entry_hash, name_key, prove
from tests.ledger.tree.states import entry, flipped, state_of

CHECKOUT = Path(meshchain.__file__).parents[1]
names = st.from_regex(r"[a-z0-9]{1,3}", fullmatch=True)


@given(st.sets(names, max_size=20), st.sets(names, max_size=10))
def test_every_name_is_proven_present_or_absent(present: set[str], asked: set[str]) -> None:
    state = state_of(present)
    for name in present | asked:
        assert verify_proof(state.prove(name), state.root, name) == state.entries.get(name)


@given(st.sets(names, min_size=1, max_size=12), names)
def test_no_proof_answers_wrongly_for_another_name(present: set[str], asked: str) -> None:
    state = state_of(present)
    for name in present:
        try:
            answer = verify_proof(state.prove(name), state.root, asked)
        except ProofError:
            continue
        assert answer == state.entries.get(asked)


def test_a_proof_of_an_older_state_is_refused() -> None:
    old, new = state_of(["alice"]), state_of(["alice", "bob"])
    for name in ("alice", "bob"):
        with pytest.raises(ProofError) as caught:
            verify_proof(old.prove(name), new.root, name)
        assert caught.value.code == "root"


def test_an_empty_state_proves_absence_without_a_path() -> None:
    proof = state_of([]).prove("alice")
    assert codec.decode(proof) == [0, b"", b"", None]
    assert verify_proof(proof, EMPTY, "alice") is None


@pytest.mark.parametrize("name", ["alice", "bob"])
def test_paths_of_256_steps(name: str) -> None:
    key = name_key("alice")
    neighbours = {flipped(key, position): b"e" * 32 for position in (*range(0, 254, 3), 255)}
    state = state_of(["alice"], neighbours)
    assert verify_proof(state.prove(name), state.root, name) == state.entries.get(name)
    depth = codec.decode(state.prove("alice"))[0]  # type: ignore[index]
    assert depth == 256


def test_absence_beside_a_leaf_that_differs_in_the_last_bit() -> None:
    key = name_key("alice")
    state = state_of([], {flipped(key, 255): b"e" * 32, flipped(key, 254): b"f" * 32})
    assert verify_proof(state.prove("alice"), state.root, "alice") is None


def test_a_leaf_without_its_entry_is_a_fault_of_the_store() -> None:
    state = state_of(["alice"])
    with pytest.raises(KeyError):
        prove(state.root, "alice", state.nodes.__getitem__, lambda name: None)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", "name-length"),
        ("a" * 64, "name-length"),
        ("Alice", "name-alphabet"),
        ("alice.mesh", "name-alphabet"),
        ("\udc80", "name-alphabet"),
        ("-alice", "name-edge-hyphen"),
    ],
)
def test_a_string_that_is_no_name_has_no_proven_absence(name: str, code: str) -> None:
    with pytest.raises(ProofError) as caught:
        verify_proof(state_of([]).prove("alice"), EMPTY, name)
    assert caught.value.code == code


@pytest.mark.parametrize("root", [b"", bytes(31), bytes(33)])
def test_a_root_has_32_bytes(root: bytes) -> None:
    with pytest.raises(ProofError) as caught:
        verify_proof(state_of([]).prove("alice"), root, "alice")
    assert caught.value.code == "root-size"


STANDALONE = """
import sys
sys.path.insert(0, sys.argv[1])
from meshchain.ledger.proof import verify_proof
proof, root, name = bytes.fromhex(sys.argv[2]), bytes.fromhex(sys.argv[3]), sys.argv[4]
print(verify_proof(proof, root, name).encode().hex())
print(sorted({module.partition(".")[0] for module in sys.modules} - sys.stdlib_module_names - {"__main__"}))
"""


def test_the_verifier_needs_the_standard_library_alone() -> None:
    """-I -S: neither site-packages nor the environment can lend it anything."""
    state = state_of(["alice", "bob", "carol"])
    arguments = [str(CHECKOUT), state.prove("alice").hex(), state.root.hex(), "alice"]
    command = [sys.executable, "-I", "-S", "-c", STANDALONE, *arguments]
    run = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60, cwd=os.sep)
    assert run.stdout.splitlines() == [entry("alice").encode().hex(), "['meshchain']"]


@pytest.mark.slow
def test_a_proof_is_below_1200_bytes_beside_its_entry() -> None:
    """At 10^5 names; 10^6 add log2(10) < 4 siblings, and one byte to the length of the sibling string.

    A path is as long as the prefix shared with the nearest of n keys: one of length log2(n) + k is met by a
    fraction of 2^-k of the names, and needs a sibling at every step to be as large as it is long. 1,200 bytes
    hold 36 siblings, so k = 16 with none empty, whose chance is 2^-(1 + 2 + … + 16) a name.
    """
    rng = random.Random(8)
    some = [f"name-{index}" for index in range(2000)]
    encoded = {name: entry(name).encode() for name in some}
    leaves = {name_key(name): entry_hash(value) for name, value in encoded.items()}
    leaves |= {rng.randbytes(32): rng.randbytes(32) for _ in range(100_000 - len(leaves))}
    nodes: dict[bytes, bytes] = {}
    root = build(sorted(leaves.items()), nodes.__setitem__)
    sizes = [len(prove(root, name, nodes.__getitem__, encoded.get)) - len(encoded[name]) for name in some]
    sizes += [len(prove(root, f"absent-{index}", nodes.__getitem__, encoded.get)) for index in range(20_000)]
    assert sum(sizes) / len(sizes) > 500
    assert max(sizes) + 4 * 32 + 1 < 1200
