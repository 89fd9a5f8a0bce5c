"""One core for the server, the others for who asks: else each waits for the other's turn, and what the client waits for
counts as the server's."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

_ALL: list[int] = sorted(os.sched_getaffinity(0))
SERVER: set[int] = {_ALL[-1]}
CLIENTS: set[int] = set(_ALL[:-1]) or SERVER


@contextmanager
def only(cores: set[int]) -> Iterator[None]:
    """What is started in the context stays on these cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
