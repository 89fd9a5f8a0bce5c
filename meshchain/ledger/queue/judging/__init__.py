"""What the chain at one tip says of a queued operation: a verdict, or how it ended. One module a kind of rule.

Judging reads facts and other items, changes nothing, and gives the same answer for the same chain and queue:
that is why a restart, or a switch that was never reported, needs no treatment of its own.
"""

from meshchain.ledger.operations import Commit, Renew, Reveal
from meshchain.ledger.queue.facts import Facts
from meshchain.ledger.queue.item import Ended, Item, Verdict
from meshchain.ledger.queue.judging import commit, owner, renew, reveal
from meshchain.ledger.queue.shelf import Shelf

__all__ = ["judge"]


def judge(item: Item, facts: Facts, shelf: Shelf) -> Verdict | Ended:
    """``item`` alone, before the operations of its name are put in order."""
    if isinstance(item.operation, Commit):
        return commit.judge(item, facts, shelf)
    if isinstance(item.operation, Reveal):
        return reveal.judge(item, item.operation, facts)
    if isinstance(item.operation, Renew):
        return renew.judge(item, item.operation, facts, shelf)
    return owner.judge(item, item.operation, facts, shelf)
