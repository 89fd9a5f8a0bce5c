"""Schemas that several methods share, and the way from checked JSON to typed values.

A schema fixes the shape (−32602 when it does not fit); the functions here turn well-shaped text into bytes
and names, and raise −5 with the rule for values that break one.
"""

from collections.abc import Mapping
from typing import Final, cast

from meshchain.ledger.errors import RuleError
from meshchain.ledger.names import check_name
from meshchain.rpc import errors
from meshchain.rpc.json_text import Json
from meshchain.rpc.registry import Param
from meshchain.rpc.schema import Schema, SchemaError, check

SUFFIX: Final = ".mesh"


def hexadecimal(size: int, what: str) -> Schema:
    """Text of exactly ``size`` bytes in hex."""
    return {"type": "string", "pattern": f"^[0-9a-fA-F]{{{2 * size}}}$", "title": f"{what} ({2 * size} hex digits)"}


def nullable(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def listing(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def table(required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    """An object with exactly these members."""
    properties = {**required, **(optional or {})}
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def extended(schema: Schema, required: Mapping[str, Schema]) -> Schema:
    """The object ``schema`` with more members."""
    properties = {**cast("Mapping[str, Schema]", schema["properties"]), **required}
    return {**schema, "properties": properties, "required": [*cast("list[str]", schema["required"]), *required]}


def options(members: Mapping[str, Schema], *required: str) -> Schema:
    return {"type": "object", "properties": members, "required": list(required), "additionalProperties": False}


TEXT: Final[Schema] = {"type": "string"}
NUMBER: Final[Schema] = {"type": "number"}
BOOLEAN: Final[Schema] = {"type": "boolean"}
OBJECT: Final[Schema] = {"type": "object"}
INTEGER: Final[Schema] = {"type": "integer"}
HEIGHT: Final[Schema] = {"type": "integer", "minimum": 0, "maximum": 2**32 - 1}
SEQ: Final[Schema] = {"type": "integer", "minimum": 0, "maximum": 2**64 - 1}
NAME: Final[Schema] = {"type": "string", "maxLength": 253, "title": "a name, with or without .mesh"}
HEX: Final[Schema] = {"type": "string", "pattern": "^([0-9a-fA-F]{2})*$", "title": "hexadecimal"}
HASH: Final = hexadecimal(32, "a hash")
OWNER: Final = hexadecimal(33, "an owner key")
NODE_KEY: Final = hexadecimal(32, "a node key")
REG: Final = hexadecimal(16, "the id of a name's life")
SIGNATURE: Final = hexadecimal(64, "a signature")

NAME_PARAM: Final = Param("name", NAME, "The name, with or without .mesh")


def name_of(text: str) -> str:
    """The ledger's form of a name that people type; RpcError −5 with the broken rule."""
    name = text.removesuffix(SUFFIX)
    try:
        check_name(name)
    except RuleError as error:
        raise errors.bad_value(error.code, f"{text!r} is no name: {error.message}") from None
    return name


def fits(value: Json, schema: Schema) -> bool:
    """Which of two shapes a value has."""
    try:
        check(value, schema)
    except SchemaError:
        return False
    return True


def raw(value: Json) -> bytes:
    """Bytes of a member whose schema is hexadecimal."""
    return bytes.fromhex(cast("str", value))


def optional_raw(given: Mapping[str, Json], member: str) -> bytes | None:
    return raw(given[member]) if given.get(member) is not None else None


def optional_integer(given: Mapping[str, Json], member: str) -> int | None:
    return cast("int | None", given.get(member))


def optional_text(given: Mapping[str, Json], member: str) -> str | None:
    return cast("str | None", given.get(member))


def hex_or_none(value: bytes | None) -> str | None:
    return None if value is None else value.hex()
