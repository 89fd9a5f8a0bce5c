"""Parse single values of meshd's options. Every parser raises ValueError with a reason for people."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Final

OFF: Final = "off"
DNS_PORT: Final = 53
_HOST_NAME: Final = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9_-]{1,63}(?<!-))*\.?", re.ASCII)
_INTERFACE: Final = re.compile(r"[!-.0-~]{1,15}", re.ASCII)
"""Linux: IFNAMSIZ is 16 with the final zero; neither '/' nor white space (net/core/dev.c, dev_valid_name)."""
_PORT: Final = re.compile(r"[0-9]{1,5}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Address:
    """A host (IPv4 or IPv6 address without brackets, or a host name) and a port; port 0 listens on any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def listen_address(text: str) -> Address:
    """HOST:PORT to listen on, port 0 to 65535."""
    host, port = _split(text)
    return Address(parse_host(host), parse_port(port, lowest=0))


def peer_address(text: str) -> Address:
    """HOST:PORT to talk to, port 1 to 65535."""
    host, port = _split(text)
    return Address(parse_host(host), parse_port(port))


def listen_address_or_off(text: str) -> Address | None:
    return None if text == OFF else listen_address(text)


def resolver_address(text: str) -> Address:
    """HOST or HOST:PORT of a DNS server; an IPv6 address may stand without brackets if it has no port."""
    try:
        return Address(str(ipaddress.ip_address(text)), DNS_PORT)
    except ValueError:
        pass
    if (text.startswith("[") and text.endswith("]")) or ":" not in text:
        return Address(parse_host(text), DNS_PORT)
    return peer_address(text)


def _split(text: str) -> tuple[str, str]:
    host, colon, port = text.rpartition(":")
    if not colon:
        raise ValueError("it must be HOST:PORT")
    return host, port


def parse_host(text: str) -> str:
    """An IPv4 address, an IPv6 address in brackets, or a host name; returned without brackets, canonical."""
    if text.startswith("[") and text.endswith("]"):
        return _ipv6(text[1:-1])
    if ":" in text:
        raise ValueError("an IPv6 address stands in brackets, like [::1]:9336")
    if is_ipv4_like(text):
        return _ipv4(text)
    if len(text) > 253 or not _HOST_NAME.fullmatch(text):
        raise ValueError(f"{text!r} is neither an IP address nor a host name")
    return text


def is_ipv4_like(text: str) -> bool:
    """True for what cannot be a host name, since its last label is a number (RFC 1123 §2.1)."""
    return text.rstrip(".").rpartition(".")[2].isdecimal()


def _ipv4(text: str) -> str:
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError:
        raise ValueError(f"{text!r} is no IPv4 address") from None


def _ipv6(text: str) -> str:
    try:
        return str(ipaddress.IPv6Address(text))
    except ValueError:
        raise ValueError(f"{text!r} is no IPv6 address") from None


def parse_port(text: str, lowest: int = 1) -> int:
    if not _PORT.fullmatch(text) or not lowest <= int(text) <= 65535:
        raise ValueError(f"{text!r} is no port from {lowest} to 65535")
    return int(text)


def interface_name(text: str) -> str:
    if text in (".", "..") or ":" in text or not _INTERFACE.fullmatch(text):
        raise ValueError(f"{text!r} is no interface name (1 to 15 characters, no space, '/' or ':')")
    return text


def tun_or_off(text: str) -> str | None:
    return None if text == OFF else interface_name(text)


def zone_number(text: str) -> int:
    if not _PORT.fullmatch(text) or int(text) > 65535:
        raise ValueError("it must be a number from 0 to 65535")
    return int(text)


def auto_or_off(text: str) -> bool:
    """``auto`` is True."""
    if text not in ("auto", OFF):
        raise ValueError("it must be auto or off")
    return text == "auto"
