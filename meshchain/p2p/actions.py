"""What the machines of gossip ask for: messages, connections, and work for the ledger."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from meshchain.ledger.errors import LocalError, RemoteError
from meshchain.ledger.header import Header
from meshchain.p2p.messages import Message

Peer: TypeAlias = int
"""A connection's number; given by the shell, never used twice."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a node listens: 16 bytes of IPv6 (IPv4 mapped, RFC 4291 §2.5.5.2) and a TCP port."""

    ip: bytes
    port: int
    scope: int = 0
    """Number of the interface of a link-local address (fe80::/10); 0 for all others. Never told to others."""


@dataclass(frozen=True, slots=True)
class Send:
    peer: Peer
    message: Message


@dataclass(frozen=True, slots=True)
class Close:
    """End a connection; ``code`` and ``reason`` are told to the peer and shown to the operator."""

    peer: Peer
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Blame:
    """Add ``points`` to a peer's score for ``reason``; 100 are a ban."""

    peer: Peer
    points: int
    reason: str


@dataclass(frozen=True, slots=True)
class Probe:
    """Ask a peer for a sign of life at once; the answer comes back as ``Slots.answered``. Stays within gossip."""

    peer: Peer


@dataclass(frozen=True, slots=True)
class Dial:
    endpoint: Endpoint
    purpose: str
    """configured, outbound, block-only or feeler."""


@dataclass(frozen=True, slots=True)
class CheckHeaders:
    """Chain.add_headers; the outcome's result is the list of index entries."""

    peer: Peer
    headers: Sequence[Header]


@dataclass(frozen=True, slots=True)
class CheckWork:
    """pow.check_works of a sample, without storing anything; the result is a list of bool."""

    peer: Peer
    headers: Sequence[Header]


@dataclass(frozen=True, slots=True)
class ConnectBlock:
    """Chain.add_block of an encoded block; the result is a Switch."""

    peer: Peer
    block_id: bytes
    raw: bytes


@dataclass(frozen=True, slots=True)
class AdmitOperation:
    """Mempool.add of an encoded operation; the result is its opid."""

    peer: Peer
    wid: bytes
    raw: bytes


Task: TypeAlias = CheckHeaders | CheckWork | ConnectBlock | AdmitOperation


@dataclass(frozen=True, slots=True)
class Do:
    """Work for the ledger; its outcome comes back through ``completed``."""

    task: Task


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a task: a result, or the error that refused it."""

    result: object = None
    error: RemoteError | LocalError | None = None


Action: TypeAlias = Send | Close | Blame | Probe | Dial | Do
