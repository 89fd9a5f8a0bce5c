"""What the RPC server needs of a node, and the plain values that cross that seam.

The server runs in a thread of its own with asyncio; the node runs elsewhere. Plain methods of ``NodeApi``
are therefore thread-safe and return at once (snapshots and immutable values); async ones are awaited in the
server's loop and cross to the node and back by themselves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from meshchain.ledger.chain.check import CheckReport
from meshchain.ledger.chain.view import ChainView
from meshchain.ledger.mempool import Pending
from meshchain.ledger.params import Params
from meshchain.ledger.queue.status import QueueStatus, StampProgress

__all__ = ["Alarm", "Identity", "MiningStatus", "NodeApi", "Pending", "QueueStatus", "StampProgress", "SyncStatus"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncStatus:
    synced: bool
    height: int
    target: int | None
    """Height of the best chain that peers have shown; None while nobody has shown any."""
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MiningStatus:
    enabled: bool
    active: bool
    """Hashing right now."""
    reason: str
    """Why it is active or not, for people."""
    hash_rate: float
    """Proof-of-work hashes a second, measured."""
    duty: float
    """Share of the time spent hashing, 0 to 1."""
    template_operations: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who this node is on the mesh."""

    key: bytes
    """Ed25519 node key, 32 bytes."""
    ip6: bytes
    """16 bytes."""
    name: str | None
    """The name whose primary host this node is."""
    zone: int
    guest: bool
    """True: no name in the ledger vouches for this node."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """Something its operator should look at; ``code`` is stable."""

    code: str
    message: str
    since: float
    """Unix time."""

    def to_json(self) -> dict[str, Any]:
        return {"code": self.code, "message": self.message, "since": int(self.since)}


class NodeApi(Protocol):
    """A running node as the RPC server sees it."""

    @property
    def params(self) -> Params: ...

    @property
    def started(self) -> float:
        """Unix time."""

    @property
    def datadir(self) -> Path:
        """The network's folder."""

    def view(self) -> ChainView: ...

    def sync(self) -> SyncStatus: ...

    def pending(self) -> tuple[Pending, ...]: ...

    def queue(self) -> tuple[QueueStatus, ...]: ...

    def mining(self) -> MiningStatus: ...

    def peers(self) -> tuple[Mapping[str, Any], ...]:
        """JSON-compatible, one a peer."""

    def bans(self) -> tuple[Mapping[str, Any], ...]:
        """JSON-compatible, one a banned key or host."""

    def identity(self) -> Identity: ...

    def alarms(self) -> tuple[Alarm, ...]: ...

    def sign_node_proof(self, owner: bytes, name: str) -> bytes:
        """64-byte Ed25519 signature over H("host", genesis ‖ owner ‖ key ‖ name)."""

    async def send_operation(self, raw: bytes) -> bytes:
        """Admit a stamped operation to the mempool and return its opid; RuleError or CodecError."""

    async def queue_operations(self, drafts: Sequence[bytes]) -> tuple[bytes, ...]:
        """All or none of the drafts, durable when it returns; their opids; RuleError or CodecError."""

    async def generate(self, blocks: int) -> tuple[bytes, ...]:
        """Mine at once; RuleError "not-dev" elsewhere than on a dev network."""

    async def accept_chain(self, block_id: bytes) -> None:
        """Adopt the parked chain that ends in this block; RuleError where there is none."""

    async def check_chain(self) -> CheckReport: ...

    async def mesh(self, method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """The router's answer to a question of ``meshrouter.control``; LocalError with the router's code.

        Codes: router-off (this node runs none), router-down, router-timeout, busy, no-route, bad-…
        """

    def stop(self) -> None:
        """Begin a clean stop and return."""
