"""What a second costs: nothing is read, written or decoded while nothing changes, and a block costs no re-decoding."""

from collections.abc import Iterator, Mapping

import pytest

from meshchain.ledger import operations
from meshchain.ledger.params import Consensus
from meshchain.ledger.queue.plans import SENDS_AT_ONCE, STAMPS_AT_ONCE
from meshchain.ledger.store.memory import MemoryStore
from tests.ledger.kit import Lab, small_params
from tests.ledger.queue.driver import Driver, find

COUNT = 150


class CountingStore(MemoryStore):
    def __init__(self) -> None:
        super().__init__()
        self.touched = 0

    def get(self, key: bytes) -> bytes | None:
        self.touched += 1
        return super().get(key)

    def items(
        self, prefix: bytes, start: bytes = b"", end: bytes = b"", *, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        self.touched += 1
        return super().items(prefix, start, end, reverse=reverse)

    def write(self, changes: Mapping[bytes, bytes | None], *, sync: bool = True) -> None:
        self.touched += 1
        super().write(changes, sync=sync)


@pytest.fixture
def full() -> tuple[Driver, CountingStore]:
    store = CountingStore()
    driver = Driver(Lab(small_params(max_block_size=1 << 20), store=store))
    alice = driver.lab.owner(1)
    driver.submit(*(alice.commit(f"name-{number}") for number in range(COUNT)))
    return driver, store


def test_an_idle_second_touches_nothing(full: tuple[Driver, CountingStore]) -> None:
    driver, store = full
    next_block = driver.next
    actions = driver.queue.tick(next_block, driver.lab.now)
    told = driver.queue.status(next_block)
    store.touched = 0
    assert driver.queue.tick(next_block, driver.lab.now) == actions
    assert driver.queue.status(next_block) == told
    assert store.touched == 0


def test_a_block_decodes_nothing(full: tuple[Driver, CountingStore], monkeypatch: pytest.MonkeyPatch) -> None:
    driver, store = full
    switch, next_block = driver.lab.mine(), driver.next

    def refuse(data: bytes, consensus: Consensus) -> operations.Operation:
        raise AssertionError("decoded again")

    monkeypatch.setattr(operations, "decode_draft", refuse)
    store.touched = 0
    driver.queue.switched(switch, next_block, driver.lab.now)
    assert COUNT <= store.touched <= 3 * COUNT


def test_actions_are_bounded(full: tuple[Driver, CountingStore]) -> None:
    driver, _ = full
    assert len(driver.searches()) == STAMPS_AT_ONCE
    while searches := driver.searches():
        for action in searches:
            driver.queue.stamped(action.opid, find(action), driver.lab.now)
    assert len(driver.sends()) == SENDS_AT_ONCE
    driver.mine()
    assert set(driver.states()) == {"confirmed"}
