"""``udp-listen:HOST:PORT``: peers that know where we are (``udp:HOST:PORT``) come to us.

Many peers and no group: what goes to EVERYBODY goes to those who sent a SOLICIT since the last time, once. So a
stranger who forges a source gets at most one BEACON (56 bytes) for each SOLICIT (56 bytes) sent to that victim.
On a wildcard address the kernel chooses the source of an answer by its routes: a host with several addresses in one
network should listen on the one that its peers use.
"""

import socket
from typing import Final

from meshrouter.counters import Counters
from meshrouter.errors import LocalError
from meshrouter.links import ip
from meshrouter.links.datagrams import Datagrams, UdpLink, udp_socket
from meshrouter.links.ip import SockAddress
from meshrouter.links.link import EVERYBODY, Medium
from meshrouter.links.udp_peer import refuse_mesh

SOLICIT: Final = 2
"""Type of the frame that asks for a BEACON, in the low 5 bits of its first byte."""
MOST_ASKING: Final = 256
"""Addresses to be answered at one time; others ask again."""


class UdpListen(UdpLink):
    """``where``: the own address, numeric. LocalError: link-mesh, link-listen."""

    def __init__(self, number: int, name: str, where: SockAddress, counters: Counters) -> None:
        refuse_mesh(name, where[0])
        self._socket = _bound(name, where)
        mtu = 1472 if len(where) == 2 else 1452
        super().__init__(number=number, name=name, medium=Medium.UDP, mtu=mtu, shared=True, invited=True, trains=True)
        self.counters = counters
        self.port: int = self._socket.getsockname()[1]
        self._datagrams = Datagrams(self._socket, counters)
        self._book = ip.Book(ip.is_unicast)
        self._asking: dict[bytes, None] = {}

    def sockets(self) -> tuple[socket.socket, ...]:
        return (self._socket,)

    def receive(self, readable: socket.socket) -> list[tuple[bytes, bytes]]:  # noqa: ARG002 - there is but one
        got = [(self._book.packed(sender), frame) for sender, frame in self._datagrams.receive()]
        for address, frame in got:
            if frame and frame[0] & 31 == SOLICIT and len(self._asking) < MOST_ASKING:
                self._asking[address] = None
        return got

    def flush(self) -> None:
        if any(address == EVERYBODY for address, _ in self.outbox):
            self._spread()
        super().flush()

    def _spread(self) -> None:
        asking, self._asking = list(self._asking), {}
        outbox = list(self.outbox)
        self.outbox.clear()
        for address, frame in outbox:
            self.outbox += [(each, frame) for each in (asking if address == EVERYBODY else [address])]

    def _put(self, start: int) -> int:
        return self._datagrams.send(self.outbox, start, self._book.target)

    def underlay(self, address: bytes) -> tuple[str, int] | None:
        where = ip.unpacked(address)
        return None if where is None else (where[0].removeprefix("::ffff:"), where[1])

    def text_of(self, address: bytes) -> str:
        return ip.text_of(address)


def _bound(name: str, where: SockAddress) -> socket.socket:
    opened = udp_socket(socket.AF_INET if len(where) == 2 else socket.AF_INET6)
    try:
        if len(where) == 4 and where[0] == "::":
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        opened.bind(where)
    except OSError as error:
        opened.close()
        raise LocalError("link-listen", f"{name}: cannot listen there: {error.strerror}") from None
    return opened
