"""Typed access to decoded maps: every field is taken by name, type, size and range, or a CodecError says which."""

from meshchain.ledger.codec import Value
from meshchain.ledger.errors import CodecError

U16, U32, U64 = (1 << 16) - 1, (1 << 32) - 1, (1 << 64) - 1

Table = dict[str, Value]


def table(value: Value, what: str) -> Table:
    if not isinstance(value, dict):
        raise CodecError("field-type", f"{what} must be a map")
    return value


def exact_keys(fields: Table, keys: frozenset[str], what: str) -> None:
    """Raise CodecError unless ``fields`` has exactly ``keys``."""
    if fields.keys() != keys:
        missing, unknown = sorted(keys - fields.keys()), sorted(fields.keys() - keys)
        raise CodecError("field-set", f"{what}: missing {missing}, unknown {unknown}")


def raw(fields: Table, key: str, size: int) -> bytes:
    """The byte string under ``key``, of exactly ``size`` bytes."""
    value = fields.get(key)
    if not isinstance(value, bytes) or len(value) != size:
        raise CodecError("field-bytes", f"{key} must be {size} bytes")
    return value


def uint(fields: Table, key: str, limit: int) -> int:
    """The unsigned integer under ``key``, at most ``limit``."""
    value = fields.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or value > limit:
        raise CodecError("field-uint", f"{key} must be an integer from 0 to {limit}")
    return value


def text(fields: Table, key: str) -> str:
    value = fields.get(key)
    if not isinstance(value, str):
        raise CodecError("field-text", f"{key} must be text")
    return value


def flag(fields: Table, key: str) -> bool:
    value = fields.get(key)
    if not isinstance(value, bool):
        raise CodecError("field-bool", f"{key} must be true or false")
    return value


def array(value: Value, what: str) -> list[Value]:
    if not isinstance(value, list):
        raise CodecError("field-type", f"{what} must be an array")
    return value
