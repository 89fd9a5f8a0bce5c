"""Positions and hosts: which addresses are likely under one hand.

Someone who wants to surround a node needs addresses in many positions. In the underlay that is an IPv4 /16 or an IPv6
/32, what a provider or a large site has. In the mesh, where an address is a hash and costs nothing, it is the
neighbour through which a packet leaves: what its owner cannot choose is where they sit.

A *host* is what one machine has for itself: an IPv4 address, an IPv6 /64 (RFC 6177 gives a site no less, and each
machine may take any address in it), a mesh address.
"""

from ipaddress import IPv4Address, IPv6Address
from typing import Final

from meshchain.crypto.address import PREFIX

_MAPPED: Final = bytes(10) + b"\xff\xff"
_LOCAL: Final = b"local"


def group_of(ip: bytes, first_hop: bytes = b"") -> bytes:
    """The position of a 16-byte address; ``first_hop`` is the neighbour's id, for mesh addresses."""
    if ip.startswith(PREFIX):
        return b"mesh" + first_hop
    if _unmapped(ip).is_loopback:
        return _LOCAL
    return b"4" + ip[12:14] if ip.startswith(_MAPPED) else b"6" + ip[:4]


def host_of(ip: bytes) -> bytes:
    """The host of a 16-byte address, as 16 bytes: the address itself, or its /64."""
    return ip if ip.startswith((PREFIX, _MAPPED)) else ip[:8] + bytes(8)


def is_usable(ip: bytes, port: int, source: bytes | None = None) -> bool:
    """Whether an address heard from others can be a node's: unicast, and not this very machine.

    ``source``: address of whoever told. A private address (RFC 1918, RFC 4193) means something only among neighbours;
    from anybody else it would make this node knock at doors inside its own network.
    """
    address = _unmapped(ip)
    bad = address.is_unspecified or address.is_multicast or address.is_loopback or address.is_link_local
    reserved = address.is_reserved and not ip.startswith(PREFIX)
    nowhere = isinstance(address, IPv4Address) and address.packed[0] == 0
    far = source is not None and _is_private(ip) and not _is_private(source)
    return port > 0 and not bad and not reserved and not nowhere and not far


def _is_private(ip: bytes) -> bool:
    return not ip.startswith(PREFIX) and _unmapped(ip).is_private


def _unmapped(ip: bytes) -> IPv4Address | IPv6Address:
    address = IPv6Address(ip)
    return address.ipv4_mapped or address
