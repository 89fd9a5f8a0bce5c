"""meshp-formats.json: every format of the mesh, fields and bytes, and bytes that are none."""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any, Final

from docs.spec.making.gossip_messages import form
from docs.spec.making.values import GENESIS, Document, Json, secret
from meshchain.crypto import ed25519_public_key
from meshchain.crypto.address import node_id
from meshrouter.wire import beacon, control, ends, frame, handshake, meshctl, packet, sec, train
from meshrouter.wire.nosession import NoSession


def key_of(word: str) -> bytes:
    """A node key."""
    return ed25519_public_key(secret(f"node {word}"))


def id_of(word: str) -> bytes:
    derived = node_id(key_of(word))
    assert derived is not None
    return derived


ANN, BEN, CAT = (key_of(word) for word in ("ann", "ben", "cat"))
ANN_ID, BEN_ID, CAT_ID = (id_of(word) for word in ("ann", "ben", "cat"))
_MAC1, _MAC2 = secret("mac1")[:16], secret("mac2")[:16]
_SIGNATURE: Final = secret("half a signature") + secret("the other half")
_ADDRESS: Final = b"\xee\xee" + ANN_ID
_CLAIMED: Final = bytes.fromhex("eeee0000000000000000000000000001")

CLASSES: Final[Mapping[str, Any]] = {
    "frame": frame.Frame,
    "BEACON": beacon.Beacon,
    "SOLICIT": beacon.Solicit,
    "INIT": handshake.Init,
    "RESPONSE": handshake.Response,
    "COOKIE": handshake.Cookie,
    "link payload": handshake.LinkPayload,
    "end payload": handshake.EndPayload,
    "NOSESSION": NoSession,
    "HELLO": control.Hello,
    "UPDATE": control.Update,
    "RETRACT": control.Retract,
    "SEQNO_REQ": control.SeqnoRequest,
    "DUMP": control.Dump,
    "REDIRECT": control.Redirect,
    "ROUTE_REQ": control.RouteRequest,
    "BYE": control.Bye,
    "MESHP": packet.Packet,
    "MESHSEC": sec.Sealed,
    "super-packet": sec.SuperPacket,
    "MESHHS": ends.EndHandshake,
    "ERR": meshctl.Error,
    "piece": train.Piece,
}
"""Names as in meshp.md."""
_NAMES: Final = {cls: name for name, cls in CLASSES.items()}

_HELLO: Final = control.Hello(
    seq=1,
    sent=0xFFFFFFFF,
    echo=2,
    held=3,
    received=0xF000,
    queue=4,
    mtu=1500,
    flags=1,
    digest=2**64 - 1,
    count=350,
)
_UPDATE: Final = control.Update(
    id=CAT_ID, seqno=2**64 - 1, height=262_800, caps=3, zone=9, metric=0xFFFF, signature=_SIGNATURE
)
_FIRST: Final = control.Update(id=ANN_ID, key=ANN, seqno=1001, height=0, caps=1, zone=0, metric=0, signature=_SIGNATURE)
_PACKET: Final = packet.Packet(
    next_header=packet.MESHSEC,
    source=ANN_ID,
    destination=BEN_ID,
    payload=bytes(range(40)),
    source_zone=0x0102,
    destination_zone=0x0304,
    hop_limit=63,
    traffic_class=0xB9,
    flow_label=0xABCDE,
)
_VALUES: Final[tuple[Any, ...]] = (
    frame.Frame(frame.BEACON, b""),
    frame.Frame(frame.RESPONSE, bytes(124), index=0x01020304),
    frame.Frame(frame.CONTROL, bytes(16), index=0xFFFFFFFF, counter=0xFFFFFFFE),
    frame.Frame(frame.TRAIN, b"\1", index=1, counter=2, flags=0),
    frame.Frame(frame.TRAIN, b"\1", index=1, counter=2, flags=44 | frame.LAST),
    beacon.Beacon(GENESIS[:4], 7, 9337, ANN, 262_800),
    beacon.Beacon(GENESIS[:4], 0xFFF0, 0, BEN, 2**32 - 1),
    beacon.Solicit(GENESIS[:4]),
    *(handshake.Init(0x01020304, bytes(range(96 + size)), _MAC1) for size in handshake.PAYLOAD_SIZES),
    handshake.Init(0x01020304, bytes(136), _MAC1, _MAC2),
    *(handshake.Response(0xFFFFFFFF, bytes(range(48 + size)), _MAC1) for size in handshake.PAYLOAD_SIZES),
    handshake.Cookie(bytes(range(24)), secret("cookie")),
    handshake.LinkPayload(ANN, 3, 9337, 262_800),
    handshake.EndPayload(ANN, _CLAIMED, _ADDRESS, 1, 1447, 262_800),
    NoSession(0x01020304, 0x05060708),
    _HELLO,
    _UPDATE,
    _FIRST,
    control.Retract(CAT_ID, 1002),
    control.SeqnoRequest(CAT_ID, 1003, 64),
    control.Dump(),
    control.Redirect(ANN_ID, ANN, bytes.fromhex("020000000001")),
    control.Redirect(ANN_ID, ANN, b""),
    control.RouteRequest(CAT_ID, 64),
    control.Bye(control.CLOSING),
    _PACKET,
    sec.Sealed(0x01020304, 0x05060708, bytes(17)),
    sec.SuperPacket(sec.TCP, 1332, secret("a header and a payload")),
    ends.EndHandshake(ends.END_INIT, 0, bytes(204)),
    ends.EndHandshake(ends.END_RESPONSE, 0x01020304, bytes(156)),
    ends.EndHandshake(ends.END_COOKIE, 0x01020304, bytes(56)),
    meshctl.Error(meshctl.ErrorCode.TOO_BIG, 1419, _PACKET.encode()[:48]),
    meshctl.Error(meshctl.ErrorCode.GUEST, 0, _PACKET.encode()[:40]),
    train.Piece(0x0102, 0, False, b"one piece"),
    train.Piece(0xFFFF, 15, True, b"\0"),
)


