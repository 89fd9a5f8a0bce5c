"""Feed network files to the parser of parameters: LocalError, or parameters that a genesis block can be made of.

    python fuzz/fuzz_params.py [CORPUS_DIR] [-max_total_time=60 …]     (options are libFuzzer's)

Bytes are laid over the good file of the mesh network: JSON for one field, or for the whole.
"""

import json
import sys
from copy import deepcopy
from typing import Any

try:
    import atheris
except ImportError:
    sys.exit("atheris is not installed; on Python 3.11 or 3.12:  pip install 'atheris==3.0.0'  (Linux)")

with atheris.instrument_imports():
    from meshchain.ledger import params
    from meshchain.ledger.errors import LocalError
    from meshchain.ledger.header import genesis

NETWORK: dict[str, Any] = json.loads(params._genesis_text())["mesh"]
PLACES = [(section, field) for section, table in NETWORK.items() for field in table]


def from_bytes(data: atheris.FuzzedDataProvider) -> object:
    place = data.ConsumeIntInRange(0, len(PLACES))
    try:
        value = json.loads(data.ConsumeBytes(data.remaining_bytes()))
    except (ValueError, RecursionError):
        return None
    if place == len(PLACES):
        return value
    section, field = PLACES[place]
    table = deepcopy(NETWORK)
    table[section][field] = value
    return table


def one_input(raw: bytes) -> None:
    table = from_bytes(atheris.FuzzedDataProvider(raw))
    try:
        parsed = params.parse("fuzz", table)
    except LocalError:
        return
    genesis(parsed).encode()


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
