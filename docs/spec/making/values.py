"""Values of the codec as JSON, and the keys that the vectors share.

Byte strings become ``{"$bytes": hex}``; everything else is its JSON counterpart. Integers run to 2^64 − 1, so
a reader must not take them for doubles.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from meshchain.ledger.codec import Value

Json: TypeAlias = "bool | int | str | Sequence[Json] | Mapping[str, Json] | None"
Document: TypeAlias = dict[str, Json]

_BYTES: Final = "$bytes"


def form(value: Value) -> Json:
    """The JSON form of a value."""
    if isinstance(value, bytes):
        return {_BYTES: value.hex()}
    if isinstance(value, list):
        return [form(item) for item in value]
    if isinstance(value, dict):
        return {key: form(item) for key, item in value.items()}
    return value


def value_of(document: Any) -> Value:  # noqa: ANN401 - what json.loads gives
    """Inverse of form."""
    if isinstance(document, dict):
        if document.keys() == {_BYTES}:
            return bytes.fromhex(document[_BYTES])
        return {key: value_of(item) for key, item in document.items()}
    if isinstance(document, list):
        return [value_of(item) for item in document]
    assert document is None or isinstance(document, int | str)
    return document


def secret(text: str) -> bytes:
    """32 bytes for a key, a salt or a message: SHA-256 of a fixed text."""
    return hashlib.sha256(f"meshchain vectors: {text}".encode()).digest()


GENESIS: Final = secret("genesis")
"""The network tag wherever a vector needs one but no chain."""
