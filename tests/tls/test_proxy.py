"""The proxy with real sockets, a real ledger and real TLS on both sides; mesh addresses lead to this machine."""

import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
import structlog
import trio
import trio.testing

from meshchain.config.values import Address
from meshchain.ledger.errors import LocalError
from meshchain.service import proxy, serving
from meshchain.service.proxy import ProxyService
from meshchain.tls import authority
from meshchain.tls.tlsa import Tlsa
from tests.tls.kit import Cert, record
from tests.tls.ledger import settled
from tests.tls.servers import BODY, PAGE, context

NOW = datetime.now(UTC)
GOOD = Cert("leaf", "leaf", names=("alice.mesh",), at=NOW)
OTHER = Cert("other", "other", names=("alice.mesh",), at=NOW)
Handler = Callable[[trio.SocketStream], Awaitable[None]]


class Lab:
    """A proxy in front of one server, and a browser that trusts nothing but the proxy's root."""

    def __init__(self, folder: Path, records: Sequence[Tlsa], handler: Handler) -> None:
        entries = [("_443._tcp", "TLSA", 600, str(one)) for one in records]
        self.node = settled(folder, *entries)
        self.authority = authority.create(NOW, "test")
        self.handler = handler
        self.port = 0
        self.asked: list[int] = []
        self.service = ProxyService(
            Address("127.0.0.1", 0),
            self.authority,
            view=self.node.view,
            synced=lambda: self.node.synced,
            connect=self._connect,
        )

    async def _connect(self, address: bytes, port: int) -> trio.SocketStream:
        self.asked.append(port)
        return await trio.open_tcp_stream("127.0.0.1", self.port)

    async def plain(self, request: bytes) -> bytes:
        """What comes back until the end."""
        stream = await trio.open_tcp_stream("127.0.0.1", self.service.address.port)
        async with stream:
            await stream.send_all(request)
            return b"".join([bytes(part) async for part in stream])

    async def fetch(self, host: str = "alice.mesh", port: int = 443) -> bytes:
        """As a browser does; ssl.SSLError unless it trusts what it is shown."""
        stream = await trio.open_tcp_stream("127.0.0.1", self.service.address.port)
        await stream.send_all(f"CONNECT {host}:{port} HTTP/1.1\r\n\r\n".encode())
        assert await stream.receive_some(4096) == proxy._ESTABLISHED
        trust = ssl.create_default_context(cadata=self.authority.root_pem.decode())
        async with trio.SSLStream(stream, trust, server_hostname=host, https_compatible=True) as browser:
            await browser.send_all(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            return b"".join([bytes(part) async for part in browser])


def tls_server(folder: Path, *chain: Cert) -> Handler:
    return page_by(context(folder, chain))


def page_by(made: ssl.SSLContext) -> Handler:
    """PAGE, to whoever asks for anything."""

    async def serve(stream: trio.SocketStream) -> None:
        with suppress(trio.BrokenResourceError):
            async with trio.SSLStream(stream, made, server_side=True, https_compatible=True) as tls:
                if await tls.receive_some(4096):
                    await tls.send_all(PAGE)

    return serve


@asynccontextmanager
async def running(folder: Path, records: Sequence[Tlsa], handler: Handler) -> AsyncIterator[Lab]:
    lab = Lab(folder, records, handler)
    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(partial(trio.serve_tcp, lab.handler, 0, host="127.0.0.1"))
        lab.port = listeners[0].socket.getsockname()[1]
        await lab.service.open()
        nursery.start_soon(lab.service.run)
        yield lab
        nursery.cancel_scope.cancel()


async def test_a_vouched_page_is_shown(tmp_path: Path) -> None:
    async with running(tmp_path, [record(3, 1, 1, GOOD)], tls_server(tmp_path, GOOD)) as lab:
        assert (await lab.fetch()).endswith(BODY)
        assert (await lab.fetch("ALICE.mesh")).endswith(BODY)
        assert lab.asked == [443, 443]


@pytest.mark.parametrize(
    ("records", "chain", "rule"),
    [
        ((record(3, 1, 1, OTHER),), (GOOD,), "no-match"),
        ((), (GOOD,), "no-usable-records"),
        ((Tlsa(1, 1, 1, bytes(32)),), (GOOD,), "no-usable-records"),
        ((record(3, 1, 1, GOOD),), (Cert("leaf", "leaf", names=("bob.mesh",), at=NOW),), "name-mismatch"),
        ((record(2, 1, 1, GOOD),), (Cert("leaf", "leaf", names=("alice.mesh",), days=(-9, -1), at=NOW),), "expired"),
    ],
)
async def test_the_page_says_which_rule(
    tmp_path: Path, records: Sequence[Tlsa], chain: Sequence[Cert], rule: str
) -> None:
    async with running(tmp_path, records, tls_server(tmp_path, *chain)) as lab:
        shown = await lab.fetch()
        assert shown.startswith(b"HTTP/1.1 502 ")
        assert f"<code>{rule}</code>".encode() in shown
        assert BODY not in shown


@pytest.mark.parametrize(("host", "rule"), [("bob.mesh", "name-not-found"), ("no.alice.mesh", "name-not-found")])
async def test_no_such_name(tmp_path: Path, host: str, rule: str) -> None:
    async with running(tmp_path, [], tls_server(tmp_path, GOOD)) as lab:
        assert f"<code>{rule}</code>".encode() in await lab.fetch(host)
        assert lab.asked == []


async def test_an_alias_that_cannot_be_said_to_a_server(tmp_path: Path) -> None:
    """Anybody can have one: the page says so, and the proxy goes on."""
    async with running(tmp_path, [record(3, 1, 1, GOOD)], tls_server(tmp_path, GOOD)) as lab:
        alias = ("www", "CNAME", 600, "\\001" * 63 + ".alice.mesh."), ("*", "TLSA", 600, str(record(3, 1, 1, GOOD)))
        lab.node = settled(tmp_path / "alias", *alias, ("*", "AAAA", 600, "eeee::1"))
        lab.service._view = lab.node.view
        for _ in range(2):
            assert b"<code>no-usable-records</code>" in await lab.fetch("www.alice.mesh")


async def test_not_synced(tmp_path: Path) -> None:
    async with running(tmp_path, [record(3, 1, 1, GOOD)], tls_server(tmp_path, GOOD)) as lab:
        lab.node.synced = False
        assert b"<code>not-synced</code>" in await lab.fetch()
        assert lab.asked == []


async def _plain_text(stream: trio.SocketStream) -> None:
    await stream.send_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    await stream.aclose()


async def test_a_server_without_tls(tmp_path: Path) -> None:
    async with running(tmp_path, [record(3, 1, 1, GOOD)], _plain_text) as lab:
        assert b"<code>tls-failed</code>" in await lab.fetch()


async def _silence(_stream: trio.SocketStream) -> None:
    await trio.sleep_forever()


async def test_a_server_that_stalls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxy, "SERVER_TIME", 0.1)
    async with running(tmp_path, [record(3, 1, 1, GOOD)], _silence) as lab:
        assert b"<code>tls-timeout</code>" in await lab.fetch()


