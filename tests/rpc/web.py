"""A running server and ways to talk to it: http.client where that is enough, bytes on a socket where not."""

import base64
import http.client
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from meshchain.rpc.auth import COOKIE_NAME
from meshchain.rpc.server import RpcServer
from tests.rpc.ledger_node import LedgerNode

PATIENCE_S = 20
"""Longest wait for something that should happen at once; a test that fails takes this long."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401 - JSON
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        error = self.json["error"]
        assert isinstance(error, dict)
        return error


@dataclass(frozen=True)
class Web:
    server: RpcServer
    node: LedgerNode

    @property
    def cookie(self) -> dict[str, str]:
        """The header that the cookie file makes."""
        raw = (self.node.datadir / COOKIE_NAME).read_bytes()
        return {"Authorization": f"Basic {base64.b64encode(raw).decode()}"}

    def open(self) -> socket.socket:
        return socket.create_connection(self.server.address, timeout=PATIENCE_S)

    def request(
        self, verb: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        connection = http.client.HTTPConnection(*self.server.address, timeout=PATIENCE_S)
        try:
            connection.request(verb, path, body, dict(headers or {}))
            response = connection.getresponse()
            return Answer(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()

    def post(self, document: object, headers: Mapping[str, str] | None = None) -> Answer:
        return self.request("POST", "/", json.dumps(document).encode(), headers)

    def call(self, method: str, *params: object, headers: Mapping[str, str] | None = None) -> Answer:
        return self.post({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}, headers)


def read_to_end(connection: socket.socket) -> bytes:
    """What the server sends until it closes; TimeoutError if it does not."""
    received = b""
    try:
        while chunk := connection.recv(65536):
            received += chunk
    except ConnectionResetError:
        pass
    return received
