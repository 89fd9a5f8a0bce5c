"""Locators: a few block ids from which a peer finds the last block that both sides have (Bitcoin's getheaders).

The newest ids stand close together, since forks are mostly short, then at doubling distances down to genesis. Ids of
the active chain are read by height. Headers that run ahead of it (initial sync) are reachable only by walking back
one at a time, and a walk to genesis for each of the hundred questions of a year's sync would cost more than
checking it; so after 2,047 steps of it the locator goes on with the active chain. A peer that is on our headers finds
them among the first ids in any case.
"""

from collections.abc import Iterator
from typing import Final

from meshchain.ledger.chain.index import IndexEntry
from meshchain.p2p.facts import Facts
from meshchain.p2p.messages import MAX_LOCATOR

_DENSE: Final = 8
_WALK: Final = 2047
"""8 ids at distance 1, then 11 more at doubling distances: 7 + 2 + 4 + … lies just below it."""


def locator(facts: Facts, entry: IndexEntry) -> tuple[bytes, ...]:
    """Up to 32 ids of ``entry`` and its ancestors, newest first, genesis last."""
    ids = list(_newest(facts, entry))[: MAX_LOCATOR - 1]
    return tuple(ids) if ids[-1] == facts.genesis_id else (*ids, facts.genesis_id)


def _newest(facts: Facts, entry: IndexEntry) -> Iterator[bytes]:
    wanted, step, given = entry.height, 1, 0
    for at in facts.ancestors(entry):
        if facts.is_main(at) or entry.height - at.height > _WALK:
            break
        if at.height == wanted:
            yield at.id
            given += 1
            step = step if given < _DENSE else 2 * step
            wanted -= step
    height = min(wanted, facts.tip().height)
    while height > 0:
        block_id = facts.main_id(height)
        if block_id is not None:
            yield block_id
        given += 1
        step = step if given < _DENSE else 2 * step
        height -= step
    yield facts.genesis_id
