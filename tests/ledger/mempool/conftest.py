"""A fresh mempool on a fresh chain."""

import pytest

from tests.ledger.mempool.desk import Desk


@pytest.fixture
def desk() -> Desk:
    return Desk()
