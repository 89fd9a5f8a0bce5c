"""Strict decoder and encoder for the ledger's subset of deterministic CBOR (RFC 8949 §4.2.1).

Allowed: unsigned integers below 2^64, byte strings, UTF-8 text, arrays, text-keyed maps, true, false, null.
Every value has exactly one encoding: definite lengths, shortest forms, map keys in bytewise order of
their encodings, no duplicates. Depth is at most 8 and a length is compared with the bytes that are left
before anything is allocated, so the cost of refusing input is linear in its size.

The libraries at hand either sort keys length-first (RFC 7049) or decode tags to live objects, so the
consensus decoder is ours; cbor2 serves as an oracle in the tests.
"""

from functools import lru_cache
from typing import Final, TypeAlias

from meshchain.ledger.errors import CodecError

Value: TypeAlias = "int | bytes | str | bool | list[Value] | dict[str, Value] | None"

MAX_DEPTH: Final = 8
"""Arrays and maps may nest this deep; a record's hosts need 4, the rest is room for unknown keys."""

_UINT, _BYTES, _TEXT, _ARRAY, _MAP, _SIMPLE = 0, 2, 3, 4, 5, 7
_SIMPLE_VALUES: Final[dict[int, bool | None]] = {0xF4: False, 0xF5: True, 0xF6: None}


def encode(value: Value) -> bytes:
    """Return the one canonical encoding of ``value``.

    Raises CodecError for what the subset cannot hold (negative or too large integers, floats, depth).
    """
    out = bytearray()
    _encode_into(out, value, MAX_DEPTH)
    return bytes(out)


def decode(data: bytes) -> Value:
    """Decode exactly one canonical item that fills ``data``; raise CodecError otherwise."""
    value, end = _decode_at(data, 0, MAX_DEPTH)
    if end != len(data):
        raise CodecError("trailing-bytes", f"{len(data) - end} bytes follow the item")
    return value


def scalar_at(data: bytes, at: int) -> tuple[Value, int]:
    """The item at offset ``at``, which must be no container, and the offset after it; CodecError otherwise.

    With array_at, for readers that know what comes next: they stop at the first item that is not it, and
    build nothing that they did not want.
    """
    if at < len(data) and data[at] >> 5 in (_ARRAY, _MAP):
        raise CodecError("field-type", "an array or a map where a plain value belongs")
    return _decode_at(data, at, 0)


def array_at(data: bytes, at: int) -> tuple[int, int]:
    """The count of the array whose head is at offset ``at``, and the offset of its first item."""
    major, count, at = _argument(data, at)
    if major != _ARRAY:
        raise CodecError("field-type", "an array belongs here")
    if count > len(data) - at:  # every item takes at least one byte
        raise CodecError("truncated", "an array announces more items than bytes are left")
    return count, at


def _head(major: int, argument: int) -> bytes:
    if argument < 24:
        return _SMALL[major][argument]
    for info, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if argument < 1 << 8 * size:
            return bytes((major << 5 | info,)) + argument.to_bytes(size, "big")
    raise CodecError("integer-range", "unsigned integers end at 2^64 - 1")


_SMALL: Final = [[bytes((major << 5 | argument,)) for argument in range(24)] for major in range(8)]


def _encode_into(out: bytearray, value: Value, depth: int) -> None:
    kind = type(value)
    if kind is str:
        out += _text(value)  # type: ignore[arg-type]  # narrowed by the exact type
    elif kind is bytes:
        out += _head(_BYTES, len(value))  # type: ignore[arg-type]
        out += value  # type: ignore[arg-type]
    elif kind is int:
        out += _integer(value)  # type: ignore[arg-type]
    elif kind in (list, dict):
        _encode_container(out, value, depth)  # type: ignore[arg-type]
    else:
        out += _simple(value)


def _integer(value: int) -> bytes:
    if value < 0:
        raise CodecError("integer-range", "negative integers have no encoding")
    return _head(_UINT, value)


def _simple(value: object) -> bytes:
    for head, simple in _SIMPLE_VALUES.items():
        if value is simple:
            return bytes((head,))
    raise CodecError("type", f"{type(value).__name__} has no encoding")


def _text(value: str) -> bytes:
    try:
        raw = value.encode()
    except UnicodeEncodeError:
        raise CodecError("text-utf8", "text holds a lone surrogate") from None
    return _head(_TEXT, len(raw)) + raw


