"""What one hop says of a probe that it carried, signed.

::

    0    nonce 16          the ticket's
    16   direction u8      0 to the target, 1 back from it
    17   previous 32       hash of the report before it (zero in the first of a direction)
    49   key 32            who reports
    81   hop limit u8      of the probe as it came in; 65 at the node that made the probe
    82   flags u8          1: the probe ends here, 2: there is an ingress, 4: an egress, 8: a runner-up
    83   height u32        of its chain
    87   zone u16
    89   ingress 45        the link that the probe came on: key of the neighbour 32, medium u8, cost u16, RTT u32 (µs;
                           2^32 - 1: not known), loss u16 (share × 65535), queue u16 (ms), largest frame u16
    134  egress 45         the same of the link that it leaves on: the chosen next hop
    179  metric u16        of the route that it takes
    181  runner-up 14      id of the next best next hop
    195  its metric u16
    197  why 24            why it lost: ASCII, zero-padded
    221  received u64      µs on a clock of the reporter's own, below 2^51
    229  sent u64
    237  version 12        of its software, ASCII, zero-padded
    249  signature 64      over the report's hash, H("meshp-report", all 249 bytes before it)

313 bytes, whatever is in it: the probe is padded to the same, so that a hop never sends more than it was sent. What is
absent (flags) is zero. The hash leaves the signature out, and signatures of one content cannot be told apart by it.
"""

from dataclasses import dataclass
from struct import Struct
from typing import ClassVar, Final

from meshchain.crypto.hashing import tagged_hash
from meshrouter.env import Verify
from meshrouter.identity import Identity
from meshrouter.links.link import Medium
from meshrouter.wire.check import id_of, need, need_size

_HEAD: Final = Struct(">16sB32s32sBBIH")
_SIDE: Final = Struct(">32sBHIHHH")
_TAIL: Final = Struct(">H14sH24sQQ12s")
_SIGNED: Final = _HEAD.size + 2 * _SIDE.size + _TAIL.size

NO_HASH: Final = bytes(32)
VERSION_SIZE: Final = 12
"""Characters."""
FORWARD: Final = 0
REVERSE: Final = 1
DIRECTIONS: Final = (FORWARD, REVERSE)

_ENDS: Final = 1
_INGRESS: Final = 2
_EGRESS: Final = 4
_RUNNER_UP: Final = 8
_UNKNOWN_RTT: Final = 0xFFFF_FFFF
MOST_TIME: Final = 1 << 51
"""Microseconds, 71 years: up to here, seconds in a float tell them all apart."""
_MEDIA: Final = (Medium.VIRTUAL, Medium.UDP, Medium.ETHERNET, Medium.STREAM)
"""On the wire: 1 and up, in this order."""


@dataclass(frozen=True, slots=True)
class Side:
    """One link of the reporter, and the neighbour on it."""

    key: bytes
    medium: Medium
    cost: int
    rtt: float | None
    """Seconds."""
    loss: float
    """0 … 1."""
    queue_ms: int
    mtu: int

    def encode(self) -> bytes:
        rtt = _UNKNOWN_RTT if self.rtt is None else min(round(self.rtt * 1e6), _UNKNOWN_RTT - 1)
        medium = _MEDIA.index(self.medium) + 1
        loss = round(min(max(self.loss, 0.0), 1.0) * 0xFFFF)
        return _SIDE.pack(self.key, medium, self.cost, rtt, loss, min(self.queue_ms, 0xFFFF), min(self.mtu, 0xFFFF))

    @classmethod
    def decode(cls, data: bytes) -> "Side":
        """``data``: 45 bytes. WireError: wire-key, report-medium."""
        key, medium, cost, rtt, loss, queue, mtu = _SIDE.unpack(data)
        id_of(key)
        need(1 <= medium <= len(_MEDIA), "report-medium", f"no link is of medium {medium}")
        seconds = None if rtt == _UNKNOWN_RTT else rtt / 1e6
        return cls(key, _MEDIA[medium - 1], cost, seconds, loss / 0xFFFF, queue, mtu)


