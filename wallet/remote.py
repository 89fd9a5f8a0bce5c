"""What the wallet asks a node, as typed questions over an RPC call interface.

Nothing here knows sockets: ``Caller`` is anything with the client's ``call``. Answers that do not have the
promised shape raise ClientError (bad-answer), never a KeyError.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal, Protocol, TypeAlias

from meshchain.ledger import header, operations, record_json
from meshchain.ledger.entry import Record
from meshchain.ledger.errors import LedgerError
from meshchain.ledger.operations import Operation
from meshchain.ledger.params import Params
from meshchain.rpc.client.errors import ClientError, NodeRefused

ABSENT: Final = -4
MAX_OWNERS: Final = 1000
"""Keys that one name_list takes."""
WORKING: Final = ("queued", "committed", "pending")
"""States in which the node still works on an operation."""
FAILED: Final = ("conflict-lost", "expired", "refused")
"""States in which it has given an operation up."""

Json: TypeAlias = Any
"""Whatever JSON holds; every field is converted where it is used."""
Status: TypeAlias = Literal["active", "grace", "revoked"]


class Caller(Protocol):
    def call(self, method: str, *args: Json) -> Json: ...


@dataclass(frozen=True, slots=True)
class Registered:
    """A name's entry as of the node's tip. Heights are block heights."""

    name: str
    owner: bytes
    reg: bytes
    seq: int
    status: Status
    registered: int
    expires: int
    expires_in: int
    record: Record
    ip6: str | None


@dataclass(frozen=True, slots=True)
class Queued:
    """One operation in the node's queue; ``stamp`` is {bits, rate, percent, expected_s, bound95_s} or None."""

    txid: str
    kind: str
    name: str | None
    state: str
    confirmations: int
    reason: str
    next_change: str
    stamp: dict[str, Any] | None
    blocks_to_go: int | None
    winner: str | None

    @property
    def working(self) -> bool:
        return self.state in WORKING

    @property
    def failed(self) -> bool:
        return self.state in FAILED


@dataclass(frozen=True, slots=True)
class Committed:
    """A commitment in the index: it can be revealed in ``expires_in`` more blocks."""

    height: int
    used: bool
    expires_in: int


@dataclass(frozen=True, slots=True)
class NodeIdentity:
    key: bytes
    ip6: str
    zone: int


class Ledger:
    """The node behind ``caller``; the first question checks that it runs the network of ``params``."""

    def __init__(self, caller: Caller, params: Params) -> None:
        self._caller = caller
        self.params = params

    @cached_property
    def genesis(self) -> bytes:
        """The network tag of every digest; ClientError (wrong-network) if the node's is another one."""
        ours = header.genesis(self.params).id
        with _answering("getblockchaininfo"):
            theirs = bytes.fromhex(self._caller.call("getblockchaininfo")["genesis"])
        if theirs != ours:
            raise NodeRefused(
                "wrong-network",
                f"the node runs another network than {self.params.name} (its genesis is {theirs.hex()}, not"
                f" {ours.hex()}). Give the right one with --network or --rpc",
                expected=ours.hex(),
                found=theirs.hex(),
            )
        return ours

    def height(self) -> int:
        with _answering("getblockcount"):
            return int(self._caller.call("getblockcount"))

    def registered(self, name: str) -> Registered | None:
        """None if the name is free."""
        try:
            form = self._caller.call("name_show", name, {"allowExpired": True})
        except NodeRefused as refused:
            if refused.rpc_code == ABSENT:
                return None
            raise
        return _registered(form)

    def page(self, start: str, count: int) -> list[Registered]:
        """Up to ``count`` names from ``start`` (inclusive) in bytewise order."""
        with _answering("name_scan"):
            return [_registered(form) for form in self._caller.call("name_scan", start, count)]

    def owned_by(self, owners: Sequence[bytes]) -> list[Registered]:
        """All names of these keys; the node walks over every name."""
        found = []
        for at in range(0, len(owners), MAX_OWNERS):
            wanted = {"owners": [owner.hex() for owner in owners[at : at + MAX_OWNERS]]}
            with _answering("name_list"):
                found += [_registered(form) for form in self._caller.call("name_list", None, wanted)]
        return found

    def queue(self) -> list[Queued]:
        with _answering("listqueue"):
            return [_queued(form) for form in self._caller.call("listqueue")]

    def commitment(self, commitment: bytes) -> Committed | None:
        try:
            form = self._caller.call("name_commitment", commitment.hex())
        except NodeRefused as refused:
            if refused.rpc_code == ABSENT:
                return None
            raise
        with _answering("name_commitment"):
            return Committed(int(form["height"]), bool(form["used"]), int(form["expires_in"]))

    def in_history(self, name: str, txid: str) -> bool:
        """Whether the chain has this operation on ``name``."""
        try:
            with _answering("name_history"):
                return any(form["txid"] == txid for form in self._caller.call("name_history", name))
        except NodeRefused as refused:
            if refused.rpc_code == ABSENT:
                return False
            raise

    def identity(self) -> NodeIdentity:
        with _answering("mesh_identity"):
            form = self._caller.call("mesh_identity")
            return NodeIdentity(bytes.fromhex(form["key"]), str(form["ip6"]), int(form["zone"]))

    def node_proof(self, name: str, owner: bytes) -> dict[str, Any]:
        """The node's own proof for a record: {name, owner, key, ip6, proof, zone}."""
        with _answering("signnodeproof"):
            return dict(self._caller.call("signnodeproof", name, owner.hex()))

    def hand_over(self, drafts: Sequence[Operation]) -> list[str]:
        """Put signed operations into the node's durable queue, all or none; their txids."""
        encoded = [operations.encode(draft).hex() for draft in drafts]
        with _answering("queueoperation"):
            return [str(txid) for txid in self._caller.call("queueoperation", encoded)]

    def txid(self, operation: Operation) -> str:
        return operations.opid(operation, self.genesis).hex()


@contextmanager
def _answering(method: str) -> Iterator[None]:
    try:
        yield
    except (KeyError, TypeError, ValueError, LedgerError) as error:
        raise ClientError(
            "bad-answer", f"the node's answer to {method} has not the documented shape: {error!r}", method=method
        ) from None


def _registered(form: dict[str, Any]) -> Registered:
    with _answering("name_show"):
        return Registered(
            name=str(form["name"]),
            owner=bytes.fromhex(form["owner"]),
            reg=bytes.fromhex(form["reg"]),
            seq=int(form["seq"]),
            status=form["status"],
            registered=int(form["registered"]),
            expires=int(form["expires"]),
            expires_in=int(form["expires_in"]),
            record=record_json.from_json(form["value"]),
            ip6=form["ip6"],
        )


def _queued(form: dict[str, Any]) -> Queued:
    fields = (
        "txid",
        "kind",
        "name",
        "state",
        "confirmations",
        "reason",
        "next_change",
        "stamp",
        "blocks_to_go",
        "winner",
    )
    return Queued(**{field: form[field] for field in fields})
