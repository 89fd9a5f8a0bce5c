"""``python -m bench.SOMETHING [--json] [--quick] [PART …]``: all parts by default; a table, or JSON.

``--quick`` is for trying it out: short runs. Its figures hold for nothing.
"""

import json
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TypeAlias

from bench.measure import Row, table

Parts: TypeAlias = Mapping[str, Callable[[], list[Row]]]

_OPTIONS = {"--json", "--quick"}


def run(arguments: list[str], parts: Callable[[bool], Parts], programs: Mapping[str, str] | None = None) -> int:
    """Measure and print; the exit code. ``parts(quick)``; ``programs``: program → Debian's package it comes from."""
    chosen = parts("--quick" in arguments)
    wanted = [word for word in arguments if word not in _OPTIONS] or list(chosen)
    missing = sorted({package for program, package in (programs or {}).items() if shutil.which(program) is None})
    if unknown := set(wanted) - chosen.keys():
        return wrong(f"unknown part {', '.join(sorted(unknown))}; known: {', '.join(chosen)}")
    if missing:
        return wrong(f"install {' '.join(missing)}")
    rows: list[Row] = []
    for part in wanted:
        print(f"measuring {part} …", file=sys.stderr)
        rows += chosen[part]()
    print(json.dumps([asdict(row) for row in rows], indent=2) if "--json" in arguments else table(rows))
    return 0


def wrong(problem: str) -> int:
    """Say why nothing can be measured."""
    print(problem, file=sys.stderr)
    return 3
