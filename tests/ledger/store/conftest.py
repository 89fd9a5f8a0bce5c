"""Every test that asks for ``store`` runs on both arms."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from meshchain.ledger.store import Store
from meshchain.ledger.store.leveldb import LevelStore
from meshchain.ledger.store.memory import MemoryStore


@pytest.fixture(params=["memory", "leveldb"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened: Store = MemoryStore() if request.param == "memory" else LevelStore(tmp_path / "ledger")
    yield opened
    opened.close()
