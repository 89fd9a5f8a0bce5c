"""``python -m bench.ledger [--json] [PART …]``: parts are headers, connect, million, startup; all by default."""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict

from bench.ledger.connecting import connecting
from bench.ledger.hashing import headers
from bench.ledger.million import fast_path, million
from bench.ledger.startup import startup
from bench.measure import Row, table

PARTS: dict[str, Callable[[], list[Row]]] = {
    "headers": headers,
    "connect": connecting,
    "million": lambda: [fast_path(), *million()],
    "startup": startup,
}


def main(arguments: list[str]) -> int:
    as_json = "--json" in arguments
    wanted = [word for word in arguments if word != "--json"] or list(PARTS)
    if unknown := set(wanted) - PARTS.keys():
        print(f"unknown part {', '.join(sorted(unknown))}; known: {', '.join(PARTS)}", file=sys.stderr)
        return 3
    rows: list[Row] = []
    for part in wanted:
        print(f"measuring {part} …", file=sys.stderr)
        rows += PARTS[part]()
    print(json.dumps([asdict(row) for row in rows], indent=2) if as_json else table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