async def test_a_megabyte_of_certificates(tmp_path: Path) -> None:
    fat = [Cert(f"fat{n}", "fat", names=tuple(f"{i}.{n}.alice.mesh" for i in range(2000)), at=NOW) for n in range(30)]
    assert sum(len(cert.der) for cert in fat) > 1_000_000
    async with running(tmp_path, [record(3, 1, 1, GOOD)], tls_server(tmp_path, GOOD, *fat)) as lab:
        shown = await lab.fetch()
        assert b"<code>tls-too-large</code>" in shown or b"<code>tls-failed</code>" in shown


async def test_a_flood_instead_of_a_handshake(tmp_path: Path) -> None:
    """Handshake records that never make a whole message."""

    async def flood(stream: trio.SocketStream) -> None:
        with suppress(trio.BrokenResourceError):
            await stream.send_all(b"\x16\x03\x03\x00\x05\x02\x00\xff\xff\xff" + b"\x16\x03\x03\x00\x01\x00" * (1 << 18))

    async with running(tmp_path, [record(3, 1, 1, GOOD)], flood) as lab:
        shown = await lab.fetch()
        assert b"<code>tls-too-large</code>" in shown or b"<code>tls-failed</code>" in shown


@pytest.mark.parametrize(
    ("request_line", "status", "code"),
    [
        (b"CONNECT alice.mesh:22 HTTP/1.1", b"403", b"port-not-allowed"),
        (b"CONNECT example.com:443 HTTP/1.1", b"403", b"not-mesh"),
        (b"CONNECT [eeee::1]:443 HTTP/1.1", b"403", b"not-mesh"),
        (b"CONNECT 127.0.0.1:443 HTTP/1.1", b"403", b"not-mesh"),
        (b"CONNECT localhost:443 HTTP/1.1", b"403", b"not-mesh"),
        (b"CONNECT [beef::]:443 HTTP/1.1", b"403", b"not-mesh"),
        (b"CONNECT alice.mesh:9336 HTTP/1.1", b"403", b"port-not-allowed"),
        (b"CONNECT alice.mesh:65979 HTTP/1.1", b"400", b"bad-request"),
        (b"GET http://example.com/ HTTP/1.1", b"404", b"not-found"),
        (b"POST /proxy.pac HTTP/1.1", b"404", b"not-found"),
        (b"nonsense", b"400", b"bad-request"),
        (b"GET /" + b"x" * 9000 + b" HTTP/1.1", b"400", b"bad-request"),
    ],
)
async def test_refused_at_once(tmp_path: Path, request_line: bytes, status: bytes, code: bytes) -> None:
    async with running(tmp_path, [record(3, 1, 1, GOOD)], tls_server(tmp_path, GOOD)) as lab:
        answer = await lab.plain(request_line + b"\r\n\r\n")
        assert answer.split()[1] == status
        assert code in answer
        assert lab.asked == []


