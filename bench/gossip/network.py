"""The network of the sync benchmark: dev's rules, with hashes that cost next to nothing.

Argon2 over 8 KiB instead of 1 MiB, so that what is measured is what gossip adds to a block, and not hashing, which is
the same on both sides of the ratio and would hide it. Names outlive the chain.
"""

import json
from pathlib import Path
from typing import Any, Final

from meshchain.ledger.params import Params, load

NAME: Final = "bench"
_GENESIS: Final = Path(__file__).parents[2] / "genesis.json"
_CHANGES: Final[dict[str, Any]] = {"name": NAME, "pow_memory_kib": 8, "expiry": 262_800, "grace": 21_600}


def write_network(file: Path, assume_valid: bytes | None = None) -> Params:
    """Write the network's file; below block ``assume_valid`` stamps are taken as checked. Its parameters."""
    table: dict[str, Any] = json.loads(_GENESIS.read_text(encoding="utf-8"))["dev"]
    table["consensus"] |= _CHANGES
    table["policy"]["assume_valid"] = None if assume_valid is None else assume_valid.hex()
    file.write_text(json.dumps(table), encoding="utf-8")
    return load(str(file))
