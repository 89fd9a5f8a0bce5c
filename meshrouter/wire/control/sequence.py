"""The plaintext of a CONTROL frame: messages one after another, each type u8 ‖ length u16 ‖ body.

A message of a type that is not known is passed over: its sender may speak a later protocol. Any other fault makes the
whole frame worthless, and nothing of it is used.
"""

from collections.abc import Iterable, Mapping, Sequence
from struct import Struct
from typing import Final

from meshrouter.errors import WireError
from meshrouter.wire.control.adjacency import Bye, Redirect
from meshrouter.wire.control.hello import Hello
from meshrouter.wire.control.message import Message
from meshrouter.wire.control.routes import Dump, Retract, RouteRequest, SeqnoRequest, Update

Types = Mapping[int, type[Message]]

MESSAGE_HEADER: Final = Struct(">BH")
_CLASSES: Final[tuple[type[Message], ...]] = (Hello, Update, Retract, SeqnoRequest, Dump, Redirect, RouteRequest, Bye)
TYPES: Final[Types] = {cls.TYPE: cls for cls in _CLASSES}
"""Type byte → class. Whoever has more of them passes ``{**TYPES, …}`` to decode_all."""


def encode(message: Message) -> bytes:
    """One message with its header."""
    body = message.encode()
    return MESSAGE_HEADER.pack(message.TYPE, len(body)) + body


def encode_all(messages: Iterable[Message]) -> bytes:
    """The plaintext of one frame."""
    return b"".join(map(encode, messages))


def split(messages: Iterable[Message], most: int) -> list[bytes]:
    """Plaintexts of at most ``most`` bytes each that carry the messages in their order.

    ``most`` ≥ 118 has room for any message.
    """
    plaintexts: list[bytes] = []
    for encoded in map(encode, messages):
        if plaintexts and len(plaintexts[-1]) + len(encoded) <= most:
            plaintexts[-1] += encoded
        else:
            plaintexts.append(encoded)
    return plaintexts


def decode_all(payload: bytes, types: Types = TYPES) -> list[Message]:
    """The messages of known types, in order. WireError: control-size (one is cut off), or what a body's decode says."""
    messages: list[Message] = []
    for kind, body in cut(payload):
        cls = types.get(kind)
        if cls is not None:
            messages.append(cls.decode(body))
    return messages


def cut(payload: bytes) -> Sequence[tuple[int, bytes]]:
    """Type and body of each message. WireError (control-size)."""
    pieces, at = [], 0
    while at < len(payload):
        if at + MESSAGE_HEADER.size > len(payload):
            raise WireError("control-size", "the frame ends inside the header of a message")
        kind, size = MESSAGE_HEADER.unpack_from(payload, at)
        at += MESSAGE_HEADER.size + size
        if at > len(payload):
            raise WireError("control-size", f"a message of type {kind} has {at - len(payload)} bytes too few")
        pieces.append((kind, payload[at - size : at]))
    return pieces
