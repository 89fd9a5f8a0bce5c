"""commit: sent while its reveal needs it, sent again (same opid) when it was lost or outlived its life unrevealed."""

from meshchain.ledger.queue.facts import Facts
from meshchain.ledger.queue.item import Ended, Item, Phase, Verdict
from meshchain.ledger.queue.judging import confirmed
from meshchain.ledger.queue.shelf import Shelf


def judge(item: Item, facts: Facts, shelf: Shelf) -> Verdict | Ended:
    """Its reveals were judged before it."""
    known = facts.commitment(item.commitment)
    if known is not None:
        return confirmed.at(known.height)
    height = facts.located(item.opid)
    reveals = shelf.reveals(item.commitment)
    if height is not None and any(reveal.confirmed for reveal in reveals):
        return confirmed.at(height)
    waiting = [reveal for reveal in reveals if reveal.alive]
    if reveals and not waiting:
        return _pointless(reveals, facts)
    if not waiting and height is not None:
        return facts.ended("expired", "commit-outlived", "no reveal used the commit within its life")
    return _needed(waiting, height, facts)


def _pointless(reveals: list[Item], facts: Facts) -> Ended:
    cause = next((reveal.ended for reveal in reveals if reveal.ended is not None), None)
    if cause is None:  # confirmed without a commit in sight: its block holds both
        return facts.ended("expired", "commit-outlived", "its reveal is confirmed and needs it no more")
    return facts.ended(cause.state, cause.code, f"its reveal cannot succeed: {cause.message}", cause.winner)


def _needed(waiting: list[Item], height: int | None, facts: Facts) -> Verdict:
    born = max((reveal.born for reveal in waiting), default=0)
    if born > facts.height:
        return Verdict(
            phase=Phase.HELD,
            reason=f"its registration counts from block {born}, which is not there yet",
            next_change=f"sent when the tip reaches block {born - 1}",
            blocks_to_go=born - facts.height,
        )
    again = f"the commit of block {height} outlived its life unrevealed; " if height is not None else ""
    return Verdict(phase=Phase.READY, reason=f"{again}to be sent", next_change="the next block may hold it")
