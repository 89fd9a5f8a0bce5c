"""The door of the mempool at one tip: the checks, from cheap to dear, and where an operation goes then.

An Admission is made for a tip and thrown away with it; what waited is taken through the door of the next one.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from meshchain.ledger import rules
from meshchain.ledger.chain.nextblock import NextBlock
from meshchain.ledger.errors import RuleError
from meshchain.ledger.mempool import bounds, placing, stampcheck
from meshchain.ledger.mempool.base import BlockStart
from meshchain.ledger.mempool.lanes import Lanes
from meshchain.ledger.mempool.orphans import Orphans, may_wait
from meshchain.ledger.mempool.pending import HeldOperationError, Pending, life_of
from meshchain.ledger.operations import Reveal
from meshchain.ledger.recent import RecentSet
from meshchain.ledger.workers import Workers


@dataclass(frozen=True, slots=True)
class Limits:
    """Encoded bytes of all operations in the pool, and of those one step ahead."""

    pool: int
    orphans: int


class Admission:
    """What waits for the block after one tip."""

    def __init__(self, next_block: NextBlock, limits: Limits, workers: Workers, stamps_seen: RecentSet) -> None:
        self.tip = next_block.parent.id
        self.lanes = Lanes(next_block.context.genesis)
        self.orphans = Orphans(limits.orphans)
        self._next = next_block
        self._start = BlockStart(next_block)
        self._limits = limits
        self._workers = workers
        self._stamps_seen = stamps_seen

    def admit(self, pending: Pending, *, paid: bool = False) -> list[Pending]:
        """Put an operation into its lane, or among the orphans; returns what had to go for it.

        ``paid``: the stamp's work was checked, here or in a block. Raises what Mempool.add raises.
        """
        old = self.lanes.get(pending.opid)
        if old is not None and old.wid == pending.wid:
            return []
        if old is not None:
            _check_better(pending, old)
        life = life_of(pending.operation, self._next.context.genesis)
        try:
            place = self._place(pending, self.lanes.lane(life), old)
        except RuleError as error:
            if old is not None or not may_wait(pending.operation, error):
                raise
            raise self._hold(pending, error, paid=paid) from error
        stampcheck.check_claim(pending.operation, self._next)
        gone = bounds.victims(self.lanes, pending, life, self._limits.pool)
        self._check_work(pending, paid=paid)
        self._settle(pending, place, gone)
        return gone

    def _place(self, pending: Pending, lane: list[Pending], old: Pending | None) -> int:
        """Index in the lane; for another form of ``old`` that of ``old``."""
        if old is None:
            return placing.place(self._start, self._next.context, lane, pending.operation)
        at = lane.index(old)
        placing.check(self._start, self._next.context, lane[:at], pending.operation, lane[at + 1 :])
        return at

    def _check_work(self, pending: Pending, *, paid: bool) -> None:
        if not paid:
            stampcheck.check_work(pending.operation, self._next, self._workers, self._stamps_seen)

    def _settle(self, pending: Pending, place: int, gone: Iterable[Pending]) -> None:
        for victim in gone:
            if self.lanes.get(victim.opid) is not None:  # not cut with one before it
                self.lanes.cut(victim.opid)
        self.orphans.remove(pending.opid)
        if self.lanes.get(pending.opid) is None:
            self.lanes.insert(pending, place)
        else:
            self.lanes.replace(pending)

    def _hold(self, pending: Pending, error: RuleError, *, paid: bool) -> HeldOperationError:
        """Keep an operation among the orphans, after every check that can be made now; returns what to raise."""
        held = self.orphans.get(pending.opid)
        if held is not None and held.wid != pending.wid:
            _check_better(pending, held)
        self._check_alone(pending)
        stampcheck.check_claim(pending.operation, self._next)
        self._check_work(pending, paid=paid)
        self.orphans.hold(pending, error)
        return HeldOperationError(error.code, f"{error.message}; kept until then", **error.detail)

    def _check_alone(self, pending: Pending) -> None:
        """What can be said of an operation whose turn has not come: the name is not taken, whoever signed may."""
        operation = pending.operation
        entry = self._start.entry(pending.name or "")
        if isinstance(operation, Reveal) and entry is not None:
            message = f"{operation.name} is registered"
            raise RuleError("name-taken", message, name=operation.name, expires=entry.expires)
        if isinstance(operation, Reveal) or entry is not None:
            rules.check_authority(self._start, operation, self._next.context)


def _check_better(new: Pending, old: Pending) -> None:
    """RuleError "stamp-not-better" unless anchor or bits of the new form are greater, and neither is less."""
    mine, theirs = new.stamp, old.stamp
    newer, more = mine.anchor_height - theirs.anchor_height, mine.bits - theirs.bits
    if min(newer, more) < 0 or newer == more == 0:
        raise RuleError(
            "stamp-not-better",
            "the operation is here with a stamp as good: only a newer anchor or more bits replace it",
            anchor=theirs.anchor_height,
            bits=theirs.bits,
        )
