"""Random lives of a mempool against a slow, obvious model.

After every step: the pool holds exactly what the model holds; what it selects is a valid block; lanes are in seq
order and within bounds; and no operation that was ever taken in has vanished without being confirmed, held or
reported.
"""

from collections import Counter
from contextlib import suppress

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from meshchain.ledger import operations, template
from meshchain.ledger.chain.chain import Switch
from meshchain.ledger.errors import RuleError
from meshchain.ledger.mempool import HeldOperationError
from meshchain.ledger.mempool.bounds import MAX_PER_NAME
from meshchain.ledger.operations import Commit, Operation
from tests.ledger.kit import Owner, small_params
from tests.ledger.mempool.desk import Desk
from tests.ledger.mempool.model import ModelPool

NAMES = st.sampled_from(("ann", "bob"))
OWNERS = st.integers(1, 3)
SEQS = st.integers(1, 6)
PARAMS = small_params(expiry=20, grace=30, commit_life=12, stamp_grid=8)


class MempoolMachine(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.desk = Desk(PARAMS)
        self.model = ModelPool(self.desk.lab.genesis)
        self.taken: dict[bytes, Operation] = {}
        """Pooled or held at some time, and not reported as dropped since."""

    def owner(self, number: int) -> Owner:
        return self.desk.lab.owner(number)

    def reg(self, owner: int, name: str) -> bytes:
        entry = self.desk.lab.chain.state.entry(name)
        return self.owner(owner).reg(name) if entry is None else entry.reg

    # --- operations come in

    def offer(self, operation: Operation, more: int = 0) -> None:
        opid = self.desk.opid(operation)
        if opid in self.taken:
            return
        held = [pending.operation for pending in self.desk.pool.held]
        stamped = self.desk.lab.stamp(operation, more=more)
        expected = self.model.admit(stamped, self.desk.lab.next())
        outcome = self.outcome(stamped)
        assert (outcome == "pooled") == expected, outcome
        if outcome == "pooled":
            self.promote(stamped, held)
        if outcome in ("pooled", "held"):
            self.taken[opid] = stamped

    def outcome(self, operation: Operation) -> str:
        try:
            self.desk.add(operation)
        except HeldOperationError:
            return "held"
        except RuleError as error:
            return error.code
        return "pooled"

    def promote(self, operation: Operation, held: list[Operation]) -> None:
        name = operations.name_of(operation)
        for waiting in held:
            if name is not None and operations.name_of(waiting) == name:
                self.model.admit(waiting, self.desk.lab.next())

    @rule(owner=OWNERS, name=NAMES, more=st.integers(0, 2))
    def commit(self, owner: int, name: str, more: int) -> None:
        self.offer(self.owner(owner).commit(name), more)

    @rule(owner=OWNERS, name=NAMES, more=st.integers(0, 2))
    def reveal(self, owner: int, name: str, more: int) -> None:
        self.offer(self.owner(owner).reveal(name), more)

    @rule(owner=OWNERS, name=NAMES, seq=SEQS, more=st.integers(0, 2))
    def update(self, owner: int, name: str, seq: int, more: int) -> None:
        self.offer(self.owner(owner).update(name, self.reg(owner, name), seq), more)

    @rule(owner=OWNERS, name=NAMES, seq=SEQS, buyer=OWNERS)
    def transfer(self, owner: int, name: str, seq: int, buyer: int) -> None:
        self.offer(self.owner(owner).transfer(name, self.reg(owner, name), seq, self.owner(buyer).key))

    @rule(owner=OWNERS, name=NAMES, seq=st.integers(4, 6))
    def revoke(self, owner: int, name: str, seq: int) -> None:
        self.offer(self.owner(owner).revoke(name, self.reg(owner, name), seq))

    @rule(owner=OWNERS, name=NAMES)
    def renew(self, owner: int, name: str) -> None:
        entry = self.desk.lab.chain.state.entry(name)
        if entry is not None:
            self.offer(self.owner(owner).renew(name, entry.reg, entry.expires))

    # --- the chain moves

    @rule()
    def mine_what_is_selected(self) -> None:
        lab = self.desk.lab
        built = template.build(lab.chain, self.desk.pool.select(lab.next()), lab.now)
        assert not built.dropped
        self.follow(lab.mine(*built.operations))

    @rule(count=st.integers(1, 9))
    def mine_empty(self, count: int) -> None:
        for _ in range(count):
            self.follow(self.desk.lab.mine())

    @rule(owner=OWNERS, name=NAMES)
    def register_elsewhere(self, owner: int, name: str) -> None:
        """Blocks of another miner who never sent the pool anything."""
        lab = self.desk.lab
        born = lab.height
        with suppress(RuleError):
            self.follow(lab.mine(lab.stamp(self.owner(owner).commit(name, born))))
            self.follow(lab.mine())
            self.follow(lab.mine(lab.stamp(self.owner(owner).reveal(name, born=born))))

    @precondition(lambda self: self.desk.lab.height > 0)
    @rule(back=st.integers(1, 4), owner=OWNERS, name=NAMES, rival_commit=st.booleans())
    def reorg(self, back: int, owner: int, name: str, *, rival_commit: bool) -> None:
        lab = self.desk.lab
        other = lab.fork(back=min(back, lab.height))
        if rival_commit:
            with suppress(RuleError):
                other.mine(other.stamp(self.owner(owner).commit(name)))
        while other.height <= lab.height:
            other.mine()
        self.follow(lab.take(other))

    def follow(self, switch: Switch) -> None:
        lab, pool = self.desk.lab, self.desk.pool
        returned = [op for block in reversed(switch.disconnected) for op in block.operations]
        confirmed = {self.desk.opid(op) for block in switch.connected for op in block.operations}
        offered: dict[bytes, Operation] = {}
        for operation in (*returned, *(p.operation for p in (*pool.pending(), *pool.held))):
            offered[self.desk.opid(operation)] = operation
        dropped = {d.opid: d for d in self.desk.follow(switch)}
        going_on = [op for opid, op in offered.items() if opid not in confirmed]
        self.model.rebuild(going_on, lab.next())
        self.taken.update((opid, op) for opid, op in offered.items() if opid not in dropped)
        assert dropped.keys() <= {self.desk.opid(op) for op in going_on}
        for opid in (*dropped, *confirmed):
            self.taken.pop(opid, None)
        for report in dropped.values():
            assert report.winner is None or report.winner in confirmed

    # --- always

    @invariant()
    def the_pool_is_the_models(self) -> None:
        assert set(self.desk.opids()) == self.model.opids()
        assert len(self.desk.opids()) == len(self.desk.pool)
        assert self.desk.pool.size == sum(len(operations.encode(p.operation)) for p in self.desk.pool.pending())

    @invariant()
    def what_is_selected_is_a_valid_block(self) -> None:
        selected = self.desk.pool.select(self.desk.lab.next())
        assert self.model.is_block(selected, self.desk.lab.next())
        commits = sum(len(operations.encode(op)) + 3 for op in selected if isinstance(op, Commit))
        assert commits <= PARAMS.consensus.max_block_size // 2

    @invariant()
    def names_are_in_order_and_bounded(self) -> None:
        for lane in self.model.lives.values():
            opids = [self.desk.opid(op) for op in lane]
            assert [opid for opid in self.desk.opids() if opid in opids] == opids
        for waiting in (self.desk.pool.pending(), self.desk.pool.held):
            names = Counter(pending.name for pending in waiting if pending.name is not None)
            assert all(count <= MAX_PER_NAME for count in names.values())

    @invariant()
    def nothing_vanishes(self) -> None:
        """But for orphans of a name that has its eight."""
        held = Counter(pending.name for pending in self.desk.pool.held)
        for opid in self.taken.keys() - {*self.desk.opids(), *self.desk.held()}:
            assert held[operations.name_of(self.taken.pop(opid))] == MAX_PER_NAME
        assert self.taken.keys() == {*self.desk.opids(), *self.desk.held()}


class LongMempoolMachine(MempoolMachine):
    """The same for `make test-slow`."""


TestMempool = MempoolMachine.TestCase
TestMempool.settings = settings(max_examples=15, stateful_step_count=25, deadline=None)
TestMempoolForLong = pytest.mark.slow(LongMempoolMachine.TestCase)
TestMempoolForLong.settings = settings(max_examples=400, stateful_step_count=40, deadline=None)
