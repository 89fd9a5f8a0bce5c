"""Link specifications: which wires and peers the router speaks on.

``udp:IFACE[:PORT]`` and ``udp:HOST:PORT`` share a prefix, so what stands there decides: IP addresses,
``localhost``, names that no interface can have, and dotted names that end in letters only (``node.example``)
are hosts; all else is an interface (``eth0``, ``eth0.100``, ``wlan0.sta1``).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from meshchain.config.values import Address, interface_name, is_ipv4_like, listen_address, parse_port, peer_address

UDP_PORT: Final = 3003


@dataclass(frozen=True, slots=True)
class UdpInterface:
    """Broadcast on one interface."""

    interface: str
    port: int = UDP_PORT

    def __str__(self) -> str:
        return f"udp:{self.interface}" + ("" if self.port == UDP_PORT else f":{self.port}")


@dataclass(frozen=True, slots=True)
class UdpPeer:
    """One peer by unicast."""

    address: Address

    def __str__(self) -> str:
        return f"udp:{self.address}"


@dataclass(frozen=True, slots=True)
class UdpListen:
    address: Address

    def __str__(self) -> str:
        return f"udp-listen:{self.address}"


@dataclass(frozen=True, slots=True)
class EthernetInterface:
    interface: str

    def __str__(self) -> str:
        return f"ethernet:{self.interface}"


@dataclass(frozen=True, slots=True)
class TcpPeer:
    address: Address

    def __str__(self) -> str:
        return f"tcp:{self.address}"


@dataclass(frozen=True, slots=True)
class TcpListen:
    address: Address

    def __str__(self) -> str:
        return f"tcp-listen:{self.address}"


@dataclass(frozen=True, slots=True)
class NoLink:
    """``none``: no link at all; stands alone."""

    def __str__(self) -> str:
        return "none"


Link: TypeAlias = UdpInterface | UdpPeer | UdpListen | EthernetInterface | TcpPeer | TcpListen | NoLink


def parse_link(text: str) -> Link:
    """Raises ValueError with the reason."""
    kind, colon, rest = text.partition(":")
    if text == "none":
        return NoLink()
    if kind not in _KINDS:
        raise ValueError(f"a link begins with one of {', '.join(_KINDS)}, or is none")
    if not colon or not rest:
        raise ValueError(f"something must follow {kind}:")
    return _KINDS[kind](rest)


def _udp(rest: str) -> Link:
    name, colon, port = rest.rpartition(":")
    if rest.startswith("[") or (colon and _is_host(name)):
        return UdpPeer(peer_address(rest))
    if not colon:
        return UdpInterface(interface_name(rest))
    return UdpInterface(interface_name(name), parse_port(port))


def _is_host(name: str) -> bool:
    if name == "localhost" or len(name) > 15:
        return True
    last = name.rpartition(".")[2]
    return "." in name and (last.isalpha() or (is_ipv4_like(name) and name.replace(".", "").isdecimal()))


_KINDS: Final[Mapping[str, Callable[[str], Link]]] = {
    "udp": _udp,
    "udp-listen": lambda rest: UdpListen(listen_address(rest)),
    "ethernet": lambda rest: EthernetInterface(interface_name(rest)),
    "tcp": lambda rest: TcpPeer(peer_address(rest)),
    "tcp-listen": lambda rest: TcpListen(listen_address(rest)),
}
