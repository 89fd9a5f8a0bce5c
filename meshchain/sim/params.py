"""Parameters of small networks: the real rules, with cheap hashes, short grids and short waits."""

from typing import Any, Final

from meshchain.ledger.params import KINDS, Params, parse

_CONSENSUS: Final[dict[str, Any]] = {
    "name": "sim",
    "genesis_time": 1_800_000_000,
    "spacing": 120,
    "half_life": 7200,
    "retarget": False,
    "pow_limit_bits": "2003ffff",
    "pow_memory_kib": 8,
    "max_block_size": 8192,
    "max_operation_size": 2048,
    "max_record_size": 1536,
    "commit_depth": 2,
    "commit_life": 40,
    "expiry": 600,
    "grace": 40,
    "max_seq_step": 1000,
    "stamp_grid": 200,
    "stamp_bits": dict.fromkeys(KINDS, 1),
    "stamp_short_name": 0,
}
_POLICY: Final[dict[str, Any]] = {
    "future_limit": 600,
    "settled_depth": 12,
    "parking_min": 60,
    "parking_per_block": 5,
    "parking_max": 3600,
    "peer_search": 20,
    "mine_when_pending": False,
    "mine_wait": [0, 0],
    "mesh_bind_depth": 3,
    "assume_valid": None,
    "minimum_chain_work": 0,
}
_PORTS: Final = {"rpc": 1, "dns": 2, "gossip": 9337}


def small(**changes: object) -> Params:
    """A block takes 64 hashes of 8 KiB on average, a stamp 16; keywords replace single values."""
    unknown = changes.keys() - _CONSENSUS.keys() - _POLICY.keys()
    if unknown:
        raise ValueError(f"no such parameters: {sorted(unknown)}")
    consensus = {key: changes.get(key, value) for key, value in _CONSENSUS.items()}
    policy = {key: changes.get(key, value) for key, value in _POLICY.items()}
    return parse("sim", {"consensus": consensus, "policy": policy, "ports": _PORTS})
