"""MC_DATA: a packet for a group, signed by its origin.

The MESHP header's source is the origin's id, its destination the low 14 bytes of the group's address; the payload::

    0    seq u64            greater than in every packet before, restarts included
    8    claim 6            low bytes of the claimed source address (eeee::/80); zeros: the derived one
    14   next header u8     of the IPv6 packet
    15   signature 64       over H("meshp-group", genesis ‖ zone u16 ‖ group 14 ‖ origin's key 32 ‖ the 15 bytes ‖ rest)
    79   what followed the IPv6 header

The key is not in it: a packet is taken only from the next hop towards its origin, so whoever takes it has the origin's
announcement, and in it the key. 119 bytes around a payload, so that IPv6 packets of 1,280 bytes pass on every link.
"""

from dataclasses import dataclass
from struct import Struct
from typing import ClassVar, Final

from meshchain.crypto.address import CLAIM_PREFIX, PREFIX
from meshchain.crypto.hashing import tagged_hash
from meshrouter.env import Verify
from meshrouter.identity import Identity
from meshrouter.wire.check import need

HEAD: Final = Struct(">Q6sB")
_ZONE: Final = Struct(">H")
_SIGNATURE_END: Final = HEAD.size + 64

GROUP_PREFIX: Final = b"\xff\x18\xee\xee"
"""ff18:eeee::/32, the groups of a zone: transient (1), organisation-local scope (8), RFC 4291 §2.7."""
BROADCAST: Final = GROUP_PREFIX + bytes(11) + b"\1"
"""ff18:eeee::1, every host of the zone."""
NO_CLAIM: Final = bytes(6)
MOST_PACKET: Final = 1280
"""Bytes of the largest IPv6 packet to a group (RFC 8200 §5: what every link carries)."""


def group_id(group: bytes) -> bytes:
    """What stands in the destination, 14 bytes, for a group's address."""
    return group[2:]


def group_address(destination: bytes) -> bytes:
    return GROUP_PREFIX[:2] + destination


@dataclass(frozen=True, slots=True)
class GroupData:
    HEADER: ClassVar[int] = _SIGNATURE_END
    """Bytes before the content."""

    seq: int
    claim: bytes
    next_header: int
    signature: bytes
    content: bytes

    @classmethod
    def make(cls, identity: Identity, genesis: bytes, zone: int, group: bytes, head: "Head") -> "GroupData":
        """``group``: 14 bytes."""
        signature = identity.sign(_digest(genesis, zone, group, identity.key, head))
        return cls(head.seq, head.claim, head.next_header, signature, head.content)

    def encode(self) -> bytes:
        return HEAD.pack(self.seq, self.claim, self.next_header) + self.signature + self.content

    @classmethod
    def decode(cls, payload: bytes) -> "GroupData":
        """WireError: group-size."""
        size = len(payload) - _SIGNATURE_END
        need(0 <= size <= MOST_PACKET - 40, "group-size", f"{size} bytes for a group")
        seq, claim, next_header = HEAD.unpack_from(payload)
        return cls(seq, claim, next_header, payload[HEAD.size : _SIGNATURE_END], payload[_SIGNATURE_END:])

    def holds(self, key: bytes, genesis: bytes, zone: int, group: bytes, verify: Verify) -> bool:
        """Whether the origin, whose key this is, signed it."""
        head = Head(self.seq, self.claim, self.next_header, self.content)
        return verify(key, _digest(genesis, zone, group, key, head), self.signature)

    def source(self, origin: bytes) -> bytes:
        """The IPv6 source address, 16 bytes; what it claims is to be checked."""
        return PREFIX + origin if self.claim == NO_CLAIM else CLAIM_PREFIX + self.claim


@dataclass(frozen=True, slots=True)
class Head:
    """What is signed of a message."""

    seq: int
    claim: bytes
    next_header: int
    content: bytes


def _digest(genesis: bytes, zone: int, group: bytes, key: bytes, head: Head) -> bytes:
    fields = HEAD.pack(head.seq, head.claim, head.next_header)
    return tagged_hash("meshp-group", genesis, _ZONE.pack(zone), group, key, fields, head.content)
