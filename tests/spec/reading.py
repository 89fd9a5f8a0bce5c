"""The vector files as a second implementation would read them."""

import json
from pathlib import Path
from typing import Any, Final

from meshchain.ledger.params import Consensus, Params, parse

SPEC: Final = Path(__file__).parents[2] / "docs" / "spec"
VECTORS: Final = SPEC / "vectors"
NO_POLICY: Final = {
    "future_limit": None,
    "settled_depth": 12,
    "parking_min": 0,
    "parking_per_block": 0,
    "parking_max": 0,
    "peer_search": 0,
    "mine_when_pending": False,
    "mine_wait": [0, 0],
    "mesh_bind_depth": 0,
    "assume_valid": None,
    "minimum_chain_work": 0,
}


def load(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((VECTORS / name).read_text(encoding="ascii"))
    return document


def raw(text: str) -> bytes:
    return bytes.fromhex(text)


def params_of(consensus: dict[str, Any]) -> Params:
    ports = {"rpc": 1, "dns": 1, "gossip": 1}
    return parse("vectors", {"consensus": consensus, "policy": NO_POLICY, "ports": ports})


def consensus_of(network: str) -> Consensus:
    networks = json.loads((SPEC.parents[1] / "genesis.json").read_text(encoding="utf-8"))
    return parse(network, networks[network]).consensus
