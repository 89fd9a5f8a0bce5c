"""aiohttp's low-level server with limits on what a connection may hold.

A connection is either *in a handler* or *on the clock*: from its opening to the end of the first request's
head, and from the end of a handler to the end of the next head (which covers sending the response). When
the clock runs out it is aborted, so trickled headers and unread responses hold a slot for a bounded time; the
body has a time-out of its own in the handler. Connections beyond the cap are closed at once.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from aiohttp import StreamReader, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_parser import RawRequestMessage
from aiohttp.web_protocol import RequestHandler

BodyHandler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

_LINGER_S: Final = 0.5
"""How long the rest of a refused body is read, so that its sender gets to see the refusal."""


class LimitedServer(web.Server):
    """``handler`` answers requests; ``idle_s`` is the clock described above."""

    def __init__(self, handler: BodyHandler, *, max_body: int, max_connections: int, idle_s: float) -> None:
        super().__init__(
            self._timed(handler),
            request_factory=self._request,
            access_log=None,
            auto_decompress=False,
            keepalive_timeout=idle_s,
            lingering_time=min(_LINGER_S, idle_s),
        )
        self._max_body = max_body
        self._max_connections = max_connections
        self._idle_s = idle_s
        self._clocks: dict[RequestHandler, IdleClock] = {}

    def connection_made(self, handler: RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        if len(self._clocks) >= self._max_connections:
            transport.abort()
        else:
            self._clocks[handler] = clock = IdleClock(self._idle_s, transport.abort, asyncio.get_running_loop())
            clock.wind()

    def connection_lost(self, handler: RequestHandler, exc: BaseException | None = None) -> None:
        clock = self._clocks.pop(handler, None)
        if clock is not None:
            clock.end()
        super().connection_lost(handler, exc)

    def _timed(self, inner: BodyHandler) -> BodyHandler:
        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            clock = self._clocks.get(request.protocol)
            if clock is None:
                return await inner(request)
            clock.halt()
            try:
                return await inner(request)
            finally:
                clock.wind()

        return handle

    def _request(
        self,
        message: RawRequestMessage,
        payload: StreamReader,
        protocol: RequestHandler,
        writer: AbstractStreamWriter,
        task: "asyncio.Task[None]",
    ) -> web.BaseRequest:
        loop = asyncio.get_running_loop()
        return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=self._max_body)


class Timers(Protocol):
    """What the clock needs of an asyncio loop."""

    def time(self) -> float: ...

    def call_at(self, when: float, callback: Callable[[], object], /) -> asyncio.TimerHandle: ...


class IdleClock:
    """Calls ``expire`` ``idle_s`` after ``wind``, unless it was halted, wound again or ended meanwhile.

    One timer at most, which is looked at only when it fires: a request takes a thousandth of its time, and a timer for
    each would cost more than reading the request.
    """

    __slots__ = ("_deadline", "_ended", "_expire", "_idle_s", "_loop", "_timer")

    def __init__(self, idle_s: float, expire: Callable[[], object], loop: Timers) -> None:
        self._idle_s = idle_s
        self._expire = expire
        self._loop = loop
        self._deadline: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._ended = False

    def wind(self) -> None:
        self._deadline = self._loop.time() + self._idle_s
        if self._timer is None and not self._ended:
            self._timer = self._loop.call_at(self._deadline, self._fire)

    def halt(self) -> None:
        self._deadline = None

    def end(self) -> None:
        """The connection is no more."""
        self._ended = True
        if self._timer is not None:
            self._timer.cancel()

    def _fire(self) -> None:
        self._timer = None
        if self._deadline is None:
            return
        if self._loop.time() < self._deadline:
            self._timer = self._loop.call_at(self._deadline, self._fire)
        else:
            self._expire()
