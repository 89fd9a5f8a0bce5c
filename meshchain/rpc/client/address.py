"""Read ``--rpc``: http://HOST:PORT, or HOST:PORT alone; IPv6 addresses in brackets."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from meshchain.rpc.client.errors import WrongUse


@dataclass(frozen=True, slots=True)
class Endpoint:
    host: str
    port: int
    path: str

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}{self.path}"

    @property
    def is_loopback(self) -> bool:
        return self.host in ("localhost", "::1") or self.host.startswith("127.")


def parse_endpoint(text: str) -> Endpoint:
    """Raise WrongUse (bad-rpc-url) that says which part is at fault."""
    url = text if "://" in text else f"http://{text}"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise _bad(text, str(error)) from None
    if parts.scheme != "http":
        raise _bad(text, "only http:// is spoken; reach a distant node through an SSH tunnel")
    if parts.username is not None or parts.query or parts.fragment:
        raise _bad(text, "no user, query or fragment belongs in it; the cookie comes from --cookie FILE")
    if not host or not port or not _is_plain(host + parts.path):
        raise _bad(text, "it needs a host and a port from 1 to 65535")
    return Endpoint(host, port, parts.path or "/")


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text


def _bad(text: str, reason: str) -> WrongUse:
    return WrongUse("bad-rpc-url", f"--rpc {text!r}: {reason} (like http://127.0.0.1:9336)", url=text)
