"""A node whose ledger has alice (hosted by the node, claims eeee::1)."""

from pathlib import Path

import pytest

from tests.rpc.caller import Caller, caller
from tests.rpc.ledger_node import LedgerNode
from tests.rpc.people import ALICE, hosted


@pytest.fixture
def node(tmp_path: Path) -> LedgerNode:
    made = LedgerNode(tmp_path)
    ALICE.register(made, "alice", record=hosted(made, ALICE, "alice", "eeee::1"))
    return made


@pytest.fixture
def rpc(node: LedgerNode) -> Caller:
    return caller(node)
