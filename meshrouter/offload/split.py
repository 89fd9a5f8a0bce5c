"""Cutting a super-packet into segments, without a look at its payload.

The kernel hands over up to 64 KB of one flow under one header, to be cut every ``gso_size`` bytes (Linux,
Documentation/networking/segmentation-offloads.rst; the rules are those of tcp_gso_segment and __udp_gso_segment):

* TCP: the sequence number advances by what went before. FIN and PSH stand on the last segment only, CWR (RFC 3168
  §6.1.2: answer to a mark, once) on the first only; everything else is the same on all.
* UDP: every segment is a datagram, its length field says so.
* The checksum field of each holds the pseudo-header's sum for the length of this segment, so that whoever completes it
  (a network card, or nobody) has what it needs.

A cut may also fall on every n-th segment only; then the parts are super-packets themselves. TCP may be cut smaller than
``gso_size``, datagrams may not.
"""

from struct import Struct
from typing import Final, NamedTuple

from meshrouter.errors import WireError
from meshrouter.offload.checksum import completed, pseudo_sum
from meshrouter.offload.vnet import CHECKSUM_OFFSETS, GSO_ECN, GSO_TCPV6, GSO_UDP_L4, IPV6_SIZE, TCP, UDP, VnetHeader

FIN: Final = 0x01
PSH: Final = 0x08
CWR: Final = 0x80
TCP_HEADER: Final = 20
UDP_HEADER: Final = 8
_SEQUENCE: Final = Struct(">I")
_U16: Final = Struct(">H")
_PROTOCOLS: Final = {GSO_TCPV6: TCP, GSO_TCPV6 | GSO_ECN: TCP, GSO_UDP_L4: UDP}


class Shape(NamedTuple):
    """Where the parts of a super-packet are, in bytes from its beginning."""

    protocol: int
    """TCP or UDP."""
    start: int
    """Of the transport header; more than 40 after extension headers."""
    payload: int
    """Of what is cut."""

    @property
    def header(self) -> int:
        """Bytes of the transport header."""
        return self.payload - self.start


def transport_header_size(protocol: int, packet: bytes, start: int) -> int:
    """Bytes. WireError (gso-header): it is not all there, or says that it is shorter than any."""
    if protocol == UDP:
        size = UDP_HEADER
    else:
        size = (packet[start + 12] >> 4) * 4 if len(packet) >= start + TCP_HEADER else TCP_HEADER
        if size < TCP_HEADER:
            raise WireError("gso-header", f"a TCP header of {size} bytes")
    if len(packet) < start + size:
        raise WireError("gso-header", "the packet ends within its transport header")
    return size


def shape_of(packet: bytes, vnet: VnetHeader) -> Shape:
    """Of a super-packet. WireError: gso-type (not cut here), gso-size (zero), gso-partial, gso-header."""
    protocol = _PROTOCOLS.get(vnet.gso_type)
    start = vnet.checksum_start
    if protocol is None:
        raise WireError("gso-type", f"packets of gso type {vnet.gso_type:#x} are not cut here")
    if not vnet.gso_size:
        raise WireError("gso-size", "segments of no bytes")
    if not vnet.is_partial or start < IPV6_SIZE or vnet.checksum_offset != CHECKSUM_OFFSETS[protocol]:
        raise WireError("gso-partial", "a super-packet's checksum is partial, and in its place")
    return Shape(protocol, start, start + transport_header_size(protocol, packet, start))


def cut(packet: bytes, shape: Shape, size: int, lead: bytes = b"") -> list[bytes]:
    """``lead`` and transport header and up to ``size`` bytes of payload, in order. Checksums are partial."""
    ports = lead + packet[shape.start : shape.start + 4]
    body = memoryview(packet)[shape.payload :]
    chunks = [body[at : at + size] for at in range(0, len(body) or 1, size)]
    addresses = packet[8:40]
    sums = [
        _U16.pack(pseudo_sum(addresses, shape.header + len(chunk), shape.protocol)) for chunk in (chunks[0], chunks[-1])
    ]
    if shape.protocol == UDP:
        return [ports + _udp(chunk, sums[chunk is chunks[-1]]) for chunk in chunks]
    return _tcp(packet[shape.start : shape.payload], ports, chunks, sums)


def _udp(chunk: memoryview, checksum: bytes) -> bytes:
    return b"".join((_U16.pack(UDP_HEADER + len(chunk)), checksum, chunk))


def _tcp(header: bytes, ports: bytes, chunks: list[memoryview], sums: list[bytes]) -> list[bytes]:
    (sequence,) = _SEQUENCE.unpack_from(header, 4)
    size, last = len(chunks[0]), len(chunks) - 1
    numbers = [_SEQUENCE.pack((sequence + at * size) & 0xFFFFFFFF) for at in range(last + 1)]
    middle = _rest(header, ~(FIN | PSH | CWR), sums[0])
    rests = [middle] * (last + 1)
    rests[0] = _rest(header, ~(FIN | PSH), sums[0])
    rests[last] = _rest(header, ~CWR if last else ~0, sums[1])
    return [b"".join((ports, *parts)) for parts in zip(numbers, rests, chunks, strict=True)]


def _rest(header: bytes, keep: int, checksum: bytes) -> bytes:
    """Of the TCP header, all behind the sequence number."""
    flags = bytes((header[13] & keep,))
    return b"".join((header[8:13], flags, header[14:16], checksum, header[18:]))


def split(packet: bytes, vnet: VnetHeader, limit: int = 0xFFFF) -> list[bytes]:
    """Whole IPv6 packets of at most ``limit`` bytes, in order, their checksums partial.

    WireError: as ``shape_of``, and gso-limit: it cannot be cut so small.
    """
    shape = shape_of(packet, vnet)
    size = segment_size(shape, vnet.gso_size, limit)
    between = packet[IPV6_SIZE : shape.start]
    return [_whole(packet, part) for part in cut(packet, shape, size, between)]


def segment_size(shape: Shape, gso_size: int, limit: int) -> int:
    """Payload bytes a segment where packets have at most ``limit``. WireError (gso-limit)."""
    room = limit - shape.payload
    if room < (gso_size if shape.protocol == UDP else 1):
        raise WireError("gso-limit", f"segments of {gso_size} bytes in packets of {limit}")
    return min(gso_size, room)


def _whole(packet: bytes, payload: bytes) -> bytes:
    return b"".join((packet[:4], _U16.pack(len(payload)), packet[6:8], packet[8:40], payload))


def finished(packet: bytes, vnet: VnetHeader) -> list[bytes]:
    """The same as packets that need nothing more: cut, and with whole checksums, as groups carry them.

    WireError: as ``split``, and gso-partial: the checksum is outside of the packet.
    """
    if not vnet.is_partial and not vnet.is_super:
        return [packet]
    start, offset = vnet.checksum_start, vnet.checksum_offset
    if start < IPV6_SIZE or start + offset + 2 > len(packet):
        raise WireError("gso-partial", f"a checksum at {start} + {offset} in a packet of {len(packet)} bytes")
    parts = split(packet, vnet) if vnet.is_super else [packet]
    return [completed(part, start, offset) for part in parts]
