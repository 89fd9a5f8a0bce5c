"""How packets travel inside a session: an inner next header, and what follows the IPv6 header.

The IPv6 header itself does not travel; the pair of addresses is the session's, the rest is in MESHP. Checksums that the
kernel has left partial stay so (PARTIAL_TCP, PARTIAL_UDP): the seal says more than they could. Segments of one flow may
travel as one (SUPER). What the kernel leaves partial behind extension headers, or of other protocols, is rare and is
completed here.
"""

from typing import Final

from meshrouter.errors import WireError
from meshrouter.offload.checksum import completed
from meshrouter.offload.split import Shape, cut, segment_size, shape_of, split, transport_header_size
from meshrouter.offload.vnet import (
    CHECKSUM_OFFSETS,
    COMPLETE,
    GSO_ECN,
    GSO_TCPV6,
    GSO_UDP_L4,
    IPV6_SIZE,
    NEEDS_CSUM,
    TCP_PARTIAL,
    UDP_PARTIAL,
    VnetHeader,
)
from meshrouter.wire.sec import PARTIAL_TCP, PARTIAL_UDP, SUPER, SUPER_HEADER, TCP, UDP

RESERVED: Final = frozenset({PARTIAL_TCP, PARTIAL_UDP, SUPER})
"""Experimental numbers (RFC 3692): IPv6 packets that really have them cannot travel."""
MOST_SEGMENTS: Final = {TCP: 1024, UDP: 64}
"""Of a super-packet. Of TCP 64 bytes each, less than any real flow has: more would be work for the receiver's kernel;
of UDP what kernels make (UDP_MAX_SEGMENTS)."""
_TCP_LEAD: Final = bytes((PARTIAL_TCP,))
_UDP_LEAD: Final = bytes((PARTIAL_UDP,))
_TCP_LEAST: Final = 1 + 20
_UDP_LEAST: Final = 1 + 8


def single_text(packet: bytes, vnet: VnetHeader | None) -> bytes:
    """Plaintext of a packet that is no super-packet. WireError: inner-reserved, gso-partial."""
    protocol = packet[6]
    if protocol in RESERVED:
        raise WireError("inner-reserved", f"next header {protocol} means something else inside a session")
    if vnet is None or not vnet.flags & NEEDS_CSUM:
        return packet[6:7] + packet[IPV6_SIZE:]
    if vnet.checksum_start == IPV6_SIZE and vnet.checksum_offset == CHECKSUM_OFFSETS.get(protocol):
        return (_TCP_LEAD if protocol == TCP else _UDP_LEAD) + packet[IPV6_SIZE:]
    start, offset = vnet.checksum_start, vnet.checksum_offset
    if start < IPV6_SIZE or start + offset + 2 > len(packet):
        raise WireError("gso-partial", f"a checksum at {start} + {offset} in a packet of {len(packet)} bytes")
    return packet[6:7] + completed(packet, start, offset)[IPV6_SIZE:]


def split_texts(packet: bytes, vnet: VnetHeader, limit: int) -> list[bytes]:
    """Plaintexts of a super-packet's segments. ``limit``: bytes of an IPv6 packet that has one of them.

    WireError: as ``split``.
    """
    shape = shape_of(packet, vnet)
    if shape.start == IPV6_SIZE and packet[6] == shape.protocol:
        lead = _TCP_LEAD if shape.protocol == TCP else _UDP_LEAD
        return cut(packet, shape, segment_size(shape, vnet.gso_size, limit), lead)
    single = VnetHeader(NEEDS_CSUM, checksum_start=shape.start, checksum_offset=vnet.checksum_offset)
    return [single_text(part, single) for part in split(packet, vnet, limit)]


def super_texts(packet: bytes, vnet: VnetHeader, limit: int) -> list[bytes] | None:
    """Plaintexts of as few super-packets as have ≤ ``limit`` bytes each (of plaintext). None: better split it.

    WireError: as ``shape_of``.
    """
    shape = shape_of(packet, vnet)
    at_once = (limit - 1 - SUPER_HEADER.size - shape.header) // vnet.gso_size
    most = min(at_once, MOST_SEGMENTS[shape.protocol])
    if shape.start != IPV6_SIZE or packet[6] != shape.protocol or most < 2:
        return None
    lead = _super_lead(shape, vnet.gso_size)
    if len(packet) - shape.payload <= most * vnet.gso_size:  # the usual one: it travels as the kernel made it
        return [b"".join((lead, memoryview(packet)[IPV6_SIZE:]))]
    return cut(packet, shape, most * vnet.gso_size, lead)


def _super_lead(shape: Shape, gso_size: int) -> bytes:
    return bytes((SUPER,)) + SUPER_HEADER.pack(shape.protocol, gso_size)


def opened(text: bytes) -> tuple[int, VnetHeader, int]:
    """Of a plaintext: the IPv6 next header, what the kernel is told, and where the payload begins in it.

    WireError: inner-size (less than its transport header), super-size (segments that no sender makes), super-protocol,
    gso-header.
    """
    if not text:
        raise WireError("inner-size", "nothing was sealed, not even a next header")
    kind = text[0]
    if kind == PARTIAL_TCP:
        return TCP, _at_least(text, _TCP_LEAST, TCP_PARTIAL), 1
    if kind == PARTIAL_UDP:
        return UDP, _at_least(text, _UDP_LEAST, UDP_PARTIAL), 1
    if kind == SUPER:
        return _opened_super(text)
    return kind, COMPLETE, 1


def _at_least(text: bytes, least: int, vnet: VnetHeader) -> VnetHeader:
    if len(text) < least:
        raise WireError("inner-size", f"{len(text)} bytes are no transport header")
    return vnet


def _opened_super(text: bytes) -> tuple[int, VnetHeader, int]:
    start = 1 + SUPER_HEADER.size
    if len(text) < start:
        raise WireError("super-size", "the plaintext ends within a super-packet's header")
    protocol, gso_size = SUPER_HEADER.unpack_from(text, 1)
    if protocol not in CHECKSUM_OFFSETS:
        raise WireError("super-protocol", f"protocol {protocol} is not cut into segments")
    header = transport_header_size(protocol, text, start)
    payload = len(text) - start - header
    if payload > MOST_SEGMENTS[protocol] * gso_size or not gso_size:
        raise WireError("super-size", f"{payload} bytes in segments of {gso_size}")
    return protocol, super_vnet(protocol, header, payload, gso_size, text[start + 13] if protocol == TCP else 0), start


def super_vnet(protocol: int, header: int, payload: int, gso_size: int, tcp_flags: int) -> VnetHeader:
    """For an IPv6 packet without extension headers whose transport header has ``header`` bytes."""
    if payload <= gso_size:
        return TCP_PARTIAL if protocol == TCP else UDP_PARTIAL
    kind = GSO_UDP_L4 if protocol == UDP else GSO_TCPV6 | (GSO_ECN if tcp_flags & 0x80 else 0)
    return VnetHeader(NEEDS_CSUM, kind, IPV6_SIZE + header, gso_size, IPV6_SIZE, CHECKSUM_OFFSETS[protocol])
