"""The integrity check: silent on a good store, and precise about a bad one."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache

import pytest

from meshchain.ledger.chain.check import CheckReport, check_chain
from meshchain.ledger.errors import StoreError
from meshchain.ledger.store import Reader, layout
from meshchain.ledger.store.memory import MemoryStore
from tests.ledger.chain.histories import rich_lab
from tests.ledger.chain.watching import contents
from tests.ledger.kit import Lab, small_params


@cache
def lab() -> Lab:
    return rich_lab()


@cache
def rows() -> Mapping[bytes, bytes]:
    return contents(lab().chain.store)


def check(changes: Mapping[bytes, bytes | None]) -> CheckReport:
    store = MemoryStore()
    store.write(rows())
    store.write(changes)
    return check_chain(store, MemoryStore(), lab().params, lab().genesis)


def some(prefix: bytes) -> list[tuple[bytes, bytes]]:
    """First, middle and last row of a kind."""
    found = [(key, value) for key, value in rows().items() if key.startswith(prefix)]
    assert found, f"the history makes no row {prefix!r}"
    return [found[0], found[len(found) // 2], found[-1]]


def flipped(data: bytes) -> bytes:
    return data[:-1] + bytes((data[-1] ^ 1,)) if data else b"\1"


def test_a_good_store_passes() -> None:
    report = check({})
    assert (report.ok, report.difference) == (True, None)
    assert report.height == report.checked == lab().height


def test_progress_is_told() -> None:
    seen: list[tuple[int, int]] = []
    check_chain(
        lab().chain.store, MemoryStore(), lab().params, lab().genesis, lambda done, total: seen.append((done, total))
    )
    assert seen == [(height, lab().height) for height in range(1, lab().height + 1)]


@pytest.mark.parametrize("prefix", layout.DERIVED)
def test_every_derived_row_that_is_gone_is_named(prefix: bytes) -> None:
    for key, _ in some(prefix):
        report = check({key: None})
        assert report.difference == f"key {key!r} is missing from the store"


@pytest.mark.parametrize("prefix", layout.DERIVED)
def test_every_derived_row_with_another_value_is_named(prefix: bytes) -> None:
    for key, value in some(prefix):
        difference = check({key: flipped(value)}).difference
        assert difference is not None
        assert difference.startswith(f"key {key!r} holds {flipped(value).hex()}")


@pytest.mark.parametrize("prefix", layout.DERIVED)
def test_every_derived_row_too_many_is_named(prefix: bytes) -> None:
    for key, value in some(prefix):
        for extra in (flipped(key), key + b"\0"):
            if extra not in rows():
                assert check({extra: value}).difference == f"key {extra!r} should not be in the store"


Spoil = Callable[[bytes, bytes], Mapping[bytes, bytes | None]]
BLOCK_ROWS = {
    layout.HEADER: "header",
    layout.BODY: "body",
    layout.UNDO: "undo",
    layout.MAIN: "main",
    layout.LEAF: "leaf",
    layout.CHILD: "child",
}


@pytest.mark.parametrize("prefix", BLOCK_ROWS, ids=BLOCK_ROWS.values())
@pytest.mark.parametrize("change", ["gone", "added", "altered"])
def test_rows_of_blocks_are_checked(prefix: bytes, change: str) -> None:
    """Of blocks on side branches too."""
    found = [(key, value) for key, value in rows().items() if key.startswith(prefix)]
    for key, value in found[:: max(1, len(found) // 8)]:
        if change == "altered" and not value:
            continue
        spoilt: dict[bytes, bytes | None] = {key: None}
        if change == "added":
            spoilt = {flipped(key): value}
        elif change == "altered":
            spoilt = {key: flipped(value)}
        if _is_harmless(key, change):
            continue
        report = check(spoilt)
        assert report.difference is not None, f"{key!r} {change}"


def _is_harmless(key: bytes, change: str) -> bool:
    """What a body off the active chain says is judged when its branch becomes active."""
    on_main = any(value == key[1:] for row, value in rows().items() if row.startswith(layout.MAIN))
    return change == "altered" and key.startswith(layout.BODY) and not on_main


@pytest.mark.parametrize("key", [layout.TIP, layout.main(0)])
@pytest.mark.parametrize("value", [None, b"\7" * 32])
def test_a_lost_tip_or_genesis_is_named(key: bytes, value: bytes | None) -> None:
    assert not check({key: value}).ok


def test_a_tip_that_is_not_the_end_of_the_active_chain_is_named() -> None:
    below = rows()[layout.main(lab().height - 1)]
    difference = check({layout.TIP: below}).difference
    assert difference is not None
    assert "above the tip" in difference


def test_the_difference_says_which_block() -> None:
    height = 30
    block_id = rows()[layout.main(height)]
    for change in ({layout.BODY + block_id: None}, {layout.UNDO + block_id: b""}, {layout.HEADER + block_id: None}):
        difference = check(change).difference
        assert difference is not None
        assert difference.startswith(f"block {height}")


def test_another_network_is_a_difference() -> None:
    other = Lab(small_params(expiry=61))
    assert not check_chain(lab().chain.store, MemoryStore(), other.params, other.genesis).ok


class Failing:
    """Reads that fail from the n-th on, as those of a damaged disk do."""

    def __init__(self, inner: Reader, good: int) -> None:
        self.inner, self.left = inner, good

    def _count(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise StoreError("damaged", "checksum mismatch")

    def get(self, key: bytes) -> bytes | None:
        self._count()
        return self.inner.get(key)

    def items(
        self, prefix: bytes, start: bytes = b"", end: bytes = b"", *, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        for row in self.inner.items(prefix, start, end, reverse=reverse):
            self._count()
            yield row


READS = 1_000_000


@pytest.mark.parametrize("part", [0, 0.01, 0.3, 0.6, 0.8, 0.9, 0.99])
def test_a_store_that_cannot_be_read_is_a_difference(part: float) -> None:
    counter = Failing(lab().chain.store, READS)
    assert check_chain(counter, MemoryStore(), lab().params, lab().genesis).ok
    good = int(part * (READS - counter.left))
    report = check_chain(Failing(lab().chain.store, good), MemoryStore(), lab().params, lab().genesis)
    assert report.difference is not None
    assert "damaged" in report.difference
