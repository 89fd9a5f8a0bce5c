"""What the host is to look like while the mesh runs on it."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

MTU: Final = 1392
"""Of the TUN: Ethernet's 1,500 less UDP over IPv6, link frame, MESHP and MESHSEC, with room to spare."""
MOST_SUPER: Final = 62_000
"""Bytes of a packet of many segments that the kernel may give us: with all headers it fits into one train of 45 frames
on every link with an MTU of 1,500. A larger one would go as two, the second of them tiny."""
IDLE_DEVICE: Final = "lo2"
LOOPBACK: Final = "beef::"
"""The address that programs bind for being reached over the mesh only."""
MESH: Final = "eeee::/16"
GROUPS: Final = "ff18:eeee::/32"
GROUP_MTU: Final = 1280
"""Of packets for groups (``groups.message.MOST_PACKET``): they go over every link of the zone. The kernel fragments."""


@dataclass(frozen=True, slots=True)
class HostPlan:
    """``derived`` and ``claimed``: own mesh addresses, 16 bytes each; ``claimed`` empty where no name gives one."""

    tun: str
    derived: bytes
    claimed: tuple[bytes, ...] = ()
    loopback: bool = True
    """Whether ``lo2`` and its rules are wanted."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """As text; the one that programs speak from first."""
        return tuple(str(ipaddress.IPv6Address(each)) for each in (*self.claimed, self.derived))

    def to_json(self) -> dict[str, Any]:
        return {
            "tun": self.tun,
            "derived": self.derived.hex(),
            "claimed": [each.hex() for each in self.claimed],
            "loopback": self.loopback,
        }

    @classmethod
    def from_json(cls, form: Mapping[str, Any]) -> "HostPlan":
        """KeyError, TypeError or ValueError for what to_json does not make."""
        claimed = tuple(bytes.fromhex(each) for each in form["claimed"])
        return cls(str(form["tun"]), bytes.fromhex(form["derived"]), claimed, bool(form["loopback"]))
