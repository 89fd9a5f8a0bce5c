"""Claimed addresses: granted at the operation's turn or not at all, and never a reason to refuse it.

A claim that could invalidate an operation would let an attacker kill a published reveal by claiming its
address first.
"""

from meshchain.ledger.entry import Record
from meshchain.ledger.record import claim
from meshchain.ledger.state import StateReader


def granted_address(state: StateReader, name: str, record: Record, current: bytes | None) -> bytes | None:
    """The entry's address after a reveal or update with ``record``; ``current`` is the one it holds now.

    Claim free or already this name's: the claim. Held by another living name: unchanged. No claim: none.
    """
    wanted = claim(record)
    if wanted is None:
        return None
    return wanted if state.holder(wanted) in (None, name) else current
