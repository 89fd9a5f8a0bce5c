"""Threads that hash: argon2 releases the GIL, so they run beside the node, at the lowest priority.

trio's own worker threads are shared with disk writes and keep whatever priority they are given, so searches get
a pool of their own.
"""

import contextlib
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import trio

R = TypeVar("R")
Stop = Callable[[], bool]

_LOWEST = 19


def lower_priority() -> None:
    """Make the calling thread yield to everything else (Linux: nice is a thread's)."""
    if sys.platform.startswith("linux"):
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LOWEST)


class HashingPool:
    """Runs searches that can be told to stop; awaitable from trio."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._pool = ThreadPoolExecutor(threads, "search", lower_priority)

    async def run(self, search: Callable[[Stop], R]) -> R:
        """Run ``search(stop)`` in the pool. When cancelled, ``stop`` turns true and the search's end is awaited:
        it asks before every hash, so that takes a millisecond."""
        stopped = threading.Event()
        done = trio.Event()
        token = trio.lowlevel.current_trio_token()
        future: Future[R] = self._pool.submit(search, stopped.is_set)
        future.add_done_callback(lambda _: _notify(token, done))
        try:
            await done.wait()
        except trio.Cancelled:
            stopped.set()
            future.cancel()
            with trio.CancelScope(shield=True):
                await done.wait()
            raise
        return future.result()

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)


def _notify(token: trio.lowlevel.TrioToken, done: trio.Event) -> None:
    with contextlib.suppress(trio.RunFinishedError):
        token.run_sync_soon(done.set)
