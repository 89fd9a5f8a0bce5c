"""The form on disk: what was written is read back, anything else is damage."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshchain.ledger import codec, operations
from meshchain.ledger.errors import StoreError
from meshchain.ledger.queue import stored
from meshchain.ledger.queue.item import Ended, Item, Partial
from meshchain.ledger.store import layout
from meshchain.ledger.store.memory import MemoryStore
from tests.ledger.kit import Lab, Owner, small_params
from tests.ledger.queue.driver import Driver

GENESIS = bytes(32)
CONSENSUS = small_params().consensus
ALICE = Owner(1, GENESIS)
U32, U64 = st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1)
OPERATIONS: tuple[operations.Operation, ...] = (
    ALICE.commit("alice"),
    ALICE.reveal("alice", {"v": 1}),
    ALICE.update("alice", bytes(16), 3),
)
PARTIALS = st.builds(
    Partial,
    anchor_height=U32,
    anchor_hash=st.binary(min_size=8, max_size=8),
    bits=st.integers(0, 64),
    start=U64,
    found=st.tuples(*[st.none() | U64] * 8),
    tried=U64,
)
ENDS = st.builds(
    Ended,
    state=st.sampled_from(("conflict-lost", "expired", "refused")),
    code=st.text(max_size=20),
    message=st.text(max_size=20),
    winner=st.none() | st.binary(min_size=32, max_size=32),
    height=U32,
    block=st.binary(min_size=32, max_size=32),
)


@st.composite
def items(draw: st.DrawFn) -> Item:
    operation = draw(st.sampled_from(OPERATIONS))
    return Item(
        opid=operations.opid(operation, GENESIS),
        operation=operation,
        genesis=GENESIS,
        order=draw(U64),
        added=draw(U64),
        signer=b"" if isinstance(operation, operations.Commit) else draw(st.sampled_from((ALICE.key, bytes(32)))),
        base_seq=draw(U64),
        life_end=draw(U64),
        sent_at=draw(st.none() | U32),
        refusal=draw(st.none() | st.text(max_size=20)),
        partial=draw(st.none() | PARTIALS),
        ended=draw(st.none() | ENDS),
    )


@given(items())
def test_round_trip(item: Item) -> None:
    assert stored.decode(item.opid, stored.encode(item), GENESIS, CONSENSUS) == item


@given(items(), st.data())
def test_any_change_is_an_item_or_damage(item: Item, data: st.DataObject) -> None:
    raw = bytearray(stored.encode(item))
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(raw)) | st.just(len(raw)))
    assert outcome(item.opid, bytes(raw[:cut])) in ("damaged", bytes(raw))


def outcome(opid: bytes, raw: bytes) -> str | bytes:
    try:
        return stored.encode(stored.decode(opid, raw, GENESIS, CONSENSUS))
    except StoreError as error:
        return error.code


WRONG: list[tuple[str, codec.Value]] = [
    ("version", 2),
    ("operation", b""),
    ("operation", operations.encode(ALICE.commit("bob"))),
    ("operation", "text"),
    ("order", None),
    ("signer", bytes(31)),
    ("signer", "key"),
    ("sent_at", True),
    ("refusal", 1),
    ("partial", []),
    ("partial", {}),
    ("ended", {"state": "won"}),
]


@pytest.mark.parametrize(("key", "value"), WRONG)
def test_wrong_fields(key: str, value: codec.Value) -> None:
    opid = operations.opid(OPERATIONS[1], GENESIS)
    item = Item(opid=opid, operation=OPERATIONS[1], genesis=GENESIS, order=1, added=1, signer=ALICE.key)
    fields = codec.decode(stored.encode(item))
    assert isinstance(fields, dict)
    with pytest.raises(StoreError) as caught:
        stored.decode(opid, codec.encode({**fields, key: value}), GENESIS, CONSENSUS)
    assert caught.value.code == "damaged"


def test_a_damaged_row_is_named_when_the_queue_opens() -> None:
    store = MemoryStore()
    driver = Driver(Lab(store=store))
    rng = random.Random(1)
    store.write({layout.QUEUED + rng.randbytes(32): b"\xa0"})
    with pytest.raises(StoreError, match="queued operation"):
        driver.restart()
