"""MESHP: what is routed. An IPv6 header whose constant ``eeee`` is replaced by a zone.

::

    0-3    version 6 | traffic class | flow label
    4-5    payload length (0, and more bytes follow: a train's super-packet, whose length the train says)
    6      next header
    7      hop limit
    8-9    source zone        10-23  source id
    24-25  destination zone   26-39  destination id

The id is the low 14 bytes of the mesh address. With ``eeee`` back in the zones' places this is the IPv6 header of the
pair of derived addresses.
"""

from dataclasses import dataclass
from struct import Struct
from typing import Final

from meshrouter.errors import WireError

MESHP: Final = Struct(">IHBBH14sH14s")
"""First word, payload length, next header, hop limit, source zone, source id, destination zone, destination id."""
PACKET_SIZE: Final = 40
MAX_PAYLOAD: Final = 0xFFFF

SOURCE: Final = slice(10, 24)
DESTINATION: Final = slice(26, 40)
NEXT_HEADER_AT: Final = 6
HOP_LIMIT_AT: Final = 7
FIRST_WORD: Final = 6 << 28

MESHSEC: Final = 224
MESHHS: Final = 225
MESHCTL: Final = 226
MC_DATA: Final = 227
OWN_HOP_LIMIT: Final = 64
"""Of packets that routers make themselves, and of groups."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """A whole MESHP packet. ``source`` and ``destination`` are ids, 14 bytes."""

    next_header: int
    source: bytes
    destination: bytes
    payload: bytes
    source_zone: int = 0
    destination_zone: int = 0
    hop_limit: int = OWN_HOP_LIMIT
    traffic_class: int = 0
    flow_label: int = 0

    def encode(self) -> bytes:
        """ValueError for a payload of 65,536 bytes and more: none travels as one packet."""
        if len(self.payload) > MAX_PAYLOAD:
            raise ValueError(f"a packet carries at most {MAX_PAYLOAD} bytes, not {len(self.payload)}")
        word = FIRST_WORD | self.traffic_class << 20 | self.flow_label
        length = len(self.payload)
        ends = self.source_zone, self.source, self.destination_zone, self.destination
        return MESHP.pack(word, length, self.next_header, self.hop_limit, *ends) + self.payload

    @classmethod
    def decode(cls, data: bytes) -> "Packet":
        """WireError: packet-size (no header; not as long as it says), packet-version.

        A payload length of 0 stands for all that follows.
        """
        if len(data) < PACKET_SIZE:
            raise WireError("packet-size", f"a packet has at least {PACKET_SIZE} bytes, this one has {len(data)}")
        word, length, next_header, hops, source_zone, source, zone, destination = MESHP.unpack_from(data)
        if word >> 28 != 6:
            raise WireError("packet-version", f"packets of version {word >> 28} are not spoken here")
        if length not in (len(data) - PACKET_SIZE, 0):
            raise WireError("packet-size", f"{length} bytes are announced and {len(data) - PACKET_SIZE} there")
        return cls(
            next_header=next_header,
            source=source,
            destination=destination,
            payload=data[PACKET_SIZE:],
            source_zone=source_zone,
            destination_zone=zone,
            hop_limit=hops,
            traffic_class=word >> 20 & 0xFF,
            flow_label=word & 0xFFFFF,
        )
