"""Routing between neighbours: who can be reached, at which cost, and how fresh that is."""

from dataclasses import dataclass
from struct import Struct
from typing import ClassVar, Final

from meshchain.crypto.hashing import tagged_hash
from meshrouter.wire.check import id_of, need, need_size

INFINITY: Final = 0xFFFF
"""Metric of what cannot be reached."""
KEY_FOLLOWS: Final = 1

_ANNOUNCED: Final = Struct(">QIHH")
"""Sequence number, height, caps, zone: as signed."""
_METRIC: Final = Struct(">H64s")
_REST: Final = _ANNOUNCED.size + _METRIC.size
_RETRACT: Final = Struct(">14sQ")
_SEQNO_REQUEST: Final = Struct(">14sQB")
_ROUTE_REQUEST: Final = Struct(">14sB")


def announcement(genesis: bytes, key: bytes, seqno: int, height: int, caps: int, zone: int) -> bytes:
    """The 32 bytes that an origin signs: H("meshp-announce", genesis id, key, seqno, height, caps, zone)."""
    return tagged_hash("meshp-announce", genesis, key, _ANNOUNCED.pack(seqno, height, caps, zone))


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """A route: an announcement that its origin has signed, and the metric from the sender on. 97 or 115 bytes."""

    TYPE: ClassVar[int] = 2
    SIZES: ClassVar[tuple[int, int]] = (1 + 14 + _REST, 1 + 32 + _REST)
    """Without and with the key."""

    id: bytes
    key: bytes | None = None
    """Sent with an origin's first UPDATE of a session."""
    seqno: int
    """u64"""
    height: int
    caps: int
    zone: int
    metric: int
    """u16 from the sender on: 0 is the origin itself. Not signed."""
    signature: bytes

    def signed(self, genesis: bytes, key: bytes) -> bytes:
        """What ``signature`` is over, given the origin's key (which an UPDATE may leave out)."""
        return announcement(genesis, key, self.seqno, self.height, self.caps, self.zone)

    def encode(self) -> bytes:
        origin = bytes(1) + self.id if self.key is None else bytes((KEY_FOLLOWS,)) + self.key
        announced = _ANNOUNCED.pack(self.seqno, self.height, self.caps, self.zone)
        return origin + announced + _METRIC.pack(self.metric, self.signature)

    @classmethod
    def decode(cls, body: bytes) -> "Update":
        """WireError: wire-size, update-flags, wire-key."""
        need(body, "wire-size", "an UPDATE of no bytes")
        need(body[0] <= KEY_FOLLOWS, "update-flags", f"an UPDATE has flags 0 or 1, not {body[0]}")
        need_size(body, cls.SIZES[body[0]], f"an UPDATE with flags {body[0]}")
        rest = len(body) - _REST
        key = body[1:rest] if body[0] else None
        seqno, height, caps, zone = _ANNOUNCED.unpack_from(body, rest)
        metric, signature = _METRIC.unpack_from(body, rest + _ANNOUNCED.size)
        origin = body[1:rest] if key is None else id_of(key)
        return cls(
            id=origin,
            key=key,
            seqno=seqno,
            height=height,
            caps=caps,
            zone=zone,
            metric=metric,
            signature=signature,
        )


@dataclass(frozen=True, slots=True)
class Retract:
    """22 bytes: the sender no longer reaches it."""

    TYPE: ClassVar[int] = 3
    SIZE: ClassVar[int] = _RETRACT.size

    id: bytes
    seqno: int

    def encode(self) -> bytes:
        return _RETRACT.pack(self.id, self.seqno)

    @classmethod
    def decode(cls, body: bytes) -> "Retract":
        """WireError (wire-size)."""
        need_size(body, cls.SIZE, "a RETRACT")
        return cls(*_RETRACT.unpack(body))


@dataclass(frozen=True, slots=True)
class SeqnoRequest:
    """23 bytes: the sender needs an announcement of this origin that is at least so fresh."""

    TYPE: ClassVar[int] = 4
    SIZE: ClassVar[int] = _SEQNO_REQUEST.size

    id: bytes
    seqno: int
    hops: int
    """How many more neighbours may pass it on."""

    def encode(self) -> bytes:
        return _SEQNO_REQUEST.pack(self.id, self.seqno, self.hops)

    @classmethod
    def decode(cls, body: bytes) -> "SeqnoRequest":
        """WireError (wire-size)."""
        need_size(body, cls.SIZE, "a SEQNO_REQ")
        return cls(*_SEQNO_REQUEST.unpack(body))


@dataclass(frozen=True, slots=True)
class Dump:
    """Nothing: tell me all your routes again, as if the session were new."""

    TYPE: ClassVar[int] = 5
    SIZE: ClassVar[int] = 0

    def encode(self) -> bytes:
        return b""

    @classmethod
    def decode(cls, body: bytes) -> "Dump":
        """WireError (wire-size)."""
        need_size(body, 0, "a DUMP")
        return cls()


@dataclass(frozen=True, slots=True)
class RouteRequest:
    """15 bytes: does anybody reach it?"""

    TYPE: ClassVar[int] = 7
    SIZE: ClassVar[int] = _ROUTE_REQUEST.size

    id: bytes
    hops: int
    """How many more neighbours may pass it on."""

    def encode(self) -> bytes:
        return _ROUTE_REQUEST.pack(self.id, self.hops)

    @classmethod
    def decode(cls, body: bytes) -> "RouteRequest":
        """WireError (wire-size)."""
        need_size(body, cls.SIZE, "a ROUTE_REQ")
        return cls(*_ROUTE_REQUEST.unpack(body))
