"""Which stamp an operation needs now, if any.

A stamp is made for the newest anchor and stays as long as its anchor is valid on this branch. While the
operation waits in the mempool, the bits asked for rise by one every 3 blocks; the old stamp serves until the
better one is found. A search once begun keeps its anchor and bits while they are of use, so that neither
blocks nor raises start it again, and nonces already found for the anchor are handed on.
"""

import random
from typing import Final

from meshchain.ledger import operations, stamps
from meshchain.ledger.queue.actions import Stamp
from meshchain.ledger.queue.facts import Facts
from meshchain.ledger.queue.item import Item, Partial, Phase

BLOCKS_PER_BIT: Final = 3
MAX_RAISE: Final = 12
"""Bits above the least: 4,096 times the work, more than any rival for room in a block is likely to spend."""
_START_BITS: Final = 63
"""Random starts are below 2^63, so that a search cannot run past the last nonce."""


def has_stamp(item: Item, facts: Facts) -> bool:
    """Whether its stamp is good in the next block."""
    stamp = item.operation.stamp
    return stamp is not None and facts.accepts(stamp, least_bits(item, facts))


def least_bits(item: Item, facts: Facts) -> int:
    return stamps.minimum_bits(facts.consensus, item.kind, item.name)


def begin_if_needed(item: Item, facts: Facts, rng: random.Random) -> bool:
    """Whether ``item`` needs a stamp now; ``item.partial`` is the search for it then."""
    if item.ended is not None or item.verdict.phase not in (Phase.READY, Phase.COMING):
        return False
    least = least_bits(item, facts)
    wanted = wanted_bits(item, least, facts)
    stamp = item.operation.stamp
    has = stamp.bits if stamp is not None and facts.accepts(stamp, least) else -1
    if has >= wanted:
        item.partial = None
        return False
    if item.partial is None or not _is_of_use(item.partial, max(least, has + 1), facts):
        item.partial = _begin(item, wanted, facts, rng)
    return True


def wanted_bits(item: Item, least: int, facts: Facts) -> int:
    """``least`` and one more for every 3 blocks waited."""
    waited = 0 if item.sent_at is None else max(0, facts.tip_height - item.sent_at)
    return min(least + min(waited // BLOCKS_PER_BIT, MAX_RAISE), stamps.rules.MAX_BITS)


def _is_of_use(partial: Partial, bits: int, facts: Facts) -> bool:
    return partial.bits >= bits and facts.anchors.get(partial.anchor_height) == partial.anchor_hash


def _begin(item: Item, bits: int, facts: Facts, rng: random.Random) -> Partial:
    height, anchor = next(iter(facts.anchors.items()))
    found, tried = _handed_on(item, height, anchor)
    return Partial(
        anchor_height=height,
        anchor_hash=anchor,
        bits=bits,
        start=rng.getrandbits(_START_BITS),
        found=found,
        tried=tried,
    )


def _handed_on(item: Item, height: int, anchor: bytes) -> tuple[tuple[int | None, ...], int]:
    """Nonces for the same challenge (they may have more bits than they were looked for), and hashes made."""
    partial, stamp = item.partial, item.operation.stamp
    if partial is not None and (partial.anchor_height, partial.anchor_hash) == (height, anchor):
        return partial.found, partial.tried
    if stamp is not None and (stamp.anchor_height, stamp.anchor_hash) == (height, anchor):
        return stamp.nonces, 0
    return (None,) * stamps.PUZZLES, 0


def action(item: Item, memory_kib: int) -> Stamp:
    """What the queue asks its node for; ``begin_if_needed`` was true."""
    partial, operation = item.partial, item.operation
    assert partial is not None
    body = operations.body(operation)
    return Stamp(
        opid=item.opid,
        challenge=stamps.challenge(partial.anchor_height, partial.anchor_hash, body, operation.signature),
        bits=partial.bits,
        anchor_height=partial.anchor_height,
        anchor_hash=partial.anchor_hash,
        memory_kib=memory_kib,
        start=partial.start,
        found=partial.found,
        tried=partial.tried,
    )
