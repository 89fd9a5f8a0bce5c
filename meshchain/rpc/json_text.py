"""JSON from strangers: a parser with bounds around the standard library's.

Python's ``json`` accepts more than RFC 8259 (NaN, lone surrogates, duplicate keys), recurses as deep as
the input nests and refuses integers of more than 4,300 digits with another error than its own. Here every
such input is one ``JsonError`` with the rule that failed, and the checks before parsing are linear in the
size of the text and run at C speed. Size itself is limited by the HTTP server.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias, cast

Json: TypeAlias = bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"] | None

MAX_DEPTH: Final = 24
"""A request nests 2 deep around its parameters and a record's unknown keys up to 8; the rest is room."""

MAX_DIGITS: Final = 40
"""Longest run of digits in a number: 2^128 fits; Python parses much longer ones in quadratic time."""

_STRINGS: Final = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)
"""A string, or an unterminated one up to the end; possessive, so that no input makes it go back."""
_LONG_NUMBER: Final = re.compile(f"[0-9]{{{MAX_DIGITS + 1}}}")
_NOT_BRACKETS: Final = re.compile(r"[^\[\]{}]+")


class JsonError(ValueError):
    """The bytes are not acceptable JSON; ``word`` names the rule."""

    def __init__(self, word: str, message: str) -> None:
        super().__init__(message)
        self.word = word
        self.message = message


def parse(data: bytes) -> Json:
    """Parse exactly one JSON text in UTF-8 without byte order mark; raise JsonError otherwise."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise JsonError("json-utf8", "the body is not UTF-8") from None
    _check_bounds(_STRINGS.sub("", text))
    try:
        value = cast("Json", _DECODER.decode(text))
    except JsonError:
        raise
    except ValueError as error:
        raise JsonError("json-syntax", f"the body is not JSON: {error}") from None
    if "\\u" in text:
        _check_surrogates(value)
    return value


def dump(value: Json) -> bytes:
    """Compact JSON in ASCII (so a value can never produce invalid UTF-8); ValueError on NaN and infinity."""
    return _ENCODER.encode(value).encode("ascii")


def _check_bounds(outside_strings: str) -> None:
    """Nesting, by removing innermost pairs MAX_DEPTH times: what is left is too deep or not balanced."""
    if _LONG_NUMBER.search(outside_strings):
        raise JsonError("json-number", f"a number has more than {MAX_DIGITS} digits")
    brackets = _NOT_BRACKETS.sub("", outside_strings).replace("{", "[").replace("}", "]")
    for _ in range(MAX_DEPTH):
        if not brackets:
            return
        brackets = brackets.replace("[]", "")
    if brackets:
        raise JsonError("json-depth", f"brackets are not balanced or nest deeper than {MAX_DEPTH}")


def _check_surrogates(value: Json) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise JsonError("json-surrogate", "an escape makes a lone surrogate") from None


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise JsonError("json-duplicate-key", "an object names a key twice")
    return result


def _float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise JsonError("json-number", "a number is out of range")
    return value


def _constant(word: str) -> Json:
    raise JsonError("json-number", f"{word} is not JSON")


_ENCODER: Final = json.JSONEncoder(separators=(",", ":"), allow_nan=False)
_DECODER: Final = json.JSONDecoder(object_pairs_hook=_object, parse_float=_float, parse_constant=_constant)
