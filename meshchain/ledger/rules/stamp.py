"""The last and dearest check: the stamp's anchor, its bits, and its eight hashes."""

from collections.abc import Callable

from meshchain.ledger import stamps
from meshchain.ledger.errors import RuleError
from meshchain.ledger.operations import Operation, body, name_of
from meshchain.ledger.rules.context import Context
from meshchain.ledger.workers import Workers

ANCHOR_HASH_SIZE = 8


def check_anchor(operation: Operation, context: Context, block_id: Callable[[int], bytes]) -> None:
    """RuleError unless the anchor is one of the two grid blocks valid at this height on this branch.

    ``block_id`` maps a height below ``context.height`` to the id of that ancestor. A wrong hash is
    "stamp-anchor-fork": the stamp may be good on another branch, so a peer is not to blame for it.
    """
    stamp = operation.stamp
    if stamp is None:
        raise RuleError("stamp-missing", "the operation carries no stamp")
    valid = stamps.anchor_heights(context.consensus, context.height)
    if stamp.anchor_height not in valid:
        raise RuleError(
            "stamp-anchor",
            "the stamp's anchor is not on the grid or too old",
            anchor=stamp.anchor_height,
            newest=valid[0],
        )
    if block_id(stamp.anchor_height)[:ANCHOR_HASH_SIZE] != stamp.anchor_hash:
        raise RuleError("stamp-anchor-fork", "the stamp's anchor is not on this branch", anchor=stamp.anchor_height)


def check_bits(operation: Operation, context: Context) -> None:
    """RuleError "stamp-bits" unless the stamp claims at least the kind's minimum."""
    assert operation.stamp is not None  # check_anchor comes first
    stamps.check_bits(operation.stamp, context.consensus, operation.kind, name_of(operation))


def check_work(operation: Operation, context: Context, workers: Workers) -> None:
    """RuleError "stamp-work" unless all eight hashes meet the claimed bits. Depends on the bytes alone."""
    stamp = operation.stamp
    assert stamp is not None  # check_anchor comes first
    challenge = stamps.challenge(stamp.anchor_height, stamp.anchor_hash, body(operation), operation.signature)
    stamps.check_work(stamp, challenge, context.consensus.pow_memory_kib, workers)
