"""Where in its lane an operation may stand: in seq order, valid there, and spoiling nothing that waits after it.

A lane holds at most 8 operations, and at most two places come into question, so judging an operation costs at
most two dozen applications of rules (signatures checked before are remembered), however full the pool is.
"""

from collections.abc import Sequence

from meshchain.ledger import rules
from meshchain.ledger.errors import RuleError
from meshchain.ledger.mempool.pending import Pending, order_of
from meshchain.ledger.operations import Operation, Renew
from meshchain.ledger.rules.context import Context
from meshchain.ledger.state import Overlay, StateReader


def place(start: StateReader, context: Context, lane: Sequence[Pending], operation: Operation) -> int:
    """The index in ``lane`` before which ``operation`` may be inserted.

    Raises the RuleError that the operation breaks there, or "mempool-conflict" if one that waits already would
    become invalid: what came first stays.
    """
    problem: RuleError | None = None
    for at in _candidates(lane, operation):
        try:
            check(start, context, lane[:at], operation, lane[at:])
        except RuleError as error:
            problem = error
        else:
            return at
    assert problem is not None  # there is always a candidate
    raise problem


def check(
    start: StateReader, context: Context, before: Sequence[Pending], operation: Operation, after: Sequence[Pending]
) -> None:
    """RuleError unless ``operation`` is valid between the two."""
    overlay = Overlay(start)
    for earlier in before:
        rules.apply(overlay, earlier.operation, context)
    rules.apply(overlay, operation, context)
    for later in after:
        try:
            rules.apply(overlay, later.operation, context)
        except RuleError as error:
            message = f"a {later.operation.kind} that waits already would become invalid: {error.message}"
            raise RuleError("mempool-conflict", message, opid=later.opid.hex(), rule=error.code) from error


def _candidates(lane: Sequence[Pending], operation: Operation) -> list[int]:
    """A renew has no seq: it goes first, so that a name in grace is active for what follows, or, when it is signed
    by a key that a waiting update brings in, last."""
    if isinstance(operation, Renew):
        return sorted({0, len(lane)})
    order = order_of(operation)
    later = (at for at, pending in enumerate(lane) if order_of(pending.operation) > order)
    return [next(later, len(lane))]
