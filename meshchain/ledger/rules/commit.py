"""commit: put a commitment into the index."""

from meshchain.ledger.errors import RuleError
from meshchain.ledger.operations import Commit
from meshchain.ledger.rules.context import Context
from meshchain.ledger.state import Commitment, Overlay, StateReader


def check(state: StateReader, operation: Commit, context: Context) -> None:
    """Invalid while the same commitment is in the index, used or not."""
    known = state.commitment(operation.commitment)
    if known is not None:
        again = known.height + context.consensus.commit_life + 1
        raise RuleError("commitment-known", "this commitment is in the index", height=known.height, again_from=again)


def effect(overlay: Overlay, operation: Commit, context: Context) -> None:
    overlay.set_commitment(operation.commitment, Commitment(context.height, used=False))
