"""TLS servers with a chosen chain, in a thread: what it takes to show one and the same server to several clients."""

import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.tls.kit import Cert, key_pem

BODY = b"<h1>alice is here</h1>"


def page_of(body: bytes) -> bytes:
    """The whole answer of a server that then hangs up."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
    return head % len(body) + body


PAGE = page_of(BODY)


def context(folder: Path, chain: Sequence[Cert]) -> ssl.SSLContext:
    """For a server that sends ``chain``, leaf first."""
    file = folder / f"{abs(hash(tuple(chain)))}.pem"
    file.write_bytes(key_pem(chain[0].who) + b"".join(cert.pem for cert in chain))
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(file)
    return made


@contextmanager
def serving(folder: Path, chain: Sequence[Cert]) -> Iterator[int]:
    """A server on 127.0.0.1 that answers every request with PAGE; its port."""
    with serving_with(context(folder, chain)) as port:
        yield port


@contextmanager
def serving_with(tls: ssl.SSLContext) -> Iterator[int]:
    """Likewise, with a key and certificates of one's own."""
    with socket.create_server(("127.0.0.1", 0)) as listener, serving_at(listener, tls):
        yield listener.getsockname()[1]


@contextmanager
def serving_at(listener: socket.socket, tls: ssl.SSLContext, page: bytes = PAGE) -> Iterator[None]:
    """A server on a socket that is open already; that one listens no more when the block ends."""
    thread = threading.Thread(target=_accept, args=(listener, tls, page), daemon=True)
    thread.start()
    try:
        yield
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def _accept(listener: socket.socket, tls: ssl.SSLContext, page: bytes) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            client.settimeout(20)
            with suppress(OSError), client, tls.wrap_socket(client, server_side=True) as stream:
                if stream.recv(4096):
                    stream.sendall(page)
