"""What is kept of operations that are done, and what is dropped.

*Confirmed* operations are kept as long as their name's life lasts: if a reorg of any depth takes them out, they
are sent again (the commit too, as long as its reveal is kept). Dropped earlier, once they are ``KEPT_LIVES`` commit
lives deep: an update that a later own update of the same key replaces (a record is replaced as a whole), a renewal
that a later own renewal replaces. A gap in seq beyond what the rules permit in one step is not torn open.

*Ended* operations are shown for ``KEPT_LIVES`` commit lives (a week on mesh); a reorg in that time that takes away
the reason brings them back.

Beyond ``MAX_KEPT`` the oldest ended ones go first, then the confirmed ones that lie deepest.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from meshchain.ledger.operations import Commit, Renew, Reveal, Update
from meshchain.ledger.queue.facts import Facts
from meshchain.ledger.queue.item import Item
from meshchain.ledger.queue.shelf import Shelf

KEPT_LIVES: Final = 7
MAX_KEPT: Final = 10_000
"""Operations confirmed or ended; with those that wait about 40 MB."""


def dropped(shelf: Shelf, facts: Facts) -> list[Item]:
    """The items that need not be kept at this tip."""
    gone = {item.opid: item for item in shelf if _is_over(item, facts)}
    for item in _superseded(shelf, facts):
        gone[item.opid] = item
    kept = [item for item in shelf if not item.alive and item.opid not in gone]
    if len(kept) > MAX_KEPT:
        kept.sort(key=lambda item: _worth(item, shelf))
        gone.update((item.opid, item) for item in kept[: len(kept) - MAX_KEPT])
    gone.update((commit.opid, commit) for commit in _orphaned(gone, shelf))
    return list(gone.values())


def _worth(item: Item, shelf: Shelf) -> tuple[bool, int, bool]:
    """Least goes first. A commit is worth what its reveal is, and goes with it, never before."""
    if item.ended is not None:
        return False, item.ended.height, False
    heights = (reveal.verdict.height for reveal in shelf.reveals(item.commitment) if reveal.confirmed)
    return True, max(heights, default=item.verdict.height), isinstance(item.operation, Commit)


def _orphaned(gone: dict[bytes, Item], shelf: Shelf) -> list[Item]:
    """Commits that have served: the reveal that used them goes, or all that could have."""
    reveals = [item for item in gone.values() if isinstance(item.operation, Reveal)]
    pairs = [(reveal, commit) for reveal in reveals for commit in shelf.commits(reveal.commitment) if not commit.alive]
    return [
        commit
        for reveal, commit in pairs
        if reveal.confirmed or all(other.opid in gone for other in shelf.reveals(commit.commitment))
    ]


def shown_until(height: int, facts: Facts) -> int:
    """The height from which an operation that ended at ``height`` is no longer listed."""
    return height + KEPT_LIVES * facts.consensus.commit_life


def _is_over(item: Item, facts: Facts) -> bool:
    if item.ended is not None:
        return facts.height >= shown_until(item.ended.height, facts)
    return item.confirmed and _life_over(item, facts)


def _life_over(item: Item, facts: Facts) -> bool:
    if facts.height < item.life_end or item.name is None:
        return False
    entry = facts.entry(item.name)
    if entry is None or entry.reg != item.reg:
        return True
    item.life_end = facts.life_end(entry)  # somebody renewed it
    return False


def _superseded(shelf: Shelf, facts: Facts) -> Iterator[Item]:
    for name in shelf.names():
        done = [item for item in shelf.named(name) if item.confirmed]
        if len(done) < 2:
            continue
        updates = sorted((i for i in done if i.seq), key=lambda item: item.seq)
        yield from (item for item in _older_updates(updates, facts) if _is_deep(item, facts))
        renewals = sorted((i for i in done if isinstance(i.operation, Renew)), key=lambda item: item.verdict.height)
        yield from (item for item in renewals[:-1] if _is_deep(item, facts))


def _older_updates(ordered: list[Item], facts: Facts) -> Iterator[Item]:
    """Updates whose successor is an update by the same key, near enough in seq to what stays before it."""
    before = 0
    for item, later in pairwise(ordered):
        replaced = isinstance(item.operation, Update) and isinstance(later.operation, Update)
        near = later.seq - before <= facts.consensus.max_seq_step
        if replaced and near and (item.signer, item.reg) == (later.signer, later.reg):
            yield item
        else:
            before = item.seq


def _is_deep(item: Item, facts: Facts) -> bool:
    return facts.height >= shown_until(item.verdict.height, facts)
