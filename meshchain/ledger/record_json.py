"""Records as people and RPC clients write them: JSON with hex and address text in place of byte strings.

``hosts`` are ``{label, key hex, ip6 text, zone, proof hex}``; every other byte string is ``{"$bytes": hex}``. A key
that begins with "$" gets one "$" more, so that a map on the ledger can never be mistaken for bytes: for
every record that consensus accepts, ``from_json(to_json(record)) == record``.
"""

from collections.abc import Callable, Mapping, Sequence
from ipaddress import IPv6Address
from typing import Final, TypeAlias

from meshchain.crypto.address import text_of
from meshchain.ledger.codec import Value
from meshchain.ledger.entry import Record
from meshchain.ledger.errors import CodecError

Json: TypeAlias = bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"] | None

_BYTES: Final = "$bytes"


def to_json(record: Record) -> dict[str, Json]:
    """The JSON object of a record from the ledger."""
    plain = {_escaped(key): _plain(value) for key, value in record.items() if key != "hosts"}
    hosts = record.get("hosts")
    if hosts is not None:
        plain["hosts"] = [_host_json(host) for host in hosts] if isinstance(hosts, list) else _plain(hosts)
    return plain


def from_json(document: object) -> Record:
    """Inverse of to_json. Raises CodecError (record-json) that says where; what the record says is not checked."""
    if not isinstance(document, Mapping):
        raise _wrong("value", "a record is an object")
    record = {_unescaped(key, "value"): _value(item, str(key)) for key, item in document.items() if key != "hosts"}
    if "hosts" in document:
        hosts = document["hosts"]
        if not isinstance(hosts, list | tuple):
            raise _wrong("hosts", "must be an array")
        record["hosts"] = [_host(host, f"hosts[{index}]") for index, host in enumerate(hosts)]
    return record


def _plain(value: Value) -> Json:
    if isinstance(value, bytes):
        return {_BYTES: value.hex()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {_escaped(key): _plain(item) for key, item in value.items()}
    return value


def _host_json(host: Value) -> Json:
    if not isinstance(host, dict):
        return _plain(host)
    return {_escaped(key): _member_json(key, value) for key, value in host.items()}


def _member_json(key: str, value: Value) -> Json:
    if isinstance(value, bytes) and key in ("key", "proof"):
        return value.hex()
    if isinstance(value, bytes) and key == "ip6" and len(value) == 16:
        return text_of(value)
    return _plain(value)


def _host(document: object, where: str) -> Value:
    if not isinstance(document, Mapping):
        raise _wrong(where, "a host is an object")
    return {_unescaped(key, where): _member(str(key), value, f"{where}.{key}") for key, value in document.items()}


def _member(key: str, value: object, where: str) -> Value:
    reader = _MEMBERS.get(key)
    if reader is None:
        return _value(value, where)
    if not isinstance(value, str):
        raise _wrong(where, "must be text")
    return reader(value, where)


def _value(value: object, where: str) -> Value:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, list | tuple):
        return [_value(item, f"{where}[{index}]") for index, item in enumerate(value)]
    if not isinstance(value, Mapping):
        raise _wrong(where, f"a record cannot hold a {type(value).__name__}")
    if _BYTES in value and len(value) == 1 and isinstance(value[_BYTES], str):
        return _hex(value[_BYTES], where)
    return {_unescaped(key, where): _value(item, f"{where}.{key}") for key, item in value.items()}


def _hex(text: str, where: str) -> bytes:
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        raise _wrong(where, "must be hexadecimal") from None
    if len(text) != 2 * len(raw):  # fromhex skips blanks
        raise _wrong(where, "must be hexadecimal without blanks")
    return raw


def _address(text: str, where: str) -> bytes:
    try:
        address = IPv6Address(text)
    except ValueError:
        raise _wrong(where, "must be an IPv6 address") from None
    if address.scope_id is not None:
        raise _wrong(where, "must be an IPv6 address without %zone")
    return address.packed


_MEMBERS: Final[Mapping[str, Callable[[str, str], bytes]]] = {"key": _hex, "proof": _hex, "ip6": _address}


def _escaped(key: str) -> str:
    return f"${key}" if key.startswith("$") else key


def _unescaped(key: object, where: str) -> str:
    if not isinstance(key, str):
        raise _wrong(where, "keys are text")
    if not key.startswith("$"):
        return key
    if not key.startswith("$$"):
        raise _wrong(where, f"{key!r}: a key that begins with '$' is written with '$$'")
    return key[1:]


def _wrong(where: str, problem: str) -> CodecError:
    return CodecError("record-json", f"{where}: {problem}", where=where)
