"""Where hashing runs: inline (simulations, tests) or on threads (argon2 releases the GIL).

Rules and searches take a ``Workers`` and never start a thread themselves, so the same code runs under a
virtual clock and on all cores.
"""

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Final, Generic, Protocol, Self, TypeVar

T = TypeVar("T")
R = TypeVar("R")

_MAX_CHUNK: Final = 32
"""At 0.7 ms a hash a full chunk lasts 20 ms: long against handing it over (50 µs), short against a batch."""
_CHUNKS_PER_THREAD: Final = 4
"""So that a thread which lost its core for a while does not hold up the whole batch."""


class Workers(Protocol):
    """Something that applies a pure function to items, perhaps several at a time."""

    @property
    def threads(self) -> int:
        """How many items are worked on at once."""

    def map(self, function: Callable[[T], R], items: Sequence[T]) -> list[R]:
        """Results in the order of ``items``; the first exception in that order is raised."""


class InlineWorkers:
    """The caller's own thread."""

    threads: Final = 1

    def map(self, function: Callable[[T], R], items: Sequence[T]) -> list[R]:
        return [function(item) for item in items]


class _Job(Generic[T, R]):
    """One ``map``: threads take chunk after chunk, so that handing it over costs a future a thread, not a chunk."""

    def __init__(self, function: Callable[[T], R], items: Sequence[T], starts: range, size: int) -> None:
        self._function = function
        self._items = items
        self._size = size
        self._open = enumerate(starts)
        self._lock = threading.Lock()
        self.results: list[list[R] | BaseException] = [[] for _ in starts]

    def run(self) -> None:
        """In every thread that helps: until no chunk is left, or one has failed (chunks begin in their order)."""
        while (chunk := self._next()) is not None:
            index, start = chunk
            try:
                self.results[index] = [self._function(item) for item in self._items[start : start + self._size]]
            except BaseException as error:
                self.results[index] = error
                return

    def _next(self) -> tuple[int, int] | None:
        with self._lock:
            return next(self._open, None)

    def outcome(self) -> list[R]:
        """Everything in order, or the first error."""
        joined: list[R] = []
        for result in self.results:
            if isinstance(result, BaseException):
                raise result
            joined += result
        return joined


class ThreadWorkers:
    """One pool of threads, shared by every caller; ``map`` may be called from any thread.

    ``threads`` defaults to the cores this process may use; ``initializer`` runs once at the start of each
    thread (the node lowers its priority there). A ``map`` inside a ``map`` runs inline: waiting there for
    the pool would take the pool's threads away from the work that is waited for.
    """

    def __init__(self, threads: int | None = None, initializer: Callable[[], object] | None = None) -> None:
        self.threads: Final = usable_cores() if threads is None else threads
        self._inside = threading.local()
        self._initializer = initializer
        self._pool = ThreadPoolExecutor(self.threads, "hashing", self._start_thread)

    def map(self, function: Callable[[T], R], items: Sequence[T]) -> list[R]:
        if len(items) < 2 or getattr(self._inside, "pool", False):
            return [function(item) for item in items]
        size = min(_MAX_CHUNK, -(-len(items) // (_CHUNKS_PER_THREAD * self.threads)))
        job = _Job(function, items, range(0, len(items), size), size)
        runs = [self._pool.submit(job.run) for _ in range(min(self.threads, len(job.results)))]
        for run in runs:
            run.result()
        return job.outcome()

    def close(self) -> None:
        """Drop what has not begun, wait for what has."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start_thread(self) -> None:
        self._inside.pool = True
        if self._initializer is not None:
            self._initializer()


def usable_cores() -> int:
    """Cores this process may run on: its affinity where the system tells, else all of them."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
