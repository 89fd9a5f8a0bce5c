"""``python -m bench.dns [--json] [--quick]``. Needs Debian's dnsperf and nsd.

``--quick`` is for trying it out: 5,000 names, short runs. Its figures hold for nothing.
"""

import json
import shutil
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Final

from bench.dns import load, names, servers
from bench.dns.first import first_answers
from bench.measure import Row, table

_PACKAGES: Final = ("dnsperf", "nsd")


def measure(folder: Path, number: int, seconds: float) -> list[Row]:
    datadir, zone, questions = folder / "data", folder / "mesh.zone", folder / "questions"
    listed = names.build(number, datadir, zone, questions)
    median, p99 = first_answers(datadir, listed[:2000])
    figure = f"median {1e3 * median:.2f} ms, p99 {1e3 * p99:.2f} ms of CPU"
    rows = [Row("first signed answer", figure, "< 1.5 ms", median < 0.0015, {"median_s": median, "p99_s": p99})]
    with servers.nsd(folder, zone) as theirs:
        rival = load.most(theirs.port, questions, seconds)
        calm = load.at_rate(theirs.port, questions, seconds, rival.per_second / 4)
    with servers.meshd(datadir) as ours:
        before = ours.memory
        cold = load.most(ours.port, questions, seconds)
        own = load.most(ours.port, questions, seconds)
        half = load.at_rate(ours.port, questions, seconds, own.per_second / 2)
        grown = ours.memory - before
    return [*rows, *_compared(rival, cold, own), _half(half, calm), _memory(number, grown)]


def _compared(rival: load.Load, cold: load.Load, own: load.Load) -> list[Row]:
    ratio = own.per_second / rival.per_second
    figures = f"{own.per_second:,.0f}/s, NSD {rival.per_second:,.0f}/s: {ratio:.2f}"
    lost = f"lost {own.lost:.2%}, NSD {rival.lost:.2%}; from a cold start {cold.per_second:,.0f}/s"
    values = {"per_second": own.per_second, "nsd_per_second": rival.per_second, "cold_per_second": cold.per_second}
    return [Row("questions a second", f"{figures} ({lost})", "≥ 0.5 × NSD", ratio >= 0.5, values)]


def _half(half: load.Load, calm: load.Load) -> Row:
    """Beside NSD's at a quarter of its most, which tells how calm the machine is."""
    beside = f"NSD {1e3 * calm.p99:.2f} ms at {calm.per_second:,.0f}/s"
    figure = f"p99 {1e3 * half.p99:.2f} ms at {half.per_second:,.0f}/s ({beside})"
    return Row("latency at half that load", figure, "p99 < 2 ms", half.p99 < 0.002, {"p99_s": half.p99})


def _memory(number: int, grown: int) -> Row:
    figure = f"{grown / 1e6:.0f} MB for {number:,} remembered answers"
    return Row("memory of the caches", figure, "< 200 MB", grown < 200e6, {"bytes": grown})


def main(arguments: list[str]) -> int:
    missing = [package for package in _PACKAGES if shutil.which(package) is None]
    if missing:
        print(f"install {' '.join(missing)}", file=sys.stderr)
        return 3
    quick = "--quick" in arguments
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(Path(folder), 5000 if quick else 100_000, 2.0 if quick else 10.0)
    print(json.dumps([asdict(row) for row in rows], indent=2) if "--json" in arguments else table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
