"""update: replace the record."""

from dataclasses import replace

from meshchain.ledger.operations import Update
from meshchain.ledger.rules.claims import granted_address
from meshchain.ledger.rules.context import Context
from meshchain.ledger.rules.lookup import check_owner_turn, living_entry
from meshchain.ledger.state import Overlay, StateReader


def check(state: StateReader, operation: Update, context: Context) -> None:
    check_owner_turn(living_entry(state, operation), operation, context)


def effect(overlay: Overlay, operation: Update, context: Context) -> None:  # noqa: ARG001 - one shape for all kinds
    entry = living_entry(overlay, operation)
    address = granted_address(overlay, operation.name, operation.record, entry.address)
    overlay.set_entry(operation.name, replace(entry, record=operation.record, address=address, seq=operation.seq))
