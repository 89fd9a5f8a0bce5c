"""The schema checker: each keyword refuses what it should, and says where."""

import pytest

from meshchain.rpc.json_text import Json
from meshchain.rpc.schema import Schema, SchemaError, check, check_schema

OBJECT: Schema = {
    "type": "object",
    "properties": {"a": {"type": "integer"}, "b": {"type": "array", "items": {"type": "string"}}},
    "required": ["a"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("schema", "good", "bad", "path"),
    [
        ({"type": "integer"}, 1, True, ""),
        ({"type": "integer"}, 0, 1.0, ""),
        ({"type": "number"}, 1.5, False, ""),
        ({"type": "number"}, 1, "1", ""),
        ({"type": "boolean"}, False, 0, ""),
        ({"type": "null"}, None, 0, ""),
        ({"type": "string"}, "", None, ""),
        ({"type": "array"}, [], {}, ""),
        ({"type": "object"}, {}, [], ""),
        ({"enum": ["a", "b"]}, "b", "c", ""),
        ({"pattern": "^[0-9a-f]{2}$"}, "0f", "0f0", ""),
        ({"pattern": "^[0-9a-f]{2}$"}, "0f", "0f\n", ""),
        ({"minLength": 2}, "ab", "a", ""),
        ({"maxLength": 2}, "ab", "abc", ""),
        ({"minItems": 1}, [1], [], ""),
        ({"maxItems": 1}, [1], [1, 2], ""),
        ({"minimum": 0}, 0, -1, ""),
        ({"maximum": 9}, 9, 10, ""),
        ({"items": {"type": "string"}}, ["a"], ["a", 1], "[1]"),
        ({"anyOf": [{"type": "null"}, {"type": "string"}]}, None, 1, ""),
        ({"additionalProperties": {"type": "integer"}}, {"x": 1}, {"x": "1"}, "x"),
        (OBJECT, {"a": 1, "b": ["x"]}, {"b": []}, "a"),
        (OBJECT, {"a": 1}, {"a": "1"}, "a"),
        (OBJECT, {"a": 1}, {"a": 1, "c": 1}, "c"),
        (OBJECT, {"a": 1}, {"a": 1, "b": ["x", 2]}, "b[1]"),
    ],
)
def test_keywords(schema: Schema, good: Json, bad: Json, path: str) -> None:
    check_schema(schema)
    check(good, schema)
    with pytest.raises(SchemaError) as caught:
        check(bad, schema)
    assert caught.value.path == path


@pytest.mark.parametrize(
    "schema",
    [
        {"multipleOf": 2},
        {"properties": {"a": {"format": "date"}}},
        {"items": {"uniqueItems": True}},
        {"anyOf": [{"not": {}}]},
        {"additionalProperties": {"const": 1}},
    ],
)
def test_a_keyword_that_nothing_checks_is_refused(schema: Schema) -> None:
    with pytest.raises(ValueError, match="nothing checks"):
        check_schema(schema)
