"""JSON from strangers: everything Python's parser lets through or chokes on is one JsonError with its rule."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshchain.rpc.json_text import MAX_DEPTH, MAX_DIGITS, Json, JsonError, dump, parse

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@given(st.binary(max_size=200))
def test_any_bytes_give_a_value_or_a_json_error(data: bytes) -> None:
    try:
        value = parse(data)
    except JsonError as error:
        word = error.word
    else:
        word = "json-fine"
        assert parse(dump(value)) == value
    assert word.startswith("json-")


@given(st.text('[]{}",:\\u0d8e1.-tfn \n', max_size=80))
def test_texts_of_json_s_own_characters_agree_with_the_standard_parser(text: str) -> None:
    """Whatever we accept, Python reads the same; whatever Python refuses, we refuse."""
    try:
        ours = parse(text.encode())
    except JsonError:
        return
    assert ours == json.loads(text)


@given(VALUES)
def test_values_survive(value: Json) -> None:
    assert parse(dump(value)) == value
    assert parse(json.dumps(value, indent=1, ensure_ascii=False).encode()) == value


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "json-syntax"),
        (b"{", "json-depth"),
        (b"nul", "json-syntax"),
        (b"[1,]", "json-syntax"),
        (b"1 2", "json-syntax"),
        (b"'a'", "json-syntax"),
        (b'"a\nb"', "json-syntax"),
        (b'"abc', "json-syntax"),
        (b'"abc\\', "json-syntax"),
        (b"NaN", "json-number"),
        (b"[Infinity]", "json-number"),
        (b"[-Infinity]", "json-number"),
        (b"1e999", "json-number"),
        (b"1" * (MAX_DIGITS + 1), "json-number"),
        (b"0." + b"1" * 5000, "json-number"),
        (b"1" * 5000, "json-number"),
        (b'{"a":1,"a":2}', "json-duplicate-key"),
        (b'[{"a":{"b":1,"b":1}}]', "json-duplicate-key"),
        (rb'"\ud800"', "json-surrogate"),
        (rb'{"\uDFFF":1}', "json-surrogate"),
        (rb'["\udc00\ud800"]', "json-surrogate"),
        (b"\xff\xfe", "json-utf8"),
        (b'"\xed\xa0\x80"', "json-utf8"),
        (b"\xef\xbb\xbf{}", "json-syntax"),
        (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "json-depth"),
        (b"[" * 500_000, "json-depth"),
        (b'{"a":' * 150_000, "json-depth"),
        (b"]", "json-depth"),
        (b"[}", "json-syntax"),
    ],
)
def test_refusals(data: bytes, word: str) -> None:
    with pytest.raises(JsonError) as caught:
        parse(data)
    assert caught.value.word == word


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (rb'"\ud83d\ude00"', "\U0001f600"),
        (rb'"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\""', "[" * 34 + '"'),
        (b'"' + b"1" * 100 + b'"', "1" * 100),
        (b"1" * MAX_DIGITS, int("1" * MAX_DIGITS)),
        (b"\t[ 1 ] \r\n", [1]),
        (b'"a\\\\"', "a\\"),
    ],
)
def test_acceptances(data: bytes, value: Json) -> None:
    assert parse(data) == value


def test_the_deepest_allowed_nesting_parses() -> None:
    value: Json = parse(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    for _ in range(MAX_DEPTH - 1):
        assert isinstance(value, list)
        (value,) = value
    assert value == []


@pytest.mark.parametrize("data", [b'"' + b'\\"' * 500_000, b'"' * 1_000_000, b"[]" * 500_000, b"\\" * 1_000_000])
def test_a_mebibyte_of_nastiness_is_refused_in_linear_time(data: bytes) -> None:
    """Linear work takes some 0.1 s here; quadratic work would take hours."""
    started = time.process_time()
    with pytest.raises(JsonError):
        parse(data)
    assert time.process_time() - started < 10


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_json_cannot_say_is_never_written(value: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        dump(value)
