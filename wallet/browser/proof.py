"""A real fetch by the way that browsers go: PAC file, CONNECT, and a handshake that trusts the installed root alone."""

import socket
import ssl
import urllib.error
import urllib.request
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from meshchain.tls.authority import ZONE
from wallet.errors import RefusalError

TIMEOUT: Final = 20.0
_MOST: Final = 1 << 16


def get(url: str) -> bytes:
    """Of the proxy itself, without any proxy; RefusalError (proxy-unreachable)."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=TIMEOUT) as answer:
            return bytes(answer.read(_MOST))
    except (OSError, ValueError) as error:
        raise RefusalError(
            "proxy-unreachable", f"{url}: {error}. Does meshd run with --proxy? Name it with --proxy here too", url=url
        ) from None


def limited_root(pem: bytes) -> bytes:
    """The authority in DER; RefusalError (authority-not-limited) unless it may speak for .mesh alone."""
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        found = certificate.extensions.get_extension_for_class(x509.NameConstraints)
    except (ValueError, x509.ExtensionNotFound):
        found = None
    if found is None or not found.critical or found.value.permitted_subtrees != [x509.DNSName(ZONE)]:
        raise RefusalError(
            "authority-not-limited", "the certificate authority is not limited to .mesh; it is not installed"
        )
    return certificate.public_bytes(Encoding.DER)


def fetch(proxy: tuple[str, int], host: str, root: bytes) -> int:
    """The status of https://``host``/ through the proxy; RefusalError (not-proven) where a browser would warn.

    A page of the proxy that says why a server was refused is a proof too: it comes by the same way.
    """
    try:
        with socket.create_connection(proxy, timeout=TIMEOUT) as stream:
            stream.sendall(f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n".encode())
            answer = stream.recv(_MOST)
            if b" 200 " not in answer.split(b"\r\n", 1)[0]:
                raise RefusalError("not-proven", f"the proxy refused {host}: {answer[:200].decode(errors='replace')}")
            return _status(stream, host, root)
    except OSError as error:
        raise RefusalError("not-proven", f"https://{host} through the proxy: {error}", host=host) from None


def _status(stream: socket.socket, host: str, root: bytes) -> int:
    context = ssl.create_default_context(cadata=root)
    with context.wrap_socket(stream, server_hostname=host) as tls:
        tls.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        line = tls.recv(_MOST).split(b"\r\n", 1)[0].split()
    if len(line) < 2 or not line[1].isdigit():
        raise RefusalError("not-proven", f"https://{host} answered no HTTP", host=host)
    return int(line[1])


def days_left(root: bytes) -> int:
    return (x509.load_der_x509_certificate(root).not_valid_after_utc - datetime.now(UTC)).days
