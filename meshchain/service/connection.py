"""One TCP connection of gossip: a task that reads, a task that writes, and how it ends."""

from collections.abc import Callable

import trio

from meshchain.p2p.actions import Endpoint
from meshchain.p2p.transport import Established, Received, Stream, TransportError

_READ_SIZE = 1 << 16
_PAUSE_READING = 1 << 20
"""Bytes waiting to be sent at which the peer's questions are no longer read: it asks faster than it listens."""
_MOST_UNSENT = 1 << 23
"""Bytes waiting at which the connection ends: two of the greatest messages, with what else was on its way."""
_SEND_TIME = 60.0
"""Seconds in which a peer must take one chunk."""
_GOODBYE_TIME = 1.0

Event = Established | Received


class ConnectionEnd(Exception):  # noqa: N818 - an end need not be an error
    """Why a connection ends; ``blame`` tells whether the peer, whose key was proven, broke the protocol."""

    def __init__(self, code: str, reason: str, *, blame: bool = False) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason
        self.blame = blame


class Connection:
    """A socket with a transport stream on top. ``run`` it; ``send`` and ``close`` from the same loop."""

    def __init__(
        self, sock: trio.SocketStream, stream: Stream, endpoint: Endpoint, *, inbound: bool, purpose: str
    ) -> None:
        self.endpoint = endpoint
        self.inbound = inbound
        self.purpose = purpose
        self.sent = 0
        self.received = 0
        """Bytes on the wire."""
        self.proven = False
        """Whether the handshake is over."""
        self._sock = sock
        self._stream = stream
        self._wake = trio.Event()
        self._drained = trio.Event()
        self._end: ConnectionEnd | None = None

    def send(self, message: bytes) -> None:
        """Queue a message; the connection ends where the peer is too far behind."""
        if self._end is not None:
            return
        self._stream.send(message)
        if self._stream.unsent > _MOST_UNSENT:
            self.close("slow-reader", "the peer does not take what it is sent")
        self._wake.set()

    def close(self, code: str, reason: str) -> None:
        """End once what is queued has been sent, or a second has passed."""
        self._end = self._end or ConnectionEnd(code, reason)
        self._wake.set()

    async def run(self, take: Callable[[Event], None], now: Callable[[], float]) -> ConnectionEnd:
        """Serve until the end and return it. ``take`` gets every event, in order."""
        try:
            async with self._sock, trio.open_nursery() as nursery:
                nursery.start_soon(self._greet, now, nursery.cancel_scope)
                nursery.start_soon(self._write, nursery.cancel_scope)
                await self._read(take, now)
                nursery.cancel_scope.cancel()
        except* ConnectionEnd as ends:
            self._end = self._end or _first(ends)
        except* (OSError, trio.BrokenResourceError, trio.ClosedResourceError) as errors:
            self._end = self._end or ConnectionEnd("lost", f"the connection broke: {errors.exceptions[0]}")
        return self._end or ConnectionEnd("closed", "the peer closed the connection")

    async def _greet(self, now: Callable[[], float], scope: trio.CancelScope) -> None:
        """End a handshake that takes too long."""
        while (deadline := self._stream.deadline()) is not None:
            if now() > deadline:
                self._end = self._end or ConnectionEnd("handshake-timeout", "the handshake took too long")
                scope.cancel()
                return
            await trio.sleep(max(0.05, deadline - now()))

    async def _read(self, take: Callable[[Event], None], now: Callable[[], float]) -> None:
        while self._end is None and (data := await self._sock.receive_some(_READ_SIZE)):
            self.received += len(data)
            try:
                events = self._stream.receive(bytes(data), now())
            except TransportError as error:
                raise ConnectionEnd(error.code, error.message, blame=error.proven) from None
            self._wake.set()  # a handshake answers by itself
            for event in events:
                take(event)
            while self._stream.unsent > _PAUSE_READING and self._end is None:
                self._drained = trio.Event()
                await self._drained.wait()
        if self._end is not None:
            await trio.sleep_forever()  # the writer says goodbye and cancels

    async def _write(self, scope: trio.CancelScope) -> None:
        while True:
            self._wake = trio.Event()
            ending = self._end is not None
            output = self._stream.take_output()
            if output:
                with trio.move_on_after(_GOODBYE_TIME if ending else _SEND_TIME) as limit:
                    await self._sock.send_all(output)
                if limit.cancelled_caught and not ending:
                    raise ConnectionEnd("slow-reader", f"the peer took nothing for {_SEND_TIME:.0f} s")
                self.sent += len(output)
                self._drained.set()
            if ending:
                scope.cancel()
                return
            if not self._stream.unsent:
                await self._wake.wait()


def _first(ends: BaseExceptionGroup[ConnectionEnd]) -> ConnectionEnd:
    found = ends.exceptions[0]
    return found if isinstance(found, ConnectionEnd) else _first(found)
