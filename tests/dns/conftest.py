"""What the tests of DNS share."""

from pathlib import Path

import pytest

from meshchain.dns.engine import Engine
from tests.dns.lab import engine, settle
from tests.rpc.ledger_node import LedgerNode


@pytest.fixture
def node(tmp_path: Path) -> LedgerNode:
    """A ledger with alice.mesh as ``lab.ALICE_DNS`` has it."""
    ledger = LedgerNode(tmp_path)
    settle(ledger)
    return ledger


@pytest.fixture
def server(node: LedgerNode, tmp_path: Path) -> Engine:
    return engine(node, tmp_path)
