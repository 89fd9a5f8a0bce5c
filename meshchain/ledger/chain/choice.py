"""Which branch is adopted next: the best candidate that is neither parked nor ahead of a credible clock.

A branch is parked (``parking``) if it would disconnect too many settled blocks, and held while it has a block
whose time is after ``latest``.
"""

from collections.abc import Iterator
from itertools import takewhile

from meshchain.ledger.chain.branches import Branch, branch_of
from meshchain.ledger.chain.index import Flag, IndexEntry
from meshchain.ledger.chain.standing import Standing


class Choice:
    """Looks at candidates and parked rivals of one chain.

    Asked several times a second, also while a rival of ten thousand blocks is parked for a day: what it found by
    walking down branches is kept until the tip moves.
    """

    def __init__(self, standing: Standing) -> None:
        self._standing = standing
        self.latest: int | None = None
        """Greatest time (unix s) a block of a new branch may have; None: any."""
        self._tip: bytes | None = None
        """The tip for which the rest is kept."""
        self._branches: dict[bytes, Branch] = {}
        """By the leaf's id."""
        self._settled: dict[bytes, int] = {}
        """By the fork's id: settled blocks above it."""

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
        leaves = standing.candidates.better_than(standing.tip)
        if standing.tip.id != self._tip:
            self._tip, self._branches, self._settled = standing.tip.id, {}, {}
        self._branches = {leaf.id: self._branches[leaf.id] for leaf in leaves if leaf.id in self._branches}
        return map(self._branch, leaves)

    def _branch(self, leaf: IndexEntry) -> Branch:
        if leaf.id not in self._branches:
            self._branches[leaf.id] = branch_of(self._standing.index, leaf)
        return self._branches[leaf.id]

    def _is_held(self, branch: Branch) -> bool:
        return self.latest is not None and branch.latest_time > self.latest

    def _is_parked(self, branch: Branch) -> bool:
        settled, lot = self._settled_above(branch.fork), self._standing.lot
        return lot.needs_parking(settled) and not lot.may_adopt(branch.first, settled)

    def _settled_above(self, fork: IndexEntry) -> int:
        if fork.id not in self._settled:
            ancestors = self._standing.index.ancestors(self._standing.tip)
            above = takewhile(lambda entry: entry.height > fork.height, ancestors)
            self._settled[fork.id] = sum(bool(entry.flags & Flag.SETTLED) for entry in above)
        return self._settled[fork.id]