def document() -> Document:
    return {
        "genesis": GENESIS.hex(),
        "formats": [_shown(value) for value in _VALUES],
        "control": [_sequence(why, data) for why, data in _sequences()],
        "refused": [
            {"format": name, "why": why, "code": code, "bytes": data.hex()} for name, why, code, data in refused()
        ],
    }


def fields_of(value: Any) -> dict[str, Json]:  # noqa: ANN401 - a dataclass of wire
    return {field.name: form(getattr(value, field.name)) for field in fields(value)}


def _shown(value: Any) -> Json:  # noqa: ANN401 - a dataclass of wire
    return {"format": _NAMES[type(value)], "fields": fields_of(value), "bytes": value.encode().hex()}


def _sequence(why: str, data: bytes) -> Json:
    messages: list[Json] = [{"format": _NAMES[type(one)], "fields": fields_of(one)} for one in control.decode_all(data)]
    return {"why": why, "bytes": data.hex(), "messages": messages}


def _sequences() -> Iterator[tuple[str, bytes]]:
    yield "nothing to say", b""
    yield "one message", control.encode(_HELLO)
    yield "several", control.encode_all((_FIRST, _UPDATE, control.Dump(), control.Bye(2)))
    yield "a type that nobody knows is passed over", b"\x7f\0\3new" + control.encode(control.Dump())


# --- bytes that are none ---------------------------------------------------------------------------------------


def _changed(data: bytes, at: int, value: int) -> bytes:
    return data[:at] + bytes((value,)) + data[at + 1 :]


def refused() -> Iterator[tuple[str, str, str, bytes]]:
    yield from _bad_frames()
    yield from _bad_clear()
    yield from _bad_control()
    yield from _bad_packets()


def _bad_frames() -> Iterator[tuple[str, str, str, bytes]]:
    good = frame.Frame(frame.PACKET, bytes(16), 1, 2).encode()
    yield "frame", "less than a header", "frame-size", good[:11]
    yield "frame", "less than was announced", "frame-size", good[:-1]
    yield "frame", "sealed, less than a tag", "frame-size", _changed(good, 3, 15)
    yield "frame", "a frame of a train without a byte", "frame-size", bytes.fromhex("2a80 0000 00000001 00000002")
    yield "frame", "version 0", "frame-version", _changed(good, 0, frame.PACKET)
    yield "frame", "version 2", "frame-version", _changed(good, 0, 2 << 5 | frame.PACKET)
    for kind in (0, 7, 12, 31):
        yield "frame", f"type {kind}", "frame-type", _changed(good, 0, 1 << 5 | kind)
    yield "frame", "flags where there are none", "frame-flags", _changed(good, 1, 1)
    yield "frame", "the 46th frame of a train", "frame-flags", _changed(_changed(good, 0, 0x2A), 1, 45)


