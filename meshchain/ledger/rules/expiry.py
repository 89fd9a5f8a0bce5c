"""The first step of every block: delete what has run out, prune commitments that can no longer be used."""

from meshchain.ledger.rules.context import Context
from meshchain.ledger.state import Overlay


def begin_block(overlay: Overlay, context: Context) -> None:
    """Delete entries with expires + grace ≤ h and commitments with c + life < h."""
    c = context.consensus
    for name in list(overlay.expired_names(context.height, c.grace)):
        overlay.set_entry(name, None)
    for commitment in list(overlay.old_commitments(context.height - c.commit_life)):
        overlay.set_commitment(commitment, None)
