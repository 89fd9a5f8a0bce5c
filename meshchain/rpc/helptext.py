"""The method table as the text of ``help``."""

from collections.abc import Iterable, Iterator, Mapping
from typing import cast

from meshchain.rpc import errors
from meshchain.rpc.json_text import Json, dump
from meshchain.rpc.registry import Method, MethodTable, Param
from meshchain.rpc.schema import Schema


def overview(table: MethodTable) -> str:
    """``help`` without argument: one line a method, by area."""
    lines: list[str] = []
    for area in dict.fromkeys(method.area for method in table):
        lines += ["", f"== {area} =="]
        lines += [f"{_usage(method):<56} {method.summary}" for method in table if method.area == area]
    return "\n".join([*lines[1:], "", "`help METHOD` tells more; * needs the cookie."])


def details(method: Method) -> str:
    """``help METHOD``."""
    lines = [_usage(method), "", method.summary]
    lines += [method.description] if method.description else []
    if method.access == "cookie":
        lines += ["Needs the cookie."]
    if method.params:
        lines += ["", "Parameters, by position or by name:", *(_param(param) for param in method.params)]
    lines += ["", f"Result: {_shape(method.result)}", *_members(method.result, "  ")]
    if method.errors:
        lines += ["", "Errors:", *(f"  {code}: {errors.MEANINGS[code]}" for code in method.errors)]
    if method.examples:
        lines += ["", "Examples:", *_examples(method)]
    return "\n".join(lines)


def _usage(method: Method) -> str:
    words = [param.name if param.required else f"[{param.name}]" for param in method.params]
    return " ".join([method.name + ("*" if method.access == "cookie" else ""), *words])


def _param(param: Param) -> str:
    default = "" if param.required else f", default {_text(param.default)}"
    return f"  {param.name} ({_shape(param.schema)}{default}): {param.description}"


def _examples(method: Method) -> Iterable[str]:
    for example in method.examples:
        outcome = f"{example.summary}: fails with {example.fails}" if example.fails else example.summary
        yield f"  {' '.join([method.name, *map(_text, example.params)])}   # {outcome}"


def _text(value: Json) -> str:
    return dump(value).decode("ascii")


def _shape(schema: Schema) -> str:
    """A schema in a few words."""
    if "anyOf" in schema:
        return " or ".join(_shape(inner) for inner in cast("list[Schema]", schema["anyOf"]))
    if "enum" in schema:
        return " | ".join(map(str, cast("list[Json]", schema["enum"])))
    if "items" in schema:
        return f"list of {_shape(cast('Schema', schema['items']))}"
    if "additionalProperties" in schema and "properties" not in schema:
        return f"object of {_shape(cast('Schema', schema['additionalProperties']))}"
    return str(schema.get("title") or schema["type"]) + _range(schema)


def _range(schema: Schema) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    return "" if low is None or high is None else f" {low}..{high}"


def _members(schema: Schema, indent: str) -> Iterator[str]:
    """One line a member of the objects in ``schema`` ("?": may be absent), and below it those of objects inside."""
    for inner in (
        schema.get("items"),
        *cast("list[Json]", schema.get("anyOf", [])),
        schema.get("additionalProperties"),
    ):
        if isinstance(inner, Mapping):
            yield from _members(inner, indent)
    for name, member in cast("Mapping[str, Schema]", schema.get("properties", {})).items():
        note = f": {member['description']}" if "description" in member else ""
        mark = "" if name in cast("list[str]", schema.get("required", [])) else "?"
        yield f"{indent}{name}{mark} ({_shape(member)}){note}"
        yield from _members(member, indent + "  ")
