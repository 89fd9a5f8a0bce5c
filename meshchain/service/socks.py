"""SOCKS5 for programs that cannot use the TUN or do not resolve .mesh: names are resolved by the ledger.

Only the mesh is reached from here, never another network: names end in .mesh, addresses begin with eeee:. A client has
10 s to say what it wants; the other limits are those of ``serving``.
"""

import errno
from collections.abc import Callable
from ipaddress import AddressValueError, IPv4Address
from typing import Final

import trio

from meshchain.config.values import Address
from meshchain.ledger.chain.view import ChainView
from meshchain.ledger.errors import LedgerError
from meshchain.mesh.targets import SUFFIX, NoTarget, Target, find, is_address
from meshchain.service.serving import CHUNK, Connect, LocalServer, connect_by_tun, relay
from meshchain.socks.server import Code, Conversation, Request, State, reply

HANDSHAKE_TIME: Final = 10.0
CONNECT_TIME: Final = 30.0

_CODES: Final = {
    errno.ECONNREFUSED: Code.REFUSED,
    errno.ENETUNREACH: Code.NETWORK_UNREACHABLE,
    errno.EADDRNOTAVAIL: Code.NETWORK_UNREACHABLE,
    errno.EHOSTUNREACH: Code.HOST_UNREACHABLE,
    errno.ETIMEDOUT: Code.HOST_UNREACHABLE,
    errno.EACCES: Code.NOT_ALLOWED,
    errno.EPERM: Code.NOT_ALLOWED,
}


class _Refused(Exception):  # noqa: N818 - an answer to the client
    def __init__(self, code: Code, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class SocksService(LocalServer):
    """``view`` gives the ledger's newest; ``synced`` whether it may be asked for names."""

    def __init__(
        self,
        listen: Address,
        *,
        view: Callable[[], ChainView],
        synced: Callable[[], bool],
        connect: Connect = connect_by_tun,
    ) -> None:
        super().__init__("socks", listen)
        self._view = view
        self._synced = synced
        self._connect = connect

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
            await relay(client, server, trio.SocketStream.send_eof)

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
        data = await client.receive_some(CHUNK)
        if not data:
            break
        if output := conversation.received(bytes(data)):
            await client.send_all(output)
    return conversation


def _is_ipv4(host: str) -> bool:
    try:
        IPv4Address(host)
    except AddressValueError:
        return False
    return True
