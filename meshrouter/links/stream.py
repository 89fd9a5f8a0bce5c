"""``tcp:HOST:PORT`` and ``tcp-listen:HOST:PORT``: a link per connection, where nothing else gets through.

On the wire: u16 length ‖ link frame, and again. One peer at the other end, so its link address is EVERYBODY.

What TCP takes late is better dropped early: a packet that waited for a second is worse than none, since its own TCP
inside has sent it again. So the kernel keeps little unsent (TCP_NOTSENT_LOWAT), the outbox is bounded, and only a frame
that has begun to leave is always finished. TCP_USER_TIMEOUT ends a connection whose peer is silently gone.
"""

import errno
import socket
from typing import Final

from meshrouter.counters import Counters
from meshrouter.links.driven import DrivenLink
from meshrouter.links.ip import SockAddress
from meshrouter.links.link import EVERYBODY, Medium

MOST_FRAME: Final = 65_535
UNSENT: Final = 131_072
"""Bytes that the kernel holds beyond what is under way."""
PATIENCE: Final = 15
"""Seconds that sent bytes may stay unacknowledged; a silent connection is probed after as long."""
READ: Final = 262_144
"""Bytes of one ``receive``: about as much work as BATCH datagrams that came as runs."""
_TCP_NOTSENT_LOWAT: Final = 25
_MOST_JOINED: Final = 64


class StreamLink(DrivenLink):
    """An open connection. ``ended`` tells when the peer is gone or has sent what is no frame."""

    def __init__(
        self, number: int, name: str, connected: socket.socket, where: SockAddress, counters: Counters
    ) -> None:
        super().__init__(number=number, name=name, medium=Medium.STREAM, mtu=MOST_FRAME, shared=False, trains=True)
        self.counters = counters
        self.where = where
        self._socket = connected
        self._input = bytearray()
        self._rest = b""
        """Of frames that have begun to leave."""
        prepare(connected)

    def sockets(self) -> tuple[socket.socket, ...]:
        return (self._socket,)

    def receive(self, readable: socket.socket) -> list[tuple[bytes, bytes]]:  # noqa: ARG002 - there is but one
        try:
            data = self._socket.recv(READ)
        except BlockingIOError:
            return []
        except OSError as error:
            self.ended = error.strerror or "connection lost"
            return []
        if not data:
            self.ended = "closed by the peer"
        self._input += data
        return self._split()

    def _split(self) -> list[tuple[bytes, bytes]]:
        """Whole frames out of what has come; less than one frame stays."""
        held, at, got = self._input, 0, []
        while len(held) - at >= 2:
            end = at + 2 + (held[at] << 8 | held[at + 1])
            if end > len(held):
                break
            got.append((EVERYBODY, bytes(held[at + 2 : end])))
            at = end
        del held[:at]
        return got

    def flush(self) -> None:
        """The rest of what has begun to leave first, then the outbox."""
        if self._rest:
            try:
                self._rest = self._rest[self._socket.send(self._rest) :]
            except OSError as error:
                self._failed(error)
            if self._rest:
                self._wait(0)
                return
            self.stuck = False
        super().flush()
        self.stuck = self.stuck or bool(self._rest)

    def _put(self, start: int) -> int:
        if self._rest:
            raise BlockingIOError(errno.EAGAIN, "the last frames are still leaving")
        frames = [frame for _, frame in self.outbox[start : start + _MOST_JOINED] if isinstance(frame, bytes)]
        data = b"".join([part for frame in frames for part in (len(frame).to_bytes(2, "big"), frame)])
        try:
            sent = self._socket.send(data)
        except BlockingIOError:
            raise
        except OSError as error:
            self._failed(error)
            return len(frames)
        self._rest = data[sent:]
        return len(frames)

    def _failed(self, error: OSError) -> None:
        if error.errno not in (errno.EAGAIN, errno.EWOULDBLOCK):
            self.ended = error.strerror or "connection lost"
            self._rest = b""

    def underlay(self, address: bytes) -> tuple[str, int] | None:  # noqa: ARG002 - there is but one
        return self.where[0], self.where[1]

    def text_of(self, address: bytes) -> str:  # noqa: ARG002 - there is but one
        host, port = self.where[0], self.where[1]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def prepare(connected: socket.socket) -> None:
    """Settings of a connection that carries packets. OSError if it is broken already is left to the next read."""
    for level, option, value in (
        (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
        (socket.IPPROTO_TCP, _TCP_NOTSENT_LOWAT, UNSENT),
        (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, PATIENCE * 1000),
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
        (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, PATIENCE),
        (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5),
        (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
    ):
        connected.setsockopt(level, option, value)
