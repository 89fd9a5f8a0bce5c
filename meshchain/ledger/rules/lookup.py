"""Checks that several kinds share: the entry an operation speaks of, its life (reg), its sequence number."""

from meshchain.ledger.entry import NameEntry
from meshchain.ledger.errors import RuleError
from meshchain.ledger.operations import Renew, Revoke, Transfer, Update
from meshchain.ledger.rules.context import Context
from meshchain.ledger.state import StateReader


def living_entry(state: StateReader, operation: Update | Renew | Transfer | Revoke) -> NameEntry:
    """The entry of the operation's name and life: in the state, same reg, not revoked. RuleError otherwise."""
    entry = state.entry(operation.name)
    if entry is None:
        raise RuleError("name-absent", f"{operation.name} is not registered", name=operation.name)
    if entry.reg != operation.reg:
        raise RuleError("reg-mismatch", "signed for another life of the name", name=operation.name, reg=entry.reg.hex())
    if entry.revoked:
        raise RuleError("name-revoked", f"{operation.name} is revoked until its entry is deleted", name=operation.name)
    return entry


def check_owner_turn(entry: NameEntry, operation: Update | Transfer | Revoke, context: Context) -> None:
    """RuleError unless the name is out of grace and current seq < seq ≤ current + max step."""
    if not entry.active(context.height):
        raise RuleError(
            "name-in-grace", f"{operation.name} has expired: only renew is valid in grace", expires=entry.expires
        )
    if operation.seq <= entry.seq:
        raise RuleError("seq-too-low", "seq must exceed the current one", seq=operation.seq, current=entry.seq)
    if operation.seq > entry.seq + context.consensus.max_seq_step:
        raise RuleError("seq-too-high", "seq runs too far ahead", seq=operation.seq, current=entry.seq)
