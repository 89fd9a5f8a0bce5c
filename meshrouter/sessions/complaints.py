"""ICMPv6 errors (RFC 4443) that we write to the TUN: to whoever on this machine has sent what cannot go."""

from collections.abc import Callable
from struct import Struct
from typing import Final

from meshrouter.counters import Counters
from meshrouter.offload.checksum import with_checksum
from meshrouter.offload.vnet import COMPLETE, IPV6_SIZE, TunPacket
from meshrouter.tokens import Bucket

ICMPV6: Final = 58
UNREACHABLE: Final = 1
TOO_BIG: Final = 2
TIME_EXCEEDED: Final = 3

NO_ROUTE: Final = (UNREACHABLE, 0)
PROHIBITED: Final = (UNREACHABLE, 1)
ADDRESS: Final = (UNREACHABLE, 3)
HOPS: Final = (TIME_EXCEEDED, 0)
"""Type, code."""

RATE: Final = 200.0
"""A second. RFC 4443 §2.4(f) demands a bound; traceroute and a busy server's unreachable clients need some."""
MOST_QUOTED: Final = 1280 - IPV6_SIZE - 8
_HEAD: Final = Struct(">IHBB")
_ICMP: Final = Struct(">BBHI")
_CHECKSUM_AT: Final = 2
_FIRST_INFORMATIONAL: Final = 128
_REDIRECT: Final = 137


def icmp_error(kind: tuple[int, int], value: int, source: bytes, packet: bytes) -> bytes:
    """A whole IPv6 packet to the source of ``packet``, which it quotes. ``value``: the MTU, or 0."""
    body = _ICMP.pack(*kind, 0, value) + packet[:MOST_QUOTED]
    head = _HEAD.pack(6 << 28, len(body), ICMPV6, 64) + source + packet[8:24]
    return with_checksum(head + body, ICMPV6, _CHECKSUM_AT)


def may_complain(packet: bytes) -> bool:
    """Not of what is an error itself or a redirect, nor of what names nobody as its source (RFC 4443 §2.4(e))."""
    if len(packet) < IPV6_SIZE or packet[8] == 0xFF or not any(packet[8:24]):
        return False
    if packet[6] != ICMPV6:
        return True
    kind = packet[IPV6_SIZE] if len(packet) > IPV6_SIZE else 0
    return kind >= _FIRST_INFORMATIONAL and kind != _REDIRECT


class Complaints:
    """Writes them, at a bounded rate."""

    def __init__(self, deliver: Callable[[TunPacket], None], counters: Counters) -> None:
        self._deliver = deliver
        self._counters = counters
        self._bucket = Bucket(RATE, RATE)

    def unreachable(self, kind: tuple[int, int], packet: bytes, now: float, source: bytes | None = None) -> None:
        """``source``: the router that says so; without one, this node itself."""
        self._write(kind, 0, packet, now, source)

    def too_big(self, mtu: int, packet: bytes, now: float) -> None:
        """``mtu``: of the largest IPv6 packet that can go."""
        self._write((TOO_BIG, 0), mtu, packet, now, None)

    def _write(self, kind: tuple[int, int], value: int, packet: bytes, now: float, source: bytes | None) -> None:
        if not may_complain(packet):
            return
        if not self._bucket.spend(1, now):
            self._counters.drop("end-icmp-rate")
            return
        self._deliver(TunPacket(COMPLETE, icmp_error(kind, value, source or packet[8:24], packet)))
