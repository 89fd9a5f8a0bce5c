"""UDP sockets as the links use them: many datagrams a system call where the kernel can.

Sending: a run of frames of one size to one address (the last may be shorter) is one ``sendmsg`` with UDP_SEGMENT
(udp(7), Linux 4.18): at most 64 of them and 65,507 bytes. A device that cannot finish checksums answers EIO; then the
socket sends one by one for good. EINVAL and EMSGSIZE (the path takes less than a segment) send that run one by one,
which the kernel then fragments; three such runs in a row are the last.
Receiving: UDP_GRO (Linux 5.0) gives such runs back in one piece, with the size of the segments beside it; they are cut,
but for trains, whose first header says the same size (``offload.trains``).
Measured on this code over loopback, frames of 1,400 bytes: 0.6 µs each to send in runs of 45 and 1.4 to receive, 4.7
and 4.1 one by one.
"""

import contextlib
import errno
import socket
import struct
from collections.abc import Callable, Sequence
from typing import Any, Final

from meshrouter.batch import BATCH, BATCH_BYTES
from meshrouter.counters import Counters
from meshrouter.links.driven import DrivenLink, enlarge
from meshrouter.links.ip import SockAddress
from meshrouter.links.link import Cars
from meshrouter.wire.frame import FIRST_TRAIN, HEADER_SIZE

UDP_SEGMENT: Final = 103
UDP_GRO: Final = 104
MOST_SEGMENTS: Final = 64
"""UDP_MAX_SEGMENTS of include/linux/udp.h before 6.9."""
MOST_BYTES: Final = 65_507
"""Of UDP payload in one IPv4 packet."""
MOST_REFUSALS: Final = 3
"""Runs refused in a row, for whatever reason, until no more are tried."""

_LARGEST: Final = 65_536
"""Bytes that one system call gives at most."""
_INT: Final = struct.Struct("=i")
_SHORT: Final = struct.Struct("=H")
_ANCILLARY: Final = socket.CMSG_SPACE(_INT.size)
_ALIKE: Final = (0, 4, 5, 6, 7)
"""Type and receiver index in a frame's header."""
_ONE_BY_ONE: Final = frozenset({errno.EIO, errno.EINVAL, errno.EMSGSIZE, errno.ENOPROTOOPT})


def udp_socket(family: int) -> socket.socket:
    """Non-blocking, with large buffers and UDP_GRO where the kernel has it."""
    opened = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    enlarge(opened)
    with contextlib.suppress(OSError):  # Linux < 5.0: datagrams come one by one
        opened.setsockopt(socket.IPPROTO_UDP, UDP_GRO, 1)
    return opened


class UdpLink(DrivenLink):
    """A link whose trains wait in the outbox whole: ``Datagrams`` gives them to the kernel at once."""

    def send_train(self, address: bytes, cars: Cars) -> None:
        self.outbox.append((address, cars))


