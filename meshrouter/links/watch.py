"""Netlink: told of every interface and address that comes, goes or changes, without asking twice."""

import socket
import struct
from typing import Final

from meshrouter.errors import LocalError
from meshrouter.links.interfaces import HEADER, InterfaceTable, messages

RECEIVE_BUFFER: Final = 1 << 20
"""Bytes: a thousand interfaces that come at once still fit."""

_RTMGRP_LINK, _RTMGRP_IPV4_IFADDR, _RTMGRP_IPV6_IFADDR = 0x1, 0x10, 0x100
_GETLINK, _GETADDR = 18, 22
_REQUEST_DUMP: Final = 0x301
_ERROR, _DONE = 2, 3
_MOST_READS: Final = 64


class Watch:
    """Keeps ``table`` in step with the kernel. LocalError (netlink) where the kernel has no rtnetlink to offer."""

    def __init__(self) -> None:
        self.table = InterfaceTable()
        try:
            self._socket = _opened()
            self._dump()
        except OSError as error:
            raise LocalError("netlink", f"cannot watch the network interfaces: {error.strerror}") from None

    def fileno(self) -> int:
        return self._socket.fileno()

    def receive(self) -> bool:
        """Read what the kernel told; whether anything changed. Messages that were lost are made good by a new dump."""
        changed = False
        try:
            for _ in range(_MOST_READS):
                changed |= self.table.take(self._socket.recv(65_536))
        except BlockingIOError:
            pass
        except OSError:  # ENOBUFS: more than the buffer held
            before = dict(self.table.by_index)
            self._dump()
            changed |= before != self.table.by_index
        return changed

    def close(self) -> None:
        self._socket.close()

    def _dump(self) -> None:
        """Ask for everything and wait for it: the kernel answers from memory, at once."""
        self.table.by_index.clear()
        asked = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
        with asked:
            asked.settimeout(5)
            for kind in (_GETLINK, _GETADDR):
                asked.send(HEADER.pack(HEADER.size + 4, kind, _REQUEST_DUMP, kind, 0) + struct.pack("=Bxxx", 0))
                self._read_dump(asked)

    def _read_dump(self, asked: socket.socket) -> None:
        while True:
            batch = asked.recv(65_536)
            self.table.take(batch)
            if any(kind in (_ERROR, _DONE) for kind, _ in messages(batch)):
                return


def _opened() -> socket.socket:
    kind = socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
    opened = socket.socket(socket.AF_NETLINK, kind, socket.NETLINK_ROUTE)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    opened.bind((0, _RTMGRP_LINK | _RTMGRP_IPV4_IFADDR | _RTMGRP_IPV6_IFADDR))
    return opened
