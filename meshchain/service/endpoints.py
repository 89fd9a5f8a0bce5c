"""Between sockets' addresses and the 16-byte addresses of gossip."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import trio

from meshchain.config.values import Address
from meshchain.p2p.actions import Endpoint

_MAPPED = bytes(10) + b"\xff\xff"


def endpoint(host: str, port: int) -> Endpoint:
    """From numbers as text; IPv4 becomes mapped IPv6. ValueError for a name."""
    address = ip_address(host.partition("%")[0])
    return Endpoint(_MAPPED + address.packed if isinstance(address, IPv4Address) else address.packed, port)


def endpoint_of(sock: trio.SocketStream) -> Endpoint:
    """Where the other side of a connection is."""
    host, port = sock.socket.getpeername()[:2]
    return endpoint(host, port)


def text_of(found: Endpoint) -> str:
    """The address as sockets take it, without the port."""
    address = IPv6Address(found.ip)
    return str(address.ipv4_mapped or address)


async def resolve(address: Address) -> list[Endpoint]:
    """All endpoints a configured peer's name stands for now; none while it cannot be looked up."""
    try:
        found = await trio.socket.getaddrinfo(address.host, address.port, type=trio.socket.SOCK_STREAM)
    except OSError:
        return []
    return [endpoint(str(where[0]), address.port) for *_, where in found]