class Datagrams:
    """One socket's reading and writing."""

    def __init__(self, opened: socket.socket, counters: Counters) -> None:
        self.socket = opened
        self.segments = True
        """Whether UDP_SEGMENT is of use here."""
        self._refusals = 0
        self._counters = counters

    def receive(self) -> list[tuple[Any, bytes]]:
        """(sender as the socket module has it, datagram); reads at most BATCH times, and hardly over BATCH_BYTES."""
        got: list[tuple[Any, bytes]] = []
        receive, room = self.socket.recvmsg, BATCH_BYTES
        try:
            for _ in range(BATCH):
                data, ancillary, _, sender = receive(_LARGEST, _ANCILLARY)
                piece = _INT.unpack(ancillary[0][2])[0] if ancillary else len(data)
                if piece >= len(data) or _is_run(data, piece):
                    got.append((sender, data))
                else:
                    got += [(sender, data[at : at + piece]) for at in range(0, len(data), piece)]
                room -= len(data)
                if room <= 0:
                    break
        except BlockingIOError:
            pass
        except OSError as error:  # an ICMP error about something sent before; the socket is as good as ever
            self._counters.drop(f"link-receive-{errno.errorcode.get(error.errno or 0, 'unknown')}")
        return got

    def send(
        self, outbox: Sequence[tuple[bytes, bytes | Cars]], start: int, where: Callable[[bytes], SockAddress | None]
    ) -> int:
        """Send from ``outbox[start]`` on; how many frames are done with. OSError if none could be sent.

        ``where`` gives the socket address of a link address; None on a connected socket.
        """
        address, frame = outbox[start]
        target = where(address)
        if start + 1 == len(outbox) and not isinstance(frame, Cars):
            self._one(frame, target)
            return 1
        if isinstance(frame, Cars):
            if len(frame) == 1 or not self._fits(frame) or not self._gathered((frame.run,), frame.size, target):
                self._train(frame.frames(), target)
            return 1
        run = self._run(outbox, start, frame) if self.segments else [frame]
        return self._together(run, target)

    def _train(self, cars: list[bytes], target: SockAddress | None) -> None:
        """All of them, or the count of those that are lost: a train that has begun to leave does not wait."""
        most = min(MOST_SEGMENTS, MOST_BYTES // len(cars[0]))
        done = 0
        while done < len(cars):
            try:
                done += self._together(cars[done : done + most], target)
            except OSError:
                if not done:
                    raise
                self._counters["link-train-cut"] += len(cars) - done
                return

    def _together(self, run: list[bytes], target: SockAddress | None) -> int:
        """How many of the frames are done with, from the first on."""
        if len(run) == 1:
            self._one(run[0], target)
            return 1
        return len(run) if self._gathered(run, len(run[0]), target) else self._singly(run, target)

    def _fits(self, cars: Cars) -> bool:
        """Whether one system call takes all of them."""
        return len(cars) <= MOST_SEGMENTS and len(cars.run) <= MOST_BYTES

    def _gathered(self, parts: Sequence[bytes], size: int, target: SockAddress | None) -> bool:
        """Send all parts as one, to be cut every ``size`` bytes; False where that is not to be had. OSError."""
        if not self.segments:
            return False
        try:
            ancillary = [(socket.IPPROTO_UDP, UDP_SEGMENT, _SHORT.pack(size))]
            self.socket.sendmsg(parts, ancillary, 0, *(() if target is None else (target,)))
        except OSError as error:
            if error.errno not in _ONE_BY_ONE:
                raise
            self._refused(error)
            return False
        self._refusals = 0
        return True

    def _run(self, outbox: Sequence[tuple[bytes, bytes | Cars]], start: int, frame: bytes) -> list[bytes]:
        address = outbox[start][0]
        size = total = len(frame)
        run = [frame]
        for other, following in outbox[start + 1 : start + MOST_SEGMENTS]:
            if isinstance(following, Cars):
                break
            total += len(following)
            if other != address or len(following) > size or total > MOST_BYTES:
                break
            run.append(following)
            if len(following) < size:
                break
        return run

    def _refused(self, error: OSError) -> None:
        self._counters.drop("link-no-segments")
        self._refusals += 1
        if error.errno in (errno.EIO, errno.ENOPROTOOPT) or self._refusals >= MOST_REFUSALS:
            self.segments = False

    def _singly(self, run: list[bytes], target: SockAddress | None) -> int:
        self._one(run[0], target)
        for sent, frame in enumerate(run[1:], 1):
            try:
                self._one(frame, target)
            except OSError:  # comes again with the next call, which begins at this frame
                return sent
        return len(run)

    def _one(self, frame: bytes, target: SockAddress | None) -> None:
        if target is None:
            self.socket.send(frame)
        else:
            self.socket.sendto(frame, target)


def _is_run(data: bytes, piece: int) -> bool:
    """Whether segments of so many bytes are frames of trains to one session, and say so themselves. What anybody may
    have sent between them makes them single frames again."""
    if data[0] != FIRST_TRAIN or int.from_bytes(data[2:4], "big") != piece - HEADER_SIZE:
        return False
    count = -(-len(data) // piece)
    return all(data[at::piece] == data[at : at + 1] * count for at in _ALIKE)
