"""The part of JSON Schema (draft 2020-12) that the method table uses, and its checker.

One table of schemas serves three readers: the dispatcher checks parameters with ``check``, OpenRPC hands
the same objects to clients, and the tests check every result against them. Keywords outside the part
below are refused when a method is registered (``check_schema``), so that nothing in the table is ignored.
Patterns are matched against the whole text (write them with ^ and $, which a client's checker needs).
"""

import re
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias, cast

from meshchain.rpc.json_text import Json

Schema: TypeAlias = Mapping[str, Json]

_ANNOTATIONS: Final = frozenset({"title", "description", "default"})


class SchemaError(ValueError):
    """A value does not fit: ``path`` says where (``options.owner``), ``problem`` what is wrong."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}" if path else problem)
        self.path = path
        self.problem = problem


def check(value: Json, schema: Schema, path: str = "") -> None:
    """Raise SchemaError unless ``value`` fits ``schema``; cost is linear in the size of the value."""
    for keyword, argument in schema.items():
        if keyword not in _ANNOTATIONS:
            _KEYWORDS[keyword](value, argument, schema, path)


def check_schema(schema: Schema) -> None:
    """Raise ValueError unless ``schema`` and all below it use only known keywords."""
    unknown = schema.keys() - _ANNOTATIONS - _KEYWORDS.keys()
    if unknown:
        raise ValueError(f"keywords that nothing checks: {sorted(unknown)}")
    properties = cast("Mapping[str, Schema]", schema.get("properties", {}))
    below = [*properties.values(), *cast("list[Schema]", schema.get("anyOf", []))]
    below += [cast("Schema", schema[word]) for word in ("items", "additionalProperties") if _is_schema(schema, word)]
    for inner in below:
        check_schema(inner)


def _is_schema(schema: Schema, word: str) -> bool:
    return isinstance(schema.get(word), Mapping)


def is_integer(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_TYPES: Final[Mapping[str, Callable[[Json], bool]]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "integer": is_integer,
    "number": lambda value: is_integer(value) or isinstance(value, float),
    "string": lambda value: isinstance(value, str),
    "array": lambda value: isinstance(value, list | tuple),
    "object": lambda value: isinstance(value, Mapping),
}


def _type(value: Json, argument: Json, _: Schema, path: str) -> None:
    if not _TYPES[cast("str", argument)](value):
        raise SchemaError(path, f"must be of type {argument}")


def _enum(value: Json, argument: Json, _: Schema, path: str) -> None:
    if value not in cast("list[Json]", argument):
        raise SchemaError(path, f"must be one of {', '.join(map(str, cast('list[Json]', argument)))}")


def _pattern(value: Json, argument: Json, schema: Schema, path: str) -> None:
    if isinstance(value, str) and not re.fullmatch(cast("str", argument), value):
        raise SchemaError(path, f"must be {schema.get('title', f'text that matches {argument}')}")


def _length(value: Json, argument: Json, path: str, *, kind: type, sign: int, what: str) -> None:
    if isinstance(value, kind) and sign * len(cast("str", value)) < sign * cast("int", argument):
        raise SchemaError(path, f"must have at {'least' if sign > 0 else 'most'} {argument} {what}")


def _min_length(value: Json, argument: Json, _: Schema, path: str) -> None:
    _length(value, argument, path, kind=str, sign=1, what="characters")


def _max_length(value: Json, argument: Json, _: Schema, path: str) -> None:
    _length(value, argument, path, kind=str, sign=-1, what="characters")


def _min_items(value: Json, argument: Json, _: Schema, path: str) -> None:
    _length(value, argument, path, kind=list, sign=1, what="items")


def _max_items(value: Json, argument: Json, _: Schema, path: str) -> None:
    _length(value, argument, path, kind=list, sign=-1, what="items")


def _minimum(value: Json, argument: Json, _: Schema, path: str) -> None:
    if isinstance(value, int | float) and value < cast("int", argument):
        raise SchemaError(path, f"must be at least {argument}")


def _maximum(value: Json, argument: Json, _: Schema, path: str) -> None:
    if isinstance(value, int | float) and value > cast("int", argument):
        raise SchemaError(path, f"must be at most {argument}")


def _items(value: Json, argument: Json, _: Schema, path: str) -> None:
    if isinstance(value, list | tuple):
        for index, item in enumerate(value):
            check(item, cast("Schema", argument), f"{path}[{index}]")


def _required(value: Json, argument: Json, _: Schema, path: str) -> None:
    if isinstance(value, Mapping):
        for name in cast("list[str]", argument):
            if name not in value:
                raise SchemaError(_join(path, name), "is missing")


def _properties(value: Json, argument: Json, _: Schema, path: str) -> None:
    if isinstance(value, Mapping):
        for name, inner in cast("Mapping[str, Schema]", argument).items():
            if name in value:
                check(value[name], inner, _join(path, name))


def _additional(value: Json, argument: Json, schema: Schema, path: str) -> None:
    if not isinstance(value, Mapping):
        return
    for name in value.keys() - cast("Mapping[str, Schema]", schema.get("properties", {})).keys():
        if argument is False:
            raise SchemaError(_join(path, name), "is not known here")
        if isinstance(argument, Mapping):
            check(value[name], argument, _join(path, name))


def _any_of(value: Json, argument: Json, _: Schema, path: str) -> None:
    problems = []
    for inner in cast("list[Schema]", argument):
        try:
            return check(value, inner, path)
        except SchemaError as error:
            problems.append(error.problem)
    raise SchemaError(path, ", or ".join(dict.fromkeys(problems)))


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


_KEYWORDS: Final[Mapping[str, Callable[[Json, Json, Schema, str], None]]] = {
    "type": _type,
    "enum": _enum,
    "pattern": _pattern,
    "minLength": _min_length,
    "maxLength": _max_length,
    "minItems": _min_items,
    "maxItems": _max_items,
    "minimum": _minimum,
    "maximum": _maximum,
    "items": _items,
    "required": _required,
    "properties": _properties,
    "additionalProperties": _additional,
    "anyOf": _any_of,
}
