"""An HTTPS proxy for browsers: what the ledger vouches for gets a certificate that the browser takes.

Theory of operation
-------------------
::

    head --GET /proxy.pac …--> answered here
    head --CONNECT other ports or names--> 403
    head --CONNECT alice.mesh:443--> 200, then two things, one after the other:
        the server's side:  ledger → address and TLSA records → connection → handshake → check_chain
        the browser's side: handshake with a leaf of the local authority
    both well      --> bytes are passed on both ways
    server refused --> the browser's request is read and answered by a page that names the rule

The server is judged before the browser has sent anything but its handshake, so nothing of a request ever reaches a
server that the ledger does not vouch for. The answer of CONNECT itself cannot carry the page: browsers show none.

Limits: those of ``serving``; 10 s and 8 KB for a head; 15 s for connection and handshake with the server, which may
send 256 KB until it is over. A refusal is logged once a host and rule, as far as 1,024 are remembered.
"""

import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import trio

from meshchain.config.values import Address
from meshchain.ledger.chain.view import ChainView
from meshchain.ledger.errors import LedgerError
from meshchain.mesh.targets import NoTarget
from meshchain.service.serving import CHUNK, Connect, LocalServer, connect_by_tun, relay
from meshchain.tls import fetch, pages, proxy_request
from meshchain.tls.authority import Authority
from meshchain.tls.lookup import Server, find_server
from meshchain.tls.proxy_request import ProxyRefusal, Request
from meshchain.tls.report import WHY
from meshchain.tls.verify import check_chain

HEAD_TIME: Final = 10.0
SERVER_TIME: Final = 15.0
_MOST_LOGGED: Final = 1024
_ESTABLISHED: Final = b"HTTP/1.1 200 Connection established\r\n\r\n"
Tls = trio.SSLStream[trio.abc.Stream]


class _TooLargeError(Exception):
    """More bytes than a handshake may have."""


@dataclass(slots=True, eq=False)
class _Counted(trio.abc.Stream):
    """Until ``free``, at most MOST bytes come out of it."""

    stream: trio.SocketStream
    received: int = 0
    free: bool = False

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        data = await self.stream.receive_some(max_bytes or CHUNK)
        self.received += len(data)
        if not self.free and self.received > fetch.MOST:
            raise _TooLargeError
        return data

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await self.stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self.stream.wait_send_all_might_not_block()

    async def aclose(self) -> None:
        await self.stream.aclose()


