"""``ethernet:IFACE``: frames straight on the wire, no IP below. Linux, CAP_NET_RAW.

EtherType 0x88B5 (IEEE 802, local experimental use); the group is the MAC address 03:4d:45:53:48:01. A link address is
the 6-byte MAC. The socket is raw: whether a frame is for us is seen here (a promiscuous interface shows others' too),
and no address is converted (measured: 3.4 µs to send a frame of 1,400 bytes over veth, 2.8 to receive it). Short frames
arrive padded to 60 bytes; the frame's own length says where it ends. The kernel does not show a host its own frames:
two nodes on one interface of one host do not hear each other.
"""

import errno
import socket
import struct
from typing import Final

from meshrouter.batch import BATCH
from meshrouter.counters import Counters
from meshrouter.errors import LocalError
from meshrouter.links.driven import DrivenLink, enlarge
from meshrouter.links.interfaces import ARPHRD_ETHERNET, Interface
from meshrouter.links.link import EVERYBODY, Medium

ETHERTYPE: Final = 0x88B5
GROUP: Final = bytes.fromhex("034d45534801")
HEADER_SIZE: Final = 14

_SOL_PACKET: Final = 263
_PACKET_ADD_MEMBERSHIP: Final = 1
_PACKET_MR_MULTICAST: Final = 0
_MEMBERSHIP: Final = struct.Struct("=iHH8s")
_TYPE: Final = ETHERTYPE.to_bytes(2, "big")
_MOST_KNOWN: Final = 4096


class Ethernet(DrivenLink):
    """On ``interface`` as it is now; another MAC address needs a new link.

    LocalError: link-permission, link-ethernet.
    """

    def __init__(self, number: int, name: str, interface: Interface, counters: Counters) -> None:
        if interface.arp_type != ARPHRD_ETHERNET:
            raise LocalError("link-ethernet", f"{name}: {interface.name} is no Ethernet; udp:{interface.name} may do")
        self._socket = _opened(name, interface)
        wired = interface.is_wired
        super().__init__(
            number=number,
            name=name,
            medium=Medium.ETHERNET,
            mtu=interface.mtu,
            shared=True,
            trains=wired,
            wired=wired,
        )
        self.counters = counters
        self.address = interface.mac
        self._for_us = (interface.mac, GROUP)
        self._headers = {EVERYBODY: GROUP + interface.mac + _TYPE}
        self._buffer = bytearray(65_536 + HEADER_SIZE)
        self._view = memoryview(self._buffer)

    def sockets(self) -> tuple[socket.socket, ...]:
        return (self._socket,)

    def receive(self, readable: socket.socket) -> list[tuple[bytes, bytes]]:  # noqa: ARG002 - there is but one
        got: list[tuple[bytes, bytes]] = []
        read, buffer, view, for_us = self._socket.recv_into, self._buffer, self._view, self._for_us
        try:
            for _ in range(BATCH):
                size = read(buffer)
                if size > HEADER_SIZE and view[:6] in for_us and not buffer[6] & 1:
                    got.append((bytes(view[6:12]), bytes(view[HEADER_SIZE:size])))
        except BlockingIOError:
            pass
        except OSError as error:  # ENETDOWN, once, when the interface goes down; the socket stays good
            self.counters.drop(f"link-receive-{errno.errorcode.get(error.errno or 0, 'unknown')}")
        return got

    def _put(self, start: int) -> int:
        address, frame = self.outbox[start]
        assert isinstance(frame, bytes)  # send_train is not ours
        self._socket.send((self._headers.get(address) or self._header(address)) + frame)
        return 1

    def resized(self, mtu: int) -> None:
        self.mtu = mtu

    def _header(self, address: bytes) -> bytes:
        if len(address) != 6 or address[0] & 1:
            raise OSError(errno.EINVAL, "no address of this link")
        if len(self._headers) >= _MOST_KNOWN:
            self._headers = {EVERYBODY: self._headers[EVERYBODY]}
        header = self._headers[address] = address + self.address + _TYPE
        return header


def _opened(name: str, interface: Interface) -> socket.socket:
    try:
        # protocol 0 until bound: else the socket hears all interfaces in between
        opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, 0)
    except PermissionError:
        message = f"{name}: raw Ethernet needs root or CAP_NET_RAW; udp:{interface.name} needs neither"
        raise LocalError("link-permission", message) from None
    try:
        enlarge(opened)
        opened.bind((interface.name, ETHERTYPE))
        group = _MEMBERSHIP.pack(interface.index, _PACKET_MR_MULTICAST, len(GROUP), GROUP)
        opened.setsockopt(_SOL_PACKET, _PACKET_ADD_MEMBERSHIP, group)
    except OSError as error:
        opened.close()
        raise LocalError("link-ethernet", f"{name}: cannot use {interface.name}: {error.strerror}") from None
    return opened
