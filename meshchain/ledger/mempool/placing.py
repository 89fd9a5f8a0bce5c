"""Where in its lane an operation may stand: in seq order, valid there, and spoiling nothing that waits after it.

A lane holds at most 8 operations, so judging one more costs at most nine applications of rules, and for a renew,
which may stand anywhere, ten times as many at worst, however full the pool is. Signatures checked before are
remembered, also the bad ones.
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


def _candidates(lane: Sequence[Pending], operation: Operation) -> Sequence[int]:
    """A renew has no seq. It goes first if it can, so that a name in grace is active for what follows; but its
    signer may only be brought in by an update or a transfer that waits."""
    if isinstance(operation, Renew):
        return range(len(lane) + 1)
    order = order_of(operation)
    later = (at for at, pending in enumerate(lane) if order_of(pending.operation) > order)
    return [next(later, len(lane))]
