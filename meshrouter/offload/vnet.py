"""struct virtio_net_hdr (Linux, include/uapi/linux/virtio_net.h): what a TUN with IFF_VNET_HDR puts before a packet.

    flags u8 · gso type u8 · header length u16 · gso size u16 · checksum start u16 · checksum offset u16

10 bytes, little-endian (TUNSETVNETLE, and the order of the machines that matter). With NEEDS_CSUM the 16 bits at
``start + offset`` hold the sum of the pseudo-header only, and the checksum over everything from ``start`` on is to be
made by whoever needs it, which on a mesh is nobody: the packet is authenticated as a whole.
"""

from struct import Struct
from typing import Final, NamedTuple

from meshrouter.errors import WireError

VNET: Final = Struct("<BBHHHH")
VNET_SIZE: Final = VNET.size

NEEDS_CSUM: Final = 1
DATA_VALID: Final = 2

GSO_NONE: Final = 0
GSO_TCPV6: Final = 4
GSO_UDP_L4: Final = 5
"""Kernels from 6.2 on give and take it."""
GSO_ECN: Final = 0x80
"""Beside GSO_TCPV6: the first segment has CWR."""

IPV6_SIZE: Final = 40
TCP: Final = 6
UDP: Final = 17
CHECKSUM_OFFSETS: Final = {TCP: 16, UDP: 6}
"""Where in the transport header the checksum is."""


class VnetHeader(NamedTuple):
    """Sizes in bytes; all zero for a packet that is complete."""

    flags: int = 0
    gso_type: int = GSO_NONE
    header_length: int = 0
    """IPv6 and transport header; a hint."""
    gso_size: int = 0
    """Payload bytes of every segment but the last."""
    checksum_start: int = 0
    checksum_offset: int = 0

    def encode(self) -> bytes:
        """10 bytes."""
        return VNET.pack(*self)

    @classmethod
    def decode(cls, data: bytes) -> "VnetHeader":
        """Of the first 10 bytes. WireError (vnet-size): there are fewer."""
        if len(data) < VNET_SIZE:
            raise WireError("vnet-size", f"struct virtio_net_hdr has {VNET_SIZE} bytes, there are {len(data)}")
        return cls._make(VNET.unpack_from(data))

    @property
    def is_partial(self) -> bool:
        """Whether a checksum is to be completed."""
        return bool(self.flags & NEEDS_CSUM)

    @property
    def is_super(self) -> bool:
        """Whether there may be more than one segment in it."""
        return self.gso_type != GSO_NONE


class TunPacket(NamedTuple):
    """A whole IPv6 packet on its way to the TUN, and what the kernel has to do with it."""

    vnet: VnetHeader
    packet: bytes


COMPLETE: Final = VnetHeader()
TCP_PARTIAL: Final = VnetHeader(NEEDS_CSUM, checksum_start=IPV6_SIZE, checksum_offset=CHECKSUM_OFFSETS[TCP])
UDP_PARTIAL: Final = VnetHeader(NEEDS_CSUM, checksum_start=IPV6_SIZE, checksum_offset=CHECKSUM_OFFSETS[UDP])
