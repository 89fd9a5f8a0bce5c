"""An adjacency: one proven node on one link. A node that is met on two links is two of them."""

from dataclasses import dataclass, field
from typing import Final

from meshchain.crypto.address import PREFIX
from meshrouter.directory import Role
from meshrouter.links.link import Link
from meshrouter.neighbours.session import LinkSession

INFINITY: Final = 0xFFFF


@dataclass(eq=False, slots=True, kw_only=True)
class Neighbour:
    """Times are running seconds."""

    key: bytes
    id: bytes
    link: Link
    link_address: bytes
    since: float
    session: LinkSession
    """What we send on."""
    role: Role = Role.GUEST
    """What the ledger says of its key now; kept by the coordinator."""
    up: bool = False
    """Whether its session is proven and not over: before and after, nothing but its frames' tags may be believed."""
    mtu: int = 0
    """Largest link frame that it takes, in bytes."""
    caps: int = 0
    gossip_port: int = 0
    height: int = 0
    cost: int = 96
    """1 … 65534; INFINITY: not to be used."""
    rtt: float | None = None
    loss: float = 0.0
    """Share of frames lost, both ways, 0 … 1."""
    queue_ms: int = 0
    heard: float = 0.0
    """When the last authentic frame came. Kept by the data plane."""
    sent: float = 0.0
    """When data was last sent since ``heard``. Kept by the data plane."""
    frames_in: int = 0
    frames_out: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    notes: dict[str, int] = field(default_factory=dict)
    """Counters of this neighbour, for people."""

    @property
    def address(self) -> bytes:
        """Its derived mesh address."""
        return PREFIX + self.id


@dataclass(eq=False, slots=True)
class Inbound:
    """Whose frames come under one receiver index, and what opens them."""

    session: LinkSession
    neighbour: Neighbour
