"""The verdict every kind shares: it stands in the chain."""

from meshchain.ledger.queue.facts import Facts
from meshchain.ledger.queue.item import Item, Phase, Verdict


def confirmed(item: Item, facts: Facts) -> Verdict | None:
    """The verdict for an operation that a block of the active chain holds, else None."""
    height = facts.located(item.opid)
    return None if height is None else at(height)


def at(height: int) -> Verdict:
    return Verdict(
        phase=Phase.CONFIRMED,
        reason=f"in block {height}",
        next_change="every block adds a confirmation; if a reorg takes it out, it is sent again",
        height=height,
    )
