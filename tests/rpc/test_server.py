"""The server over real loopback HTTP: who may call, what is refused, and how slow clients and a stop end."""

import asyncio
import gzip
import http.client
import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from meshchain.ledger.errors import LocalError
from meshchain.rpc import listener
from meshchain.rpc.auth import COOKIE_NAME
from meshchain.rpc.frontend import MAX_BODY
from meshchain.rpc.json_text import Json
from meshchain.rpc.registry import Area, Call, MethodTable
from meshchain.rpc.server import SCAN_THREADS, Limits, RpcServer
from tests.rpc.ledger_node import LedgerNode
from tests.rpc.web import PATIENCE_S, Web, read_to_end

Serve = Callable[..., Web]
HASTY = Limits(idle_s=0.15, body_s=0.15, grace_s=0.3)


@pytest.fixture
def serve(node: LedgerNode) -> Iterator[Serve]:
    started: list[RpcServer] = []

    def start(host: str = "127.0.0.1", limits: Limits | None = None, table: MethodTable | None = None) -> Web:
        server = RpcServer(node, host, 0, limits=limits, table=table)
        server.start()
        started.append(server)
        return Web(server, node)

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def web(serve: Serve) -> Web:
    return serve()


# --- credentials ---------------------------------------------------------------------------------------------


