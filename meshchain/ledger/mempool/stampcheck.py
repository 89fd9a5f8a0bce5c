"""A stamp's three checks in order of cost; hashing is done once an operation, however often it is judged."""

from meshchain.ledger import operations
from meshchain.ledger.chain.nextblock import NextBlock
from meshchain.ledger.operations import Operation
from meshchain.ledger.recent import RecentSet
from meshchain.ledger.rules import stamp
from meshchain.ledger.workers import Workers


def check_claim(operation: Operation, next_block: NextBlock) -> None:
    """RuleError (stamp-missing, stamp-anchor, stamp-anchor-fork, stamp-bits) unless the stamp would do, if it has
    the work it claims. Two comparisons and a look-up."""
    stamp.check_anchor(operation, next_block.context, next_block.block_id)
    stamp.check_bits(operation, next_block.context)


def check_work(operation: Operation, next_block: NextBlock, workers: Workers, seen: RecentSet) -> None:
    """RuleError "stamp-work" unless the claim is true; up to 8 hashes, none if the wid is in ``seen``."""
    wid = operations.wid(operation)
    if wid not in seen:
        stamp.check_work(operation, next_block.context, workers)
    seen.add(wid)