class ProxyService(LocalServer):
    """``view`` gives the ledger's newest; ``synced`` whether it may be asked for names."""

    def __init__(
        self,
        listen: Address,
        authority: Authority,
        *,
        view: Callable[[], ChainView],
        synced: Callable[[], bool],
        connect: Connect = connect_by_tun,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__("proxy", listen)
        self._now = now
        self._authority = authority
        self._view = view
        self._synced = synced
        self._connect = connect
        self._logged: set[tuple[str, str]] = set()

    async def _converse(self, client: trio.SocketStream) -> None:
        try:
            with trio.fail_after(HEAD_TIME):
                request = proxy_request.parse(await _head(client))
            if request.method != "CONNECT":
                await _say(client, self._answer(request))
                return
            host, port = proxy_request.connect_target(request.target)
        except ProxyRefusal as refusal:
            self._note(refusal.code, refusal)
            await _say(client, pages.plain(refusal.status, refusal.code, refusal.message))
            return
        await _say(client, _ESTABLISHED)
        await self._tunnel(client, host, port)

    def _answer(self, request: Request) -> bytes:
        """To what is asked of the proxy itself."""
        if request.method == "GET" and request.target == pages.PAC_PATH:
            return pages.pac(self.address)
        if request.method == "GET" and request.target == pages.AUTHORITY_PATH:
            return pages.authority(self._authority.root_pem)
        if address := proxy_request.secure_address(request.target):
            return pages.redirect(address)
        raise ProxyRefusal(404, "not-found", f"here are {pages.PAC_PATH} and {pages.AUTHORITY_PATH}")

    async def _tunnel(self, client: trio.SocketStream, host: str, port: int) -> None:
        try:
            server = await self._reach(host, port)
        except ProxyRefusal as refusal:
            self._note(host, refusal)
            browser = await self._greet(client, host)
            with trio.fail_after(HEAD_TIME), suppress(ProxyRefusal):
                await _head(browser)
            await _say(browser, pages.refusal(host, refusal.code, refusal.message, refusal.status))
            with trio.fail_after(HEAD_TIME):
                await browser.aclose()
            return
        try:
            browser = await self._greet(client, host)
            await relay(browser, server)  # browsers use no half-closed TLS
        finally:
            await trio.aclose_forcefully(server)  # a farewell could wait for a server that does not read

    async def _greet(self, client: trio.SocketStream, host: str) -> Tls:
        """The browser's handshake."""
        context = self._authority.context(host, self._now())
        browser: Tls = trio.SSLStream(client, context, server_side=True, https_compatible=True)
        with trio.fail_after(HEAD_TIME):
            await browser.do_handshake()
        return browser

    async def _reach(self, host: str, port: int) -> Tls:
        """A connection to a server that the ledger vouches for; ProxyRefusal with the rule."""
        if not self._synced():
            raise ProxyRefusal(503, "not-synced", "this node is still fetching the ledger and cannot vouch for anybody")
        try:
            found = await trio.to_thread.run_sync(find_server, self._view(), host, port)
        except NoTarget as none:
            raise ProxyRefusal(502, none.code, none.message) from None
        except LedgerError as error:
            raise ProxyRefusal(500, "ledger", str(error)) from None
        if not found.records:
            raise ProxyRefusal(502, "no-usable-records", WHY["no-usable-records"])
        return await _in_time(lambda: self._open(found, port))

    async def _open(self, found: Server, port: int) -> Tls:
        try:
            stream = _Counted(await self._connect(found.address, port))
        except OSError as error:
            raise ProxyRefusal(502, "connect-failed", f"cannot connect to {found.ip6} port {port}: {error}") from None
        try:
            return await _judged(stream, found, self._now())
        except BaseException:
            await trio.aclose_forcefully(stream)
            raise

    def _note(self, host: str, refusal: ProxyRefusal) -> None:
        if (host, refusal.code) in self._logged or len(self._logged) >= _MOST_LOGGED:
            self._log.debug("refused", host=host, rule=refusal.code)
            return
        self._logged.add((host, refusal.code))
        self._log.warning("refused", host=host, rule=refusal.code, reason=refusal.message)


async def _in_time(attempt: Callable[[], Awaitable[Tls]]) -> Tls:
    try:
        with trio.fail_after(SERVER_TIME):
            return await attempt()
    except trio.TooSlowError:
        raise ProxyRefusal(504, "tls-timeout", f"no TLS handshake within {SERVER_TIME:g} s") from None


async def _judged(stream: _Counted, found: Server, now: datetime) -> Tls:
    """The finished handshake of a server that passes."""
    server: Tls = trio.SSLStream(stream, fetch.client_context(), server_hostname=found.base, https_compatible=True)
    try:
        await server.do_handshake()
    except _TooLargeError:
        raise ProxyRefusal(502, "tls-too-large", f"the server sent more than {fetch.MOST} bytes of handshake") from None
    except (trio.BrokenResourceError, ssl.SSLError) as error:
        raise ProxyRefusal(502, "tls-failed", f"the TLS handshake failed: {error.__cause__ or error}") from None
    chain = fetch.shown(server._ssl_object)  # trio shows everything of a handshake but this
    verdict = await trio.to_thread.run_sync(lambda: check_chain(chain, found.records, host=found.base, now=now))
    if not verdict.ok:
        raise ProxyRefusal(502, verdict.reason, WHY[verdict.reason])
    stream.free = True
    return server


async def _head(stream: trio.abc.ReceiveStream) -> bytes:
    data = b""
    while proxy_request.END not in data:
        more = await stream.receive_some(proxy_request.MOST)
        if not more or len(data) > proxy_request.MOST:
            raise ProxyRefusal(400, "bad-request", "the request ends early or its head is too large")
        data += bytes(more)
    return data


async def _say(stream: trio.abc.SendStream, data: bytes) -> None:
    with trio.fail_after(HEAD_TIME):
        await stream.send_all(data)
