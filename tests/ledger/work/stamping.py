"""Stamps for tests, and workers that count."""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from meshchain.ledger import stamps
from meshchain.ledger.stamps import Stamp, StampSearch

T = TypeVar("T")
R = TypeVar("R")


class CountingWorkers:
    """Inline, and counts the items it was given."""

    threads: Final = 1

    def __init__(self) -> None:
        self.calls = 0

    def map(self, function: Callable[[T], R], items: Sequence[T]) -> list[R]:
        self.calls += len(items)
        return [function(item) for item in items]


def never() -> bool:
    return False


def make_stamp(height: int, anchor: bytes, body: bytes, signature: bytes, bits: int, memory_kib: int) -> Stamp:
    search = StampSearch(stamps.challenge(height, anchor, body, signature), bits, memory_kib)
    while (piece := search.next_slice(64)) is not None:
        search.feed(piece, *search.run(piece, never))
    return search.stamp(height, anchor)
