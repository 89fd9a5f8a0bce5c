"""What all links on sockets share: an outbox that outlives a full socket, bounded and counted.

Theory of operation
-------------------
Machines append to ``outbox``; whoever drives the link calls ``flush`` after each batch of work and ``receive`` when a
socket is readable. Nothing blocks. A kernel that takes no more (EAGAIN: the socket's buffer is full; ENOBUFS: the
device's queue is) keeps the rest of the outbox waiting and sets ``stuck``: the driver calls ``flush`` again when the
socket is writable, or a little later. What waits is bounded (``MOST_WAITING``): the newest goes, because the frames
before it are older, and a sealed stream of packets suffers less from a gap at its end than from one in its middle.
A frame that the kernel refuses for its own sake (too long, no way to that address) is dropped, and the next one tried.
Every such thing is a counter; none of them is an exception.
"""

import errno
import socket
from abc import ABC, abstractmethod
from typing import Final

from meshrouter.counters import Counters
from meshrouter.links.link import Cars, Link

MOST_WAITING: Final = 1024
"""Frames kept while a socket is full: 1.5 MB of full-sized ones, 12 ms of a Gbit/s, on top of the socket's buffer."""
SOCKET_BUFFER: Final = 4 << 20
"""Bytes. A train of a flow on a fast link comes faster than Python wakes up."""

_FULL: Final = frozenset({errno.EAGAIN, errno.EWOULDBLOCK, errno.ENOBUFS, errno.ENOMEM})
_SO_RCVBUFFORCE: Final = 33
_SO_SNDBUFFORCE: Final = 32


class DrivenLink(Link, ABC):
    """Subclasses give the sockets, ``receive`` and ``_put``."""

    counters: Counters
    stuck: bool = False
    """The kernel took no more; ``flush`` is to be called again: when the socket is writable, or soon if …"""
    device_full: bool = False
    """… it was the device's queue that was full, which no socket becomes writable for."""
    ended: str = ""
    """Why the link is of no use any more; empty while it is. Whoever drives it closes it."""

    @abstractmethod
    def sockets(self) -> tuple[socket.socket, ...]:
        """What is to be watched for reading; the last one also for writing while ``stuck``."""

    @abstractmethod
    def receive(self, readable: socket.socket) -> list[tuple[bytes, bytes]]:
        """(link address of the sender, frame), oldest first; about BATCH of them, without blocking."""

    @abstractmethod
    def _put(self, start: int) -> int:
        """Hand the kernel a run of frames from ``outbox[start]`` on; how many it took. OSError as it comes."""

    def flush(self) -> None:
        """Hand the outbox to the kernel, as far as it goes."""
        outbox = self.outbox
        if not outbox:
            return
        done, self.stuck, self.device_full = 0, False, False
        while done < len(outbox):
            try:
                done += self._put(done)
            except OSError as error:
                if error.errno in _FULL:
                    self._wait(done)
                    self.device_full = error.errno == errno.ENOBUFS
                    return
                self.counters.drop(f"link-send-{errno.errorcode.get(error.errno or 0, 'unknown')}")
                done += 1
        outbox.clear()

    def _wait(self, done: int) -> None:
        self.stuck = True
        self.counters.drop("link-socket-full")  # once an attempt; nothing is lost yet
        del self.outbox[:done]
        waiting = 0
        for place, (_, frame) in enumerate(self.outbox):
            waiting += len(frame) if isinstance(frame, Cars) else 1
            if waiting > MOST_WAITING:
                self.counters["link-queue"] += len(self.outbox) - place
                del self.outbox[place:]
                return

    def resized(self, mtu: int) -> None:
        """The interface below has another MTU now."""

    def close(self) -> None:
        """Close the sockets; what waits is lost."""
        self.up = False
        self.outbox.clear()
        for each in self.sockets():
            each.close()


def enlarge(opened: socket.socket) -> None:
    """Socket buffers of SOCKET_BUFFER: beyond the system's limit where CAP_NET_ADMIN allows it, else up to it."""
    for force, polite in ((_SO_RCVBUFFORCE, socket.SO_RCVBUF), (_SO_SNDBUFFORCE, socket.SO_SNDBUF)):
        try:
            opened.setsockopt(socket.SOL_SOCKET, force, SOCKET_BUFFER)
        except PermissionError:
            opened.setsockopt(socket.SOL_SOCKET, polite, SOCKET_BUFFER)
