"""Any bytes give a message or a CodecError, in bounded memory and without looking further than the first fault."""

import tracemalloc
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshchain.ledger import codec
from meshchain.ledger.codec import Value
from meshchain.ledger.errors import CodecError
from meshchain.p2p.messages import LIMITS, TYPES, Message, Version, decode, encode
from tests.p2p.messages.samples import ANY, BODIES, MESH, greatest_of_each


def take(data: bytes) -> Message | None:
    """The message, which has one encoding, or None if it was refused by a rule."""
    try:
        message = decode(data, MESH)
    except CodecError:
        return None
    if not (isinstance(message, Version) and message.protocol > 1):  # later ones may hold what we skip
        assert encode(message) == data
    return message


@given(st.binary(max_size=600))
def test_bytes(data: bytes) -> None:
    take(data)


@given(st.sampled_from(sorted(TYPES)), st.binary(max_size=400))
def test_bytes_after_a_type(kind: int, body: bytes) -> None:
    take(bytes((kind,)) + body)


@given(st.sampled_from(sorted(TYPES)), st.lists(BODIES, max_size=10))
def test_values_after_a_type(kind: int, body: list[Value]) -> None:
    take(bytes((kind,)) + codec.encode(body))


@given(ANY, st.data())
def test_changed_messages(message: Message, data: st.DataObject) -> None:
    raw = bytearray(encode(message))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(raw)))
    take(bytes(raw))
    take(bytes(raw[:cut]) + bytes(raw[cut + 1 :]))


# --- cost --------------------------------------------------------------------------------------------------------


def peak_of(data: bytes) -> int:
    """Bytes that decoding takes at its greatest."""
    tracemalloc.start()
    with suppress(CodecError):
        decode(data, MESH)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def array(count: int, item: bytes) -> bytes:
    """``count`` times an item of one byte."""
    head = bytearray(codec.encode(bytes(count))[:-count])
    head[0] += 0x40  # major type 2 to 4
    return bytes(head) + item * count


def floods() -> Iterator[tuple[int, bytes]]:
    """For each type as many bytes as it may have, of items that a general decoder would turn into large objects."""
    for kind, limit in LIMITS.items():
        size = limit.size(MESH)
        for item in (b"\x80", b"\xa0", b"\x60", b"\0"):
            items = array(max(size - 10, 1), item)
            yield kind, bytes((kind,)) + items
            yield kind, bytes((kind, 0x81)) + items
        yield kind, bytes((kind,)) + b"\x81" * (size - 1)


def test_what_is_refused_costs_no_memory() -> None:
    for kind, data in floods():
        assert peak_of(data) < 8_000, hex(kind)


def test_what_is_taken_costs_a_few_times_its_size() -> None:
    for message in greatest_of_each():
        data = encode(message)
        assert peak_of(data) < 10_000 + 6 * len(data), type(message)


def test_refusing_stops_at_the_first_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many items a message announces: those after the first wrong one are never looked at."""
    calls = 0
    scalar_at = codec.scalar_at

    def counted(data: bytes, at: int) -> tuple[Value, int]:
        nonlocal calls
        calls += 1
        return scalar_at(data, at)

    monkeypatch.setattr(codec, "scalar_at", counted)
    for _, data in floods():
        take(data)
        assert calls <= 10
        calls = 0
