"""Operations of one name go one at a time, in the order in which they make sense.

seq need not be consecutive, so a block that held the later of two updates alone would make the earlier one
invalid for ever; a transfer would do so to a renewal that the old owner signed. So the next goes when the
one before it is confirmed.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from meshchain.ledger.queue.item import Item, Phase, Verdict

RANK: Final = {"reveal": 0, "commit": 1, "renew": 2, "update": 3, "transfer": 3, "revoke": 3}
"""By kind: lower goes first."""


def turn(item: Item) -> tuple[int, int, int]:
    """Sorts by kind, seq, submission: what is judged, and sent, first."""
    return RANK[item.kind], item.seq, item.order


def put_in_turn(items: Iterable[Item]) -> None:
    """Of the ready items of one name let one stay ready; one that was sent keeps its place before other kinds."""
    ready = sorted((item for item in items if item.alive and item.verdict.phase is Phase.READY), key=turn)
    heads = [item for at, item in enumerate(ready) if at == 0 or RANK[ready[at - 1].kind] != RANK[item.kind]]
    first = min(heads, key=lambda item: (item.sent_at is None, turn(item)), default=None)
    for item in ready:
        if first is not None and item is not first:
            item.verdict = _after(item, first)


def _after(item: Item, first: Item) -> Verdict:
    return replace(
        item.verdict,
        phase=Phase.COMING,
        reason=f"waits for the {first.kind} {first.opid.hex()[:16]}… of the same name",
        next_change="when that one is confirmed or has ended",
        blocks_to_go=1,
    )
