"""A ledger in which alice has a server and the TLSA records of a test."""

from collections.abc import Sequence
from pathlib import Path

from meshchain.ledger.codec import Value
from tests.rpc.ledger_node import LedgerNode
from tests.rpc.people import ALICE, hosted


def settled(folder: Path, *dns: Sequence[Value]) -> LedgerNode:
    """``dns``: [label, type, ttl, text] of alice, who holds eeee::1."""
    node = LedgerNode(folder)
    record = hosted(node, ALICE, "alice", "eeee::1")
    ALICE.register(node, "alice", record={**record, "dns": [list(entry) for entry in dns]})
    return node
