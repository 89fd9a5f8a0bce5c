"""gossip-messages.json: every message, fields and bytes; the limits; bytes that are no message."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Final

from docs.spec.making.values import Document, Json, secret
from meshchain.ledger import codec
from meshchain.ledger.header import Header
from meshchain.ledger.params import load
from meshchain.p2p.messages import (
    LIMITS,
    TYPES,
    Address,
    Addresses,
    BlockMessage,
    BlockOperations,
    CompactBlock,
    GetAddresses,
    GetBlockOperations,
    GetBlocks,
    GetHeaders,
    GetOperations,
    Goodbye,
    Headers,
    Inventory,
    Message,
    NotFound,
    Operations,
    Ping,
    Pong,
    Ready,
    SendCompact,
    Version,
    Wanted,
    block_operations,
    encode,
)

MESH: Final = load("mesh").consensus
_A, _B, _C = (secret(f"id {word}") for word in "abc")
_HEADER: Final = Header(1, 1, secret("parent"), secret("operations"), secret("state"), 1_795_305_720, 0x1F2AAAAA, 7)
_VERSION: Final = Version(
    protocol=1,
    genesis=secret("genesis"),
    network="mesh",
    agent="meshchain/0.1.0",
    height=262_800,
    work=403_660_800,
    time=1_795_305_700,
    nonce=0x0123456789ABCDEF,
    listen_port=9337,
    block_only=False,
)
_MOST: Final = block_operations(MESH)
_IP4: Final = bytes(10) + b"\xff\xff" + bytes((192, 0, 2, 1))
_IP6: Final = bytes.fromhex("20010db8000000000000000000000001")

_MESSAGES: Final[tuple[Message, ...]] = (
    _VERSION,
    Version(65535, bytes(32), "", "", 2**32 - 1, 2**256 - 1, 2**64 - 1, 2**64 - 1, 65535, True),
    Ready(),
    Ping(0),
    Ping(2**64 - 1),
    Pong(0x0123456789ABCDEF),
    Goodbye("wrong-network", "this node is on network mesh, not test"),
    Goodbye("x", ""),
    Goodbye("c" * 32, "~" * 200),
    GetHeaders((_A,)),
    GetHeaders((_A, _B, _C), secret("stop")),
    Headers(()),
    Headers((_HEADER, replace(_HEADER, height=2, previous=_HEADER.id))),
    GetBlocks((_A,)),
    GetBlocks(tuple(secret(f"block {number}") for number in range(16))),
    BlockMessage(_HEADER.encode() + b"\x80"),
    NotFound(Wanted.BLOCK, (_A,)),
    NotFound(Wanted.OPERATION, (_B, _C)),
    Inventory((_A, _B)),
    GetOperations((_C,)),
    Operations((b"\xa0",)),
    Operations((bytes(23), bytes(24), bytes(256), bytes(2048))),
    SendCompact(False),
    SendCompact(True),
    CompactBlock(_HEADER, 0, ()),
    CompactBlock(_HEADER, 2**64 - 1, (_A[:8], _B[:8]), ((1, b"\xa0"), (3, b"\xa1"))),
    GetBlockOperations(_A, (0,)),
    GetBlockOperations(_A, (0, 5, 255, 256, _MOST - 1)),
    BlockOperations(_A, (b"\xa0", b"\xa1")),
    GetAddresses(),
    Addresses(()),
    Addresses((Address(_IP4, 9337, 1_795_305_600), Address(_IP6, 65535, 2**64 - 1, secret("node key")))),
)


def document() -> Document:
    return {
        "network": "mesh",
        "limits": [{"type": kind, "name": name_of(TYPES[kind]), "size": LIMITS[kind].size(MESH)} for kind in LIMITS],
        "messages": [shown(message) for message in _MESSAGES],
        "later": _later(),
        "refused": [{"why": why, "code": code, "bytes": data.hex()} for why, code, data in refused()],
    }


def name_of(kind: type[Message]) -> str:
    return kind.__name__.removesuffix("Message")


def shown(message: Message) -> dict[str, Json]:
    return {
        "name": name_of(type(message)),
        "type": message.TYPE,
        "fields": {field.name: form(getattr(message, field.name)) for field in fields(message)},
        "bytes": encode(message).hex(),
    }


def form(value: object) -> Json:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Header):
        return value.encode().hex()
    if isinstance(value, tuple):
        return [form(item) for item in value]
    if is_dataclass(value):
        return {field.name: form(getattr(value, field.name)) for field in fields(value)}
    assert value is None or isinstance(value, int | str)
    return value


def _later() -> Json:
    """A Version of protocol 2 with three fields more: a reader of protocol 1 takes the first ten."""
    more = [2, *_VERSION.values()[1:], None, b"\0" * 40, "more"]
    return shown(replace(_VERSION, protocol=2)) | {"bytes": (b"\x01" + codec.encode(more)).hex()}


# --- no messages -----------------------------------------------------------------------------------------------


def _with(message: Message, at: int, value: codec.Value) -> bytes:
    """``message`` with another value as field ``at``."""
    values = message.values()
    return _of(message, [*values[:at], value, *values[at + 1 :]])


def _of(message: Message, body: codec.Value) -> bytes:
    return bytes((message.TYPE,)) + codec.encode(body)


def refused() -> Iterator[tuple[str, str, bytes]]:
    yield "no byte at all", "truncated", b""
    yield "a type alone", "truncated", b"\x02"
    for kind in (0x00, 0x06, 0x12, 0x44, 0x7F, 0xFF):
        yield f"type {kind:#04x}", "message-type", bytes((kind,)) + b"\x80"
    yield "a byte follows", "trailing-bytes", encode(_VERSION) + b"\0"
    yield "the last byte is missing", "truncated", encode(_VERSION)[:-1]
    yield "three bytes where two are allowed", "message-size", b"\x02\x80\x80"
    yield "a ping in an array of three bytes' length", "not-shortest", bytes.fromhex("03980107")
    yield "an indefinite array", "indefinite-length", bytes.fromhex("039f07ff")
    yield "a negative nonce", "type", bytes.fromhex("038120")
    yield "the body is a map", "field-type", b"\x03\xa0"
    yield "the body is no array", "field-type", b"\x03\x07"
    yield from _bad_greetings()
    yield from _bad_ledger()
    yield from _bad_relay()
    yield from _bad_compact()
    yield from _bad_addresses()


def _bad_greetings() -> Iterator[tuple[str, str, bytes]]:
    yield "protocol 0", "field-uint", _with(_VERSION, 0, 0)
    yield "protocol 65,536", "field-uint", _with(_VERSION, 0, 65536)
    yield "genesis of 31 bytes", "field-bytes", _with(_VERSION, 1, bytes(31))
    yield "a network's name of 33 letters", "field-text", _with(_VERSION, 2, "m" * 33)
    yield "an agent of 65 letters", "field-text", _with(_VERSION, 3, "a" * 65)
    yield "an agent with an escape sequence", "field-text", _with(_VERSION, 3, "\x1b[2J")
    yield "an agent with an umlaut", "field-text", _with(_VERSION, 3, "mësh")
    yield "height 2^32", "field-uint", _with(_VERSION, 4, 2**32)
    yield "work as an integer", "field-bytes", _with(_VERSION, 5, 403_660_800)
    yield "work of 31 bytes", "field-bytes", _with(_VERSION, 5, bytes(31))
    yield "time is true", "field-uint", _with(_VERSION, 6, True)
    yield "port 65,536", "field-uint", _with(_VERSION, 8, 65536)
    yield "block_only is 0", "field-bool", _with(_VERSION, 9, 0)
    yield "nine fields", "field-count", _of(_VERSION, _VERSION.values()[:9])
    yield "eleven fields in protocol 1", "field-count", _of(_VERSION, [*_VERSION.values(), None])
    yield "33 fields in protocol 2", "field-count", _of(_VERSION, [2, *_VERSION.values()[1:], *[0] * 23])
    yield "an array among later fields", "field-type", _of(_VERSION, [2, *_VERSION.values()[1:], []])
    yield "a code with capitals", "field-text", _of(Goodbye("x", ""), ["X", ""])
    yield "an empty code", "field-text", _of(Goodbye("x", ""), ["", ""])
    yield "a code of 33 letters", "field-text", _of(Goodbye("x", ""), ["c" * 33, ""])
    yield "a reason of 201 letters", "field-text", _of(Goodbye("x", ""), ["c", "~" * 201])
    yield "a reason of two lines", "field-text", _of(Goodbye("x", ""), ["c", "a\nb"])


def _bad_ledger() -> Iterator[tuple[str, str, bytes]]:
    ask = GetHeaders((_A,))
    yield "an empty locator", "field-count", _with(ask, 0, b"")
    yield "a locator of 33", "field-count", _with(ask, 0, bytes(33 * 32))
    yield "a locator of one and a half", "field-bytes", _with(ask, 0, bytes(48))
    yield "a locator as an array", "field-type", _with(ask, 0, [_A])
    yield "stop of no bytes", "field-bytes", _with(ask, 1, b"")
    yield "a header of 123 bytes", "field-bytes", _of(Headers(()), [bytes(123)])
    yield "a header of version 2", "header-version", encode(Headers((replace(_HEADER, version=2),)))
    yield "no blocks wanted", "field-count", _of(GetBlocks((_A,)), [b""])
    yield "17 blocks wanted", "message-size", encode(GetBlocks((_A,) * 17))
    yield "a block without a body", "field-bytes", encode(BlockMessage(_HEADER.encode()))
    yield "nothing not found", "field-count", _of(NotFound(Wanted.BLOCK, (_A,)), [1, b""])
    yield "not found, of kind 0", "field-uint", _of(NotFound(Wanted.BLOCK, (_A,)), [0, _A])
    yield "not found, of kind 3", "field-uint", _of(NotFound(Wanted.BLOCK, (_A,)), [3, _A])


def _bad_relay() -> Iterator[tuple[str, str, bytes]]:
    yield "an empty inventory", "field-count", _of(Inventory((_A,)), [b""])
    yield "101 operations wanted", "message-size", encode(GetOperations((_A,) * 101))
    yield "no operations", "field-count", encode(Operations(()))
    yield "101 operations", "field-count", encode(Operations((b"\xa0",) * 101))
    yield "an operation of no bytes", "field-bytes", encode(Operations((b"",)))
    yield "an operation of 2,049 bytes", "field-bytes", encode(Operations((bytes(2049),)))


def _bad_compact() -> Iterator[tuple[str, str, bytes]]:
    block = CompactBlock(_HEADER, 1, (bytes(8),), ((0, b"\xa0"),))
    yield "high_bandwidth is 1", "field-bool", _of(SendCompact(True), [1])
    yield "a header of 125 bytes", "field-bytes", _with(block, 0, bytes(125))
    yield "short ids of 12 bytes", "field-bytes", _with(block, 2, bytes(12))
    yield f"{_MOST + 1} short ids", "field-count", _with(block, 2, bytes(8 * (_MOST + 1)))
    yield "more operations than fit into a block", "field-count", _with(block, 2, bytes(8 * _MOST))
    yield "a position twice", "index-order", _with(block, 3, [[0, b"\xa0"], [0, b"\xa0"]])
    yield "positions that descend", "index-order", _with(block, 3, [[1, b"\xa0"], [0, b"\xa0"]])
    yield "a position beyond the last", "index-order", _with(block, 3, [[2, b"\xa0"]])
    yield "prefilled without a position", "field-count", _with(block, 3, [[b"\xa0"]])
    yield "position 65,536", "field-uint", _with(block, 3, [[65536, b"\xa0"]])
    ask = GetBlockOperations(_A, (0,))
    yield "no positions", "field-count", _with(ask, 1, b"")
    yield "half a position", "field-bytes", _with(ask, 1, bytes(3))
    yield "positions asked for twice", "index-order", encode(GetBlockOperations(_A, (4, 4)))
    yield "a position that no block has", "index-order", encode(GetBlockOperations(_A, (_MOST,)))
    yield "block operations of nothing", "field-count", encode(BlockOperations(_A, ()))


def _bad_addresses() -> Iterator[tuple[str, str, bytes]]:
    good = Addresses((Address(_IP6, 1, 0),))
    yield "an address of 4 bytes", "field-bytes", _of(good, [[[bytes(4), 1, 0, None]]])
    yield "port 0", "field-uint", _of(good, [[[_IP6, 0, 0, None]]])
    yield "a key of 31 bytes", "field-bytes", _of(good, [[[_IP6, 1, 0, bytes(31)]]])
    yield "an address of three items", "field-count", _of(good, [[[_IP6, 1, 0]]])