@dataclass(frozen=True, slots=True)
class RunnerUp:
    id: bytes
    metric: int
    why: str
    """ASCII, at most 24 characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was decoded encodes to the same bytes (else it is refused), so that what is checked is what is shown."""

    nonce: bytes
    direction: int
    previous: bytes
    key: bytes
    hop_limit: int
    ends: bool
    height: int
    zone: int
    ingress: Side | None
    egress: Side | None
    metric: int
    runner_up: RunnerUp | None
    received: float
    sent: float
    version: str

    @property
    def digest(self) -> bytes:
        """The report's hash, 32 bytes: what the next report chains on and what is signed."""
        return tagged_hash("meshp-report", self.encode())

    def signed_by(self, identity: Identity) -> "SignedReport":
        return SignedReport(self, identity.sign(self.digest))

    @classmethod
    def decode(cls, data: bytes) -> "Report":
        """From the 249 signed bytes. WireError: wire-size, wire-key, report-…"""
        need_size(data, _SIGNED, "what a REPORT signs")
        nonce, direction, previous, key, hops, flags, height, zone = _HEAD.unpack_from(data)
        metric, other, other_metric, why, received, sent, version = _TAIL.unpack_from(data, _SIGNED - _TAIL.size)
        id_of(key)
        need(direction in DIRECTIONS, "report-direction", f"no probe goes in direction {direction}")
        need(max(received, sent) < MOST_TIME, "report-time", "no clock shows so many microseconds")
        report = cls(
            nonce=nonce,
            direction=direction,
            previous=previous,
            key=key,
            hop_limit=hops,
            ends=bool(flags & _ENDS),
            height=height,
            zone=zone,
            ingress=_side(data, _HEAD.size, there=flags & _INGRESS),
            egress=_side(data, _HEAD.size + _SIDE.size, there=flags & _EGRESS),
            metric=metric,
            runner_up=RunnerUp(other, other_metric, _text(why)) if flags & _RUNNER_UP else None,
            received=received / 1e6,
            sent=sent / 1e6,
            version=_text(version),
        )
        need(report.encode() == data, "report-form", "a REPORT has one form: what is absent is zero")
        return report

    def encode(self) -> bytes:
        """The 249 bytes that are signed. ValueError for more than a field holds."""
        other = self.runner_up or RunnerUp(bytes(14), 0, "")
        head = _HEAD.pack(
            self.nonce,
            self.direction,
            self.previous,
            self.key,
            self.hop_limit,
            self._flags(),
            self.height,
            self.zone,
        )
        sides = b"".join(bytes(_SIDE.size) if side is None else side.encode() for side in (self.ingress, self.egress))
        why, version = other.why.encode("ascii", "replace")[:24], self.version.encode("ascii", "replace")[:VERSION_SIZE]
        times = round(self.received * 1e6), round(self.sent * 1e6)
        return head + sides + _TAIL.pack(self.metric, other.id, other.metric, why, *times, version)

    def _flags(self) -> int:
        there = ((self.ends, _ENDS), (self.ingress, _INGRESS), (self.egress, _EGRESS), (self.runner_up, _RUNNER_UP))
        return sum(flag for present, flag in there if present)


@dataclass(frozen=True, slots=True)
class SignedReport:
    """313 bytes after the type."""

    TYPE: ClassVar[int] = 5
    SIZE: ClassVar[int] = _SIGNED + 64

    report: Report
    signature: bytes

    def encode(self) -> bytes:
        return self.report.encode() + self.signature

    @classmethod
    def decode(cls, body: bytes) -> "SignedReport":
        """WireError: wire-size, wire-key, report-…; the signature is not checked."""
        need_size(body, cls.SIZE, "a REPORT")
        return cls(Report.decode(body[:_SIGNED]), body[_SIGNED:])

    def holds(self, verify: Verify) -> bool:
        return verify(self.report.key, self.report.digest, self.signature)


def _side(data: bytes, start: int, *, there: int) -> Side | None:
    return Side.decode(data[start : start + _SIDE.size]) if there else None


def _text(padded: bytes) -> str:
    """WireError (report-text) for what is no printable ASCII."""
    text = padded.rstrip(b"\0")
    need(all(0x20 <= byte < 0x7F for byte in text), "report-text", "texts are printable ASCII")
    return text.decode("ascii")
