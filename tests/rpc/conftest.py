"""A node whose ledger has alice (hosted by the node, claims eeee::1), and which runs a router."""

from pathlib import Path

import pytest

from tests.rpc.caller import Caller, caller
from tests.rpc.ledger_node import LedgerNode
from tests.rpc.people import settle_alice


@pytest.fixture
def node(tmp_path: Path) -> LedgerNode:
    made = LedgerNode(tmp_path)
    settle_alice(made)
    return made


@pytest.fixture
def rpc(node: LedgerNode) -> Caller:
    return caller(node)
