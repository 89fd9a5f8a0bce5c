"""What a browser says to the proxy: a request's head (RFC 9112 §3, §9.3.6 of RFC 9110), and what may be asked for."""

import re
from dataclasses import dataclass
from typing import Final

from meshchain.config.values import parse_port
from meshchain.tls.names import LABEL

MOST: Final = 8192
"""Bytes of a head."""
END: Final = b"\r\n\r\n"
PORTS: Final = frozenset((443, 8443))
"""Ports that CONNECT may name: those of HTTPS. A page must not make this computer speak to others."""
_LINE: Final = re.compile(rb"([A-Z]{1,16}) ([!-~]{1,4096}) HTTP/1\.[01]")
_HOST: Final = re.compile(rf"(?=.{{1,253}}\Z)({LABEL}\.)+mesh")


class ProxyRefusal(Exception):  # noqa: N818 - an answer to the client
    """``status``: of HTTP. ``code``: stable."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    target: str


def parse(head: bytes) -> Request:
    """Of a head up to END; header fields say nothing to a proxy of this kind. ProxyRefusal 400."""
    found = _LINE.fullmatch(head.split(b"\r\n", 1)[0])
    if found is None or len(head) > MOST:
        raise ProxyRefusal(400, "bad-request", "this is no HTTP request")
    return Request(found[1].decode(), found[2].decode())


def connect_target(target: str) -> tuple[str, int]:
    """Host in lower case without the last dot, and port, of CONNECT; ProxyRefusal 400 or 403."""
    host, colon, digits = target.rpartition(":")
    try:
        port = parse_port(digits)
    except ValueError:
        raise ProxyRefusal(400, "bad-request", "CONNECT takes HOST:PORT") from None
    name = mesh_host(host)
    if name is None or not colon:
        raise ProxyRefusal(403, "not-mesh", "this proxy leads to names under .mesh only")
    if port not in PORTS:
        allowed = " and ".join(map(str, sorted(PORTS)))
        raise ProxyRefusal(403, "port-not-allowed", f"this proxy leads to ports {allowed} only, not to {port}")
    return name, port


def mesh_host(host: str) -> str | None:
    """Canonical; None for what is no name under .mesh."""
    name = host.lower().removesuffix(".")
    return name if _HOST.fullmatch(name) else None


def secure_address(target: str) -> str | None:
    """http://alice.mesh/x asked for in the clear → https://alice.mesh/x; None for other targets."""
    found = re.fullmatch(r"http://([^/:?#@]+)(?::80)?([/?].*)?", target)
    host = mesh_host(found[1]) if found else None
    return None if found is None or host is None else f"https://{host}{found[2] or '/'}"
