"""The client against real sockets that answer rightly, wrongly, slowly or not at all."""

import base64
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meshchain.rpc.client import Client, ClientError, NodeRefused, NodeUnreachable
from meshchain.rpc.client.connection import MAX_BATCH
from tests.rpc_client.conftest import RawNode, Request, echo, http


@pytest.fixture
def cookie(tmp_path: Path) -> Path:
    path = tmp_path / ".cookie"
    path.write_text("__cookie__:first\n")
    return path


@pytest.fixture
def client(raw_node: RawNode, cookie: Path) -> Iterator[Client]:
    client = Client(raw_node.url, cookie, timeout=10, network="dev")
    yield client
    client.close()


def answering(node: RawNode, body: bytes, status: str = "200 OK") -> None:
    node.respond = lambda request: http(status, body)


def failing(node: RawNode, error: dict[str, Any]) -> None:
    node.respond = lambda request: http(
        "200 OK", json.dumps({"jsonrpc": "2.0", "id": request.document["id"], "error": error}).encode()
    )


def test_a_call_is_json_rpc_2_with_the_cookie(client: Client, raw_node: RawNode) -> None:
    assert client.call("name_show", "alice") == ["name_show", ["alice"]]
    assert client.call("name_show", name="alice") == ["name_show", {"name": "alice"}]
    request = raw_node.requests[0]
    assert request.head.startswith("POST / HTTP/1.1\r\n")
    assert request.document["jsonrpc"] == "2.0"
    assert request.authorization == "Basic " + base64.b64encode(b"__cookie__:first").decode()


def test_calls_share_one_connection(client: Client, raw_node: RawNode) -> None:
    for _ in range(3):
        client.call("uptime")
    assert raw_node.connections == 1


def test_positional_and_named_parameters_exclude_each_other(client: Client) -> None:
    with pytest.raises(TypeError):
        client.call("name_show", "alice", options={})


def test_a_closed_kept_connection_is_replaced_before_the_request_and_the_cookie_read_anew(
    client: Client, raw_node: RawNode, cookie: Path
) -> None:
    raw_node.close_after = True
    client.call("uptime")
    assert raw_node.closed.wait(5)
    cookie.write_text("__cookie__:second")
    client.call("uptime")
    assert raw_node.connections == 2
    assert raw_node.requests[1].authorization == "Basic " + base64.b64encode(b"__cookie__:second").decode()


def test_connection_close_is_obeyed(client: Client, raw_node: RawNode) -> None:
    raw_node.respond = lambda request: echo(request).replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
    raw_node.close_after = True
    assert client.call("uptime") == client.call("uptime")


def test_a_batch_keeps_its_order_and_the_limit_of_a_request(client: Client, raw_node: RawNode) -> None:
    raw_node.respond = lambda request: http("200 OK", json.dumps(_reversed(request)).encode())
    calls = [("m", [number]) for number in range(MAX_BATCH + 2)]
    assert client.batch(calls) == [number for (_, [number]) in calls]
    assert [len(request.document) for request in raw_node.requests] == [MAX_BATCH, 2]


def _reversed(request: Request) -> list[dict[str, Any]]:
    return [{"jsonrpc": "2.0", "id": c["id"], "result": c["params"][0]} for c in reversed(request.document)]


def test_a_batch_raises_the_first_refusal_or_returns_it_in_place(client: Client, raw_node: RawNode) -> None:
    def respond(request: Request) -> bytes:
        good, bad = request.document
        error = {"code": -4, "message": "no such name", "data": {"code": "name-not-found"}}
        return http(
            "200 OK",
            json.dumps([{"id": good["id"], "result": 1}, {"id": bad["id"], "error": error}]).encode(),
        )

    raw_node.respond = respond
    calls: list[tuple[str, list[str]]] = [("name_show", ["a"]), ("name_show", ["b"])]
    one, refused = client.batch(calls, refusals=True)
    assert one == 1
    assert (refused.code, refused.rpc_code) == ("name-not-found", -4)
    with pytest.raises(NodeRefused, match="no such name"):
        client.batch(calls)


def test_a_refusal_carries_the_rule_and_its_detail(client: Client, raw_node: RawNode) -> None:
    failing(raw_node, {"code": -26, "message": "too early", "data": {"code": "reveal-depth", "height": 7}})
    with pytest.raises(NodeRefused) as caught:
        client.call("sendoperation", "00")
    error = caught.value
    assert (error.code, error.message, error.rpc_code, error.data) == (
        "reveal-depth",
        "too early",
        -26,
        {"height": 7},
    )
    assert error.exit_code == 1
    assert error.to_document() == {"error": {"code": "reveal-depth", "message": "too early", "data": {"height": 7}}}


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ({"code": -32601, "message": "x"}, "no-such-method"),
        ({"code": -32602}, "bad-params"),
        ({"code": 17, "message": "x", "data": "text"}, "rpc-error"),
        (
            {"code": "17", "message": 5, "data": {"code": 5, "url": 1, "rpc_code": 3, "message": 2}},
            "rpc-error",
        ),
    ],
)
def test_a_refusal_without_a_word_still_has_a_code(
    client: Client, raw_node: RawNode, error: dict[str, Any], code: str
) -> None:
    failing(raw_node, error)
    with pytest.raises(NodeRefused) as caught:
        client.call("x")
    assert caught.value.code == code
    assert caught.value.message


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("401 Unauthorized", "cookie-refused"),
        ("413 Too Large", "request-too-large"),
        ("403 Forbidden", "forbidden"),
    ],
)
def test_refusals_of_the_http_layer(client: Client, raw_node: RawNode, status: str, code: str) -> None:
    answering(raw_node, b"no", status)
    with pytest.raises(NodeRefused) as caught:
        client.call("stop")
    assert caught.value.code == code
    assert raw_node.url in caught.value.message


