"""One value, one encoding: against cbor2 where the formats agree, and against ourselves where they do not."""

import io

import cbor2
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from meshchain.ledger import codec
from meshchain.ledger.errors import CodecError
from tests.ledger.codec.values import VALUES, depth, ordered


@given(VALUES)
def test_encodings_are_those_of_cbor2_with_keys_in_bytewise_order(value: codec.Value) -> None:
    assume(depth(value) <= codec.MAX_DEPTH)
    encoded = codec.encode(value)
    assert encoded == cbor2.dumps(ordered(value))
    assert cbor2.loads(encoded) == value


@given(VALUES)
def test_decoding_gives_back_the_value_and_its_types(value: codec.Value) -> None:
    assume(depth(value) <= codec.MAX_DEPTH)
    assert repr(codec.decode(codec.encode(value))) == repr(ordered(value))  # True is not 1 here


@given(st.binary(max_size=60))
@example(b"\xa2aa\x01ab\x02")
@example(b"\x1b\x00\x00\x00\x01\x00\x00\x00\x00")
def test_what_decodes_encodes_to_the_same_bytes(data: bytes) -> None:
    try:
        value = codec.decode(data)
    except CodecError:
        return
    assert codec.encode(value) == data


@given(VALUES, st.data())
def test_a_changed_byte_is_refused_or_is_another_value(value: codec.Value, data: st.DataObject) -> None:
    assume(depth(value) <= codec.MAX_DEPTH)
    encoded = bytearray(codec.encode(value))
    encoded[data.draw(st.integers(0, len(encoded) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        changed = codec.decode(bytes(encoded))
    except CodecError:
        return
    assert codec.encode(changed) == bytes(encoded) != codec.encode(value)


@given(VALUES, st.data())
def test_a_cut_or_lengthened_encoding_is_refused(value: codec.Value, data: st.DataObject) -> None:
    assume(depth(value) <= codec.MAX_DEPTH)
    encoded = codec.encode(value)
    cut = data.draw(st.integers(0, len(encoded) - 1))
    with pytest.raises(CodecError):
        codec.decode(encoded[:cut])
    with pytest.raises(CodecError) as error:
        codec.decode(encoded + b"\0")
    assert error.value.code == "trailing-bytes"


@given(st.binary(max_size=40))
def test_whatever_is_accepted_cbor2_reads_alike(data: bytes) -> None:
    try:
        value = codec.decode(data)
    except CodecError:
        return
    stream = io.BytesIO(data)
    assert cbor2.load(stream) == value
    assert stream.read() == b""
