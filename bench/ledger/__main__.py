"""``python -m bench.ledger [--json] [PART …]``: parts are headers, connect, million, startup; all by default."""

import sys

from bench import commandline
from bench.ledger.connecting import connecting
from bench.ledger.hashing import headers
from bench.ledger.million import fast_path, million
from bench.ledger.startup import startup


def _parts(_quick: bool) -> commandline.Parts:
    return {
        "headers": headers,
        "connect": connecting,
        "million": lambda: [fast_path(), *million()],
        "startup": startup,
    }


if __name__ == "__main__":
    sys.exit(commandline.run(sys.argv[1:], _parts))