def test_401_tells_a_stale_cookie_from_none(client: Client, raw_node: RawNode, cookie: Path) -> None:
    answering(raw_node, b"", "401 Unauthorized")
    with pytest.raises(NodeRefused, match="earlier start") as stale:
        client.call("stop")
    assert stale.value.data == {"url": raw_node.url, "cookie": str(cookie), "cookie_found": True}
    cookie.unlink()
    with pytest.raises(NodeRefused, match=f"there is no cookie at {cookie}") as missing:
        client.call("stop")
    assert missing.value.code == "cookie-required"


def test_403_with_a_reason_keeps_it(client: Client, raw_node: RawNode) -> None:
    answering(raw_node, b'{"error": {"code": -32002, "message": "Origin not allowed"}}', "403 Forbidden")
    with pytest.raises(NodeRefused, match="Origin not allowed"):
        client.call("stop")


def test_nobody_listens(tmp_path: Path, raw_node: RawNode) -> None:
    raw_node.stop()
    url = "http://127.0.0.1:9"
    with pytest.raises(NodeUnreachable) as caught:
        Client(url, tmp_path / "none", network="dev").call("uptime")
    error = caught.value
    assert error.exit_code == 2
    assert error.code == "unreachable"
    for part in (url, f"no cookie at {tmp_path / 'none'}", "`meshd --network dev`", "--rpc URL"):
        assert part in error.message


def test_an_unreachable_node_whose_cookie_is_there(tmp_path: Path) -> None:
    (tmp_path / "c").write_text("__cookie__:x")
    with pytest.raises(NodeUnreachable, match=f"a cookie was found at {tmp_path / 'c'}"):
        Client("http://127.0.0.1:9", tmp_path / "c").call("uptime")


def test_a_host_name_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(NodeUnreachable):
        Client(f"http://{'a' * 70}:9", tmp_path / "c").call("uptime")


def test_a_silent_node_times_out(raw_node: RawNode, cookie: Path) -> None:
    release = threading.Event()

    def respond(_request: Request) -> None:
        release.wait(10)

    raw_node.respond = respond
    client = Client(raw_node.url, cookie, timeout=0.05)
    with pytest.raises(NodeUnreachable, match=r"did not answer within 0\.05 s") as caught:
        client.call("uptime")
    release.set()
    assert caught.value.code == "timeout"


@pytest.mark.parametrize(
    "answer",
    [
        None,
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
    ],
)
def test_a_connection_that_breaks_leaves_the_outcome_open(
    client: Client, raw_node: RawNode, answer: bytes | None
) -> None:
    raw_node.respond, raw_node.close_after = lambda request: answer, True
    with pytest.raises(NodeUnreachable, match="look before you repeat it") as caught:
        client.call("generate", 1)
    assert caught.value.code == "connection-lost"
    assert len(raw_node.requests) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"<html>", b"", b"null", b"[]", b"7",
        b'{"id": 0, "result": 1}', b'{"id": 1}', b'{"id": true, "result": 1}',
        b"\xff\xfe", b"[" * 100_000, b"1" * 10_000,
    ],
)  # fmt: skip
def test_an_answer_that_is_no_reply(client: Client, raw_node: RawNode, body: bytes) -> None:
    answering(raw_node, body)
    with pytest.raises(NodeUnreachable) as caught:
        client.call("uptime")
    assert caught.value.code == "not-a-node"


@pytest.mark.parametrize("status", ["404 Not Found", "500 Oops", "302 Found", "204 No Content"])
def test_another_program_holds_the_port(client: Client, raw_node: RawNode, status: str) -> None:
    answering(raw_node, b"", status)
    with pytest.raises(NodeUnreachable, match=f"HTTP {status[:3]}"):
        client.call("uptime")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(answer=st.binary(min_size=1, max_size=200) | st.binary(max_size=60).map(lambda b: b"HTTP/1.1 200 OK\r\n" + b))
def test_any_bytes_for_an_answer_give_a_typed_error(raw_node: RawNode, cookie: Path, answer: bytes) -> None:
    raw_node.respond, raw_node.close_after = lambda request: answer, True
    client = Client(raw_node.url, cookie, timeout=5)
    with pytest.raises(ClientError):
        client.call("uptime")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    reply=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["id", "result", "error", "code", "message", "data"]), inner)
        ),
        max_leaves=12,
    )
)
def test_any_json_for_a_reply_is_a_result_or_a_typed_error(client: Client, raw_node: RawNode, reply: object) -> None:
    answering(raw_node, json.dumps(reply).encode())
    for attempt in (lambda: client.call("x"), lambda: client.batch([("x", [])], refusals=True)):
        with suppress(ClientError):
            attempt()


def test_the_client_pulls_in_nothing_heavy() -> None:
    script = "import sys, meshchain.rpc.client, meshchain.rpc.client.commandline; print(*sys.modules)"
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    heavy = {"aiohttp", "asyncio", "trio", "rich", "dns", "coincurve", "cryptography", "plyvel", "structlog"}
    assert not heavy & set(shown.stdout.split())
