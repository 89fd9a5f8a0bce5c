"""revoke: bar the name until its entry is deleted; the record stays, so that routers can bar its keys."""

from dataclasses import replace

from meshchain.ledger.operations import Revoke
from meshchain.ledger.rules.context import Context
from meshchain.ledger.rules.lookup import check_owner_turn, living_entry
from meshchain.ledger.state import Overlay, StateReader


def check(state: StateReader, operation: Revoke, context: Context) -> None:
    check_owner_turn(living_entry(state, operation), operation, context)


def effect(overlay: Overlay, operation: Revoke, context: Context) -> None:  # noqa: ARG001
    entry = living_entry(overlay, operation)
    overlay.set_entry(operation.name, replace(entry, revoked=True, address=None, seq=operation.seq))
