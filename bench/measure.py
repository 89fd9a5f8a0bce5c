"""Timing, percentiles and memory, with the standard library."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType


@dataclass
class Stopwatch:
    """Seconds of wall and CPU time of a ``with`` block."""

    wall: float = 0.0
    cpu: float = 0.0


@contextmanager
def stopwatch() -> Iterator[Stopwatch]:
    watch = Stopwatch()
    wall, cpu = time.perf_counter(), time.process_time()
    yield watch
    watch.wall, watch.cpu = time.perf_counter() - wall, time.process_time() - cpu


@contextmanager
def time_inside(module: ModuleType, name: str) -> Iterator[list[float]]:
    """Within the block, sum the seconds spent in ``module.name``, however it is called from that module."""
    function: Callable[..., object] = getattr(module, name)
    inside = [0.0]

    def timed(*args: object, **named: object) -> object:
        began = time.perf_counter()
        try:
            return function(*args, **named)
        finally:
            inside[0] += time.perf_counter() - began

    setattr(module, name, timed)
    try:
        yield inside
    finally:
        setattr(module, name, function)


def durations(calls: Iterable[Callable[[], object]]) -> list[float]:
    """Seconds each call takes, sorted."""
    taken = []
    for call in calls:
        began = time.perf_counter()
        call()
        taken.append(time.perf_counter() - began)
    return sorted(taken)


def percentile(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def pss_bytes(pid: int | str = "self") -> int:
    """Proportional set size: shared pages count by the share (Linux)."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise OSError("no Pss line in smaps_rollup")


def folder_bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


@dataclass
class Row:
    """One line of a table: a figure and the limit it is held against."""

    what: str
    figure: str
    limit: str
    holds: bool | None
    values: dict[str, float] = field(default_factory=dict)


def table(rows: Iterable[Row]) -> str:
    cells = [("what", "measured", "goal", "")]
    marks = {True: "ok", False: "MISSED", None: ""}
    cells += [(row.what, row.figure, row.limit, marks[row.holds]) for row in rows]
    widths = [max(len(cell[column]) for cell in cells) for column in range(4)]
    lines = (zip(line, widths, strict=True) for line in cells)
    return "\n".join("  ".join(text.ljust(width) for text, width in line).rstrip() for line in lines)
