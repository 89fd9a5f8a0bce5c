"""Moving between branches: blocks back to the fork are disconnected, those of the branch connected.

Each is one synced atomic batch that also moves the tip. A crash between two leaves a valid, shorter chain; the
candidate is still the best one and the move goes on at the next start. A block that breaks a rule is marked failed
with all its descendants.
"""

from collections.abc import Callable
from dataclasses import dataclass

from meshchain.ledger.block import Block, encode_body
from meshchain.ledger.chain import connect as connecting
from meshchain.ledger.chain.assumed import AssumedValid
from meshchain.ledger.chain.branches import Branch, branch_of
from meshchain.ledger.chain.connect import Judge
from meshchain.ledger.chain.index import Flag, IndexEntry
from meshchain.ledger.chain.standing import Standing
from meshchain.ledger.chain.statedb import Changes
from meshchain.ledger.chain.undo import Undo
from meshchain.ledger.errors import RemoteError, StoreError
from meshchain.ledger.store import layout


@dataclass(frozen=True, slots=True)
class Switch:
    """How the active chain changed."""

    disconnected: tuple[Block, ...] = ()
    """Newest first."""
    connected: tuple[Block, ...] = ()
    """Oldest first."""


class Moves:
    """Connects and disconnects blocks of one chain."""

    def __init__(self, standing: Standing, judge: Judge) -> None:
        self._standing = standing
        self._judge = judge
        self._assumed = AssumedValid(standing.index, standing.params.policy.assume_valid)
        self._reported = standing.tip
        """Where the last Switch led: one that a failing disk cut short is made up for by the next."""

    def adopt(self, branch: Branch, *, settling: bool) -> tuple[bytes, RemoteError] | None:
        """Make the branch active; returns the block that proved invalid, and why, after keeping what was valid."""
        return self._adopt(branch, lambda _known: settling)

    def _adopt(self, branch: Branch, settled: Callable[[IndexEntry], bool]) -> tuple[bytes, RemoteError] | None:
        standing = self._standing
        left = standing.tip
        while standing.tip.id != branch.fork.id:
            self.disconnect_tip()
        if left.id != branch.fork.id:
            standing.candidates.add(left)
        for entry in branch.path:
            try:
                known = standing.index.require(entry.id)
                self._connect(known, settled=settled(known))
            except RemoteError as error:
                self._fail(entry)
                self._return_to(left)
                return entry.id, error
        standing.candidates.drop(branch.leaf.id)
        if changes := standing.lot.drop(branch.first):
            standing.write(changes)
        return None

    def _return_to(self, left: IndexEntry) -> None:
        """Go back to the tip that a failed branch was to replace, if it is better than what was valid of that.

        Not by way of the candidates: a branch of many good blocks and a bad one must not get the old tip parked. What
        counted as settled a moment ago still does, and nothing else.
        """
        if left.rank > self._standing.tip.rank:
            self._adopt(branch_of(self._standing.index, left), lambda known: bool(known.flags & Flag.SETTLED))

    def _connect(self, entry: IndexEntry, *, settled: bool) -> None:
        standing = self._standing
        stamps = not self._assumed.covers(entry, standing.best_header)
        parent_root = standing.tip.header.state_root
        block = standing.bodies.get(entry)
        changes = connecting.connect(standing.state, block, parent_root, standing.main_id, self._judge, stamps=stamps)
        changes[layout.BODY + entry.id] = encode_body(block.operations)  # it may not be synced yet (intake)
        changes[layout.main(entry.height)] = entry.id
        changes[layout.TIP] = entry.id
        flags = entry.flags | Flag.SETTLED if settled else entry.flags & ~Flag.SETTLED
        entry = standing.index.flagged(entry, flags, changes)
        standing.write(changes)
        standing.tip = entry

    def disconnect_tip(self) -> None:
        """Take the newest block back."""
        standing = self._standing
        entry = standing.tip
        parent = standing.index.require(entry.header.previous)
        undo = standing.store.get(layout.UNDO + entry.id)
        if undo is None:
            raise StoreError("damaged", f"the undo of block {entry.id.hex()} is missing")
        block, parent_root = standing.bodies.get(entry), parent.header.state_root
        changes = connecting.disconnect(standing.state, block, Undo.decode(undo), parent_root, standing.genesis.id)
        changes[layout.main(entry.height)] = None
        changes[layout.TIP] = parent.id
        standing.write(changes)
        standing.tip = parent

    def _fail(self, entry: IndexEntry) -> None:
        standing = self._standing
        changes: Changes = {}
        waiting = [entry]
        while waiting:
            entry = waiting.pop()
            standing.index.flagged(entry, entry.flags | Flag.FAILED, changes)
            standing.candidates.drop(entry.id)
            changes |= standing.lot.drop(entry.id)
            waiting += standing.index.children(entry.id)
        standing.write(changes)
        standing.best_header = standing.find_best_header()

    def report(self) -> Switch:
        """How the active chain changed since the last report."""
        switch = self._difference(self._reported)
        self._reported = self._standing.tip
        return switch

    def _difference(self, before: IndexEntry) -> Switch:
        """Between the chain with tip ``before`` and the present one."""
        index, block = self._standing.index, self._standing.bodies.get
        if before.id == self._standing.tip.id:
            return Switch()
        old = []
        for fork in index.ancestors(before):
            if index.is_main(fork):
                break
            old.append(block(fork))
        new = []
        for entry in index.ancestors(self._standing.tip):
            if entry.id == fork.id:
                break
            new.append(block(entry))
        return Switch(tuple(old), tuple(reversed(new)))
