"""A node's side of the wire that answers whatever a test wants, byte for byte, over real sockets."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest


@dataclass(frozen=True)
class Request:
    head: str
    body: bytes

    @property
    def document(self) -> Any:  # noqa: ANN401 (any JSON)
        return json.loads(self.body)

    @property
    def authorization(self) -> str | None:
        for line in self.head.split("\r\n"):
            if line.lower().startswith("authorization: "):
                return line.split(": ", 1)[1]
        return None


Responder = Callable[[Request], bytes | None]
"""Bytes to send back; None closes the connection."""


@dataclass
class RawNode:
    listener: socket.socket
    respond: Responder
    close_after: bool = False
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    closed: threading.Event = field(default_factory=threading.Event)
    _open: list[socket.socket] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}/"

    def serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self.connections += 1
                self._open.append(connection)
                with suppress(OSError), connection, connection.makefile("rb") as stream:
                    self._converse(connection, stream)
                self.closed.set()

    def _converse(self, connection: socket.socket, stream: Any) -> None:  # noqa: ANN401 (makefile's type)
        while head := _head(stream):
            size = next(int(x.split(":")[1]) for x in head.split("\r\n") if x.lower().startswith("content-length"))
            self.requests.append(Request(head, stream.read(size)))
            answer = self.respond(self.requests[-1])
            if answer is None:
                return
            connection.sendall(answer)
            if self.close_after:
                return

    def stop(self) -> None:
        for sock in (self.listener, *self._open):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()


def _head(stream: Any) -> str:  # noqa: ANN401 (makefile's type)
    """The request line and headers; empty at the end of the stream."""
    lines = []
    while (line := stream.readline()) not in (b"", b"\r\n"):
        lines.append(line.decode("latin-1"))
    return "".join(lines)


def http(status: str, body: bytes, *extra: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *extra, "", ""]
    return "\r\n".join(lines).encode() + body


def echo(request: Request) -> bytes:
    """A well-behaved node whose every method returns [method, params]."""

    def one(call: dict[str, Any]) -> dict[str, Any]:
        return {"jsonrpc": "2.0", "id": call["id"], "result": [call["method"], call["params"]]}

    document = request.document
    reply = [one(c) for c in document] if isinstance(document, list) else one(document)
    return http("200 OK", json.dumps(reply).encode())


@pytest.fixture
def raw_node() -> Iterator[RawNode]:
    node = RawNode(socket.create_server(("127.0.0.1", 0)), echo)
    thread = threading.Thread(target=node.serve, daemon=True)
    thread.start()
    yield node
    node.stop()
    thread.join(5)
    assert not thread.is_alive()
