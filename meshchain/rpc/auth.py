"""Who may call: the cookie, and the headers by which a browser gives itself away.

The cookie (as bitcoind's) is a random password in a file that only the node's user can read; whoever can
read the data directory may do everything. Without it only reading methods answer, and only to this machine.

A page in a browser on this machine also speaks from loopback. Three checks keep it out: ``Host`` must name
this machine (a foreign name that an attacker's DNS points at 127.0.0.1 is refused), ``Origin`` must be
absent or this very server, and ``Sec-Fetch-Site``, which pages cannot forge, must not say that another site
asks. No CORS header is ever sent.
"""

import base64
import binascii
import contextlib
import hmac
import ipaddress
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final

COOKIE_NAME: Final = ".cookie"
COOKIE_USER: Final = "__cookie__"
LOCAL_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})


class Cookie:
    """The credential of one run of the node and the file that hands it to clients."""

    def __init__(self, folder: Path, *, password: str | None = None) -> None:
        self.path = folder / COOKIE_NAME
        self._secret = f"{COOKIE_USER}:{password or secrets.token_hex(32)}".encode("ascii")

    def write(self) -> None:
        """Replace the file atomically; mode 600 from its first byte, whatever the umask. OSError on failure."""
        temporary = self.path.with_name(f"{COOKIE_NAME}.new")
        temporary.unlink(missing_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
        with os.fdopen(os.open(temporary, flags, 0o600), "wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(self._secret)
        temporary.replace(self.path)

    def remove(self) -> None:
        """Delete the file if it still holds our credential: a later node may have written its own."""
        with contextlib.suppress(OSError):
            if hmac.compare_digest(self.path.read_bytes(), self._secret):
                self.path.unlink()

    def matches(self, authorization: str) -> bool:
        """Whether an ``Authorization`` header is Basic (RFC 7617) with our credential; constant time."""
        scheme, _, encoded = authorization.partition(" ")
        try:
            given = base64.b64decode(encoded.strip().encode("ascii"), validate=True)
        except (binascii.Error, ValueError):
            return False
        return scheme.lower() == "basic" and hmac.compare_digest(given, self._secret)


class Forbidden(Exception):  # noqa: N818 - the word HTTP uses
    """The request comes from where it must not (HTTP 403); the text says which header is wrong."""


def check_source(headers: Mapping[str, str], *ours: str) -> None:
    """Raise Forbidden unless Host, Origin and Sec-Fetch-Site say that no foreign page is asking.

    ``ours`` (no brackets): what the operator told us to listen on, and the address of our end of the
    connection. Neither can be a name of an attacker's choice.
    """
    host = headers.get("Host", "")
    if host_name(host) not in LOCAL_HOSTS | {_bracketed(address) for address in ours if address}:
        raise Forbidden(f"Host {host!r} is not an address of this node; use localhost, 127.0.0.1 or [::1]")
    origin = headers.get("Origin")
    if origin is not None and origin.lower() != f"http://{host.lower()}":
        raise Forbidden(f"Origin {origin!r} may not use this node")
    site = headers.get("Sec-Fetch-Site", "none")
    if site not in ("none", "same-origin"):
        raise Forbidden(f"a page of another site may not use this node (Sec-Fetch-Site: {site})")


def from_browser(headers: Mapping[str, str]) -> bool:
    """Whether a browser shows itself: then a POST must say application/json, which no plain form can."""
    return "Origin" in headers or any(name[:10].lower() == "sec-fetch-" for name in headers)


def host_name(host: str) -> str:
    """The Host header without its port, lower case; brackets of IPv6 literals stay (RFC 9110 §7.2)."""
    name, _, port = host.lower().rpartition(":")
    return name if name and (port.isdigit() or not port) and (":" not in name or name.endswith("]")) else host.lower()


def is_loopback(address: str) -> bool:
    """True for 127.0.0.0/8, ::1 and their mapped form; False for what is no address."""
    if address == "127.0.0.1":
        return True
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return (mapped or parsed).is_loopback


def _bracketed(address: str) -> str:
    plain = address.partition("%")[0].lower()
    return f"[{plain}]" if ":" in plain else plain
