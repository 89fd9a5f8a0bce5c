"""dnsperf: the most questions a second, and how long answers take at a given rate."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench.measure import percentile


@dataclass(frozen=True)
class Load:
    """``lost``: share of questions without an answer. ``p99``: seconds."""

    per_second: float
    lost: float
    p99: float


def most(port: int, questions: Path, seconds: float, waiting: int = 200) -> Load:
    """``waiting``: questions on the way at once."""
    return _run(port, questions, "-l", str(seconds), "-q", str(waiting))


def once(port: int, questions: Path) -> Load:
    """Every question one time."""
    return _run(port, questions, "-n", "1", "-q", "200")


def at_rate(port: int, questions: Path, seconds: float, rate: float) -> Load:
    return _run(port, questions, "-l", str(seconds), "-q", "200", "-Q", str(int(rate)), "-v")


def _run(port: int, questions: Path, *options: str) -> Load:
    fixed = ("-s", "127.0.0.1", "-p", str(port), "-d", str(questions), "-c", "8", "-t", "2")
    done = subprocess.run(["dnsperf", *fixed, *options], capture_output=True, text=True, check=True)
    latencies = sorted(float(found) for found in re.findall(r"^> NOERROR .* ([0-9.]+)$", done.stdout, re.MULTILINE))
    return Load(
        per_second=_figure(done.stdout, r"Queries per second:\s+([0-9.]+)"),
        lost=_figure(done.stdout, r"Queries lost:\s+\d+ \(([0-9.]+)%\)") / 100,
        p99=percentile(latencies, 0.99) if latencies else 0.0,
    )


def _figure(text: str, pattern: str) -> float:
    found = re.search(pattern, text)
    if found is None:
        raise SystemExit(f"dnsperf says nothing of {pattern}:\n{text}")
    return float(found[1])
