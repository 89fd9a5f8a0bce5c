"""What the proxy answers itself: the PAC file, the authority's certificate, and pages that say which rule failed."""

from collections.abc import Mapping
from html import escape
from http import HTTPStatus
from typing import Final

from meshchain.config.values import Address

PAC_PATH: Final = "/proxy.pac"
AUTHORITY_PATH: Final = "/authority.crt"
_SAFE: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
    "Connection": "close",
}
_STYLE: Final = "body{font:1rem/1.5 sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem}code{font-size:.95em}"


def response(status: int, body: bytes, kind: str, more: Mapping[str, str] | None = None) -> bytes:
    """A whole HTTP/1.1 answer after which the connection ends."""
    fields = {"Content-Type": kind, "Content-Length": str(len(body)), **_SAFE, **(more or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n{head}\r\n".encode() + body


def pac(proxy: Address) -> bytes:
    """Names under .mesh go through the proxy, everything else goes direct. No name is resolved."""
    text = (
        "function FindProxyForURL(url, host) {\n"
        f'  return dnsDomainIs(host, ".mesh") || dnsDomainIs(host, ".mesh.") ? "PROXY {proxy}" : "DIRECT";\n'
        "}\n"
    )
    return response(200, text.encode(), "application/x-ns-proxy-autoconfig")


def authority(pem: bytes) -> bytes:
    return response(200, pem, "application/x-x509-ca-cert")


def redirect(address: str) -> bytes:
    return response(307, b"", "text/plain", {"Location": address})


def plain(status: int, code: str, message: str) -> bytes:
    """For programs, before any TLS."""
    return response(status, f"{code}: {message}\n".encode(), "text/plain; charset=utf-8")


def refusal(host: str, code: str, message: str, status: int = 502) -> bytes:
    """For people: the server was not shown, and why."""
    safe = escape(host)
    body = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{safe} was refused</title>'
        f"<style>{_STYLE}</style><h1>{safe} was refused</h1>"
        f"<p>{escape(message)}.</p><p>Rule: <code>{escape(code)}</code></p>"
        f"<p>Nothing was sent to the server. Its owner sees what to change with"
        f" <code>meshctl tls check {safe}</code>.</p>"
        "<p>This page comes from the proxy of meshchain on this computer. Its certificate authority was made here,"
        " is used nowhere else, and is limited to names under .mesh.</p></html>"
    )
    return response(status, body.encode(), "text/html; charset=utf-8")
