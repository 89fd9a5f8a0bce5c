"""Servers that do not behave: silence, floods, plain text, nobody at home."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from meshchain.tls import fetch
from meshchain.tls.fetch import FetchError
from tests.tls.kit import ALONE, HOST, Cert
from tests.tls.servers import serving


@contextmanager
def answering(handler: Callable[[socket.socket], None]) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_answer, args=(listener, handler), daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def _answer(listener: socket.socket, handler: Callable[[socket.socket], None]) -> None:
    client, _ = listener.accept()
    with suppress(OSError), closing(client):
        handler(client)


def code(port: int, timeout: float = 20) -> str:
    with pytest.raises(FetchError) as caught:
        fetch.chain("127.0.0.1", port, HOST, timeout=timeout)
    return caught.value.code


def test_silence() -> None:
    with answering(lambda client: _wait_for_end(client)) as port:
        assert code(port, timeout=0.1) == "tls-timeout"


def _wait_for_end(client: socket.socket) -> None:
    while client.recv(4096):
        pass


def test_a_trickle_does_not_move_the_deadline() -> None:
    """A handshake record of 16 KB, a byte at a time: every byte comes in time, the whole never would."""

    def trickle(client: socket.socket) -> None:
        client.settimeout(0.01)
        client.sendall(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc")
        while True:
            with suppress(TimeoutError):
                client.recv(1)
            client.sendall(b"\0")

    with answering(trickle) as port:
        assert code(port, timeout=0.2) == "tls-timeout"


def test_plain_text() -> None:
    with answering(lambda client: client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as port:
        assert code(port) == "tls-failed"


def test_hang_up() -> None:
    with answering(lambda client: None) as port:
        assert code(port) == "connect-failed"


def test_nobody() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert code(port) == "connect-failed"


def test_a_megabyte_of_certificates(tmp_path: Path) -> None:
    """It ends within the first 256 KB, with a word for it."""
    fat = [Cert(f"fat{n}", "fat", names=tuple(f"{i}.{n}.alice.mesh" for i in range(1800))) for n in range(30)]
    chain = [ALONE, *(Cert(c.who, c.by, names=c.names) for c in fat)]
    assert sum(len(cert.der) for cert in chain) > 1_000_000
    with serving(tmp_path, chain) as port:
        assert code(port) in ("tls-failed", "tls-too-large")
