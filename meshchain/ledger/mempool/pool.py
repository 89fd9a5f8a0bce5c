"""The mempool: operations that are valid in the next block and wait for one.

Theory of operation
-------------------
*Coming in.* An operation passes its checks from cheap to dear: size; the state, read on top of what waits for the
same name (``placing``); its signature; its stamp: anchor, claimed bits, whether there is room for what these
are worth (``bounds``), and only then the work, eight hashes. So a flood is refused before it costs anything,
and what gets in has paid. One operation has one opid and any number of forms (wids), since anyone can stamp
it again: the pool keeps one, and replaces it only by one whose anchor is newer or whose bits are more and
neither is less. That order has no cycles, so two forms cannot push one another out for ever, and nobody can
lower the rank that another has paid for.

*Where it stands.* Operations wait in lanes, one for each life of a name, in seq order (``lanes``). Each lane is
valid as a whole at the start of the next block (``base``), and no operation can make one of another name
invalid (claimed addresses never do), so whatever ``selection`` picks is a valid block. Rivals for an absent
name are lanes side by side.

*One step ahead.* What the next block cannot take but a later one may (a reveal whose commit is young, an update
whose reveal is on the way) is checked as far as it can be, stamp included, and held by ``orphans``. The
caller is told by HeldOperationError: such an operation is neither in the pool nor to be relayed yet.

*When the tip moves* everything is judged anew: the operations of disconnected blocks come first, in their
order, then the pool's, then the orphans'. Confirmed ones leave; those that only became early are held; the
others are reported with the rule they break and, where the new blocks hold it, the operation that won
(``evidence``). Stamps are not hashed again, nor signatures verified again: both depend on the bytes alone.
A stamp's anchor is judged anew, for it may lie on the branch that was left.

The pool belongs to one thread, the chain's owner's. All of it is bounded: bytes in all, 8 operations a name, bytes
of orphans, remembered opids.
"""

from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from meshchain.ledger import operations, rules
from meshchain.ledger.chain.chain import Switch
from meshchain.ledger.chain.nextblock import NextBlock
from meshchain.ledger.errors import RuleError
from meshchain.ledger.header import genesis
from meshchain.ledger.mempool import bounds, placing, stampcheck
from meshchain.ledger.mempool.base import BlockStart
from meshchain.ledger.mempool.confirmed import Confirmed
from meshchain.ledger.mempool.evidence import Evidence
from meshchain.ledger.mempool.lanes import Lanes
from meshchain.ledger.mempool.orphans import Orphans, may_wait
from meshchain.ledger.mempool.pending import Dropped, HeldOperationError, Pending, life_of
from meshchain.ledger.mempool.selection import select
from meshchain.ledger.operations import Operation, Reveal
from meshchain.ledger.params import Params
from meshchain.ledger.recent import RecentSet
from meshchain.ledger.workers import Workers

_POOL_BLOCKS: Final = 32
"""Full blocks that fit into the pool: an hour of them, 1 MiB; at most 7,000 operations (commits)."""
_ORPHAN_BLOCKS: Final = 2


