"""MESHCTL: what routers tell ends, in clear: errors, unknown sessions. Traceroute's messages are another family's.

payload = type u8 ‖ body
"""

from dataclasses import dataclass
from enum import IntEnum
from struct import Struct
from typing import ClassVar, Final

from meshrouter.errors import WireError
from meshrouter.wire.check import need
from meshrouter.wire.control.message import Message
from meshrouter.wire.control.sequence import Types
from meshrouter.wire.nosession import NoSession
from meshrouter.wire.packet import PACKET_SIZE

ERROR_HEADER: Final = Struct(">BH")
MAX_QUOTE: Final = PACKET_SIZE + 8


class ErrorCode(IntEnum):
    TOO_BIG = 1
    """PTB: the packet is larger than ``mtu``, and nothing here fragments it."""
    NO_ROUTE = 2
    TTL = 3
    """The hop limit reached 0."""
    POLICY = 4
    """A rule of a router forbids it."""
    GUEST = 5
    """Guests have no transit, or have used up theirs."""


@dataclass(frozen=True, slots=True)
class Error:
    """At most 51 bytes. Unauthenticated: taken for true only if the quote is of a packet that was sent."""

    TYPE: ClassVar[int] = 1

    code: ErrorCode
    mtu: int
    """Largest MESHP packet that the router would have carried (TOO_BIG), 0 with other codes."""
    quote: bytes
    """The packet's header, as the router saw it, and the first 8 bytes after it: 40 to 48 bytes."""

    def encode(self) -> bytes:
        return ERROR_HEADER.pack(self.code, self.mtu) + self.quote

    @classmethod
    def decode(cls, body: bytes) -> "Error":
        """WireError: wire-size, error-code."""
        size = len(body) - ERROR_HEADER.size
        need(PACKET_SIZE <= size <= MAX_QUOTE, "wire-size", f"an ERR of {len(body)} bytes")
        code, mtu = ERROR_HEADER.unpack_from(body)
        need(1 <= code <= max(ErrorCode), "error-code", f"no error has code {code}")
        return cls(ErrorCode(code), mtu, body[ERROR_HEADER.size :])


_CLASSES: Final[tuple[type[Message], ...]] = (Error, NoSession)
TYPES: Final[Types] = {cls.TYPE: cls for cls in _CLASSES}
"""Type byte → class. Whoever has more of them passes ``{**TYPES, …}`` to decode."""


def encode(message: Message) -> bytes:
    """The payload of a MESHCTL packet."""
    return bytes((message.TYPE,)) + message.encode()


def decode(payload: bytes, types: Types = TYPES) -> Message:
    """WireError: ctl-size (no byte), ctl-type (not known), or what the body's decode says."""
    if not payload:
        raise WireError("ctl-size", "a MESHCTL message has at least a type")
    cls = types.get(payload[0])
    if cls is None:
        raise WireError("ctl-type", f"no MESHCTL message has type {payload[0]}")
    return cls.decode(payload[1:])
