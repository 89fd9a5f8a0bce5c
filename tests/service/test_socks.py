"""The SOCKS5 server with real sockets, a real ledger and curl; mesh addresses lead to this machine."""

import errno
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from ipaddress import IPv6Address
from pathlib import Path

import pytest
import trio
import trio.testing

from meshchain.config.values import Address
from meshchain.ledger.errors import LocalError
from meshchain.service import serving, socks
from meshchain.service.serving import connect_by_tun
from meshchain.service.socks import SocksService
from meshchain.socks.server import Code
from tests.rpc.ledger_node import LedgerNode
from tests.rpc.people import settle_alice, settle_bob

GREETING = bytes((5, 1, 0))
Handler = Callable[[trio.SocketStream], Awaitable[None]]


class Lab:
    """``handler`` is the server behind every mesh address; ``asked``: (address, port) of every connection."""

    def __init__(self, tmp_path: Path, handler: Handler) -> None:
        self.node = LedgerNode(tmp_path)
        settle_alice(self.node)
        settle_bob(self.node)
        self.handler = handler
        self.asked: list[tuple[IPv6Address, int]] = []
        self.failure: OSError | None = None
        self.port = 0
        self.clients: list[trio.SocketStream] = []
        self.service = SocksService(
            Address("127.0.0.1", 0), view=self.node.view, synced=lambda: self.node.synced, connect=self._connect
        )

    async def _connect(self, address: bytes, port: int) -> trio.SocketStream:
        self.asked.append((IPv6Address(address), port))
        if self.failure is not None:
            raise self.failure
        return await trio.open_tcp_stream("127.0.0.1", self.port)

    async def client(self) -> trio.SocketStream:
        port = self.service.listeners[0].socket.getsockname()[1]
        self.clients.append(await trio.open_tcp_stream("127.0.0.1", port))
        return self.clients[-1]

    async def ask(self, host: bytes, port: int = 80) -> tuple[int, trio.SocketStream]:
        """The reply's code for a domain name."""
        client = await self.client()
        await client.send_all(GREETING + bytes((5, 1, 0, 3, len(host))) + host + port.to_bytes(2, "big"))
        return (await exactly(client, 4))[3], client


async def exactly(stream: trio.SocketStream, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = await stream.receive_some(size - len(data))
        assert more, f"it ended after {data!r}"
        data += bytes(more)
    return data


async def web(stream: trio.SocketStream) -> None:
    request = b""
    while b"\r\n\r\n" not in request:
        request += bytes(await stream.receive_some(4096))
    host = next(line for line in request.split(b"\r\n") if line.lower().startswith(b"host:"))
    await stream.send_all(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(host) + host)
    await stream.aclose()


async def echo(stream: trio.SocketStream) -> None:
    async for data in stream:
        await stream.send_all(data)
    await stream.send_eof()


@asynccontextmanager
async def running(tmp_path: Path, handler: Handler = echo) -> AsyncIterator[Lab]:
    lab = Lab(tmp_path, handler)
    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(partial(trio.serve_tcp, lab.handler, 0, host="127.0.0.1"))
        lab.port = listeners[0].socket.getsockname()[1]
        await lab.service.open()
        nursery.start_soon(lab.service.run)
        with trio.fail_after(30):
            yield lab
        for client in lab.clients:
            await trio.aclose_forcefully(client)
        nursery.cancel_scope.cancel()


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
@pytest.mark.parametrize(
    ("url", "address"), [("http://alice.mesh:8080/", "eeee::1"), ("http://[eeee::1]:8080/", "eeee::1")]
)
async def test_curl(tmp_path: Path, url: str, address: str) -> None:
    async with running(tmp_path, web) as lab:
        port = lab.service.listeners[0].socket.getsockname()[1]
        argv = ["curl", "-sS", "--socks5-hostname", f"127.0.0.1:{port}", url]
        done = await trio.run_process(argv, capture_stdout=True, capture_stderr=True, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stdout == b"Host: " + url[7:-1].encode()
        assert lab.asked == [(IPv6Address(address), 8080)]


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
async def test_curl_with_a_password_and_a_name_that_is_not_there(tmp_path: Path) -> None:
    async with running(tmp_path, web) as lab:
        port = lab.service.listeners[0].socket.getsockname()[1]
        argv = ["curl", "-sS", "--socks5-hostname", f"127.0.0.1:{port}", "--proxy-user", "me:secret", "http://no.mesh/"]
        done = await trio.run_process(argv, capture_stdout=True, capture_stderr=True, check=False)
        assert done.returncode != 0
        assert b"(4)" in done.stderr
        assert lab.asked == []


async def test_hosts_of_names(tmp_path: Path) -> None:
    async with running(tmp_path) as lab:
        code, _ = await lab.ask(b"Phone.Bob.Mesh.", 22)
        assert code == Code.SUCCEEDED
        assert lab.node.router is not None
        assert lab.asked == [(IPv6Address(lab.node.router.net["b"].env.identity.address), 22)]


async def test_what_is_not_reached_from_here(tmp_path: Path) -> None:
    cases = {
        b"example.com": Code.NOT_ALLOWED,
        b"alice": Code.NOT_ALLOWED,
        b"mesh": Code.NOT_ALLOWED,
        b"carol.mesh": Code.HOST_UNREACHABLE,
        b"tablet.bob.mesh": Code.HOST_UNREACHABLE,
        b"ex_mple.mesh": Code.HOST_UNREACHABLE,
        b"192.0.2.1": Code.ADDRESS_NOT_SUPPORTED,
        b"::1": Code.NOT_ALLOWED,
        b"::ffff:192.0.2.1": Code.NOT_ALLOWED,
        b"beef::": Code.NOT_ALLOWED,
        b"eeee::2": Code.HOST_UNREACHABLE,
        b"a:b": Code.NOT_ALLOWED,
    }
    async with running(tmp_path) as lab:
        for host, expected in cases.items():
            code, client = await lab.ask(host)
            assert code == expected, host
            assert await exactly(client, 8) == bytes((0, 1, 0, 0, 0, 0, 0, 0))
            assert await client.receive_some(1) == b"", "and it is closed"
        lab.node.synced = False
        assert (await lab.ask(b"alice.mesh"))[0] == Code.FAILURE
        assert (await lab.ask(b"eeee::1"))[0] == Code.SUCCEEDED
        assert len(lab.asked) == 1


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.ECONNREFUSED, Code.REFUSED),
        (errno.ENETUNREACH, Code.NETWORK_UNREACHABLE),
        (errno.EHOSTUNREACH, Code.HOST_UNREACHABLE),
        (errno.EACCES, Code.NOT_ALLOWED),
        (errno.EINVAL, Code.FAILURE),
    ],
)
async def test_why_a_connection_failed(tmp_path: Path, number: int, expected: Code) -> None:
    async with running(tmp_path) as lab:
        lab.failure = OSError(number, "as the kernel says")
        assert (await lab.ask(b"alice.mesh"))[0] == expected


