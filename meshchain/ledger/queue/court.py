"""Judging all that a new tip, or a new item, may have changed, and settling the items accordingly."""

from collections.abc import Callable, Iterable

from meshchain.ledger.operations import Commit
from meshchain.ledger.queue.facts import Facts
from meshchain.ledger.queue.item import Ended, Item, Phase, Verdict
from meshchain.ledger.queue.judging import judge
from meshchain.ledger.queue.shelf import Shelf
from meshchain.ledger.queue.turns import put_in_turn, turn


def after_blocks(shelf: Shelf, facts: Facts, touched: set[bytes]) -> list[Item]:
    """Items that blocks on top of the former tip may have changed; ``touched``: opids those blocks hold."""
    return [item for item in shelf if item.alive or item.opid in touched or _may_run_out(item, shelf, facts)]


def _may_run_out(item: Item, shelf: Shelf, facts: Facts) -> bool:
    """A confirmed commit that nobody has revealed, at the end of its life."""
    if item.kind != "commit" or not item.confirmed:
        return False
    outlived = facts.height > item.verdict.height + facts.consensus.commit_life
    return outlived and not any(reveal.confirmed for reveal in shelf.reveals(item.commitment))


def after_reorg(shelf: Shelf, facts: Facts) -> list[Item]:
    """Items that may be judged otherwise on another branch, or by a process that has not judged them yet."""
    return [item for item in shelf if item.ended is None or _may_wake(item, item.ended, facts)]


def _may_wake(item: Item, ended: Ended, facts: Facts) -> bool:
    if not facts.is_main(ended.height, ended.block):
        return True
    if isinstance(item.operation, Commit):  # one that outlived its life stands in a block and has ended for all that
        return facts.commitment(item.commitment) is not None
    return facts.located(item.opid) is not None


def settle(items: Iterable[Item], shelf: Shelf, facts: Facts, note: Callable[[Item], None]) -> list[Item]:
    """Judge ``items`` and what hangs on them; ``note`` is told of durable changes. Returns all that were judged."""
    stale = {item.opid: item for item in items}
    names = {item.name for item in stale.values() if item.name is not None}
    for name in names:
        stale.update((item.opid, item) for item in shelf.named(name) if item.alive)
    for item in sorted((i for i in stale.values() if not isinstance(i.operation, Commit)), key=turn):
        _rule(item, shelf, facts, note)
    stale.update((commit.opid, commit) for item in list(stale.values()) for commit in _needed(item, shelf))
    for item in [item for item in stale.values() if isinstance(item.operation, Commit)]:
        _rule(item, shelf, facts, note)
    for name in names:
        put_in_turn(shelf.named(name))
    return list(stale.values())


def _needed(reveal: Item, shelf: Shelf) -> list[Item]:
    """Commits under way whose verdict hangs on this reveal's."""
    return [commit for commit in shelf.commits(reveal.commitment) if commit.alive]


def _rule(item: Item, shelf: Shelf, facts: Facts, note: Callable[[Item], None]) -> None:
    """Judge one item, and ``note`` it if something durable changed."""
    outcome = judge(item, facts, shelf)
    before = (item.ended, item.life_end, item.sent_at, item.refusal)
    if isinstance(outcome, Ended):
        item.ended, item.progress = outcome, None
    else:
        _go_on(item, outcome)
    _note_life(item, facts)
    if before != (item.ended, item.life_end, item.sent_at, item.refusal):
        note(item)


def _go_on(item: Item, verdict: Verdict) -> None:
    if item.ended is not None or verdict.phase is not Phase.READY:
        item.sent_at, item.refusal = None, None  # it waits for a block from now on, or no longer
    if verdict.phase is Phase.CONFIRMED:
        item.partial, item.progress = None, None
    item.ended, item.verdict = None, verdict


def _note_life(item: Item, facts: Facts) -> None:
    """The end of the item's life moves with renewals, back too when a reorg takes one out."""
    entry = None if item.name is None else facts.entry(item.name)
    if entry is not None and entry.reg == item.reg:
        item.life_end = facts.life_end(entry)
    elif item.confirmed:
        item.life_end = min(item.life_end, facts.height)  # confirmed, and deleted since
