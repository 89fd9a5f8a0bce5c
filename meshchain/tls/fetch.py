"""The certificates that a TLS server shows, whatever they are worth: bounded in time and bytes.

The handshake verifies nothing: that is the caller's to do with what came, before a byte of content is exchanged.
OpenSSL itself refuses a certificate message above 100 KB (SSL_CTX_set_max_cert_list); MOST bounds all that a
server may send before its handshake is over.
"""

import socket
import ssl
import time
from collections.abc import Callable
from typing import Any, Final

MOST: Final = 1 << 18
"""Bytes from the server until the handshake is over."""
_PIECE: Final = 1 << 14


class FetchError(Exception):
    """``code``: connect-failed, tls-failed, tls-timeout, tls-too-large."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def client_context() -> ssl.SSLContext:
    """TLS 1.2 and later, no verification of its own, no tickets: a resumed session shows no certificates."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.options |= ssl.OP_NO_TICKET
    context.set_alpn_protocols(["http/1.1"])
    return context


def shown(tls: ssl.SSLObject) -> list[bytes]:
    """DER certificates of a finished handshake, leaf first, as the server sent them."""
    public: Callable[[], list[bytes]] | None = getattr(tls, "get_unverified_chain", None)
    if public is not None:  # Python 3.13
        return list(public())
    inner: Any = tls._sslobj  # type: ignore[attr-defined]
    encoding: int = ssl._ssl.ENCODING_DER  # type: ignore[attr-defined]
    return [bytes(certificate.public_bytes(encoding)) for certificate in inner.get_unverified_chain() or ()]


def chain(host: str, port: int, server_name: str, *, timeout: float) -> list[bytes]:
    """Connect, shake hands with SNI ``server_name``, and leave; FetchError. ``timeout``: seconds for all of it."""
    end = time.monotonic() + timeout
    try:
        with socket.create_connection((host, port), timeout=timeout) as stream:
            return _handshake(stream, server_name, end)
    except TimeoutError:
        raise FetchError("tls-timeout", f"no TLS handshake with {host} port {port} within {timeout:g} s") from None
    except ssl.SSLError as error:
        raise FetchError("tls-failed", f"the TLS handshake failed: {error.reason or error}") from None
    except OSError as error:
        raise FetchError("connect-failed", f"cannot connect to {host} port {port}: {error}") from None


def _handshake(stream: socket.socket, server_name: str, end: float) -> list[bytes]:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = client_context().wrap_bio(incoming, outgoing, server_hostname=server_name)
    received = 0
    while not _stepped(tls):
        _send(stream, outgoing, end)
        data = _receive(stream, end)
        received += len(data)
        if received > MOST:
            raise FetchError("tls-too-large", f"the server sent more than {MOST} bytes before the handshake was over")
        incoming.write(data)
    _send(stream, outgoing, end)
    return shown(tls)


def _stepped(tls: ssl.SSLObject) -> bool:
    """Whether the handshake is over."""
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True


def _send(stream: socket.socket, outgoing: ssl.MemoryBIO, end: float) -> None:
    if outgoing.pending:
        stream.settimeout(_left(end))
        stream.sendall(outgoing.read())


def _receive(stream: socket.socket, end: float) -> bytes:
    stream.settimeout(_left(end))
    data = stream.recv(_PIECE)
    if not data:
        raise ConnectionResetError("the server ended the connection during the handshake")
    return data


def _left(end: float) -> float:
    left = end - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
