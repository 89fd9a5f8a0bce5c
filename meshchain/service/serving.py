"""What the servers for this machine's programs share (SOCKS5, the HTTPS proxy): who is let in, the way
into the mesh, and bytes passed on.

256 clients at once, and further ones are closed at once: each may hold two buffers of 64 KB and two sockets. While this
process has no file descriptor left, clients wait in the kernel's queue. A connection that moves nothing for 15 minutes
ends, be it idle or its reader slow.
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from ipaddress import IPv6Address
from typing import Final, TypeVar

import structlog
import trio

from meshchain.config.values import Address
from meshchain.ledger.errors import LocalError

MOST: Final = 256
IDLE_TIME: Final = 900.0
CHUNK: Final = 1 << 16
_ENDS: Final = (trio.BrokenResourceError, trio.ClosedResourceError, trio.TooSlowError, OSError)
S = TypeVar("S", bound=trio.abc.Stream)
Connect = Callable[[bytes, int], Awaitable[trio.SocketStream]]
"""(mesh address 16, port) → a connection; OSError."""


class LocalServer(ABC):
    """``option``: of meshd, like ``socks``; errors and the log call it so."""

    def __init__(self, option: str, listen: Address) -> None:
        self._option = option
        self._listen = listen
        self._count = 0
        self._log = structlog.get_logger(option)
        self.listeners: list[trio.SocketListener] = []

    @property
    def address(self) -> Address:
        """Where it listens, once it is open."""
        return Address(self._listen.host, self.listeners[0].socket.getsockname()[1])

    async def open(self) -> None:
        """Bind; LocalError "socks-address" or "proxy-address" if that cannot be."""
        try:
            self.listeners = await trio.open_tcp_listeners(self._listen.port, host=self._listen.host)
        except OSError as error:
            message = f"--{self._option} cannot listen at {self._listen}: {error}"
            raise LocalError(f"{self._option}-address", message) from None

    async def run(self) -> None:
        """Serve until cancelled."""
        await trio.serve_listeners(self._serve, self.listeners)

    async def _serve(self, client: trio.SocketStream) -> None:
        """One client, from its first byte to the end. Its faults are its own affair."""
        if self._count >= MOST:
            await trio.aclose_forcefully(client)
            return
        self._count += 1
        try:
            async with client:
                await self._converse(client)
        except* _ENDS as errors:
            self._log.debug("connection ends", reason=repr(errors.exceptions[0]))
        finally:
            self._count -= 1

    @abstractmethod
    async def _converse(self, client: trio.SocketStream) -> None:
        """All that is said to it. What ends with the connection may be raised."""


async def connect_by_tun(address: bytes, port: int) -> trio.SocketStream:
    """The kernel's route for eeee::/16 leads into the TUN."""
    sock = trio.socket.socket(trio.socket.AF_INET6, trio.socket.SOCK_STREAM)
    try:
        await sock.connect((str(IPv6Address(address)), port))
    except BaseException:
        sock.close()
        raise
    return trio.SocketStream(sock)


async def relay(one: S, other: S, end: Callable[[S], Awaitable[None]] | None = None) -> None:
    """Both ways, until nothing has moved for IDLE_TIME, or both have ended: ``end`` tells a stream that the other one
    says no more. Without it, the end of one way is the end of all; the caller closes both."""
    with trio.CancelScope(deadline=trio.current_time() + IDLE_TIME) as idle:

        async def pour(source: S, sink: S) -> None:
            while data := await source.receive_some(CHUNK):
                await sink.send_all(data)
                idle.deadline = trio.current_time() + IDLE_TIME
            if end is None:
                idle.cancel()
            else:
                await end(sink)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(pour, one, other)
            nursery.start_soon(pour, other, one)