class Mempool:
    """``stamps_seen``: wids whose work was checked, shared with the chain. ``limit``: encoded bytes in all."""

    def __init__(self, params: Params, workers: Workers, stamps_seen: RecentSet, *, limit: int | None = None) -> None:
        block = params.consensus.max_block_size
        self._consensus = params.consensus
        self._limit = _POOL_BLOCKS * block if limit is None else limit
        self._workers = workers
        self._stamps_seen = stamps_seen
        self._genesis = genesis(params).id
        self._lanes = Lanes(self._genesis)
        self._orphan_limit = _ORPHAN_BLOCKS * block
        self._orphans = Orphans(self._orphan_limit)
        self._confirmed = Confirmed()
        self._base: tuple[bytes, BlockStart] | None = None
        self._unreported: list[Dropped] = []

    # --- reading -------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._lanes)

    @property
    def size(self) -> int:
        """Encoded bytes of all operations that are valid in the next block."""
        return self._lanes.size

    @property
    def held(self) -> tuple[Pending, ...]:
        """Operations one step ahead."""
        return tuple(self._orphans.in_order())

    def pending(self) -> tuple[Pending, ...]:
        """Every operation that is valid in the next block; those of a name in the order they would be applied."""
        return tuple(self._lanes)

    def get(self, opid: bytes) -> Operation | None:
        pending = self._lanes.get(opid)
        return None if pending is None else pending.operation

    def select(self, next_block: NextBlock) -> tuple[Operation, ...]:
        """A valid block's operations: most work per byte first, commits at most half a block."""
        self._follow(next_block, 0)
        return select(self._lanes, self._consensus)

    # --- one operation -------------------------------------------------------------------------------------

    def add(self, operation: Operation, next_block: NextBlock, now: float) -> bytes:
        """Take an operation in and return its opid; one that is here in the same form is taken as it is.

        Raises RuleError: the rule's own code, or operation-size, already-confirmed, stamp-not-better, mempool-conflict,
        mempool-name-full, mempool-full; HeldOperationError (a RuleError too) if it waits among the orphans now.
        "stamp-anchor-fork" is no fault of whoever sent it. ``now``: unix s.
        """
        self._follow(next_block, now)
        pending = self._pending(operation, now)
        if pending.size > self._consensus.max_operation_size:
            limit = self._consensus.max_operation_size
            raise RuleError("operation-size", "the operation is too large", size=pending.size, limit=limit)
        try:
            self._admit(pending, next_block)
        except RuleError as error:
            raise self._explained(error, pending.opid) from error
        self._promote(pending.name, next_block)
        return pending.opid

    def _pending(self, operation: Operation, now: float) -> Pending:
        return Pending(
            operation=operation,
            opid=operations.opid(operation, self._genesis),
            wid=operations.wid(operation),
            size=len(operations.encode(operation)),
            added=now,
        )

    def _explained(self, error: RuleError, opid: bytes) -> RuleError:
        height = self._confirmed.height(opid)
        if height is None:
            return error
        return RuleError("already-confirmed", f"the operation stands in block {height}", height=height, rule=error.code)

    def _admit(self, pending: Pending, next_block: NextBlock, *, paid: bool = False) -> list[Pending]:
        """Put an operation into its lane, or among the orphans; returns what had to go for it.

        ``paid``: the stamp's work was checked, here or in a block.
        """
        old = self._lanes.get(pending.opid)
        if old is not None and old.wid == pending.wid:
            return []
        if old is not None:
            _check_better(pending, old)
        life = life_of(pending.operation, self._genesis)
        try:
            place = self._place(pending, self._lanes.lane(life), old, next_block)
        except RuleError as error:
            if old is not None or not may_wait(pending.operation, error):
                raise
            raise self._hold(pending, error, next_block, paid=paid) from error
        stampcheck.check_claim(pending.operation, next_block)
        gone = bounds.victims(self._lanes, pending, life, self._limit)
        if not paid:
            stampcheck.check_work(pending.operation, next_block, self._workers, self._stamps_seen)
        self._settle(pending, place, gone)
        return gone

    def _place(self, pending: Pending, lane: list[Pending], old: Pending | None, next_block: NextBlock) -> int:
        """Index in the lane; for another form of ``old`` that of ``old``."""
        start, context = self._start(next_block), next_block.context
        if old is None:
            return placing.place(start, context, lane, pending.operation)
        at = lane.index(old)
        placing.check(start, context, lane[:at], pending.operation, lane[at + 1 :])
        return at

    def _settle(self, pending: Pending, place: int, gone: Iterable[Pending]) -> None:
        for victim in gone:
            if self._lanes.get(victim.opid) is not None:  # not cut with one before it
                self._lanes.cut(victim.opid)
        self._orphans.remove(pending.opid)
        if self._lanes.get(pending.opid) is None:
            self._lanes.insert(pending, place)
        else:
            self._lanes.replace(pending)

    # --- one step ahead ------------------------------------------------------------------------------------

    def _hold(self, pending: Pending, error: RuleError, next_block: NextBlock, *, paid: bool) -> RuleError:
        """Keep an operation among the orphans, after every check that can be made now; returns what to raise."""
        held = self._orphans.get(pending.opid)
        if held is not None and held.wid != pending.wid:
            _check_better(pending, held)
        start, operation = self._start(next_block), pending.operation
        if isinstance(operation, Reveal) or start.entry(pending.name or "") is not None:
            rules.check_authority(start, operation, next_block.context)
        stampcheck.check_claim(operation, next_block)
        if not paid:
            stampcheck.check_work(operation, next_block, self._workers, self._stamps_seen)
        self._orphans.hold(pending, error)
        return HeldOperationError(error.code, f"{error.message}; kept until then", **error.detail)

    def _promote(self, name: str | None, next_block: NextBlock) -> None:
        """Try the orphans of a name again, now that an operation of it has come in."""
        for pending in self._orphans.in_order(name) if name is not None else ():
            with suppress(RuleError):
                self._admit(pending, next_block, paid=True)

    # --- a new tip -----------------------------------------------------------------------------------------

    def switched(self, switch: Switch, next_block: NextBlock, now: float) -> list[Dropped]:
        """Follow the chain to a new tip; returns the operations that can no longer apply, or had to make room.

        To be called after every Switch; operations of its disconnected blocks return, those of its connected
        blocks leave.
        """
        evidence = Evidence(switch.connected, self._genesis)
        returned = [self._pending(op, now) for block in reversed(switch.disconnected) for op in block.operations]
        self._confirmed.switched((pending.opid for pending in returned), evidence.heights)
        waiting = {p.opid: p for p in (*returned, *self._lanes, *self._orphans.in_order())}
        self._lanes = Lanes(self._genesis)
        self._orphans = Orphans(self._orphan_limit)
        self._base = (next_block.parent.id, BlockStart(next_block))
        dropped, self._unreported = self._unreported, []
        for pending in waiting.values():
            if pending.opid not in evidence.heights:
                dropped += self._readmit(pending, next_block, evidence)
        return dropped

    def _readmit(self, pending: Pending, next_block: NextBlock, evidence: Evidence) -> list[Dropped]:
        try:
            gone = self._admit(pending, next_block, paid=True)
        except HeldOperationError:
            return []
        except RuleError as error:
            winner = evidence.winner(pending.operation, error.code)
            return [Dropped(pending.operation, pending.opid, error.code, error.message, winner)]
        reason = "it made room for operations with more work per byte"
        return [Dropped(victim.operation, victim.opid, "mempool-full", reason, None) for victim in gone]

    def _follow(self, next_block: NextBlock, now: float) -> None:
        """Judge everything anew if the tip moved and nobody said so; the report waits for the next switched()."""
        if self._base is not None and self._base[0] != next_block.parent.id:
            self._unreported = self.switched(Switch(), next_block, now)

    def _start(self, next_block: NextBlock) -> BlockStart:
        if self._base is None:
            self._base = (next_block.parent.id, BlockStart(next_block))
        return self._base[1]


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
