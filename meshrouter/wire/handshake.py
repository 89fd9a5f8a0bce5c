"""Handshake messages, cut into their fields. The Noise messages in them are opaque here.

INIT, RESPONSE and COOKIE have the same bodies between neighbours (of a clear frame) and between ends (of a MESHHS
packet, ``ends``); only the Noise payloads differ, 40 bytes against 72. A RESPONSE is shorter than its INIT, and a
COOKIE shorter than both: nobody is sent more than was sent in their name.
"""

from dataclasses import dataclass
from struct import Struct
from typing import ClassVar, Final, Self

from meshrouter.wire.check import id_of, need, need_size

INDEX_SIZE: Final = 4
MAC_SIZE: Final = 16
MACS_SIZE: Final = 2 * MAC_SIZE
COOKIE_SIZE: Final = 16
NO_MAC: Final = bytes(MAC_SIZE)
"""In place of mac2 while there is no cookie."""

LINK_PAYLOAD: Final = Struct(">32sHHI")
"""Key, caps, gossip port, height."""
END_PAYLOAD: Final = Struct(">32s16s16sHHI")
"""Key, source, destination, caps, path MTU, height."""
INIT_AROUND: Final = 32 + 48 + 16
"""Bytes of Noise IK's first message beside its payload: e, the sealed s, a tag."""
RESPONSE_AROUND: Final = 32 + 16
"""Bytes of the second: e, a tag."""
PAYLOAD_SIZES: Final = (LINK_PAYLOAD.size, END_PAYLOAD.size)


@dataclass(frozen=True, slots=True)
class _Half:
    """One message of the two."""

    SIZES: ClassVar[tuple[int, ...]] = ()

    sender: int
    """The index under which its sender wants to be spoken to, u32."""
    noise: bytes
    mac1: bytes
    mac2: bytes = NO_MAC

    @property
    def under_mac1(self) -> bytes:
        """What mac1 is made over: the body before it."""
        return self.sender.to_bytes(INDEX_SIZE, "big") + self.noise

    @property
    def under_mac2(self) -> bytes:
        """What mac2 is made over: the body before it, mac1 included."""
        return self.under_mac1 + self.mac1

    def encode(self) -> bytes:
        return self.under_mac2 + self.mac2

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """WireError (wire-size)."""
        need(len(body) in cls.SIZES, "wire-size", f"{cls.__name__} has one of {cls.SIZES} bytes, not {len(body)}")
        index = int.from_bytes(body[:INDEX_SIZE], "big")
        return cls(index, body[INDEX_SIZE:-MACS_SIZE], body[-MACS_SIZE:-MAC_SIZE], body[-MAC_SIZE:])


@dataclass(frozen=True, slots=True)
class Init(_Half):
    """172 bytes between neighbours, 204 between ends."""

    SIZES: ClassVar[tuple[int, ...]] = tuple(INDEX_SIZE + INIT_AROUND + size + MACS_SIZE for size in PAYLOAD_SIZES)


@dataclass(frozen=True, slots=True)
class Response(_Half):
    """124 bytes between neighbours, 156 between ends."""

    SIZES: ClassVar[tuple[int, ...]] = tuple(INDEX_SIZE + RESPONSE_AROUND + size + MACS_SIZE for size in PAYLOAD_SIZES)


@dataclass(frozen=True, slots=True)
class Cookie:
    """56 bytes: a cookie of 16 for whoever has made the INIT that it answers, sealed."""

    SIZE: ClassVar[int] = 56

    nonce: bytes
    """24 bytes."""
    sealed: bytes
    """32 bytes: the cookie and a tag."""

    def encode(self) -> bytes:
        return self.nonce + self.sealed

    @classmethod
    def decode(cls, body: bytes) -> "Cookie":
        """WireError (wire-size)."""
        need_size(body, cls.SIZE, "a COOKIE")
        return cls(body[:24], body[24:])


@dataclass(frozen=True, slots=True)
class LinkPayload:
    """40 bytes: what neighbours tell each other inside the handshake."""

    SIZE: ClassVar[int] = LINK_PAYLOAD.size

    key: bytes
    caps: int
    gossip_port: int
    height: int

    def encode(self) -> bytes:
        return LINK_PAYLOAD.pack(self.key, self.caps, self.gossip_port, self.height)

    @classmethod
    def decode(cls, payload: bytes) -> "LinkPayload":
        """WireError: wire-size, wire-key."""
        need_size(payload, cls.SIZE, "a neighbour's payload")
        made = cls(*LINK_PAYLOAD.unpack(payload))
        id_of(made.key)
        return made


@dataclass(frozen=True, slots=True)
class EndPayload:
    """72 bytes: what ends tell each other. Both name the pair of addresses as the initiator sees it."""

    SIZE: ClassVar[int] = END_PAYLOAD.size

    key: bytes
    source: bytes
    """The initiator's address, 16 bytes, derived or claimed."""
    destination: bytes
    """The responder's."""
    caps: int
    path_mtu: int
    """Largest MESHP packet, in bytes, that the sender of this knows to fit on its way to the other end."""
    height: int

    def encode(self) -> bytes:
        return END_PAYLOAD.pack(self.key, self.source, self.destination, self.caps, self.path_mtu, self.height)

    @classmethod
    def decode(cls, payload: bytes) -> "EndPayload":
        """WireError: wire-size, wire-key."""
        need_size(payload, cls.SIZE, "an end's payload")
        made = cls(*END_PAYLOAD.unpack(payload))
        id_of(made.key)
        return made
