"""From an item to what people read of it."""

from meshchain.ledger.queue.facts import Facts
from meshchain.ledger.queue.item import Ended, Item, Phase
from meshchain.ledger.queue.retention import shown_until
from meshchain.ledger.queue.shelf import Shelf
from meshchain.ledger.queue.stamping import has_stamp
from meshchain.ledger.queue.status import QueueState, QueueStatus, StampProgress
from meshchain.ledger.stamps import StampSearch


def tell(item: Item, facts: Facts, shelf: Shelf) -> QueueStatus:
    """The status of one operation at this tip."""
    if item.ended is not None:
        return _status(item, item.ended.state, shelf, *_ended_words(item.ended, facts), winner=item.ended.winner)
    verdict = item.verdict
    if verdict.phase is Phase.CONFIRMED:
        confirmations = facts.tip_height - verdict.height + 1
        return _status(item, "confirmed", shelf, verdict.reason, verdict.next_change, confirmations=confirmations)
    waiting: QueueState = "committed" if verdict.committed else "queued"
    if verdict.phase is not Phase.READY:
        return _status(item, waiting, shelf, verdict.reason, verdict.next_change, blocks_to_go=verdict.blocks_to_go)
    if not has_stamp(item, facts):
        return _status(item, waiting, shelf, f"{verdict.reason}; its stamp is being made", _stamp_words(item))
    if item.refusal is not None:
        return _status(item, waiting, shelf, f"the mempool refused it: {item.refusal}", "tried again with every block")
    if item.sent_at is None:
        return _status(item, waiting, shelf, verdict.reason, "sent at once")
    return _status(item, "pending", shelf, f"sent after block {item.sent_at}", verdict.next_change)


def _status(
    item: Item,
    state: QueueState,
    shelf: Shelf,
    reason: str,
    next_change: str,
    *,
    confirmations: int = 0,
    blocks_to_go: int | None = None,
    winner: bytes | None = None,
) -> QueueStatus:
    return QueueStatus(
        opid=item.opid,
        kind=item.kind,
        name=_name(item, shelf),
        state=state,
        confirmations=confirmations,
        reason=reason,
        next_change=next_change,
        stamp=item.progress,
        blocks_to_go=blocks_to_go,
        winner=winner,
    )


def _name(item: Item, shelf: Shelf) -> str | None:
    return item.name or next((reveal.name for reveal in shelf.reveals(item.commitment)), None)


def _ended_words(ended: Ended, facts: Facts) -> tuple[str, str]:
    until = shown_until(ended.height, facts)
    return ended.message, f"final unless a reorg takes the reason away; listed until block {until}"


def _stamp_words(item: Item) -> str:
    if item.progress is None or item.progress.expected_s is None:
        return "sent when the stamp is found"
    return f"sent when the stamp is found, in about {item.progress.expected_s:.0f} s"


def progress_of(search: StampSearch, rate: float) -> StampProgress:
    """``rate`` in hashes per second; 0: not known yet, so no times can be told."""
    known = rate > 0
    return StampProgress(
        bits=search.bits,
        rate=rate,
        percent=100 * search.progress(),
        expected_s=search.expected_remaining() / rate if known else None,
        bound95_s=search.bound95() / rate if known else None,
    )
