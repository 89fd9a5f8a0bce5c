"""A connection as the slots see it."""

from dataclasses import dataclass

from meshchain.p2p.actions import Endpoint, Peer


@dataclass(slots=True, kw_only=True)
class Held:
    """Times are running seconds."""

    peer: Peer
    key: bytes
    endpoint: Endpoint
    group: bytes
    """Its position (``addresses.group_of``)."""
    inbound: bool
    purpose: str
    opened: float
    ready: bool = False
    block_only: bool = False
    """By either side's wish; known when it is ready."""
    silent_at: float | None = None
    """When it will have been silent for too long, while another connection to the same key waits for its place."""
    round_trip: float | None = None
    useful: float = 0.0
    """When it last brought a block or an operation that was new."""
