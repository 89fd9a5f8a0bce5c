"""Parameters for the tests of work: the real networks, and one whose hashes cost next to nothing."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from meshchain.ledger import params
from meshchain.ledger.params import Consensus


@pytest.fixture
def mesh() -> Consensus:
    return params.load("mesh").consensus


@pytest.fixture
def cheap(mesh: Consensus) -> Consensus:
    """As mesh, but argon2id over 8 KiB (its least) and a limit of about 2^10 hashes."""
    return replace(mesh, name="cheap", pow_memory_kib=8, pow_limit_bits=0x1F3FFFFF)


@pytest.fixture(scope="session")
def asert_vectors() -> list[Path]:
    default = Path(__file__).parents[4] / "shared" / "vectors"
    folder = Path(os.environ.get("MESH_TEST_VECTORS", default)) / "asert"
    if not folder.is_dir():
        pytest.skip(f"no ASERT vectors at {folder}; MESH_TEST_VECTORS names the folder that holds them")
    return sorted(folder.iterdir())
