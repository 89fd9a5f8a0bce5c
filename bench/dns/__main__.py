"""``python -m bench.dns [--json] [--quick]``. Needs Debian's dnsperf, nsd and wrk; hsd too if npm can install it.

``--quick`` is for trying it out: 5,000 names, short runs. Its figures hold for nothing.
"""

import sys
import tempfile
from pathlib import Path
from typing import Final

from bench import commandline
from bench.dns import names, runs
from bench.dns.first import first_answers
from bench.dns.hsd import VERSION, Unavailable
from bench.dns.runs import Hsd, Meshd, Nsd
from bench.measure import Row

_MOST_MEMORY: Final = 200e6
"""Bytes; docs/operating.md states the sum of all bounds."""
_PROGRAMS: Final = {"dnsperf": "dnsperf", "nsd": "nsd", "wrk": "wrk"}


def _parts(quick: bool) -> commandline.Parts:
    return {"dns": lambda: _measured(5000 if quick else 100_000, 2.0 if quick else 10.0)}


def _measured(number: int, seconds: float) -> list[Row]:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        built = names.build(number, folder)
        first = _first(*first_answers(built.datadir, built.listed[:2000]))
        nsd = runs.ask_nsd(built, folder, seconds)
        hsd = runs.ask_hsd(built, folder, seconds)
        own = runs.ask_meshd(built, seconds)
    return [_beside_nsd(nsd, own), _cold(own), *_beside_hsd(hsd, own), _half(nsd, own), first, _memory(number, own)]


def _beside_nsd(nsd: Nsd, own: Meshd) -> Row:
    ratio = own.most.per_second / nsd.most.per_second
    figures = f"{own.most.per_second:,.0f}/s, NSD {nsd.most.per_second:,.0f}/s: {ratio:.2f}"
    lost = f"lost {own.most.lost:.2%}, NSD {nsd.most.lost:.2%}"
    values = {"per_second": own.most.per_second, "nsd_per_second": nsd.most.per_second}
    return Row("questions a second", f"{figures} ({lost})", "≥ 0.5 × NSD", ratio >= 0.5, values)


def _cold(own: Meshd) -> Row:
    """No goal: it is so after a start and after each block."""
    figure = f"{own.cold.per_second:,.0f}/s (lost {own.cold.lost:.2%})"
    return Row("  each name for the first time", figure, "", None, {"per_second": own.cold.per_second})


def _beside_hsd(hsd: Hsd | Unavailable, own: Meshd) -> list[Row]:
    if isinstance(hsd, Unavailable):
        return [Row(f"beside hsd {VERSION}", f"not measured: {hsd}", "≥ 8 × and ≥ 1.5 ×", None)]
    asked, called = own.most.per_second / hsd.most.per_second, own.calls / hsd.calls
    answers = f"{asked:.0f} (hsd's are referrals, lost {hsd.most.lost:.2%})"
    return [
        Row(
            f"  beside hsd {VERSION}",
            f"{own.most.per_second:,.0f}/s, hsd {hsd.most.per_second:,.0f}/s: {answers}",
            "≥ 8 × hsd",
            asked >= 8,
            {"per_second": own.most.per_second, "hsd_per_second": hsd.most.per_second},
        ),
        Row(
            "name_show by HTTP",
            f"{own.calls:,.0f}/s, hsd's getnameinfo {hsd.calls:,.0f}/s: {called:.2f}",
            "≥ 1.5 × hsd",
            called >= 1.5,
            {"per_second": own.calls, "hsd_per_second": hsd.calls},
        ),
    ]


def _half(nsd: Nsd, own: Meshd) -> Row:
    beside = f"NSD {1e3 * nsd.calm.p99:.2f} ms at {nsd.calm.per_second:,.0f}/s"
    figure = f"p99 {1e3 * own.half.p99:.2f} ms at {own.half.per_second:,.0f}/s ({beside})"
    values = {"p99_s": own.half.p99, "nsd_p99_s": nsd.calm.p99}
    return Row("latency at half that load", figure, "p99 < 2 ms", own.half.p99 < 0.002, values)


def _first(median: float, p99: float) -> Row:
    figure = f"median {1e3 * median:.2f} ms, p99 {1e3 * p99:.2f} ms of CPU"
    return Row("first signed answer", figure, "< 1.5 ms", median < 0.0015, {"median_s": median, "p99_s": p99})


def _memory(number: int, own: Meshd) -> Row:
    figure = f"{own.grown / 1e6:.0f} MB for {number:,} answers"
    limit = f"< {_MOST_MEMORY / 1e6:.0f} MB"
    return Row("memory of the caches", figure, limit, own.grown < _MOST_MEMORY, {"bytes": own.grown})


def main(arguments: list[str]) -> int:
    return commandline.run(arguments, _parts, _PROGRAMS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
