"""Mesh addresses: eeee::/16 and a 112-bit id that is the hash of a node key.

The block eeee::/80 is kept for claimed addresses (``eeee::1``), which the ledger grants to one name each;
a node key whose id falls into it is no valid key.
"""

import struct
from ipaddress import IPv6Address
from typing import Final

from meshchain.crypto.hashing import short_hash

ADDRESS_SIZE: Final = 16
ID_SIZE: Final = 14
PREFIX: Final = b"\xee\xee"
CLAIM_PREFIX: Final = PREFIX + bytes(8)
"""eeee::/80: the first 10 bytes of every claimed address."""


def node_id(node_key: bytes) -> bytes | None:
    """The first 14 bytes of BLAKE2s-256(node key, person "meshaddr"); None if 64 zero bits begin them."""
    derived = short_hash("meshaddr", node_key)[:ID_SIZE]
    return None if derived.startswith(CLAIM_PREFIX[2:]) else derived


def node_address(node_key: bytes) -> bytes | None:
    """The 16-byte IPv6 address derived from a 32-byte node key; None if the key is invalid (see node_id)."""
    derived = node_id(node_key)
    return None if derived is None else PREFIX + derived


def text_of(address: bytes) -> str:
    """16 bytes as text (RFC 5952). Derived addresses hardly ever have zeros to leave out, and are quickly written."""
    if b"\0\0" in address:
        return str(IPv6Address(address))
    return "{:x}:{:x}:{:x}:{:x}:{:x}:{:x}:{:x}:{:x}".format(*struct.unpack(">8H", address))


def is_claimable(address: bytes) -> bool:
    """True for the 16-byte addresses of eeee::/80 except eeee:: itself."""
    return len(address) == ADDRESS_SIZE and address.startswith(CLAIM_PREFIX) and address != CLAIM_PREFIX + bytes(6)
