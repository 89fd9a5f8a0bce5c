"""DNS over HTTP at the RPC port (RFC 8484)."""

import base64
from collections.abc import Iterator
from pathlib import Path

import dns.message
import pytest

from meshchain.rpc.server import RpcServer
from tests.dns.lab import engine, settle
from tests.rpc.ledger_node import LedgerNode
from tests.rpc.web import Web

TYPE = {"Content-Type": "application/dns-message"}
QUERY = dns.message.make_query("alice.mesh", "AAAA")


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    node = LedgerNode(tmp_path)
    settle(node)
    server = RpcServer(node, "127.0.0.1", 0, ask_dns=engine(node, tmp_path).stream)
    server.start()
    yield Web(server, node)
    server.stop()


def test_both_forms(web: Web) -> None:
    wire = QUERY.to_wire()
    encoded = base64.urlsafe_b64encode(wire).decode().rstrip("=")
    for answer in (
        web.request("POST", "/dns-query", wire, TYPE),
        web.request("GET", f"/dns-query?dns={encoded}"),
    ):
        assert (answer.status, answer.headers["Content-Type"]) == (200, "application/dns-message")
        message = dns.message.from_wire(answer.body)
        assert QUERY.is_response(message)
        assert str(message.answer[0][0]) == "eeee::1"


def test_what_is_no_question(web: Web) -> None:
    assert web.request("POST", "/dns-query", b"nonsense", TYPE).status == 400
    assert web.request("GET", "/dns-query").status == 400
    assert web.request("GET", "/dns-query?dns=%21").status == 400
    assert web.request("POST", "/dns-query", QUERY.to_wire()).status == 415
    assert web.request("POST", "/dns-query", bytes(5000), TYPE).status == 413
    assert web.request("PUT", "/dns-query", b"", TYPE).status == 405
    foreign = {**TYPE, "Origin": "https://evil.example"}
    assert web.request("POST", "/dns-query", QUERY.to_wire(), foreign).status == 403


def test_a_node_without_dns_says_so(tmp_path: Path) -> None:
    server = RpcServer(LedgerNode(tmp_path), "127.0.0.1", 0)
    server.start()
    try:
        answer = Web(server, LedgerNode(tmp_path)).request("POST", "/dns-query", QUERY.to_wire(), TYPE)
        assert (answer.status, b"--dns off" in answer.body) == (404, True)
    finally:
        server.stop()
