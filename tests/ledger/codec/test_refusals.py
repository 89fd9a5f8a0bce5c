"""What has no encoding, what is no encoding, and what refusing it costs."""

import time
import tracemalloc

import pytest

from meshchain.ledger import codec
from meshchain.ledger.errors import CodecError


def code_of(data: bytes) -> str:
    with pytest.raises(CodecError) as error:
        codec.decode(data)
    return error.value.code


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ("", "truncated"),
        ("18", "truncated"),
        ("19ff", "truncated"),
        ("1817", "not-shortest"),
        ("1900ff", "not-shortest"),
        ("1a0000ffff", "not-shortest"),
        ("1b00000000ffffffff", "not-shortest"),
        ("5801ff", "not-shortest"),
        ("780161", "not-shortest"),
        ("980100", "not-shortest"),
        ("b801616101", "not-shortest"),
        ("1c", "indefinite-length"),
        ("1f", "indefinite-length"),
        ("5f41ff", "indefinite-length"),
        ("7f6161ff", "indefinite-length"),
        ("9f00ff", "indefinite-length"),
        ("bf616100ff", "indefinite-length"),
        ("20", "type"),  # -1
        ("3bffffffffffffffff", "type"),
        ("c11a514b67b0", "type"),  # tag 1: a date
        ("d81c80", "type"),  # tag 28: shared references
        ("f7", "type"),  # undefined
        ("e0", "type"),
        ("f820", "type"),
        ("f93c00", "type"),  # 1.0
        ("fb3ff0000000000000", "type"),
        ("ff", "type"),
        ("61ff", "text-utf8"),
        ("63eda080", "text-utf8"),  # a surrogate
        ("62c080", "text-utf8"),  # an overlong NUL
        ("a10001", "map-key-text"),
        ("a1416101", "map-key-text"),
        ("a18001", "map-key-text"),
        ("a2616101616102", "map-order"),  # a duplicate
        ("a2616201616102", "map-order"),
        ("a262616101616202", "map-order"),  # length-first order would have it the other way round
        ("a1", "truncated"),
        ("a16161", "truncated"),
        ("8201", "truncated"),
        ("0000", "trailing-bytes"),
        ("f6f6", "trailing-bytes"),
    ],
)
def test_every_rule_has_its_code(data: str, code: str) -> None:
    assert code_of(bytes.fromhex(data)) == code


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (-1, "integer-range"),
        (2**64, "integer-range"),
        (1.0, "type"),
        ((1, 2), "type"),
        (bytearray(b"a"), "type"),
        (object(), "type"),
        ({1: 2}, "map-key-text"),
        ({None: 2, "a": 1}, "map-key-text"),
        ({b"a": 2}, "map-key-text"),
        ("\ud800", "text-utf8"),
        ({"\udfff": 1}, "text-utf8"),
        ([[2**64]], "integer-range"),
    ],
)
def test_what_has_no_encoding_says_so(value: object, code: str) -> None:
    with pytest.raises(CodecError) as error:
        codec.encode(value)  # type: ignore[arg-type]  # the point
    assert error.value.code == code


def test_depth_ends_at_eight_in_both_directions() -> None:
    value: codec.Value = 0
    for _ in range(8):
        value = [value]
    assert codec.decode(codec.encode(value)) == value
    assert codec.decode(b"\xa1aa" * 8 + b"\0")
    for deeper in ([value], {"a": value}):
        with pytest.raises(CodecError, match="deeper"):
            codec.encode(deeper)
    assert code_of(b"\x81" * 9 + b"\0") == "depth"
    assert code_of(b"\xa1aa" * 9 + b"\0") == "depth"


BOMBS = {
    "bytes of 2^63": b"\x5b\x80" + bytes(7),
    "bytes of 2^64 - 1": b"\x5b" + b"\xff" * 8,
    "text of 2^63": b"\x7b\x80" + bytes(7),
    "array of 2^63": b"\x9b\x80" + bytes(7),
    "array of 2^32 in an array": b"\x81\x9b\0\0\0\1\0\0\0\0",
    "map of 2^63": b"\xbb\x80" + bytes(7),
    "a million arrays deep": b"\x81" * 1_000_000,
    "a million maps deep": b"\xa1aa" * 1_000_000,
    "a million tags": b"\xc1" * 1_000_000,
    "a million indefinite arrays": b"\x9f" * 1_000_000,
    "an array of a million nothings": b"\x9a\0\x0f\x42\x40" + b"\xf7" * 1_000_000,
    "arrays that each promise all the rest": b"\x99\xff\xff" * 9 + bytes(70_000),
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
def test_bombs_cost_nothing(bomb: bytes) -> None:
    tracemalloc.start()
    started = time.process_time()
    try:
        with pytest.raises(CodecError):
            codec.decode(bomb)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert time.process_time() - started < 0.5
    assert peak < 1_000_000
