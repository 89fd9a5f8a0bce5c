"""The budget of messages: by number, by size, and what we asked for."""

import pytest

from meshchain.ledger import params
from meshchain.p2p.conduct import Budgets
from meshchain.p2p.conduct.budgets import MESSAGE_BYTES, MESSAGES
from meshchain.p2p.messages import (
    Addresses,
    BlockMessage,
    BlockOperations,
    GetAddresses,
    GetBlockOperations,
    GetBlocks,
    GetHeaders,
    GetOperations,
    Headers,
    Message,
    Ping,
)
from meshchain.p2p.tokens import Bucket, Rate

CONSENSUS = params.load("mesh").consensus


def size_of(kind: type[Message]) -> int:
    return kind.LIMIT.size(CONSENSUS)


def budgets() -> Budgets:
    found = Budgets(size_of)
    found.opened(1)
    return found


def test_a_flood_of_small_messages() -> None:
    found = budgets()
    taken = sum(found.message(1, n / 10_000, 20) for n in range(300_000))
    print(f"300,000 messages in 30 s: {taken} are read")
    assert taken <= MESSAGES.burst + 30 * MESSAGES.per_second


def test_a_flood_of_large_messages() -> None:
    found = budgets()
    size = size_of(Headers)
    taken = sum(found.message(1, n / 100, size) for n in range(3000))
    print(f"3,000 unasked messages of {size} bytes in 30 s: {taken} are read, {taken * size / 30 / 1e6:.2f} MB/s")
    assert taken * size <= (MESSAGES.burst + 30 * MESSAGES.per_second) * MESSAGE_BYTES


@pytest.mark.parametrize(
    ("question", "answer", "count"),
    [
        (GetHeaders((bytes(32),)), Headers, 1),
        (GetBlocks((bytes(32),) * 16), BlockMessage, 16),
        (GetAddresses(), Addresses, 1),
        (GetBlockOperations(bytes(32), (1, 2)), BlockOperations, 1),
    ],
)
def test_what_we_ask_for_is_on_us(question: Message, answer: type[Message], count: int) -> None:
    """A fast peer that serves us a long chain is no flood."""
    found = budgets()
    for _ in range(500):
        found.asked(1, question)
        for _ in range(count):
            assert found.message(1, 1.0, size_of(answer))


def test_operations_come_in_any_number_of_messages() -> None:
    for parts in (1, 4, 100):
        found = budgets()
        for _ in range(200):
            found.asked(1, GetOperations((bytes(32),) * 100))
            for _ in range(parts):
                assert found.message(1, 1.0, 100 * CONSENSUS.max_operation_size // parts)


def test_what_asks_nothing_gives_nothing() -> None:
    found = budgets()
    for _ in range(10_000):
        found.asked(1, Ping(7))
        found.asked(2, GetAddresses())
    assert sum(found.message(1, 0.0) for _ in range(10_000)) == MESSAGES.burst


def test_a_bucket() -> None:
    bucket = Bucket(Rate(2, 10))
    assert bucket.spend(10, 0.0)
    assert not bucket.spend(1, 0.4)
    assert bucket.spend(1, 0.5)
    assert not bucket.spend(1, 0.2), "time that runs back earns nothing"
    assert not bucket.spend(1, 0.9)
    assert bucket.spend(10, 100.0)
    assert (bucket.refund(4), bucket.refund(9)) == (0, 3)
    bucket.tokens += 50
    assert bucket.spend(55, 200.0), "a credit above the burst stays"
    assert bucket.has(5, 200.0)
    assert not bucket.has(6, 200.0)
    assert bucket.has(10, 300.0)
    assert not bucket.has(10.1, 300.0)
