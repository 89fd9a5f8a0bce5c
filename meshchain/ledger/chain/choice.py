"""Which branch is adopted next: the best candidate that is neither parked nor ahead of a credible clock.

A branch is parked (``parking``) if it would disconnect too many settled blocks, and held while it has a block
whose time is after ``latest``.
"""

from collections.abc import Iterator

from meshchain.ledger.chain.branches import Branch, branch_of
from meshchain.ledger.chain.index import Flag, IndexEntry
from meshchain.ledger.chain.standing import Standing


class Choice:
    """Looks at candidates and parked rivals of one chain."""

    def __init__(self, standing: Standing) -> None:
        self._standing = standing
        self.latest: int | None = None
        """Greatest time (unix s) a block of a new branch may have; None: any."""

    def best_adoptable(self) -> Branch | None:
        """The branch to move to now; starts the clock of rivals that have to wait."""
        for branch in self._better():
            if self._is_held(branch):
                continue
            if not self._is_parked(branch):
                return branch
            if changes := self._standing.lot.park(branch.first):
                self._standing.write(changes)
        return None

    def parked(self) -> list[Branch]:
        """Branches that are heavier than the active chain and have been made to wait."""
        return [branch for branch in self._better() if branch.first in self._standing.lot.rivals]

    def _better(self) -> Iterator[Branch]:
        """Best first."""
        standing = self._standing
        return (branch_of(standing.index, leaf) for leaf in standing.candidates.better_than(standing.tip))

    def _is_held(self, branch: Branch) -> bool:
        latest = self.latest
        return latest is not None and any(entry.header.time > latest for entry in branch.path)

    def _is_parked(self, branch: Branch) -> bool:
        settled, lot = self._settled_above(branch.fork), self._standing.lot
        return lot.needs_parking(settled) and not lot.may_adopt(branch.first, settled)

    def _settled_above(self, fork: IndexEntry) -> int:
        count = 0
        for entry in self._standing.index.ancestors(self._standing.tip):
            if entry.height == fork.height:
                break
            count += bool(entry.flags & Flag.SETTLED)
        return count
