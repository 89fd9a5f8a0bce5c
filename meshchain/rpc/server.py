"""The RPC server: one thread with its own asyncio loop, so that HTTP and the node never wait for each other.

``start`` returns when the socket listens and the cookie stands; ``stop`` refuses new connections, lets
running calls end within ``grace_s``, removes the cookie and returns. Long scans are told to end by a flag they
ask between names; they run in two threads, so that scans wait for scans and quick calls for nobody.
"""

import asyncio
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from meshchain.ledger.errors import LocalError
from meshchain.rpc.api import NodeApi
from meshchain.rpc.auth import Cookie, is_loopback
from meshchain.rpc.connections import LimitedServer
from meshchain.rpc.frontend import MAX_BODY, AskDns, Frontend
from meshchain.rpc.jsonrpc import Dispatcher
from meshchain.rpc.listener import listen
from meshchain.rpc.methods import method_table
from meshchain.rpc.metrics import Metrics
from meshchain.rpc.registry import MethodTable

SCAN_THREADS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Times in seconds."""

    connections: int = 128
    """Bitcoin Core serves 16 at once and queues 64; a connection here costs about 30 kB."""
    idle_s: float = 30.0
    """For a request's head to be complete, from opening or from the last answer on."""
    body_s: float = 10.0
    grace_s: float = 3.0


class RpcServer:
    """Serves one node; not restartable."""

    def __init__(
        self,
        node: NodeApi,
        host: str,
        port: int,
        *,
        limits: Limits | None = None,
        table: MethodTable | None = None,
        ask_dns: AskDns | None = None,
    ) -> None:
        """``ask_dns``: what answers DNS over HTTPS's form of questions; None without a DNS server."""
        self._node = node
        self._host, self._port = host, port
        self._limits = limits or Limits()
        self._table = table or method_table()
        self._ask_dns = ask_dns
        self._cookie = Cookie(node.datadir)
        self._scans = ThreadPoolExecutor(SCAN_THREADS, thread_name_prefix="rpc-scan")
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop_event: asyncio.Event | None = None
        self.address: tuple[str, int] = (host, port)
        """Host and real port, once started."""

    @property
    def url(self) -> str:
        host, port = self.address
        return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"

    def start(self) -> None:
        """Listen and serve; LocalError (port-in-use, bad-address, cookie) if that cannot be."""
        listener = listen(self._host, self._port, bound=self._write_cookie)
        self.address = listener.getsockname()[:2]
        ready: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, args=(listener, ready), name="rpc", daemon=True)
        self._thread.start()
        ready.result()

    def _write_cookie(self) -> None:
        try:
            self._cookie.write()
        except OSError as error:
            raise LocalError("cookie", f"cannot write {self._cookie.path}: {error.strerror}") from None

    def stop(self) -> None:
        """End within about twice ``grace_s``; safe to call twice and before start."""
        self._stopping.set()
        if self._thread is None or self._loop is None or self._stop_event is None:
            return
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop_event.set)
        self._thread.join()
        self._thread = None
        self._scans.shutdown(cancel_futures=True)
        self._cookie.remove()

    def _run(self, listener: socket.socket, ready: "Future[None]") -> None:
        try:
            asyncio.run(self._serve(listener, ready))
        except Exception as error:
            listener.close()
            if ready.done():
                raise
            ready.set_exception(error)

    async def _serve(self, listener: socket.socket, ready: "Future[None]") -> None:
        self._loop, self._stop_event = asyncio.get_running_loop(), asyncio.Event()
        server = LimitedServer(
            self._frontend().handle,
            max_body=MAX_BODY,
            max_connections=self._limits.connections,
            idle_s=self._limits.idle_s,
        )
        acceptor = await self._loop.create_server(server, sock=listener)
        ready.set_result(None)
        await self._stop_event.wait()
        acceptor.close()
        server.pre_shutdown()
        await server.shutdown(self._limits.grace_s)

    def _frontend(self) -> Frontend:
        metrics = Metrics(self._node)
        dispatcher = Dispatcher(
            self._table,
            self._node,
            clock=time.perf_counter,
            run_scan=self._run_scan,
            observe=metrics.observe,
            stopping=self._stopping.is_set,
        )
        return Frontend(
            dispatcher,
            metrics,
            self._cookie,
            host=self._host,
            bound_loopback=is_loopback(self.address[0]),
            body_s=self._limits.body_s,
            ask_dns=self._ask_dns,
        )

    async def _run_scan(self, function: Callable[[], bytes]) -> bytes:
        return await asyncio.get_running_loop().run_in_executor(self._scans, function)