async def test_both_ways_and_half_closed(tmp_path: Path) -> None:
    async with running(tmp_path) as lab:
        code, client = await lab.ask(b"alice.mesh")
        assert code == 0
        await exactly(client, 8)
        data = bytes(range(256)) * 4096
        async with trio.open_nursery() as nursery:
            nursery.start_soon(client.send_all, data)
            assert await exactly(client, len(data)) == data
        await client.send_eof()
        assert await client.receive_some(1) == b""


async def test_what_is_sent_ahead_arrives(tmp_path: Path) -> None:
    async with running(tmp_path) as lab:
        client = await lab.client()
        request = bytes((5, 1, 0, 4)) + IPv6Address("eeee::1").packed + b"\0\x50"
        await client.send_all(GREETING + request + b"early")
        assert (await exactly(client, 2 + 10 + 5))[-5:] == b"early"


async def test_a_slow_client_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socks, "HANDSHAKE_TIME", 0.05)
    async with running(tmp_path) as lab:
        for start in (b"", b"\5", GREETING, GREETING + bytes((5, 1, 0, 3, 200))):
            client = await lab.client()
            if start:
                await client.send_all(start)
            answered = b""
            while more := await client.receive_some(100):
                answered += bytes(more)
            assert answered in (b"", b"\5\0")


async def test_an_idle_connection_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "IDLE_TIME", 0.05)
    async with running(tmp_path) as lab:
        _, client = await lab.ask(b"alice.mesh")
        await exactly(client, 8)
        assert await client.receive_some(1) == b""


async def test_not_more_than_so_many_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "MOST", 2)
    async with running(tmp_path) as lab:
        first, second = [(await lab.ask(b"alice.mesh"))[1] for _ in range(2)]
        third = await lab.client()
        with pytest.raises(trio.BrokenResourceError):  # noqa: PT012 - either may notice it
            if not await third.receive_some(1):
                raise trio.BrokenResourceError
        await first.aclose()
        await exactly(second, 8)
        code = None
        while code != 0:
            try:
                code, _ = await lab.ask(b"alice.mesh")
            except (AssertionError, trio.BrokenResourceError):
                await trio.testing.wait_all_tasks_blocked()
        assert code == 0


async def test_nonsense_harms_nobody(tmp_path: Path) -> None:
    async with running(tmp_path) as lab:
        for nonsense in (b"GET / HTTP/1.1\r\n\r\n", b"\0" * 1000, b"\4\1"):
            client = await lab.client()
            await client.send_all(nonsense)
            with pytest.raises(trio.BrokenResourceError):  # noqa: PT012 - a reset, or an end
                if not await client.receive_some(1):
                    raise trio.BrokenResourceError
        assert (await lab.ask(b"alice.mesh"))[0] == 0


async def test_a_taken_port(tmp_path: Path) -> None:
    async with running(tmp_path) as lab:
        port = lab.service.listeners[0].socket.getsockname()[1]
        again = SocksService(Address("127.0.0.1", port), view=lab.node.view, synced=lambda: True)
        with pytest.raises(LocalError, match=f"--socks cannot listen at 127.0.0.1:{port}"):
            await again.open()


async def test_the_kernels_way(tmp_path: Path) -> None:
    """Without the test's map: a listener on this machine's ::1, reached by ``connect_by_tun``."""
    listeners = await trio.open_tcp_listeners(0, host="::1")
    port = listeners[0].socket.getsockname()[1]
    async with listeners[0], await connect_by_tun(IPv6Address("::1").packed, port) as stream:
        assert stream.socket.getpeername()[1] == port
    with pytest.raises(OSError, match="refused"):
        await connect_by_tun(IPv6Address("::1").packed, port)
