"""Between sockets' addresses and the 16-byte addresses of gossip."""

import socket
from collections.abc import Sequence
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address

import trio

from meshchain.config.values import Address
from meshchain.mesh.neighbour import MeshNeighbour
from meshchain.p2p.actions import Endpoint

_MAPPED = bytes(10) + b"\xff\xff"


def endpoint(host: str, port: int) -> Endpoint:
    """From numbers as text (``fe80::1%eth0``); IPv4 becomes mapped IPv6. ValueError for a name."""
    number, _, interface = host.partition("%")
    address = ip_address(number)
    if isinstance(address, IPv4Address):
        return Endpoint(_MAPPED + address.packed, port)
    return Endpoint(address.packed, port, _scope_of(interface) if address.is_link_local else 0)


def endpoint_of(sock: trio.SocketStream) -> Endpoint:
    """Where the other side of a connection is."""
    host, port = sock.socket.getpeername()[:2]
    return endpoint(host, port)


def text_of(found: Endpoint) -> str:
    """The address as sockets take it, without the port."""
    address = IPv6Address(found.ip)
    text = str(address.ipv4_mapped or address)
    return f"{text}%{found.scope}" if found.scope else text


def neighbour_endpoints(neighbours: Sequence[MeshNeighbour], *, tun: bool) -> dict[Endpoint, bytes]:
    """Where nodes on our links take gossip, and their keys: at their mesh address where both have a TUN, else at the
    address that the link runs over. None that takes no connections or cannot be reached by TCP."""
    found: dict[Endpoint, bytes] = {}
    for neighbour in neighbours:
        host = str(IPv6Address(neighbour.address)) if tun and neighbour.tun else neighbour.underlay
        if host is not None and neighbour.gossip_port:
            with suppress(ValueError):
                found.setdefault(endpoint(host, neighbour.gossip_port), neighbour.key)
    return found


def _scope_of(interface: str) -> int:
    """0 for an interface that has gone."""
    with suppress(OSError):
        return int(interface) if interface.isdecimal() else socket.if_nametoindex(interface)
    return 0


async def resolve(address: Address) -> list[Endpoint]:
    """All endpoints a configured peer's name stands for now; none while it cannot be looked up."""
    try:
        found = await trio.socket.getaddrinfo(address.host, address.port, type=trio.socket.SOCK_STREAM)
    except OSError:
        return []
    return [endpoint(str(where[0]), address.port) for *_, where in found]