def test_the_cookie_stands_before_anybody_can_connect(node: LedgerNode, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients read it once a connection: one that came too early would be a stranger for as long as it lasts."""
    stood: list[bool] = []
    listening = socket.socket.listen

    def listen(self: socket.socket, backlog: int = 0) -> None:
        stood.append((node.datadir / COOKIE_NAME).exists())
        listening(self, backlog)

    monkeypatch.setattr(socket.socket, "listen", listen)
    server = RpcServer(node, "127.0.0.1", 0)
    server.start()
    server.stop()
    assert stood[0]


def test_reading_is_open_and_writing_needs_the_cookie(web: Web, node: LedgerNode) -> None:
    assert web.call("getblockcount").json == {"jsonrpc": "2.0", "result": 2, "id": 1}
    refused = web.call("generate", 1)
    assert refused.status == 401
    assert refused.headers["WWW-Authenticate"].startswith("Basic")
    assert (refused.error["code"], refused.error["data"]["code"]) == (-32001, "cookie-required")
    assert node.view().height == 2
    assert web.call("generate", 1, headers=web.cookie).status == 200
    assert node.view().height == 3


@pytest.mark.parametrize("value", ["Basic !!!", "Basic X19jb29raWVfXzphYmM=", "Bearer x", "", "Basic"])
def test_a_wrong_credential_is_refused_even_for_reading(web: Web, value: str) -> None:
    for answer in (
        web.call("uptime", headers={"Authorization": value}),
        web.request("GET", "/metrics", headers={"Authorization": value}),
    ):
        assert (answer.status, answer.error["data"]["code"]) == (401, "cookie-required")


def test_a_batch_without_cookie_answers_what_is_open(web: Web, node: LedgerNode) -> None:
    batch = [{"jsonrpc": "2.0", "id": i, "method": m} for i, m in enumerate(["uptime", "stop", "getblockcount"])]
    answer = web.post(batch)
    assert answer.status == 401
    assert ["error" in item for item in answer.json] == [False, True, False]
    assert node.stops == 0
    assert web.post(batch, web.cookie).status == 200
    assert node.stops == 1


def test_beyond_loopback_everything_needs_the_cookie(serve: Serve) -> None:
    everywhere = serve("0.0.0.0")
    for answer in (everywhere.call("uptime"), everywhere.request("GET", "/metrics")):
        assert answer.status == 401
    assert everywhere.call("uptime", headers=everywhere.cookie).status == 200
    assert everywhere.request("GET", "/metrics", headers=everywhere.cookie).status == 200


def test_ipv6_loopback(serve: Serve) -> None:
    try:
        web = serve("::1")
    except LocalError:
        pytest.skip("this machine has no IPv6 loopback")
    assert web.call("uptime").status == 200
    assert web.server.url == f"http://[::1]:{web.server.address[1]}/"


def test_the_cookie_lives_as_long_as_the_server(web: Web, node: LedgerNode) -> None:
    path = node.datadir / COOKIE_NAME
    assert path.stat().st_mode & 0o777 == 0o600
    first = path.read_bytes()
    web.server.stop()
    assert not path.exists()
    web.server.stop()
    again = RpcServer(node, "127.0.0.1", 0)
    again.start()
    assert path.read_bytes() != first
    path.write_text("of another node")
    again.stop()
    assert path.read_text() == "of another node"


# --- browsers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:9336"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:1"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_pages_of_other_sites_are_refused_everywhere(web: Web, headers: dict[str, str]) -> None:
    for credential in ({}, web.cookie):
        for verb, path in (("POST", "/"), ("GET", "/metrics"), ("GET", "/"), ("OPTIONS", "/")):
            answer = web.request(verb, path, b"{}" if verb == "POST" else None, {**headers, **credential})
            assert (answer.status, answer.error["data"]["code"]) == (403, "forbidden")
            assert not any(name.lower().startswith("access-control") for name in answer.headers)


def test_a_page_of_our_own_must_say_json(web: Web) -> None:
    host = f"localhost:{web.server.address[1]}"
    ours = {"Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}
    assert web.call("uptime", headers={**ours, "Content-Type": "application/json; charset=utf-8"}).status == 200
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        assert web.call("uptime", headers={**ours, "Content-Type": kind}).status == 415
    assert web.call("uptime", headers={"Sec-Fetch-Mode": "cors"}).status == 415
    assert web.call("uptime", headers={"Content-Type": "text/plain"}).status == 200


def test_a_request_without_host_is_refused(web: Web) -> None:
    with web.open() as connection:
        connection.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        assert read_to_end(connection).split()[1] == b"403"


# --- routes and sizes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "path", "status", "allow"),
    [
        ("GET", "/", 404, None),
        ("GET", "/index.html", 404, None),
        ("POST", "/metrics/", 404, None),
        ("GET", "/..%2f..%2fetc/passwd", 404, None),
        ("PUT", "/", 405, "GET, POST"),
        ("DELETE", "/", 405, "GET, POST"),
        ("OPTIONS", "/", 405, "GET, POST"),
        ("HEAD", "/", 405, "GET, POST"),
        ("POST", "/metrics", 405, "GET"),
    ],
)
def test_routes(web: Web, verb: str, path: str, status: int, allow: str | None) -> None:
    answer = web.request(verb, path)
    assert (answer.status, answer.headers.get("Allow")) == (status, allow)


def test_the_empty_page_hints_at_json_rpc(web: Web) -> None:
    assert b"jsonrpc" in web.request("GET", "/").body


def test_metrics(web: Web) -> None:
    web.call("uptime")
    answer = web.request("GET", "/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    families = {family.name: family for family in text_string_to_metric_families(answer.body.decode())}
    assert families["meshchain_chain_height"].samples[0].value == 2
    assert families["meshchain_rpc_calls"].samples[0].labels == {"method": "uptime", "outcome": "ok"}


def test_a_body_up_to_the_limit_is_read_and_one_beyond_is_413(web: Web) -> None:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "uptime"}).encode()
    assert web.request("POST", "/", body.ljust(MAX_BODY)).status == 200
    answer = web.request("POST", "/", body.ljust(MAX_BODY + 1))
    assert (answer.status, answer.error["data"]["code"]) == (413, "too-large")


def test_a_chunked_body_cannot_hide_its_size(web: Web) -> None:
    connection = http.client.HTTPConnection(*web.server.address, timeout=PATIENCE_S)
    connection.request("POST", "/", iter([b" " * 65536] * 17), encode_chunked=True)
    assert connection.getresponse().status == 413
    connection.close()


def test_clients_that_wait_for_leave(web: Web) -> None:
    body = b'{"jsonrpc":"2.0","id":1,"method":"uptime"}'
    fields = ("POST / HTTP/1.1", "Host: localhost", "Expect: 100-continue", "Connection: close")
    head = "\r\n".join((*fields, f"Content-Length: {len(body)}", "", ""))
    with web.open() as connection:
        connection.sendall(head.encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
        connection.sendall(body)
        assert read_to_end(connection).startswith(b"HTTP/1.1 200 ")
    with web.open() as connection:
        connection.sendall(head.replace(str(len(body)), str(MAX_BODY + 1)).encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


def test_compressed_bodies_are_not_unpacked(web: Web) -> None:
    bomb = gzip.compress(bytes(50 * MAX_BODY))
    answer = web.request("POST", "/", bomb, {"Content-Encoding": "gzip"})
    assert (answer.status, answer.error["code"]) == (200, -32700)


def test_notifications_have_no_body(web: Web) -> None:
    answer = web.post({"jsonrpc": "2.0", "method": "uptime"})
    assert (answer.status, answer.body) == (204, b"")
    assert web.post([{"jsonrpc": "2.0", "method": "uptime"}] * 2).status == 204
    assert web.post({"jsonrpc": "2.0", "method": "stop"}).status == 401


def test_a_full_batch(web: Web) -> None:
    answer = web.post([{"jsonrpc": "2.0", "id": i, "method": "name_show", "params": ["alice"]} for i in range(1000)])
    assert [item["id"] for item in answer.json] == list(range(1000))
    assert web.post([{}] * 1001).error["code"] == -32600
    assert web.post([]).error["code"] == -32600


def test_requests_share_a_connection(web: Web) -> None:
    connection = http.client.HTTPConnection(*web.server.address, timeout=PATIENCE_S)
    for count in range(3):
        connection.request("POST", "/", json.dumps({"jsonrpc": "2.0", "id": count, "method": "uptime"}))
        assert json.loads(connection.getresponse().read())["id"] == count
    connection.close()


@pytest.mark.parametrize(
    "junk", [b"\x16\x03\x01\x02\x00\x01\x00", b"GET\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n"]
)
def test_what_is_not_http_is_answered_or_dropped(web: Web, junk: bytes) -> None:
    with web.open() as connection:
        connection.sendall(junk)
        connection.shutdown(socket.SHUT_WR)
        answer = read_to_end(connection)
    assert answer == b"" or answer.split()[1] == b"400"
    assert web.call("uptime").status == 200


# --- slow clients --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sent", [b"", b"POST / HTTP/1.1\r\nHost: loc", b"POST / HTTP/1.1\r\nHost: localhost\r\nX-A: b\r\n"]
)
def test_a_head_that_never_ends_is_cut_off(serve: Serve, sent: bytes) -> None:
    web = serve(limits=HASTY)
    with web.open() as connection:
        connection.sendall(sent)
        assert read_to_end(connection) == b""


def test_a_trickled_head_is_cut_off_too(serve: Serve) -> None:
    web = serve(limits=HASTY)
    with web.open() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n")
        connection.settimeout(0.02)
        assert any(_is_cut_off(connection, b"X-More: x\r\n") for _ in range(500))


def _is_cut_off(connection: socket.socket, more: bytes) -> bool:
    """Send a little more, wait a moment for an end."""
    try:
        connection.sendall(more)
        return connection.recv(1) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


def test_a_body_that_never_comes_is_408(serve: Serve) -> None:
    web = serve(limits=HASTY)
    with web.open() as connection:
        connection.sendall(b'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"js')
        answer = read_to_end(connection)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"too-slow" in answer


def test_an_idle_connection_is_closed(serve: Serve) -> None:
    web = serve(limits=HASTY)
    with web.open() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert read_to_end(connection).startswith(b"HTTP/1.1 404 ")


def test_connections_beyond_the_cap_are_closed_and_slots_come_back(serve: Serve) -> None:
    web = serve(limits=Limits(connections=2, idle_s=1.0))
    first, second = web.open(), web.open()
    first.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert first.recv(20).startswith(b"HTTP/1.1 404")
    second.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert second.recv(20).startswith(b"HTTP/1.1 404")
    with web.open() as third:
        assert read_to_end(third) == b""
    assert read_to_end(first)
    assert read_to_end(second)
    assert web.call("uptime").status == 200
    first.close()
    second.close()


def test_an_answer_that_nobody_reads_frees_its_slot(serve: Serve) -> None:
    """More than socket buffers hold: the server must abort the connection to serve the next one."""
    area = Area("test")

    @area.method("large", result={"type": "string"})
    def large(call: Call) -> Json:
        """32 MiB."""
        return "x" * (32 * MAX_BODY)

    @area.method("small", result={"type": "null"})
    def small(call: Call) -> Json:
        """Nothing."""
        return None

    web = serve(limits=Limits(connections=1, idle_s=0.3), table=MethodTable(area.methods))
    body = b'{"jsonrpc":"2.0","id":1,"method":"large"}'
    with web.open() as deaf:
        deaf.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        assert deaf.recv(12) == b"HTTP/1.1 200"
        answer = _until_served(web, "small")
    assert answer == {"jsonrpc": "2.0", "result": None, "id": 1}


def _until_served(web: Web, method: str) -> object:
    while True:
        try:
            return web.call(method).json
        except (ConnectionError, http.client.BadStatusLine):
            continue


# --- scans and stopping --------------------------------------------------------------------------------------


class Gate:
    """A method that scans until it is let go or the server stops."""

    def __init__(self) -> None:
        self.entered = threading.Semaphore(0)
        self.open = threading.Event()
        area = Area("test")

        @area.method("scan", result={"type": "string"}, scan=True)
        def scan(call: Call) -> Json:
            """Waits."""
            self.entered.release()
            while not self.open.wait(0.01):
                if call.stopping():
                    return "stopped"
            return "let go"

        @area.method("quick", result={"type": "string"})
        def quick(call: Call) -> Json:
            """Answers at once."""
            return "here"

        self.table = MethodTable(area.methods)


def test_scans_do_not_hold_up_quick_calls(serve: Serve) -> None:
    gate = Gate()
    web = serve(table=gate.table)
    with ThreadPoolExecutor(SCAN_THREADS + 1) as pool:
        scans = [pool.submit(web.call, "scan") for _ in range(SCAN_THREADS + 1)]
        for _ in range(SCAN_THREADS):
            assert gate.entered.acquire(timeout=PATIENCE_S)
        assert web.call("quick").json["result"] == "here"
        assert not any(scan.done() for scan in scans)
        gate.open.set()
        assert [scan.result().json["result"] for scan in scans] == ["let go"] * len(scans)


def test_stop_ends_running_scans_answers_them_and_frees_the_port(serve: Serve, node: LedgerNode) -> None:
    gate = Gate()
    web = serve(table=gate.table)
    idle = web.open()
    with ThreadPoolExecutor(1) as pool:
        scan = pool.submit(web.call, "scan")
        assert gate.entered.acquire(timeout=PATIENCE_S)
        web.server.stop()
        assert scan.result().json["result"] == "stopped"
    assert read_to_end(idle) == b""
    idle.close()
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("rpc")]
    again = RpcServer(node, *web.server.address)
    again.start()
    again.stop()


def test_stop_does_not_wait_for_what_never_ends(serve: Serve) -> None:
    area, entered = Area("test"), threading.Event()

    @area.method("hang", result={"type": "null"})
    async def hang(call: Call) -> Json:
        """Never answers."""
        entered.set()
        await asyncio.Event().wait()
        return None

    web = serve(limits=HASTY, table=MethodTable(area.methods))
    with web.open() as connection:
        body = b'{"jsonrpc":"2.0","id":1,"method":"hang"}'
        connection.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        assert entered.wait(PATIENCE_S)
        web.server.stop()
        assert b"200" not in read_to_end(connection)


def test_stop_before_start_does_nothing(node: LedgerNode) -> None:
    RpcServer(node, "127.0.0.1", 0).stop()


# --- listening -----------------------------------------------------------------------------------------------


def test_a_taken_port_says_which_and_who(web: Web, node: LedgerNode) -> None:
    port = web.server.address[1]
    cookie = (node.datadir / COOKIE_NAME).read_bytes()
    with pytest.raises(LocalError) as caught:
        RpcServer(node, "127.0.0.1", port).start()
    assert caught.value.code == "port-in-use"
    assert f"127.0.0.1:{port}" in caught.value.message
    assert (node.datadir / COOKIE_NAME).read_bytes() == cookie
    if Path("/proc/net/tcp").exists():
        assert caught.value.detail["process"] == os.getpid()
        assert f"process {os.getpid()} (" in caught.value.message


@pytest.mark.parametrize("host", ["192.0.2.1", "no such host", "x" * 300, "\udc80"])
def test_an_address_of_another_machine(node: LedgerNode, host: str) -> None:
    with pytest.raises(LocalError) as caught:
        RpcServer(node, host, 0).start()
    assert caught.value.code == "bad-address"


def test_a_data_directory_that_cannot_be_written(node: LedgerNode) -> None:
    node.datadir = node.datadir / "missing"
    server = RpcServer(node, "127.0.0.1", 0)
    with pytest.raises(LocalError) as caught:
        server.start()
    assert caught.value.code == "cookie"
    server.stop()


def test_port_owner_without_proc(tmp_path: Path) -> None:
    assert listener.port_owner(1, tmp_path) is None
