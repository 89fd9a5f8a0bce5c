"""aiohttp's low-level server with limits on what a connection may hold.

A connection is either *in a handler* or *on the clock*: from its opening to the end of the first request's
head, and from the end of a handler to the end of the next head (which covers sending the response). When
the clock runs out it is aborted, so trickled headers and unread responses hold a slot for a bounded time; the
body has a time-out of its own in the handler. Connections beyond the cap are closed at once.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

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
        self._clocks: dict[RequestHandler, asyncio.TimerHandle] = {}

    def connection_made(self, handler: RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        if len(self._clocks) >= self._max_connections:
            transport.abort()
        else:
            self._wind(handler, transport)

    def connection_lost(self, handler: RequestHandler, exc: BaseException | None = None) -> None:
        clock = self._clocks.pop(handler, None)
        if clock is not None:
            clock.cancel()
        super().connection_lost(handler, exc)

    def _wind(self, handler: RequestHandler, transport: asyncio.Transport) -> None:
        self._clocks[handler] = asyncio.get_running_loop().call_later(self._idle_s, transport.abort)

    def _timed(self, inner: BodyHandler) -> BodyHandler:
        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            clock = self._clocks.get(request.protocol)
            if clock is not None:
                clock.cancel()
            try:
                return await inner(request)
            finally:
                if request.transport is not None and request.protocol in self._clocks:
                    self._wind(request.protocol, request.transport)

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