async def test_what_it_serves_itself(tmp_path: Path) -> None:
    async with running(tmp_path, [], tls_server(tmp_path, GOOD)) as lab:
        pac = await lab.plain(b"GET /proxy.pac HTTP/1.1\r\n\r\n")
        assert b"application/x-ns-proxy-autoconfig" in pac
        assert f"PROXY {lab.service.address}".encode() in pac
        assert lab.authority.root_pem in await lab.plain(b"GET /authority.crt HTTP/1.1\r\n\r\n")
        moved = await lab.plain(b"GET http://alice.mesh/a HTTP/1.1\r\n\r\n")
        assert b"307" in moved
        assert b"Location: https://alice.mesh/a\r\n" in moved


async def test_a_silent_client_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxy, "HEAD_TIME", 0.05)
    async with running(tmp_path, [], tls_server(tmp_path, GOOD)) as lab:
        assert await lab.plain(b"CONNECT ali") == b""


async def test_a_browser_that_shakes_no_hands_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And with it the connection to the server, which was judged meanwhile."""
    go, over = trio.Event(), trio.Event()
    serve = tls_server(tmp_path, GOOD)

    async def late(stream: trio.SocketStream) -> None:
        await go.wait()
        await serve(stream)
        over.set()

    async with running(tmp_path, [record(3, 1, 1, GOOD)], late) as lab:
        async with await trio.open_tcp_stream("127.0.0.1", lab.service.address.port) as browser:
            await browser.send_all(b"CONNECT alice.mesh:443 HTTP/1.1\r\n\r\n")
            assert await browser.receive_some(4096) == proxy._ESTABLISHED
            monkeypatch.setattr(proxy, "HEAD_TIME", 0.05)
            go.set()
            assert await browser.receive_some(4096) == b""
        with trio.fail_after(30):
            await over.wait()


async def test_the_257th_client_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "MOST", 1)
    async with running(tmp_path, [], tls_server(tmp_path, GOOD)) as lab:
        first = await trio.open_tcp_stream("127.0.0.1", lab.service.address.port)
        await trio.testing.wait_all_tasks_blocked()
        with suppress(trio.BrokenResourceError):
            assert await lab.plain(b"GET /proxy.pac HTTP/1.1\r\n\r\n") == b""
        await first.aclose()


async def test_logged_once(tmp_path: Path) -> None:
    async with running(tmp_path, [], tls_server(tmp_path, GOOD)) as lab:
        with structlog.testing.capture_logs() as logs:
            lab.service._log = structlog.get_logger("proxy")
            for _ in range(3):
                await lab.fetch()
        levels = [line["log_level"] for line in logs if line["event"] == "refused"]
        assert levels == ["warning", "debug", "debug"]


async def test_what_is_remembered_as_logged_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxy, "_MOST_LOGGED", 2)
    async with running(tmp_path, [], tls_server(tmp_path, GOOD)) as lab:
        with structlog.testing.capture_logs() as logs:
            lab.service._log = structlog.get_logger("proxy")
            for host in ("bob.mesh", "carol.mesh", "dave.mesh", "bob.mesh"):
                await lab.fetch(host)
        levels = [line["log_level"] for line in logs if line["event"] == "refused"]
        assert levels == ["warning", "warning", "debug", "debug"]
        assert len(lab.service._logged) == 2


async def test_address_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = Address("127.0.0.1", taken.getsockname()[1])
        service = ProxyService(address, authority.create(NOW, "test"), view=settled(tmp_path).view, synced=lambda: True)
        with pytest.raises(LocalError) as caught:
            await service.open()
    assert caught.value.code == "proxy-address"
