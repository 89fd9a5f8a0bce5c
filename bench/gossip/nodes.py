"""Real nodes of a benchmark and what the kernel says they cost."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.node.running import Running


def cpu_seconds(pid: int) -> float:
    """CPU time that all threads of a process have used, to the nanosecond (clock_getcpuclockid(3), Linux)."""
    return time.clock_gettime((~pid << 3) | 2)


def ready_peers(node: Running) -> list[Any]:
    return [row for row in node.call("getpeerinfo") if row["state"] == "ready"]


@contextmanager
def meshd(datadir: Path, *options: str, p2p: str = "off", name: str = "dev") -> Iterator[Running]:
    """A node that does not mine, once its RPC answers."""
    with Running(datadir, "--mine", "off", *options, p2p=p2p, name=name) as node:
        yield node.wait()