def _bad_clear() -> Iterator[tuple[str, str, str, bytes]]:
    yield "BEACON", "a byte too few", "wire-size", bytes(43)
    yield "BEACON", "a byte too many", "wire-size", bytes(45)
    yield "SOLICIT", "as short as it could be", "wire-size", bytes(4)
    yield "SOLICIT", "a byte after the network", "solicit-padding", _changed(bytes(44), 43, 1)
    for size in (171, 173, 203, 205, 124):
        yield "INIT", f"{size} bytes", "wire-size", bytes(size)
    for size in (123, 125, 155, 157, 172):
        yield "RESPONSE", f"{size} bytes", "wire-size", bytes(size)
    yield "COOKIE", "a byte too many", "wire-size", bytes(57)
    yield "link payload", "an end's", "wire-size", bytes(72)
    yield "end payload", "a neighbour's", "wire-size", bytes(40)
    yield "NOSESSION", "a byte too few", "wire-size", bytes(7)


def _bad_control() -> Iterator[tuple[str, str, str, bytes]]:
    hello, update = control.encode(_HELLO), _UPDATE.encode()
    redirect = control.Redirect(ANN_ID, ANN, bytes(6)).encode()
    yield "control", "it ends inside a header", "control-size", hello + b"\5\0"
    yield "control", "it ends inside a body", "control-size", hello[:-1]
    yield "control", "it ends inside a body that nobody knows", "control-size", b"\x7f\0\1"
    yield "control", "a body too long for its type", "wire-size", b"\5\0\1\0"
    yield "HELLO", "a later one with more fields", "wire-size", _HELLO.encode() + b"\0"
    yield "UPDATE", "no byte", "wire-size", b""
    yield "UPDATE", "an id where a key was announced", "wire-size", _changed(update, 0, 1)
    yield "UPDATE", "a key where none was announced", "wire-size", _changed(_FIRST.encode(), 0, 0)
    yield "UPDATE", "flags 2", "update-flags", _changed(update, 0, 2)
    yield "RETRACT", "a byte too few", "wire-size", bytes(21)
    yield "SEQNO_REQ", "a byte too few", "wire-size", bytes(22)
    yield "ROUTE_REQ", "a byte too many", "wire-size", bytes(16)
    yield "REDIRECT", "a shorter address than it says", "wire-size", redirect[:-1]
    yield "REDIRECT", "an address of 33 bytes", "redirect-address", _changed(redirect, 46, 33) + bytes(27)
    yield "REDIRECT", "another key's id", "redirect-id", BEN_ID + redirect[14:]
    yield "BYE", "no reason", "wire-size", b""


def _bad_packets() -> Iterator[tuple[str, str, str, bytes]]:
    good = _PACKET.encode()
    quote = good[:48]
    yield "MESHP", "less than a header", "packet-size", good[:39]
    yield "MESHP", "a byte follows", "packet-size", good + b"\0"
    yield "MESHP", "version 4", "packet-version", _changed(good, 0, 0x45)
    yield "MESHSEC", "nothing sealed", "sec-size", bytes(24)
    yield "super-packet", "less than a header", "super-size", b"\6\0"
    yield "super-packet", "segments of no bytes", "super-size", b"\6\0\0 and more"
    yield "super-packet", "neither TCP nor UDP", "super-protocol", b"\x3a\0\1 and more"
    yield "MESHHS", "less than a header", "wire-size", b"\1\0\0\0"
    yield "MESHHS", "type 0", "hs-type", bytes(5)
    yield "MESHHS", "type 4", "hs-type", b"\4\0\0\0\0"
    yield "MESHHS", "an INIT to a session", "hs-index", b"\1\0\0\0\1" + bytes(204)
    yield "ERR", "a quote of less than a header", "wire-size", b"\1\0\0" + quote[:39]
    yield "ERR", "a quote too long", "wire-size", b"\1\0\0" + quote + b"\0"
    yield "ERR", "code 0", "error-code", b"\0\0\0" + quote
    yield "ERR", "code 6", "error-code", b"\6\0\0" + quote
    yield "piece", "nothing in it", "piece-size", bytes(3)
    yield "piece", "the 17th", "piece-number", b"\0\0\x10x"
    yield "MESHCTL", "no byte", "ctl-size", b""
    yield "MESHCTL", "type 0", "ctl-type", b"\0"
    yield "MESHCTL", "type 255", "ctl-type", b"\xff"