@lru_cache(maxsize=512)  # a few names make up nearly all keys
def _key(key: str) -> bytes:
    if not isinstance(key, str):
        raise CodecError("map-key-text", "map keys are text")
    return _text(key)


def _encode_container(out: bytearray, value: "list[Value] | dict[str, Value]", depth: int) -> None:
    if depth == 0:
        raise CodecError("depth", f"nesting deeper than {MAX_DEPTH}")
    if isinstance(value, list):
        out += _head(_ARRAY, len(value))
        for item in value:
            _encode_into(out, item, depth - 1)
        return
    out += _head(_MAP, len(value))
    for raw, key in sorted((_key(key), key) for key in value):
        out += raw
        _encode_into(out, value[key], depth - 1)


def _argument(data: bytes, at: int) -> tuple[int, int, int]:
    """Return (major type, argument, offset after the head)."""
    if at >= len(data):
        raise CodecError("truncated", "the item ends early")
    major, info = data[at] >> 5, data[at] & 31
    return (major, info, at + 1) if info < 24 else (major, *_long_argument(data, at + 1, info))


def _long_argument(data: bytes, at: int, info: int) -> tuple[int, int]:
    """The argument that follows a head with ``info`` from 24 on, and the offset after it."""
    if info > 27:
        raise CodecError("indefinite-length", "indefinite lengths and reserved heads are not allowed")
    size = 1 << (info - 24)
    raw = data[at : at + size]
    if len(raw) != size:
        raise CodecError("truncated", "the head ends early")
    argument = int.from_bytes(raw, "big")
    if argument < (24 if size == 1 else 1 << 4 * size):
        raise CodecError("not-shortest", "an integer or length is not in its shortest form")
    return argument, at + size


def _decode_at(data: bytes, at: int, depth: int) -> tuple[Value, int]:
    """Strings first and without a call: nearly everything is one."""
    if at >= len(data):
        raise CodecError("truncated", "the item ends early")
    head = data[at]
    major, argument, at = head >> 5, head & 31, at + 1
    if major == _SIMPLE:
        return _simple_value(head), at
    if argument >= 24:
        argument, at = _long_argument(data, at, argument)
    if major in (_TEXT, _BYTES):
        end = at + argument
        if end > len(data):
            raise CodecError("truncated", "a string is longer than the bytes that are left")
        return (_utf8(data[at:end]) if major == _TEXT else bytes(data[at:end])), end
    if major == _UINT:
        return argument, at
    if major in (_ARRAY, _MAP):
        return _decode_container(data, at, argument, depth, is_map=major == _MAP)
    raise CodecError("type", "negative integers and tags are not allowed")


def _simple_value(head: int) -> bool | None:
    if head not in _SIMPLE_VALUES:
        raise CodecError("type", "floats and simple values other than true, false, null are not allowed")
    return _SIMPLE_VALUES[head]


def _utf8(raw: bytes) -> str:
    try:
        return str(raw, "utf-8")
    except UnicodeDecodeError:
        raise CodecError("text-utf8", "text is not UTF-8") from None


def _decode_container(data: bytes, at: int, count: int, depth: int, *, is_map: bool) -> tuple[Value, int]:
    if depth == 0:
        raise CodecError("depth", f"nesting deeper than {MAX_DEPTH}")
    if count * (2 if is_map else 1) > len(data) - at:  # every item takes at least one byte
        raise CodecError("truncated", "a container announces more items than bytes are left")
    return _decode_map(data, at, count, depth) if is_map else _decode_array(data, at, count, depth)


def _decode_array(data: bytes, at: int, count: int, depth: int) -> tuple[Value, int]:
    items: list[Value] = []
    for _ in range(count):
        item, at = _decode_at(data, at, depth - 1)
        items.append(item)
    return items, at


def _decode_map(data: bytes, at: int, count: int, depth: int) -> tuple[Value, int]:
    result: dict[str, Value] = {}
    previous = b""
    for _ in range(count):
        key, end = _decode_at(data, at, depth - 1)
        if not isinstance(key, str):
            raise CodecError("map-key-text", "map keys are text")
        raw = data[at:end]
        if raw <= previous:
            raise CodecError("map-order", "map keys are unique and in bytewise order")
        previous = raw
        result[key], at = _decode_at(data, end, depth - 1)
    return result, at
