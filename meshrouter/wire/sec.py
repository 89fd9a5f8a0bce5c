"""MESHSEC: what one end has sealed for the other.

    payload = index u32 ‖ counter u32 (low half) ‖ ciphertext of (inner next header u8 ‖ inner payload) ‖ tag 16

Associated data: source id ‖ destination id ‖ index ‖ counter. Zones, hop limit and traffic class change on the way and
are not in it.
"""

from dataclasses import dataclass
from struct import Struct
from typing import Final

from meshrouter.errors import WireError
from meshrouter.wire.packet import DESTINATION, PACKET_SIZE, SOURCE

SEC: Final = Struct(">II")
"""Index, low counter."""
SEC_SIZE: Final = SEC.size
SEC_OVERHEAD: Final = SEC_SIZE + 1 + 16
"""25 bytes that MESHSEC takes beside the inner payload."""
CIPHERTEXT_AT: Final = PACKET_SIZE + SEC_SIZE

PARTIAL_TCP: Final = 254
PARTIAL_UDP: Final = 253
"""Inner next headers: TCP or UDP whose checksum field holds the sum of the pseudo-header for this length alone."""
SUPER: Final = 252
"""Inner next header: a super-packet. ``SUPER_HEADER``, then transport header and payload."""
SUPER_HEADER: Final = Struct(">BH")
"""Protocol (6 or 17), segment size."""
TCP: Final = 6
UDP: Final = 17


@dataclass(frozen=True, slots=True)
class Sealed:
    """The payload of a MESHSEC packet, cut into its fields."""

    index: int
    counter: int
    """The low 32 bits."""
    ciphertext: bytes
    """With the tag."""

    def encode(self) -> bytes:
        return SEC.pack(self.index, self.counter) + self.ciphertext

    @classmethod
    def decode(cls, payload: bytes) -> "Sealed":
        """WireError (sec-size): less than an inner next header was sealed."""
        if len(payload) < SEC_OVERHEAD:
            raise WireError("sec-size", f"MESHSEC has at least {SEC_OVERHEAD} bytes, this one has {len(payload)}")
        index, counter = SEC.unpack_from(payload)
        return cls(index, counter, payload[SEC_SIZE:])


@dataclass(frozen=True, slots=True)
class SuperPacket:
    """What follows the inner next header SUPER: many segments of one flow, to be cut every ``gso_size`` bytes."""

    protocol: int
    """TCP or UDP."""
    gso_size: int
    """Bytes of a segment's payload, ≥ 1."""
    content: bytes
    """Transport header and all payload, checksum partial."""

    def encode(self) -> bytes:
        return SUPER_HEADER.pack(self.protocol, self.gso_size) + self.content

    @classmethod
    def decode(cls, inner: bytes) -> "SuperPacket":
        """WireError: super-size, super-protocol."""
        if len(inner) < SUPER_HEADER.size:
            raise WireError("super-size", f"a super-packet of {len(inner)} bytes")
        protocol, gso_size = SUPER_HEADER.unpack_from(inner)
        if protocol not in (TCP, UDP):
            raise WireError("super-protocol", f"protocol {protocol} is not cut into segments")
        if gso_size == 0:
            raise WireError("super-size", "segments of no bytes")
        return cls(protocol, gso_size, inner[SUPER_HEADER.size :])


def associated(packet: bytes) -> bytes:
    """36 bytes of associated data, of a whole MESHP packet that carries MESHSEC."""
    return packet[SOURCE] + packet[DESTINATION] + packet[PACKET_SIZE:CIPHERTEXT_AT]
