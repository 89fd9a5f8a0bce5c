"""The book on disk: what was written comes back, and damage is named."""

from random import Random

import pytest

from meshchain.ledger import codec
from meshchain.ledger.codec import Value
from meshchain.ledger.errors import StoreError
from meshchain.p2p.addresses import AddressBook, decode, encode
from tests.p2p.addresses.crowd import NOW, anywhere, book, key_of, v4, v6


def filled(count: int) -> AddressBook:
    found, rng = book(1), Random(1)
    for n in range(count):
        endpoint = anywhere(rng)
        found.add(endpoint, b"src%d" % (n % 90), NOW - n, NOW, key_of(endpoint) if n % 3 else None)
        if n % 4 == 0:
            found.attempted(endpoint, NOW)
        if n % 5 == 0:
            found.answered(endpoint, NOW, key_of(endpoint))
    return found


def test_what_was_written_comes_back() -> None:
    found, anchors = filled(500), [v4(10, 1), v6(7)]
    data = encode(found, anchors)
    again, same_anchors = decode(data, Random(2), NOW)
    assert again.secret == found.secret
    assert {known.endpoint: (known, tried) for known, tried in again.all()} == {
        known.endpoint: (known, tried) for known, tried in found.all()
    }
    assert same_anchors == anchors
    assert encode(again, anchors) == data
    print(f"{len(found)} addresses take {len(data)} bytes")


GOOD: list[Value] = [bytes(15) + b"\x07", 4444, b"src", None, NOW, 0, 0, 0, False]


def stored(**changes: Value) -> Value:
    """A book with one row; fields by position: f0 … f8, or a part of the whole."""
    row = [changes.get(f"f{n}", value) for n, value in enumerate(GOOD)]
    whole: list[Value] = [1, bytes(32), [row], [[bytes(16), 1]]]
    return [changes.get(f"w{n}", value) for n, value in enumerate(whole)]


def test_the_good_one_is_read() -> None:
    found, anchors = decode(codec.encode(stored()), Random(1), NOW)
    assert (len(found), len(anchors)) == (1, 1)


FINE: list[tuple[str, Value]] = [("f2", b""), ("f3", None), ("f8", True), ("w2", []), ("w3", [])]
WRONG: list[Value] = [None, True, 0, 2**64 - 1, b"", bytes(300), "text", [], {}]


@pytest.mark.parametrize("field", [f"f{n}" for n in range(9)] + [f"w{n}" for n in range(4)])
@pytest.mark.parametrize("value", WRONG, ids=lambda value: repr(value)[:12])
def test_a_field_that_is_something_else(field: str, value: Value) -> None:
    fine = (field, value) in FINE
    number = field in ("f4", "f5", "f6", "f7") and value == 0
    data = codec.encode(stored(**{field: value}))
    if number or fine:
        found, anchors = decode(data, Random(1), NOW)
        assert encode(found, anchors) == data
        found.select(NOW)
        found.sample(10, NOW)
        return
    with pytest.raises(StoreError, match="the address book is damaged") as caught:
        decode(data, Random(1), NOW)
    assert caught.value.code == "damaged"


@pytest.mark.parametrize("cut", [0, 1, 30, -1])
def test_cut_short_or_longer(cut: int) -> None:
    data = codec.encode(stored())
    for damaged in (data[:cut], data + b"\x00"):
        with pytest.raises(StoreError, match="damaged"):
            decode(damaged, Random(1), NOW)
