"""renew: move the expiry, the only operation valid in grace."""

from dataclasses import replace

from meshchain.ledger.errors import RuleError
from meshchain.ledger.operations import Renew
from meshchain.ledger.rules.context import Context
from meshchain.ledger.rules.lookup import living_entry
from meshchain.ledger.state import Overlay, StateReader


def check(state: StateReader, operation: Renew, context: Context) -> None:
    """``expires`` equals the entry's, and the result is greater."""
    entry = living_entry(state, operation)
    if operation.expires != entry.expires:
        raise RuleError(
            "expires-mismatch", "signed for another expiry", expires=operation.expires, current=entry.expires
        )
    if context.height + context.consensus.expiry <= entry.expires:
        raise RuleError("renew-no-gain", "the name already lives that long", current=entry.expires)


def effect(overlay: Overlay, operation: Renew, context: Context) -> None:
    entry = living_entry(overlay, operation)
    overlay.set_entry(operation.name, replace(entry, expires=context.height + context.consensus.expiry))
