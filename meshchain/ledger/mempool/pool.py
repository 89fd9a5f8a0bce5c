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

import math
from contextlib import suppress
from typing import Final

from meshchain.ledger import operations
from meshchain.ledger.chain.chain import Switch
from meshchain.ledger.chain.nextblock import NextBlock
from meshchain.ledger.errors import RuleError
from meshchain.ledger.header import genesis
from meshchain.ledger.mempool.admission import Admission, Limits
from meshchain.ledger.mempool.confirmed import Confirmed
from meshchain.ledger.mempool.evidence import Evidence
from meshchain.ledger.mempool.pending import Dropped, HeldOperationError, Pending
from meshchain.ledger.mempool.selection import select
from meshchain.ledger.operations import Commit, Operation
from meshchain.ledger.params import Params
from meshchain.ledger.recent import RecentSet
from meshchain.ledger.workers import Workers

_POOL_BLOCKS: Final = 32
"""Full blocks that fit into the pool: an hour of them, 1 MiB; at most 10,000 operations (commits with small nonces)."""
_ORPHAN_BLOCKS: Final = 2


class Mempool:
    """``stamps_seen``: wids whose work was checked, shared with the chain. ``limit``: encoded bytes in all."""

    def __init__(self, params: Params, workers: Workers, stamps_seen: RecentSet, *, limit: int | None = None) -> None:
        block = params.consensus.max_block_size
        self._consensus = params.consensus
        self._genesis = genesis(params).id
        self._limits = Limits(_POOL_BLOCKS * block if limit is None else limit, _ORPHAN_BLOCKS * block)
        self._workers = workers
        self._stamps_seen = stamps_seen
        self._confirmed = Confirmed()
        self._door: Admission | None = None
        """None where no operation has come since the last tip that left none."""
        self._unreported: list[Dropped] = []

    # --- reading -------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return 0 if self._door is None else len(self._door.lanes)

    @property
    def size(self) -> int:
        """Encoded bytes of all operations that are valid in the next block."""
        return 0 if self._door is None else self._door.lanes.size

    @property
    def held(self) -> tuple[Pending, ...]:
        """Operations one step ahead."""
        return () if self._door is None else tuple(self._door.orphans.in_order())

    def pending(self) -> tuple[Pending, ...]:
        """Every operation that is valid in the next block; those of a name in the order they would be applied."""
        return () if self._door is None else tuple(self._door.lanes)

    def get(self, opid: bytes) -> Operation | None:
        """The pooled operation, in the form that is kept."""
        pending = None if self._door is None else self._door.lanes.get(opid)
        return None if pending is None else pending.operation

    def select(self, next_block: NextBlock) -> tuple[Operation, ...]:
        """A valid block's operations: most work per byte first, commits at most half a block."""
        return select(self._at(next_block).lanes, self._consensus)

    # --- one operation -------------------------------------------------------------------------------------

    def add(self, operation: Operation, next_block: NextBlock, now: float) -> bytes:
        """Take an operation in and return its opid; one that is here in the same form is taken as it is.

        Raises RuleError: the rule's own code, or operation-size, already-confirmed, stamp-not-better, mempool-conflict,
        mempool-name-full, mempool-full; HeldOperationError (a RuleError too) if it waits among the orphans now.
        "stamp-anchor-fork" is no fault of whoever sent it. ``now``: unix s.
        """
        door = self._at(next_block)
        pending = self._pending(operation, now)
        self._check_form(pending)
        self._check_unconfirmed(pending, next_block)
        door.admit(pending)
        self._promote(pending.name, door)
        return pending.opid

    def _pending(self, operation: Operation, now: float) -> Pending:
        return Pending(
            operation=operation,
            opid=operations.opid(operation, self._genesis),
            wid=operations.wid(operation),
            size=len(operations.encode(operation)),
            added=now,
        )

    def _check_form(self, pending: Pending) -> None:
        limit = self._consensus.max_operation_size
        if pending.size > limit:
            raise RuleError("operation-size", "the operation is too large", size=pending.size, limit=limit)
        if pending.operation.stamp is None:
            raise RuleError("stamp-missing", "the operation carries no stamp")

    def _check_unconfirmed(self, pending: Pending, next_block: NextBlock) -> None:
        """A confirmed operation is never valid again, but for a commit that has left the index."""
        height = self._confirmed.height(pending.opid)
        life = self._consensus.commit_life if isinstance(pending.operation, Commit) else math.inf
        if height is not None and next_block.context.height <= height + life:
            raise RuleError("already-confirmed", f"the operation stands in block {height}", height=height)

    def _promote(self, name: str | None, door: Admission) -> None:
        """Try the orphans of a name again, now that an operation of it has come in."""
        for pending in () if name is None else door.orphans.in_order(name):
            with suppress(RuleError):
                door.admit(pending, paid=True)

    # --- a new tip -----------------------------------------------------------------------------------------

    def switched(self, switch: Switch, next_block: NextBlock, now: float) -> list[Dropped]:
        """Follow the chain to a new tip; returns the operations that can no longer apply, or had to make room.

        To be called after every Switch; operations of its disconnected blocks return, those of its connected
        blocks leave.
        """
        evidence = Evidence(switch.connected, self._genesis)
        returned = [self._pending(op, now) for block in reversed(switch.disconnected) for op in block.operations]
        self._confirmed.switched((pending.opid for pending in returned), evidence.heights)
        waiting = {pending.opid: pending for pending in (*returned, *self.pending(), *self.held)}
        dropped = list(self._unreported)
        if not waiting:  # as at every block of a sync: the state of the next block may never be asked for
            self._door, self._unreported = None, []
            return dropped
        door = self._open(next_block)
        for pending in waiting.values():
            if pending.opid not in evidence.heights:
                dropped += _readmit(pending, door, evidence)
        self._door, self._unreported = door, []  # not before all went through it: a read of the store may fail
        return dropped

    def _open(self, next_block: NextBlock) -> Admission:
        return Admission(next_block, self._limits, self._workers, self._stamps_seen)

    def _at(self, next_block: NextBlock) -> Admission:
        """The door for this tip. If the tip moved and nobody said so, everything is judged anew, and the report waits
        for the next switched()."""
        if self._door is None:
            self._door = self._open(next_block)
        elif self._door.tip != next_block.parent.id:
            self._unreported = self.switched(Switch(), next_block, 0)
        return self._door


def _readmit(pending: Pending, door: Admission, evidence: Evidence) -> list[Dropped]:
    try:
        gone = door.admit(pending, paid=True)
    except HeldOperationError:
        return []
    except RuleError as error:
        winner = evidence.winner(pending.operation, error.code)
        return [Dropped(pending.operation, pending.opid, error.code, error.message, winner)]
    reason = "it made room for operations with more work per byte"
    return [Dropped(victim.operation, victim.opid, "mempool-full", reason, None) for victim in gone]
