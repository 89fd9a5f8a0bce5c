"""``udp:HOST:PORT``: one peer by unicast. It listens there (``udp-listen``); our port is the kernel's choice.

The socket is connected, so that datagrams of others never reach us and ICMP errors do.
"""

import socket
from typing import Final

from meshrouter.counters import Counters
from meshrouter.errors import LocalError
from meshrouter.links.datagrams import MOST_BYTES, Datagrams, UdpLink, udp_socket
from meshrouter.links.ip import SockAddress, is_mesh
from meshrouter.links.link import EVERYBODY, Medium

_IP_MTU: Final = 14
_IPV6_MTU: Final = 24


class UdpPeer(UdpLink):
    """``where``: the peer, numeric. LocalError: link-mesh, link-unreachable."""

    def __init__(self, number: int, name: str, where: SockAddress, counters: Counters) -> None:
        refuse_mesh(name, where[0])
        self._where = where
        self._socket = _connected(name, where)
        super().__init__(
            number=number, name=name, medium=Medium.UDP, mtu=_path_mtu(self._socket), shared=False, trains=True
        )
        self.counters = counters
        self._datagrams = Datagrams(self._socket, counters)

    def sockets(self) -> tuple[socket.socket, ...]:
        return (self._socket,)

    def receive(self, readable: socket.socket) -> list[tuple[bytes, bytes]]:  # noqa: ARG002 - there is but one
        return [(EVERYBODY, frame) for _, frame in self._datagrams.receive()]

    def _put(self, start: int) -> int:
        return self._datagrams.send(self.outbox, start, _connected_peer)

    def underlay(self, address: bytes) -> tuple[str, int] | None:  # noqa: ARG002 - there is but one
        return self._where[0], self._where[1]

    def text_of(self, address: bytes) -> str:  # noqa: ARG002 - there is but one
        host, port = self._where[0], self._where[1]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def refuse_mesh(name: str, host: str) -> None:
    """LocalError (link-mesh) for a peer or an own address inside the mesh."""
    if is_mesh(host):
        raise LocalError(
            "link-mesh", f"{name}: {host} is an address of the mesh itself; a link needs one outside of it"
        )


def _connected_peer(_address: bytes) -> None:
    return None


def _connected(name: str, where: SockAddress) -> socket.socket:
    opened = udp_socket(socket.AF_INET if len(where) == 2 else socket.AF_INET6)
    try:
        opened.connect(where)
    except OSError as error:
        opened.close()
        raise LocalError("link-unreachable", f"{name}: no way to {where[0]} now ({error.strerror})") from None
    return opened


def _path_mtu(connected: socket.socket) -> int:
    """Largest UDP payload that the path takes, as far as the kernel knows."""
    if connected.family == socket.AF_INET:
        return min(connected.getsockopt(socket.IPPROTO_IP, _IP_MTU) - 28, MOST_BYTES)
    return min(connected.getsockopt(socket.IPPROTO_IPV6, _IPV6_MTU) - 48, MOST_BYTES)
