"""Where a name stands once everything that was handed to the node's queue is confirmed.

A second ``set`` right after a first one must build on the first one's record and sequence number although
the chain has seen neither; the same holds right after a ``register``. The wallet notes every draft it hands
over; those that the queue still works on are applied, in order, to the entry that the chain shows. The
queue is asked before the chain: an operation that confirms between the two answers then shows in both, and
its sequence number says so.

An operation in the queue that this wallet did not note (the words are in use on two machines, or came back
from paper) cannot be built upon: its content is unknown, and the error says to wait. Renewals are no
obstacle, they change neither record nor sequence number, and the node makes them by itself.
"""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, replace

from meshchain.ledger import operations
from meshchain.ledger.entry import Record
from meshchain.ledger.errors import LedgerError
from meshchain.ledger.operations import Operation, Reveal, Revoke, Transfer, Update
from meshchain.ledger.params import Consensus
from wallet.derivation import Keyring
from wallet.drafts import reg_of
from wallet.errors import RefusalError
from wallet.keystore.payload import Payload
from wallet.remote import Ledger, Queued, Registered

_CHANGING = ("update", "transfer", "revoke")


@dataclass(frozen=True, slots=True)
class Standing:
    """A living name of this wallet: the next operation takes ``seq + 1`` and is signed by ``private_key``."""

    name: str
    owner: bytes
    private_key: bytes
    reg: bytes
    seq: int
    expires: int
    record: Record
    grace: bool
    renewing: bool
    """A renewal waits in the queue."""
    registering: bool
    """The reveal waits in the queue: the name has no entry and no expiry yet."""


def living(ledger: Ledger, payload: Payload, keys: Keyring, name: str) -> Standing:
    """The standing of ``name``; RefusalError: name-not-found, registration-unfinished, not-owner,
    name-revoked, operations-outstanding."""
    queue = [item for item in ledger.queue() if item.name == name and item.working]
    entry = ledger.registered(name)
    drafts = {ledger.txid(draft): draft for draft in _decoded(payload, name, ledger.params.consensus)}
    waiting = [drafts[item.txid] for item in queue if item.txid in drafts]
    if entry is None:
        entry = _expected(ledger, waiting)
    if entry is None:
        raise _absent(name, queue)
    if entry.status == "revoked":
        raise revoked(entry)
    _check_known(name, queue, drafts)
    return _apply(entry, [d for d in drafts.values() if d in waiting], queue, keys, payload.receive)


def check_not_in_grace(standing: Standing) -> None:
    """RefusalError (name-in-grace) where only a renewal is valid."""
    if standing.grace:
        raise RefusalError(
            "name-in-grace",
            f"{standing.name}.mesh expired at block {standing.expires}; in grace it can only be renewed:"
            f" meshwallet renew {standing.name}",
            name=standing.name,
            expires=standing.expires,
        )


def not_owner(entry: Registered) -> RefusalError:
    return RefusalError(
        "not-owner",
        f"{entry.name}.mesh belongs to the key {entry.owner.hex()}, which is none of this wallet's",
        name=entry.name,
        owner=entry.owner.hex(),
    )


def revoked(entry: Registered) -> RefusalError:
    return RefusalError(
        "name-revoked",
        f"{entry.name}.mesh was revoked; nothing can be done with it until its entry is deleted after block"
        f" {entry.expires} and the grace period",
        name=entry.name,
        expires=entry.expires,
    )


def unfinished(name: str) -> RefusalError:
    return RefusalError(
        "registration-unfinished",
        f"the registration of {name}.mesh is not confirmed yet; `meshwallet register {name} --wait` follows it",
        name=name,
    )


def _absent(name: str, queue: Sequence[Queued]) -> RefusalError:
    if any(item.kind == "reveal" for item in queue):
        return unfinished(name)
    return RefusalError(
        "name-not-found", f"{name}.mesh is not registered; `meshwallet register {name}` registers it", name=name
    )


def _decoded(payload: Payload, name: str, consensus: Consensus) -> list[Operation]:
    """The noted drafts; one that this program cannot read (a later version wrote it) is left out."""
    found = []
    for draft in payload.names[name].drafts if name in payload.names else ():
        try:
            found.append(operations.decode_draft(draft, consensus))
        except LedgerError:
            continue
    return found


def _expected(ledger: Ledger, waiting: Iterable[Operation]) -> Registered | None:
    """The entry that a queued reveal of this wallet will make; its heights are not known yet (0)."""
    for draft in waiting:
        if isinstance(draft, Reveal):
            return Registered(
                name=draft.name,
                owner=draft.owner,
                reg=reg_of(draft, ledger.genesis),
                seq=0,
                status="active",
                registered=0,
                expires=0,
                expires_in=0,
                record=draft.record,
                ip6=None,
            )
    return None


def _check_known(name: str, queue: Iterable[Queued], noted: Container[str]) -> None:
    for item in queue:
        if item.kind in _CHANGING and item.txid not in noted:
            raise RefusalError(
                "operations-outstanding",
                f"the node's queue holds a {item.kind} of {name}.mesh ({item.txid}) that this wallet file does not"
                f" know: wait until it is confirmed. {item.next_change}",
                name=name,
                txid=item.txid,
                state=item.state,
            )


def _apply(
    entry: Registered, drafts: Sequence[Operation], queue: Sequence[Queued], keys: Keyring, receive: int
) -> Standing:
    owner, seq, record, gone = entry.owner, entry.seq, entry.record, False
    for draft in drafts:
        if isinstance(draft, Update | Transfer | Revoke) and draft.reg == entry.reg and draft.seq > seq:
            seq = draft.seq
            record = draft.record if isinstance(draft, Update) else {} if isinstance(draft, Transfer) else record
            owner = draft.new_owner if isinstance(draft, Transfer) else owner
            gone = gone or isinstance(draft, Revoke)
    changed = replace(entry, owner=owner)
    if gone:
        raise RefusalError(
            "name-revoked",
            f"a revoke of {entry.name}.mesh waits in the node's queue; nothing can follow it",
            name=entry.name,
        )
    private_key = keys.private_for(entry.name, owner, receive)
    if private_key is None:
        raise not_owner(changed)
    return Standing(
        name=entry.name,
        owner=owner,
        private_key=private_key,
        reg=entry.reg,
        seq=seq,
        expires=entry.expires,
        record=record,
        grace=entry.status == "grace",
        registering=not entry.expires,
        renewing=any(item.kind == "renew" for item in queue),
    )
