"""One TCP connection of gossip: a task that reads, a task that writes, and how it ends."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import trio

from meshchain.p2p.actions import Endpoint
from meshchain.p2p.transport import Established, Received, Stream, TransportError

_READ_SIZE = 1 << 16
_PAUSE_READING = 1 << 20
"""Bytes waiting to be sent at which the peer's questions are no longer read: it asks faster than it listens."""
_CHUNK = 1 << 16
_SEND_TIME = 60.0
"""Seconds in which a peer must take one chunk: a kilobyte a second is a slow line, less is none."""
_GOODBYE_TIME = 1.0

Event = Established | Received
R = TypeVar("R")


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
        self,
        sock: trio.SocketStream,
        stream: Stream,
        endpoint: Endpoint,
        *,
        inbound: bool,
        purpose: str,
        most_unsent: int = 1 << 23,
    ) -> None:
        """``most_unsent``: bytes waiting at which the connection ends; the answers to one question must fit."""
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
        self._most_unsent = most_unsent
        self._leaving = memoryview(b"")
        """Taken from the stream, not yet by the socket."""
        self._sending = trio.CancelScope()
        self._until = float("inf")
        """When the goodbye must have been said (trio's time)."""
        self._wake = trio.Event()
        self._drained = trio.Event()
        self._end: ConnectionEnd | None = None

    @property
    def unsent(self) -> int:
        """Bytes that the peer has not taken."""
        return self._stream.unsent + len(self._leaving)

    def send(self, message: bytes) -> None:
        """Queue a message; the connection ends where the peer is too far behind."""
        if self._end is not None:
            return
        self._stream.send(message)
        if self.unsent > self._most_unsent:
            self.close("slow-reader", "the peer does not take what it is sent")
        self._wake.set()

    def close(self, code: str, reason: str) -> None:
        """End once what is queued has been sent, or a second has passed."""
        if self._end is None:
            self._end = ConnectionEnd(code, reason)
            self._until = trio.current_time() + _GOODBYE_TIME
            self._sending.deadline = min(self._sending.deadline, self._until)
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
            for event in self._judged(partial(self._stream.receive, bytes(data), now())):
                take(event)
                while self.unsent > _PAUSE_READING and self._end is None:
                    self._drained = trio.Event()
                    await self._drained.wait()
        if self._end is not None:
            await trio.sleep_forever()  # the writer says goodbye and cancels
        self._judged(self._stream.end)

    def _judged(self, step: Callable[[], R]) -> R:
        """What a step of the stream gives; its faults end the connection."""
        try:
            return step()
        except TransportError as error:
            raise ConnectionEnd(error.code, error.message, blame=error.proven) from None
        finally:
            self._wake.set()  # a handshake answers by itself

    async def _write(self, scope: trio.CancelScope) -> None:
        """Until the end is known and all is sent, or the peer has had its time."""
        while True:
            self._wake = trio.Event()
            ending = self._end is not None
            self._leaving = memoryview(self._stream.take_output())
            while self._leaving and await self._send_chunk():
                self._drained.set()
            if ending or self._leaving:
                scope.cancel()
                return
            if not self._stream.unsent and self._end is None:
                await self._wake.wait()

    async def _send_chunk(self) -> bool:
        """Whether the peer took it in time."""
        chunk = self._leaving[:_CHUNK]
        with trio.CancelScope(deadline=min(trio.current_time() + _SEND_TIME, self._until)) as self._sending:
            await self._sock.send_all(chunk)
        if self._sending.cancelled_caught:
            self.close("slow-reader", f"the peer took nothing for {_SEND_TIME:.0f} s")
            return False
        self.sent += len(chunk)
        self._leaving = self._leaving[_CHUNK:]
        return True


def _first(ends: BaseExceptionGroup[ConnectionEnd]) -> ConnectionEnd:
    found = ends.exceptions[0]
    return found if isinstance(found, ConnectionEnd) else _first(found)
