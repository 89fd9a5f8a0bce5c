"""Who may sign: the owner; for renew also the current primary host's node key."""

from functools import lru_cache

from meshchain.crypto import verify_ecdsa, verify_ed25519
from meshchain.ledger.entry import NameEntry
from meshchain.ledger.errors import RuleError
from meshchain.ledger.operations import Commit, Operation, Renew, Reveal, Update, opid
from meshchain.ledger.record import check_proofs, primary_key
from meshchain.ledger.rules.context import Context
from meshchain.ledger.state import StateReader


def check(state: StateReader, operation: Operation, context: Context) -> None:
    """RuleError "signature" or "host-proof" unless the operation is signed as its kind demands."""
    if isinstance(operation, Commit):
        return
    digest = opid(operation, context.genesis)
    if isinstance(operation, Reveal):
        owner = operation.owner
        signed = _owner_signed(owner, digest, operation.signature)
    else:
        entry = _entry(state, operation.name)
        owner = entry.owner
        signed = _signed_for(entry, operation, digest)
    if not signed:
        raise RuleError("signature", "the signature does not verify", owner=owner.hex(), kind=operation.kind)
    if isinstance(operation, Reveal | Update):
        check_proofs(operation.record, genesis=context.genesis, owner=owner, name=operation.name)


def _entry(state: StateReader, name: str) -> NameEntry:
    entry = state.entry(name)
    if entry is None:
        raise RuleError("name-absent", f"{name} is not registered", name=name)
    return entry


def _signed_for(entry: NameEntry, operation: Operation, digest: bytes) -> bool:
    if _owner_signed(entry.owner, digest, operation.signature):
        return True
    if not isinstance(operation, Renew):
        return False
    key = primary_key(entry.record)
    return key is not None and _node_signed(key, digest, operation.signature)


@lru_cache(maxsize=16_384)  # mempool, template and block judge the same operation, the mempool again after every block
def _owner_signed(owner: bytes, digest: bytes, signature: bytes) -> bool:
    return verify_ecdsa(owner, digest, signature)


@lru_cache(maxsize=1024)
def _node_signed(key: bytes, digest: bytes, signature: bytes) -> bool:
    return verify_ed25519(key, digest, signature)
