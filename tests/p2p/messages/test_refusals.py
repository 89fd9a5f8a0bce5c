"""Bytes that are no message, each refused by the rule that it breaks."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from meshchain.ledger import codec
from meshchain.ledger.codec import Value
from meshchain.ledger.errors import CodecError
from meshchain.p2p.messages import (
    TYPES,
    Address,
    Addresses,
    BlockOperations,
    CompactBlock,
    GetBlockOperations,
    Headers,
    Message,
    Ping,
    decode,
    encode,
)
from tests.p2p.messages.samples import HEADER, ID, MESH, ONE_EACH, VERSION

SAMPLES = {type(message): message for message in ONE_EACH}


def code_of(data: bytes) -> str:
    with pytest.raises(CodecError) as caught:
        decode(data, MESH)
    return caught.value.code


def with_body(kind: type[Message], body: Value) -> bytes:
    return bytes((kind.TYPE,)) + codec.encode(body)


def other_values(value: Value) -> Iterator[tuple[Value, str]]:
    """What cannot stand where ``value`` does, and the code."""
    match value:
        case bool():
            yield from ((1, "field-bool"), (None, "field-bool"), ([], "field-type"))
        case int():
            yield from ((True, "field-uint"), (b"", "field-uint"), ("7", "field-uint"), (None, "field-uint"))
        case bytes():
            yield from (("x", "field-bytes"), (5, "field-bytes"), (b"1", "field-bytes"), ({}, "field-type"))
        case str():
            yield from ((b"x", "field-text"), ("\n", "field-text"), ("ü", "field-text"), (None, "field-text"))
        case list():
            yield from ((b"", "field-type"), (None, "field-type"), ({}, "field-type"))


def wrong_fields() -> Iterator[tuple[type[Message], list[Value], str]]:
    for kind, message in SAMPLES.items():
        values = message.values()
        for index, value in enumerate(values):
            if value == values[0] and kind.__name__ == "BlockMessage":
                continue  # its one field is any bytes of the right size: test_limits
            for other, code in other_values(value):
                yield kind, [*values[:index], other, *values[index + 1 :]], code


@pytest.mark.parametrize(
    ("kind", "values", "code"), [*wrong_fields()], ids=lambda value: getattr(value, "__name__", "")
)
def test_a_field_of_another_type(kind: type[Message], values: list[Value], code: str) -> None:
    assert code_of(with_body(kind, values)) == code


@pytest.mark.parametrize("kind", SAMPLES)
def test_fields_missing_or_too_many(kind: type[Message]) -> None:
    values = SAMPLES[kind].values()
    wrong = [[*values, None], [*values, *[0] * 30]] + ([values[:-1]] if values else [])
    for changed in wrong:
        data = with_body(kind, changed)
        assert code_of(data) == ("message-size" if len(data) > kind.LIMIT.size(MESH) else "field-count")


@pytest.mark.parametrize("message", ONE_EACH, ids=lambda message: type(message).__name__)
def test_cut_and_lengthened(message: Message) -> None:
    data = encode(message)
    for end in range(1, len(data)):
        assert code_of(data[:end]) == "truncated"
    longer = data + b"\0"
    assert code_of(longer) == ("message-size" if len(longer) > message.LIMIT.size(MESH) else "trailing-bytes")


def test_no_type() -> None:
    assert code_of(b"") == "truncated"
    for number in set(range(256)) - set(TYPES):
        assert code_of(bytes((number,)) + b"\x80") == "message-type"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ("03 07", "field-type"),  # a number for the array
        ("03 a0", "field-type"),  # a map for it
        ("03 9f07ff", "indefinite-length"),
        ("03 980107", "not-shortest"),
        ("03 811807", "not-shortest"),
        ("03 8120", "type"),  # -1
        ("03 81c107", "type"),  # a tag
        ("03 81fb0000000000000000", "type"),
        ("03 8181", "field-type"),
        ("03 9bffffffffffffffff", "truncated"),
        ("22 8200 5820" + "00" * 32, "field-uint"),  # NotFound of kind 0
        ("22 8203 5820" + "00" * 32, "field-uint"),
        ("10 8240 f6", "field-count"),  # an empty locator
        ("20 8140", "field-count"),
        ("30 8140", "field-count"),
        ("31 8140", "field-count"),
        ("32 8180", "field-count"),
        ("32 818140", "field-bytes"),  # an empty operation
        ("42 825820" + "00" * 32 + "40", "field-count"),
        ("05 8260 60", "field-text"),  # a code has a letter
        ("05 826141 60", "field-text"),  # and no capitals
    ],
)
def test_refused(data: str, code: str) -> None:
    assert code_of(bytes.fromhex(data)) == code


@pytest.mark.parametrize("prefilled", [(1, 1), (2, 1), (0, 4), (3, 65535)], ids=str)
def test_positions_of_prefilled_operations(prefilled: tuple[int, int]) -> None:
    first, second = prefilled
    block = CompactBlock(HEADER, 1, (bytes(8), bytes(8)), ((first, b"x"), (second, b"y")))
    assert code_of(encode(block)) == "index-order"
    assert decode(encode(replace(block, prefilled=((0, b"x"), (3, b"y")))), MESH)


@pytest.mark.parametrize("indexes", [(3, 3), (3, 2), (0, 376)], ids=str)
def test_positions_asked_for(indexes: tuple[int, ...]) -> None:
    assert code_of(encode(GetBlockOperations(ID, indexes))) == "index-order"


def test_an_address_that_nobody_can_dial() -> None:
    assert code_of(encode(Addresses((Address(bytes(16), 0, 0),)))) == "field-uint"


def test_a_version_of_this_protocol_has_its_fields_and_no_more() -> None:
    assert code_of(with_body(type(VERSION), [*VERSION.values(), None])) == "field-count"
    assert code_of(with_body(type(VERSION), [0, *VERSION.values()[1:]])) == "field-uint"
    assert code_of(with_body(type(VERSION), [2, *VERSION.values()[1:], []])) == "field-type"


def test_headers_of_another_version() -> None:
    assert code_of(encode(Headers((HEADER, replace(HEADER, version=2))))) == "header-version"


def test_ping_for_comparison() -> None:
    """What the refusals above differ from."""
    assert decode(bytes.fromhex("038107"), MESH) == Ping(7)
    assert decode(encode(BlockOperations(ID, (b"x",))), MESH) == BlockOperations(ID, (b"x",))
