"""``udp:IFACE[:PORT]``: everybody on one interface, by UDP.

Theory of operation
-------------------
Several nodes may run on one host, and all of them want to hear the BEACONs and SOLICITs of their neighbours; but a
datagram to one host's shared port reaches only one of the sockets there. So there are two sockets:

* the *group* socket on port 3003, shared by all processes of the host (SO_REUSEADDR), bound to the group's address, so
  that nothing sent to a host can end there. It only receives, and only BEACON and SOLICIT;
* the *own* socket, on the first free port of 3004 … 3067. All that this node sends comes from it, to the group too; so
  whoever answers, answers here.

Which group depends on the interface: ff02::4d45:5348 where it has a link-local address; 127.255.255.255 on loopback
(where IPv6 has no broadcast and link-local addresses do not exist); else the IPv4 broadcast. Link addresses are 18
bytes over IPv6 and 6 over IPv4. A neighbour is believed to be on the link by its link-local source; over IPv4 any
unicast source that arrives through this interface will do.
"""

import errno
import socket
import struct
from collections.abc import Callable
from typing import Final

from meshrouter.counters import Counters
from meshrouter.errors import LocalError
from meshrouter.links import ip
from meshrouter.links.datagrams import MOST_BYTES, Datagrams, UdpLink, udp_socket
from meshrouter.links.interfaces import Interface
from meshrouter.links.ip import SockAddress
from meshrouter.links.link import EVERYBODY, Medium

GROUP: Final = "ff02::4d45:5348"
PORT: Final = 3003
OWN_PORTS: Final = 64
"""Ports after the group's that a node tries: so many nodes on one host."""

_LOOPBACK_GROUP: Final = "127.255.255.255"
_BROADCAST: Final = "255.255.255.255"
_IN_CLEAR_TO_ALL: Final = (1, 2)
"""BEACON and SOLICIT."""


class UdpBroadcast(UdpLink):
    """On ``interface`` as it is now; a change of its addresses needs a new link.

    LocalError: link-no-address, link-port, link-listen.
    """

    def __init__(self, number: int, name: str, interface: Interface, counters: Counters, port: int = PORT) -> None:
        self._device = interface.name
        self._group, self._own, self._to = _sockets(name, interface, port)
        ipv6 = len(self._to) == 4
        self._overhead = 48 if ipv6 else 28
        mtu, quick = min(interface.mtu - self._overhead, MOST_BYTES), interface.is_wired
        super().__init__(
            number=number, name=name, medium=Medium.UDP, mtu=mtu, shared=True, trains=quick, wired=interface.is_wired
        )
        self.counters = counters
        self._book = ip.Book(_is_link_local if ipv6 else ip.is_unicast, scope=interface.index)
        self._heard = Datagrams(self._group, counters)
        self._datagrams = Datagrams(self._own, counters)
        self.address = ip.packed(self._own.getsockname())
        """What the others see of us."""

    def sockets(self) -> tuple[socket.socket, ...]:
        return self._group, self._own

    def receive(self, readable: socket.socket) -> list[tuple[bytes, bytes]]:
        if readable is self._own:
            return self._known(self._datagrams.receive())
        heard = self._known(self._heard.receive())
        fitting = [(sender, frame) for sender, frame in heard if frame and frame[0] & 31 in _IN_CLEAR_TO_ALL]
        if len(fitting) < len(heard):
            self.counters["link-group-type"] += len(heard) - len(fitting)
        return fitting

    def _known(self, got: list[tuple[SockAddress, bytes]]) -> list[tuple[bytes, bytes]]:
        """Without our own (the kernel loops what goes to a group), and without senders from elsewhere."""
        packed, own, ipv6 = self._book.packed, self.address, len(self.address) == 18
        named: list[tuple[bytes, bytes]] = []
        for sender, frame in got:
            address = packed(sender)
            if address != own and (not ipv6 or address.startswith(b"\xfe\x80")):
                named.append((address, frame))
        return named

    def _put(self, start: int) -> int:
        return self._datagrams.send(self.outbox, start, self._target)

    def _target(self, address: bytes) -> SockAddress:
        return self._to if address == EVERYBODY else self._book.target(address)

    def resized(self, mtu: int) -> None:
        self.mtu = min(mtu - self._overhead, MOST_BYTES)

    def underlay(self, address: bytes) -> tuple[str, int] | None:
        where = ip.unpacked(address)
        if where is None:
            return None
        return where[0] + (f"%{self._device}" if len(where) == 4 else ""), where[1]

    def text_of(self, address: bytes) -> str:
        return ip.text_of(address, self._device)


