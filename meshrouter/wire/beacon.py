"""What is said to everybody on a link, unasked and unsigned: who is here.

A beacon proves nothing; its key is worth what the handshake shows.
"""

from dataclasses import dataclass
from struct import Struct
from typing import ClassVar, Final

from meshrouter.wire.check import id_of, need, need_size

BEACON_BODY: Final = Struct(">4sHH32sI")
"""Network (the genesis id's first 4 bytes), caps, gossip port, key, height."""
BEACON_SIZE: Final = 44

FORWARDS: Final = 1
"""A cap: its owner carries packets of others."""
HAS_TUN: Final = 2
TAKES_TRAINS: Final = 4


@dataclass(frozen=True, slots=True)
class Beacon:
    """44 bytes. ``caps``: FORWARDS | HAS_TUN | TAKES_TRAINS, other bits are ignored; ``gossip_port``: 0 for none."""

    SIZE: ClassVar[int] = BEACON_SIZE

    network: bytes
    caps: int
    gossip_port: int
    key: bytes
    height: int
    """Of its owner's chain: a claim."""

    def encode(self) -> bytes:
        return BEACON_BODY.pack(self.network, self.caps, self.gossip_port, self.key, self.height)

    @classmethod
    def decode(cls, body: bytes) -> "Beacon":
        """WireError: wire-size, wire-key (the key's id falls into eeee::/80)."""
        need_size(body, BEACON_SIZE, "a BEACON")
        network, caps, port, key, height = BEACON_BODY.unpack(body)
        id_of(key)
        return cls(network, caps, port, key, height)


@dataclass(frozen=True, slots=True)
class Solicit:
    """Asks for BEACONs. As long as one, so that nobody is sent more than was sent in their name."""

    SIZE: ClassVar[int] = BEACON_SIZE

    network: bytes

    def encode(self) -> bytes:
        return self.network.ljust(BEACON_SIZE, b"\0")

    @classmethod
    def decode(cls, body: bytes) -> "Solicit":
        """WireError: wire-size, solicit-padding (a byte after the network is not zero)."""
        need_size(body, BEACON_SIZE, "a SOLICIT")
        need(not any(body[4:]), "solicit-padding", "a SOLICIT ends in 40 zero bytes")
        return cls(body[:4])
