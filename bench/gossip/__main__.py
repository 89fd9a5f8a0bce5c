"""``python -m bench.gossip [--json] [--quick] [PART …]``: parts are sync, hop, idle; all by default.

``--quick`` is for trying it out: a short chain, a short look at the idle node. Its figures hold for nothing.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict

from bench.gossip.hop import hop
from bench.gossip.idle import idle
from bench.gossip.syncing import syncing
from bench.measure import Row, table

_OPTIONS = {"--json", "--quick"}


def _parts(*, quick: bool) -> dict[str, Callable[[], list[Row]]]:
    return {
        "sync": lambda: syncing(500 if quick else 10_000),
        "hop": lambda: hop(2 if quick else 10),
        "idle": lambda: idle(5.0 if quick else 60.0),
    }


def main(arguments: list[str]) -> int:
    parts = _parts(quick="--quick" in arguments)
    wanted = [word for word in arguments if word not in _OPTIONS] or list(parts)
    if unknown := set(wanted) - parts.keys():
        print(f"unknown part {', '.join(sorted(unknown))}; known: {', '.join(parts)}", file=sys.stderr)
        return 3
    rows: list[Row] = []
    for part in wanted:
        print(f"measuring {part} …", file=sys.stderr)
        rows += parts[part]()
    print(json.dumps([asdict(row) for row in rows], indent=2) if "--json" in arguments else table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
