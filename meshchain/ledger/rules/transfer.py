"""transfer: another owner, an empty record; address, expiry and reg stay."""

from dataclasses import replace

from meshchain.crypto import is_ecdsa_public_key
from meshchain.ledger.errors import RuleError
from meshchain.ledger.operations import Transfer
from meshchain.ledger.rules.context import Context
from meshchain.ledger.rules.lookup import check_owner_turn, living_entry
from meshchain.ledger.state import Overlay, StateReader


def check(state: StateReader, operation: Transfer, context: Context) -> None:
    check_owner_turn(living_entry(state, operation), operation, context)
    if not is_ecdsa_public_key(operation.new_owner):
        raise RuleError("owner-key", "the new owner is no valid key", new_owner=operation.new_owner.hex())


def effect(overlay: Overlay, operation: Transfer, context: Context) -> None:  # noqa: ARG001
    entry = living_entry(overlay, operation)
    overlay.set_entry(operation.name, replace(entry, owner=operation.new_owner, record={}, seq=operation.seq))
