"""Values of the subset, and the same values as cbor2 sees them."""

from typing import Any

import cbor2
from hypothesis import strategies as st

from meshchain.ledger.codec import Value

INTEGERS = st.integers(0, 2**64 - 1) | st.sampled_from(
    [edge + step for edge in (24, 2**8, 2**16, 2**32, 2**64 - 2) for step in (-1, 0, 1)]
)
LEAVES = st.none() | st.booleans() | INTEGERS | st.binary(max_size=300) | st.text(max_size=60)
VALUES: st.SearchStrategy[Any] = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=30) | st.dictionaries(st.text(max_size=30), inner, max_size=30),
    max_leaves=40,
)


def depth(value: Value) -> int:
    """Arrays and maps around the innermost value."""
    if isinstance(value, list):
        return 1 + max(map(depth, value), default=0)
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    return 0


def ordered(value: Value) -> Value:
    """Maps in the bytewise order of their encoded keys (RFC 8949 §4.2.1), which cbor2 then keeps."""
    if isinstance(value, list):
        return [ordered(item) for item in value]
    if isinstance(value, dict):
        return {key: ordered(value[key]) for key in sorted(value, key=cbor2.dumps)}
    return value
