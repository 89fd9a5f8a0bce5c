"""``python -m bench.router [--json] [--quick] [PART …]``: parts are rates, idle, busy; all by default. Needs root.

``--quick`` is for trying it out: short runs. Its figures hold for nothing.
"""

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Final

from bench.measure import Row, table
from bench.router.quiet import busy, idle
from bench.router.rates import rates
from tests.netns.host import WHY_NOT

_OPTIONS: Final = {"--json", "--quick"}
_PROGRAMS: Final = {"iperf3": "iperf3", "ping": "iputils-ping", "yggdrasil": "yggdrasil", "nft": "nftables"}
"""Program → Debian's package."""


def _parts(*, quick: bool) -> dict[str, Callable[[], list[Row]]]:
    return {
        "rates": lambda: rates(3.0 if quick else 10.0, ("udp",) if quick else ("udp", "ethernet")),
        "idle": lambda: idle(10.0 if quick else 60.0),
        "busy": lambda: busy(3.0 if quick else 10.0),
    }


def main(arguments: list[str]) -> int:
    parts = _parts(quick="--quick" in arguments)
    wanted = [word for word in arguments if word not in _OPTIONS] or list(parts)
    missing = [package for program, package in _PROGRAMS.items() if shutil.which(program) is None]
    problem = WHY_NOT or (f"install {' '.join(missing)}" if missing else None)
    if unknown := set(wanted) - parts.keys():
        problem = f"unknown part {', '.join(sorted(unknown))}; known: {', '.join(parts)}"
    if problem:
        print(problem, file=sys.stderr)
        return 3
    rows: list[Row] = []
    for part in wanted:
        print(f"measuring {part} …", file=sys.stderr)
        rows += parts[part]()
    print(json.dumps([asdict(row) for row in rows], indent=2) if "--json" in arguments else table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
