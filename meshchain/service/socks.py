"""SOCKS5 for programs that cannot use the TUN or do not resolve .mesh: names are resolved by the ledger.

Only the mesh is reached from here, never another network: names end in .mesh, addresses begin with eeee:. A client has
10 s to say what it wants; a connection that moves nothing for 15 minutes ends, be it idle or its reader slow. 256 at
once, and further ones are closed at once: each may hold two buffers of 64 KB and two sockets.
"""

import errno
from collections.abc import Awaitable, Callable
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final

import structlog
import trio

from meshchain.config.values import Address
from meshchain.ledger.chain.view import ChainView
from meshchain.ledger.errors import LedgerError, LocalError
from meshchain.mesh.targets import SUFFIX, NoTarget, Target, find, is_address
from meshchain.socks.server import Code, Conversation, Request, State, reply

MOST: Final = 256
HANDSHAKE_TIME: Final = 10.0
CONNECT_TIME: Final = 30.0
IDLE_TIME: Final = 900.0
_CHUNK: Final = 1 << 16
_FULL: Final = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_FULL_WAIT: Final = 0.1
"""Seconds before the next accept while this process has no file descriptor left."""

_CODES: Final = {
    errno.ECONNREFUSED: Code.REFUSED,
    errno.ENETUNREACH: Code.NETWORK_UNREACHABLE,
    errno.EADDRNOTAVAIL: Code.NETWORK_UNREACHABLE,
    errno.EHOSTUNREACH: Code.HOST_UNREACHABLE,
    errno.ETIMEDOUT: Code.HOST_UNREACHABLE,
    errno.EACCES: Code.NOT_ALLOWED,
    errno.EPERM: Code.NOT_ALLOWED,
}

Connect = Callable[[bytes, int], Awaitable[trio.SocketStream]]
"""(mesh address 16, port) → a connection; OSError."""


class _Refused(Exception):  # noqa: N818 - an answer to the client
    def __init__(self, code: Code, reason: str) -> None:
        super().__init__(reason)
        self.code = code


async def connect_by_tun(address: bytes, port: int) -> trio.SocketStream:
    """The kernel's route for eeee::/16 leads into the TUN."""
    sock = trio.socket.socket(trio.socket.AF_INET6, trio.socket.SOCK_STREAM)
    try:
        await sock.connect((str(IPv6Address(address)), port))
    except BaseException:
        sock.close()
        raise
    return trio.SocketStream(sock)


class SocksService:
    """``view`` gives the ledger's newest; ``synced`` whether it may be asked for names."""

    def __init__(
        self,
        listen: Address,
        *,
        view: Callable[[], ChainView],
        synced: Callable[[], bool],
        connect: Connect = connect_by_tun,
    ) -> None:
        self._listen = listen
        self._view = view
        self._synced = synced
        self._connect = connect
        self._count = 0
        self._log = structlog.get_logger("socks")
        self.listeners: list[trio.SocketListener] = []

    async def open(self) -> None:
        """Bind; LocalError "socks-address" if that cannot be."""
        try:
            self.listeners = await trio.open_tcp_listeners(self._listen.port, host=self._listen.host)
        except OSError as error:
            raise LocalError("socks-address", f"--socks cannot listen at {self._listen}: {error}") from None

    async def run(self) -> None:
        """Serve until cancelled."""
        async with trio.open_nursery() as nursery:
            for listener in self.listeners:
                nursery.start_soon(self._accept, listener, nursery)

    async def _accept(self, listener: trio.SocketListener, nursery: trio.Nursery) -> None:
        async with listener:
            while True:
                try:
                    client = await listener.accept()
                except OSError as error:
                    if error.errno not in _FULL:
                        raise
                    await trio.sleep(_FULL_WAIT)
                    continue
                if self._count >= MOST:
                    await trio.aclose_forcefully(client)
                    continue
                self._count += 1
                nursery.start_soon(self._serve, client)

    async def _serve(self, client: trio.SocketStream) -> None:
        """One client, from its greeting to the end. Its faults are its own affair."""
        try:
            async with client:
                await self._converse(client)
        except* (trio.BrokenResourceError, trio.ClosedResourceError, trio.TooSlowError, OSError) as errors:
            self._log.debug("connection ends", reason=repr(errors.exceptions[0]))
        finally:
            self._count -= 1

    async def _converse(self, client: trio.SocketStream) -> None:
        with trio.fail_after(HANDSHAKE_TIME):
            conversation = await _listen(client)
        request = conversation.request
        if request is None:
            self._log.debug("refused", reason=conversation.problem)
            return
        try:
            server = await self._reach(request)
        except _Refused as refused:
            self._log.debug("refused", host=request.host, port=request.port, reason=str(refused))
            with trio.fail_after(HANDSHAKE_TIME):
                await client.send_all(reply(refused.code))
            return
        async with server:
            with trio.fail_after(HANDSHAKE_TIME):
                await client.send_all(reply(Code.SUCCEEDED, server.socket.getsockname()[:2]))
                await server.send_all(conversation.rest)
            await _relay(client, server)

    async def _reach(self, request: Request) -> trio.SocketStream:
        target = await self._find(request.host)
        try:
            with trio.fail_after(CONNECT_TIME):
                return await self._connect(target.address, request.port)
        except trio.TooSlowError:
            raise _Refused(Code.HOST_UNREACHABLE, f"no answer within {CONNECT_TIME:.0f} s") from None
        except OSError as error:
            raise _Refused(_CODES.get(error.errno or 0, Code.FAILURE), str(error)) from None

    async def _find(self, host: str) -> Target:
        is_name = not is_address(host)
        if is_name and not host.lower().removesuffix(".").endswith(SUFFIX):
            code = Code.ADDRESS_NOT_SUPPORTED if _is_ipv4(host) else Code.NOT_ALLOWED
            raise _Refused(code, "only names under .mesh and addresses of the mesh are reached from here")
        if is_name and not self._synced():
            raise _Refused(Code.FAILURE, "the node is syncing: it does not know names yet")
        try:
            return await trio.to_thread.run_sync(find, self._view(), host)
        except NoTarget as none:
            code = Code.HOST_UNREACHABLE if is_name or none.is_absent else Code.NOT_ALLOWED
            raise _Refused(code, none.message) from None
        except LedgerError as error:
            raise _Refused(Code.FAILURE, str(error)) from None


async def _listen(client: trio.SocketStream) -> Conversation:
    """Until the client has said what it wants, or nonsense, or has gone."""
    conversation = Conversation()
    while conversation.state not in (State.DONE, State.FAILED):
        data = await client.receive_some(_CHUNK)
        if not data:
            break
        if output := conversation.received(bytes(data)):
            await client.send_all(output)
    return conversation


async def _relay(client: trio.SocketStream, server: trio.SocketStream) -> None:
    """Both ways until both have ended, or nothing has moved for IDLE_TIME."""
    with trio.CancelScope(deadline=trio.current_time() + IDLE_TIME) as idle:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_pour, client, server, idle)
            nursery.start_soon(_pour, server, client, idle)


async def _pour(source: trio.SocketStream, sink: trio.SocketStream, idle: trio.CancelScope) -> None:
    """One way; its end is passed on, so that a half-closed connection goes on the other way."""
    while data := await source.receive_some(_CHUNK):
        await sink.send_all(data)
        idle.deadline = trio.current_time() + IDLE_TIME
    await sink.send_eof()


def _is_ipv4(host: str) -> bool:
    try:
        IPv4Address(host)
    except AddressValueError:
        return False
    return True
