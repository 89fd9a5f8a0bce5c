"""IPv6 packets that a simulated host gives to its TUN: TCP segments (RFC 9293 §3.1) and UDP datagrams (RFC 768).

Sizes are those of the real ones, so that bytes on links are, too. Checksums are left zero: nothing damages a packet in
memory, and on the mesh the seal stands for them.
"""

from dataclasses import dataclass
from struct import Struct
from typing import Final

TCP: Final = 6
UDP: Final = 17
ICMPV6: Final = 58
FIN: Final = 1
SYN: Final = 2
RST: Final = 4
PSH: Final = 8
ACK: Final = 16
TUN_MTU: Final = 1392
IPV6_SIZE: Final = 40
MSS: Final = TUN_MTU - 60
"""Bytes in a segment."""
HOP_LIMIT: Final = 64
_IPV6: Final = Struct(">IHBB")
_TCP: Final = Struct(">HHIIBBHHH")
_UDP: Final = Struct(">HHHH")
_VERSION: Final = 6 << 28
_SEQUENCES: Final = 1 << 32
_HEADER_WORDS: Final = (_TCP.size // 4) << 4


@dataclass(frozen=True, slots=True)
class Segment:
    """``sequence`` and ``acknowledged`` in bytes since the stream began; ``window``: bytes that are welcome."""

    source: int
    destination: int
    sequence: int
    acknowledged: int
    flags: int
    window: int
    payload: bytes = b""

    @property
    def length(self) -> int:
        """In sequence numbers: SYN and FIN take one each."""
        return len(self.payload) + bool(self.flags & SYN) + bool(self.flags & FIN)

    @property
    def end(self) -> int:
        return self.sequence + self.length


def ipv6(source: bytes, destination: bytes, next_header: int, payload: bytes, hop_limit: int = HOP_LIMIT) -> bytes:
    """A whole packet; addresses have 16 bytes."""
    return _IPV6.pack(_VERSION, len(payload), next_header, hop_limit) + source + destination + payload


def tcp(segment: Segment) -> bytes:
    """The packet's payload."""
    return (
        _TCP.pack(
            segment.source,
            segment.destination,
            segment.sequence % _SEQUENCES,
            segment.acknowledged % _SEQUENCES,
            _HEADER_WORDS,
            segment.flags,
            segment.window,
            0,
            0,
        )
        + segment.payload
    )


def read_tcp(packet: bytes) -> Segment | None:
    """Of a whole packet, which may be a quote that was cut; None if its header is not whole."""
    if len(packet) < IPV6_SIZE + _TCP.size:
        return None
    source, destination, sequence, acknowledged, words, flags, window, _, _ = _TCP.unpack_from(packet, IPV6_SIZE)
    payload = packet[IPV6_SIZE + (words >> 4) * 4 :]
    return Segment(source, destination, sequence, acknowledged, flags, window, payload)


def udp(source: int, destination: int, payload: bytes) -> bytes:
    """The packet's payload."""
    return _UDP.pack(source, destination, _UDP.size + len(payload), 0) + payload


def read_udp(packet: bytes) -> tuple[int, int, bytes] | None:
    """Source port, destination port, payload of a whole packet."""
    if len(packet) < IPV6_SIZE + _UDP.size:
        return None
    source, destination, _, _ = _UDP.unpack_from(packet, IPV6_SIZE)
    return source, destination, packet[IPV6_SIZE + _UDP.size :]
