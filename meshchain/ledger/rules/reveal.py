"""reveal: register the name behind a commitment."""

from meshchain.ledger.entry import REG_SIZE, NameEntry
from meshchain.ledger.errors import RuleError
from meshchain.ledger.operations import Reveal
from meshchain.ledger.operations import commitment as commitment_of
from meshchain.ledger.rules.claims import granted_address
from meshchain.ledger.rules.context import Context
from meshchain.ledger.state import Commitment, Overlay, StateReader


def check(state: StateReader, operation: Reveal, context: Context) -> None:
    """depth ≤ h − c ≤ life, commitment unused, born in range, name absent."""
    known = state.commitment(_commitment(operation, context))
    if known is None:
        raise RuleError("commitment-missing", "no commit in the index matches this reveal", name=operation.name)
    if known.used:
        raise RuleError("commitment-used", "the commitment has been revealed", name=operation.name)
    _check_age(known, operation, context)
    taken = state.entry(operation.name)
    if taken is not None:
        raise RuleError("name-taken", f"{operation.name} is registered", name=operation.name, expires=taken.expires)


def effect(overlay: Overlay, operation: Reveal, context: Context) -> None:
    commitment = _commitment(operation, context)
    known = overlay.commitment(commitment)
    assert known is not None  # check() has seen it
    overlay.set_commitment(commitment, Commitment(known.height, used=True))
    entry = NameEntry(
        owner=operation.owner,
        reg=commitment[:REG_SIZE],
        record=operation.record,
        address=granted_address(overlay, operation.name, operation.record, None),
        seq=0,
        registered=context.height,
        expires=context.height + context.consensus.expiry,
        revoked=False,
    )
    overlay.set_entry(operation.name, entry)


def _commitment(operation: Reveal, context: Context) -> bytes:
    return commitment_of(context.genesis, operation.salt, operation.owner, operation.born, operation.name)


def _check_age(known: Commitment, operation: Reveal, context: Context) -> None:
    c = context.consensus
    age = context.height - known.height
    if age < c.commit_depth:
        ready = known.height + c.commit_depth
        raise RuleError("reveal-too-early", "the commit is too young", height=context.height, reveal_from=ready)
    if age > c.commit_life:
        raise RuleError("reveal-too-late", "the commit has outlived its life", commit=known.height)
    if not 0 <= known.height - operation.born <= c.expiry + c.grace - c.commit_life:
        raise RuleError("born-range", "born does not fit the commit's height", born=operation.born, commit=known.height)
