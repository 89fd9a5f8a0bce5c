"""Positions: which addresses are likely under one hand.

Someone who wants to surround a node needs addresses in many positions. In the underlay that is an IPv4 /16 or an IPv6
/32, what a provider or a large site has. In the mesh, where an address is a hash and costs nothing, it is the
neighbour through which a packet leaves: what its owner cannot choose is where they sit.
"""

from ipaddress import IPv6Address
from typing import Final

from meshchain.crypto.address import PREFIX

_MAPPED: Final = bytes(10) + b"\xff\xff"
_LOCAL: Final = b"local"


def group_of(ip: bytes, first_hop: bytes = b"") -> bytes:
    """The position of a 16-byte address; ``first_hop`` is the neighbour's id, for mesh addresses."""
    if ip.startswith(PREFIX):
        return b"mesh" + first_hop
    address = IPv6Address(ip)
    if address.is_loopback or (address.ipv4_mapped is not None and address.ipv4_mapped.is_loopback):
        return _LOCAL
    return b"4" + ip[12:14] if ip.startswith(_MAPPED) else b"6" + ip[:4]


def is_usable(ip: bytes, port: int) -> bool:
    """Whether an address heard from others can be a node's: unicast, and not this very machine."""
    address = IPv6Address(ip)
    inner = address.ipv4_mapped or address
    bad = inner.is_unspecified or inner.is_multicast or inner.is_loopback or inner.is_link_local
    reserved = inner.is_reserved and not ip.startswith(PREFIX)
    return port > 0 and not bad and not reserved