def _is_link_local(address: bytes) -> bool:
    return len(address) == 18 and address[:2] == b"\xfe\x80" and ip.is_unicast(address)


def _sockets(name: str, interface: Interface, port: int) -> tuple[socket.socket, socket.socket, SockAddress]:
    """(group's socket, own socket, where the group is)."""
    if interface.is_loopback:
        return _over_ipv4(name, interface, "127.0.0.1", (_LOOPBACK_GROUP, port))
    if interface.link_local is not None:
        return _over_ipv6(name, interface, interface.link_local, port)
    if interface.ipv4 is not None:
        return _over_ipv4(name, interface, socket.inet_ntoa(interface.ipv4), (_BROADCAST, port))
    reason = "it has neither an IPv6 link-local address (yet?) nor an IPv4 address; ethernet:IFACE needs none"
    raise LocalError("link-no-address", f"{name}: {reason}")


def _over_ipv6(
    name: str, interface: Interface, own: bytes, port: int
) -> tuple[socket.socket, socket.socket, SockAddress]:
    group = (GROUP, port, 0, interface.index)
    membership = socket.inet_pton(socket.AF_INET6, GROUP) + struct.pack("=I", interface.index)

    def join(opened: socket.socket) -> None:
        opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, membership)

    def speak(opened: socket.socket) -> None:
        opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, interface.index)
        opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 1)

    host = socket.inet_ntop(socket.AF_INET6, own)
    return _pair(name, socket.AF_INET6, (join, speak), group, lambda number: (host, number, 0, interface.index))


def _over_ipv4(
    name: str, interface: Interface, host: str, group: tuple[str, int]
) -> tuple[socket.socket, socket.socket, SockAddress]:
    device = interface.name.encode()

    def bind_to_device(opened: socket.socket) -> None:
        if not interface.is_loopback:  # there the addresses alone keep strangers out
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device)

    def speak(opened: socket.socket) -> None:
        bind_to_device(opened)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)

    return _pair(name, socket.AF_INET, (bind_to_device, speak), group, lambda number: (host, number))


def _pair(
    name: str,
    family: int,
    prepare: tuple[Callable[[socket.socket], None], Callable[[socket.socket], None]],
    group: SockAddress,
    own: Callable[[int], SockAddress],
) -> tuple[socket.socket, socket.socket, SockAddress]:
    listening, speaking = udp_socket(family), udp_socket(family)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        prepare[0](listening)
        listening.bind(group)
        prepare[1](speaking)
        _bind_first_free(name, speaking, own, group[1])
    except OSError as error:
        listening.close()
        speaking.close()
        raise LocalError("link-listen", f"{name}: cannot use UDP there: {error.strerror}") from None
    except LocalError:
        listening.close()
        speaking.close()
        raise
    return listening, speaking, group


def _bind_first_free(name: str, speaking: socket.socket, own: Callable[[int], SockAddress], port: int) -> None:
    for number in range(port + 1, min(port + 1 + OWN_PORTS, 65_536)):
        try:
            speaking.bind(own(number))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
        else:
            return
    raise LocalError("link-port", f"{name}: no UDP port from {port + 1} to {port + OWN_PORTS} is free")
