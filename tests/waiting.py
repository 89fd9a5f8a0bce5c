"""Waiting for real processes: until something is true, at ports that nobody has."""

import socket
import time
from collections.abc import Callable
from typing import Final, TypeVar

PATIENCE: Final = 60.0
"""Seconds after which a condition counts as never coming true."""
T = TypeVar("T")


def free_port(kind: int = socket.SOCK_STREAM) -> int:
    """Of 127.0.0.1; ``kind`` also SOCK_DGRAM."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def eventually(condition: Callable[[], T], what: str, patience: float = PATIENCE, every: float = 0.02) -> T:
    """Poll until the condition gives something true, and return that. ``every``: seconds."""
    deadline = time.monotonic() + patience
    while not (found := condition()):
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(every)
    return found
