"""What the host is to look like while the mesh runs on it."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

MTU: Final = 1392
"""Of the TUN: Ethernet's 1,500 less UDP over IPv6, link frame, MESHP and MESHSEC, with room to spare."""
IDLE_DEVICE: Final = "lo2"
LOOPBACK: Final = "beef::"
"""The address that programs bind for being reached over the mesh only."""
MESH: Final = "eeee::/16"
GROUPS: Final = "ff18:eeee::/32"


@dataclass(frozen=True, slots=True)
class HostPlan:
    """``derived`` and ``claimed``: own mesh addresses, 16 bytes; ``claimed`` None where no name gives one."""

    tun: str
    derived: bytes
    claimed: bytes | None = None
    loopback: bool = True
    """Whether ``lo2`` and its rules are wanted."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """As text; the one that programs speak from first."""
        both = (self.derived,) if self.claimed is None else (self.claimed, self.derived)
        return tuple(str(ipaddress.IPv6Address(each)) for each in both)

    def to_json(self) -> dict[str, Any]:
        return {
            "tun": self.tun,
            "derived": self.derived.hex(),
            "claimed": None if self.claimed is None else self.claimed.hex(),
            "loopback": self.loopback,
        }

    @classmethod
    def from_json(cls, form: Mapping[str, Any]) -> "HostPlan":
        """KeyError, TypeError or ValueError for what to_json does not make."""
        claimed = None if form["claimed"] is None else bytes.fromhex(form["claimed"])
        return cls(str(form["tun"]), bytes.fromhex(form["derived"]), claimed, bool(form["loopback"]))
