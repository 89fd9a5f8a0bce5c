"""A link as the machines see it: numbers, sizes, and an outbox."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

EVERYBODY: Final = b""
"""Link address of the group on a link with many (broadcast), and of the one peer on a link with one."""


class Medium(Enum):
    """What a link is made of; traceroute shows the value."""

    VIRTUAL = "virtual"
    UDP = "udp"
    ETHERNET = "ethernet"
    STREAM = "stream"


@dataclass(frozen=True, slots=True)
class Cars:
    """Frames of one train, one behind the other: the kernel cuts them every ``size`` bytes (UDP_SEGMENT)."""

    run: bytes
    size: int

    def __len__(self) -> int:
        return -(-len(self.run) // self.size)

    def frames(self) -> list[bytes]:
        """Each by itself."""
        return [self.run[at : at + self.size] for at in range(0, len(self.run), self.size)]


@dataclass(eq=False, slots=True, kw_only=True)
class Link:
    """One link of this node. Sockets are behind subclasses; a machine only appends to ``outbox``."""

    number: int
    """Never used again in one run of the router."""
    name: str
    """As configured: ``udp:eth0``, ``ethernet:eth1``, ``tcp:host:port``."""
    medium: Medium
    mtu: int
    """Largest link frame in bytes, header and tag included: 1500 on Ethernet, 1472 on UDP over IPv4, 1452 over IPv6."""
    shared: bool
    """Whether many may hear it: BEACONs go to EVERYBODY. Otherwise it has one peer, which is asked for its BEACON."""
    invited: bool = False
    """Whether whoever comes was configured to come (udp-listen): it is no crowd of which some are enough."""
    trains: bool = False
    """Whether a super-packet may go as one train: it loses next to nothing and has a large frame or a quick socket."""
    wired: bool = True
    up: bool = True
    outbox: list[tuple[bytes, bytes | Cars]] = field(default_factory=list)
    """(link address, frame), in the order in which they leave. Whoever owns the link empties it."""

    def send(self, address: bytes, frame: bytes) -> None:
        self.outbox.append((address, frame))

    def send_many(self, address: bytes, frames: Sequence[bytes]) -> None:
        self.outbox.extend((address, frame) for frame in frames)

    def send_train(self, address: bytes, cars: Cars) -> None:
        """Links that can send a train at once put it into the outbox as it is."""
        self.send_many(address, cars.frames())

    def underlay(self, address: bytes) -> tuple[str, int] | None:  # noqa: ARG002 - subclasses over IP use it
        """Host and port of a neighbour's link address where the link runs over IP; None elsewhere."""
        return None

    def text_of(self, address: bytes) -> str:
        """A link address for people."""
        return address.hex(":")
