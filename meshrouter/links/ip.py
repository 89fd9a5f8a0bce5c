"""Link addresses on links over IP: 4 or 16 bytes of address, 2 of port; and which of them must not be used."""

import errno
import ipaddress
import socket
from collections.abc import Callable
from typing import Final, TypeAlias

from meshchain.crypto.address import PREFIX

SockAddress: TypeAlias = tuple[str, int] | tuple[str, int, int, int]
"""As the socket module has it: host, port and, for IPv6, flow and scope."""

LOOPBACK_PREFIX: Final = bytes.fromhex("beef")
"""beef::/16, what ``lo2`` carries."""


def packed(where: SockAddress) -> bytes:
    """6 or 18 bytes. OSError for a host that is no address."""
    family = socket.AF_INET if len(where) == 2 else socket.AF_INET6
    return socket.inet_pton(family, where[0]) + where[1].to_bytes(2, "big")


def unpacked(address: bytes, scope: int = 0) -> SockAddress | None:
    """The reverse; None for bytes that are none."""
    port = int.from_bytes(address[-2:], "big")
    if len(address) == 6:
        return socket.inet_ntop(socket.AF_INET, address[:4]), port
    if len(address) == 18:
        return socket.inet_ntop(socket.AF_INET6, address[:16]), port, 0, scope
    return None


def is_unicast(address: bytes) -> bool:
    """Whether a link address over IP names one host and a port: others must not be sent to on a neighbour's word."""
    if len(address) not in (6, 18) or address[-2:] == b"\0\0":
        return False
    host = ipaddress.ip_address(address[:-2])
    return not (host.is_multicast or host.is_unspecified or host == _BROADCAST)


def is_mesh(host: str) -> bool:
    """Whether an address belongs to the mesh itself; a link over it would carry the mesh in the mesh."""
    address = ipaddress.ip_address(host.partition("%")[0])
    return address.version == 6 and address.packed[:2] in (PREFIX, LOOPBACK_PREFIX)


def text_of(address: bytes, device: str = "") -> str:
    """``10.0.0.1:3004``, ``[fe80::1%eth0]:3004``; hex for anything else."""
    where = unpacked(address)
    if where is None:
        return address.hex(":")
    host = where[0] + (f"%{device}" if device and where[0].startswith("fe80:") else "")
    return f"[{host}]:{where[1]}" if ":" in host else f"{host}:{where[1]}"


class Book:
    """Both forms of the addresses met on one socket, so that the hot path converts nothing.

    ``scope``: interface number that link-local addresses belong to. ``allowed`` says which link addresses may be sent
    to. Bounded: what is forgotten is converted again.
    """

    def __init__(self, allowed: Callable[[bytes], bool], scope: int = 0) -> None:
        self._allowed = allowed
        self._scope = scope
        self._packed: dict[SockAddress, bytes] = {}
        self._targets: dict[bytes, SockAddress] = {}

    def packed(self, sender: SockAddress) -> bytes:
        """The link address of a datagram's sender."""
        address = self._packed.get(sender)
        if address is None:
            if len(self._packed) >= _MOST_KNOWN:
                self._packed.clear()
            address = self._packed[sender] = packed(sender)
        return address

    def target(self, address: bytes) -> SockAddress:
        """Where to send for a link address. OSError (EINVAL) for what must not be sent to."""
        target = self._targets.get(address)
        if target is None:
            target = unpacked(address, self._scope) if self._allowed(address) else None
            if target is None:
                raise OSError(errno.EINVAL, "no address of this link")
            if len(self._targets) >= _MOST_KNOWN:
                self._targets.clear()
            self._targets[address] = target
        return target


_MOST_KNOWN: Final = 4096
_BROADCAST: Final = ipaddress.ip_address("255.255.255.255")
