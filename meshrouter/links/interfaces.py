"""The machine's network interfaces: what netlink says of each, and which of them may be links.

Structures: rtnetlink(7), linux/if_link.h, linux/if_addr.h.
"""

import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from meshchain.crypto.address import PREFIX
from meshrouter.links.ip import LOOPBACK_PREFIX

HEADER: Final = struct.Struct("=IHHII")
"""nlmsghdr: length, type, flags, sequence, port."""
NEWLINK, DELLINK, NEWADDR, DELADDR = 16, 17, 20, 21

IFF_UP, IFF_LOOPBACK, IFF_RUNNING, IFF_NOARP, IFF_MULTICAST = 0x1, 0x8, 0x40, 0x80, 0x1000
ARPHRD_ETHERNET: Final = 1

_LINK: Final = struct.Struct("=BxHiII")
_ADDRESS: Final = struct.Struct("=BBBBI")
_ATTRIBUTE: Final = struct.Struct("=HH")
_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_MTU, _IFLA_MASTER = 1, 3, 4, 10
_IFA_ADDRESS, _IFA_LOCAL, _IFA_FLAGS = 1, 2, 8
_IFA_F_TENTATIVE, _IFA_F_DADFAILED = 0x40, 0x08
_NESTED: Final = 0x3FFF


@dataclass(frozen=True, slots=True)
class Interface:
    """``addresses``: of 4 or 16 bytes, usable ones only (not while duplicates are being looked for)."""

    index: int
    name: str
    flags: int
    mtu: int
    mac: bytes
    arp_type: int
    master: int = 0
    addresses: tuple[bytes, ...] = ()

    @property
    def is_up(self) -> bool:
        """Administratively up, and with carrier."""
        return bool(self.flags & IFF_UP and self.flags & IFF_RUNNING)

    @property
    def is_loopback(self) -> bool:
        return bool(self.flags & IFF_LOOPBACK)

    @property
    def is_wired(self) -> bool:
        """Whether it is no radio, as far as sysfs tells."""
        return not Path(f"/sys/class/net/{self.name}/phy80211").exists()

    @property
    def link_local(self) -> bytes | None:
        """Its fe80::/64 address."""
        return next((each for each in self.addresses if each[:2] == b"\xfe\x80"), None)

    @property
    def ipv4(self) -> bytes | None:
        return next((each for each in self.addresses if len(each) == 4), None)

    def objection(self) -> str | None:
        """Why it must not be a link; None if it may."""
        if any(each[:2] in (PREFIX, LOOPBACK_PREFIX) for each in self.addresses):
            return "it carries addresses of the mesh itself"
        if self.master:
            return "it belongs to a bridge or a bond: use that one"
        if self.flags & IFF_NOARP:
            return "it has no ARP (a tunnel); use udp:HOST:PORT or tcp:HOST:PORT over it"
        return None


@dataclass(slots=True)
class InterfaceTable:
    """All interfaces by number, kept by netlink messages. A malformed one ends its batch."""

    by_index: dict[int, Interface] = field(default_factory=dict)

    def by_name(self, name: str) -> Interface | None:
        return next((each for each in self.by_index.values() if each.name == name), None)

    def take(self, batch: bytes) -> bool:
        """One datagram of netlink messages; whether anything changed."""
        changed = False
        for kind, body in messages(batch):
            if kind in (NEWLINK, DELLINK) and len(body) >= _LINK.size:
                changed |= self._link(kind == NEWLINK, body)
            elif kind in (NEWADDR, DELADDR) and len(body) >= _ADDRESS.size:
                changed |= self._address(kind == NEWADDR, body)
        return changed

    def _link(self, exists: bool, body: bytes) -> bool:
        _, arp_type, index, flags, _ = _LINK.unpack_from(body)
        if body[0] != 0:
            return False  # AF_BRIDGE and others tell of ports, not of interfaces
        before = self.by_index.get(index)
        if not exists:
            return self.by_index.pop(index, None) is not None
        attributes = dict(_attributes(body[_LINK.size :]))
        now = Interface(
            index=index,
            name=attributes.get(_IFLA_IFNAME, b"").rstrip(b"\0").decode(errors="replace"),
            flags=flags,
            mtu=int.from_bytes(attributes.get(_IFLA_MTU, b"")[:4], sys.byteorder),
            mac=attributes.get(_IFLA_ADDRESS, b""),
            arp_type=arp_type,
            master=int.from_bytes(attributes.get(_IFLA_MASTER, b"")[:4], sys.byteorder),
            addresses=before.addresses if before is not None else (),
        )
        self.by_index[index] = now
        return now != before

    def _address(self, exists: bool, body: bytes) -> bool:
        _, _, low_flags, _, index = _ADDRESS.unpack_from(body)
        before = self.by_index.get(index)
        attributes = dict(_attributes(body[_ADDRESS.size :]))
        address = attributes.get(_IFA_LOCAL) or attributes.get(_IFA_ADDRESS)
        if before is None or not address:
            return False
        flags = int.from_bytes(attributes.get(_IFA_FLAGS, bytes([low_flags])), sys.byteorder)
        usable = exists and not flags & (_IFA_F_TENTATIVE | _IFA_F_DADFAILED)
        kept = tuple(each for each in before.addresses if each != address)
        self.by_index[index] = replace(before, addresses=(*kept, address) if usable else kept)
        return usable != (address in before.addresses)


def messages(batch: bytes) -> Iterator[tuple[int, bytes]]:
    """(type, body) of each message in a netlink datagram."""
    at = 0
    while at + HEADER.size <= len(batch):
        length, kind, _, _, _ = HEADER.unpack_from(batch, at)
        if length < HEADER.size:
            return
        yield kind, batch[at + HEADER.size : at + length]
        at += (length + 3) & ~3


def _attributes(body: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + _ATTRIBUTE.size <= len(body):
        length, kind = _ATTRIBUTE.unpack_from(body, at)
        if length < _ATTRIBUTE.size:
            return
        yield kind & _NESTED, body[at + _ATTRIBUTE.size : at + length]
        at += (length + 3) & ~3
