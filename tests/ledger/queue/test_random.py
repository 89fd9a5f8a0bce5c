"""Anything in any order: no promise is lost without a word, and what is told agrees with the chain."""

from collections.abc import Callable
from typing import Any, Final

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from meshchain.ledger.errors import RuleError
from meshchain.ledger.operations import Operation
from meshchain.ledger.queue import QueueStatus
from tests.ledger.kit import Lab, small_params
from tests.ledger.queue.driver import NODE, Driver

PARAMS: Final = small_params(expiry=24, grace=4, commit_life=5, stamp_grid=4)
NAMES: Final = st.sampled_from(("a", "b"))
OWNERS: Final = st.sampled_from((1, 2))
FINAL: Final = ("conflict-lost", "expired", "refused")
SHOWN: Final = 7 * 5


class AnyOrder(RuleBasedStateMachine):
    """A node with two users, a rival miner who knows the same keys, reorgs and restarts."""

    @initialize()
    def start(self) -> None:
        self.driver = Driver(Lab(PARAMS))
        self.last: dict[bytes, QueueStatus] = {}
        self.promised: set[bytes] = set()
        self.since: dict[bytes, int] = {}

    @property
    def lab(self) -> Lab:
        return self.driver.lab

    def submit(self, *drafts: Operation) -> None:
        try:
            opids = self.driver.submit(*drafts)
        except RuleError:
            return
        self.promised.update(opids)
        for opid in opids:
            assert self.driver.status(opid).state not in FINAL

    # --- users -------------------------------------------------------------------------------------------

    @rule(name=NAMES, number=OWNERS, ahead=st.integers(0, 3), hosted=st.booleans())
    def register(self, name: str, number: int, ahead: int, *, hosted: bool) -> None:
        owner, born = self.lab.owner(number), self.lab.height + ahead
        record: dict[str, Any] = {"hosts": [NODE.host(self.lab.genesis, owner.key, name)]} if hosted else {}
        self.submit(owner.commit(name, born), owner.reveal(name, record, born))

    @rule(name=NAMES, number=OWNERS, step=st.integers(1, 3), kind=st.sampled_from(("update", "transfer", "revoke")))
    def change(self, name: str, number: int, step: int, kind: str) -> None:
        self.submit(*self.changes(name, number, step, kind))

    @rule(name=NAMES, number=OWNERS)
    def renew(self, name: str, number: int) -> None:
        entry = self.lab.chain.state.entry(name)
        if entry is not None:
            self.submit(self.lab.owner(number).renew(name, entry.reg, entry.expires))

    def changes(self, name: str, number: int, step: int, kind: str) -> list[Operation]:
        entry, owner = self.lab.chain.state.entry(name), self.lab.owner(number)
        if entry is None:
            return []
        seq = entry.seq + step
        make: dict[str, Callable[[], Operation]] = {
            "update": lambda: owner.update(name, entry.reg, seq),
            "transfer": lambda: owner.transfer(name, entry.reg, seq, self.lab.owner(3 - number).key),
            "revoke": lambda: owner.revoke(name, entry.reg, seq),
        }
        return [make[kind]()]

    # --- the node ----------------------------------------------------------------------------------------

    @rule(steps=st.integers(1, 4))
    def work_a_little(self, steps: int) -> None:
        for _ in range(steps):
            self.driver.step()

    @rule(blocks=st.integers(1, 4))
    def mine(self, blocks: int) -> None:
        self.driver.mine(blocks=blocks)

    @rule(blocks=st.integers(1, 8))
    def others_mine(self, blocks: int) -> None:
        self.driver.mine_empty(blocks)

    @rule(reported=st.booleans())
    def restart(self, *, reported: bool) -> None:
        if not reported:
            self.lab.mine()
        self.driver.restart()

    @precondition(lambda self: self.lab.height > 0)
    @rule(back=st.integers(1, 9), name=NAMES, number=OWNERS, rival=st.sampled_from(("none", "register", "update")))
    def reorg(self, back: int, name: str, number: int, rival: str) -> None:
        other = self.lab.fork(back=min(back, self.lab.height))
        entry, owner = other.chain.state.entry(name), other.owner(number)
        if rival == "register" and entry is None:
            other.register(other.owner(100 + other.height), name)
        elif rival == "update" and entry is not None and entry.owner == owner.key and self.may_update(other, name):
            other.mine(other.stamp(owner.update(name, entry.reg, entry.seq + 1, {"rival": True})))
        while other.chain.tip.rank <= self.lab.chain.tip.rank:
            other.mine()
        self.driver.follow(self.lab.take(other))

    def may_update(self, lab: Lab, name: str) -> bool:
        return not lab.entry(name).revoked and lab.entry(name).active(lab.height + 1)

    @rule(name=NAMES, number=OWNERS, kind=st.sampled_from(("update", "transfer")))
    def rival_change(self, name: str, number: int, kind: str) -> None:
        entry = self.lab.chain.state.entry(name)
        if entry is None or entry.owner != self.lab.owner(number).key or not self.may_update(self.lab, name):
            return
        (operation,) = self.changes(name, number, 1, kind)
        self.driver.follow(self.lab.mine(self.lab.stamp(operation)))

    # --- what must hold ----------------------------------------------------------------------------------

    @invariant()
    def nothing_is_lost_without_a_word(self) -> None:
        now = {status.opid: status for status in self.driver.all()}
        for opid in self.promised - now.keys():
            assert self.may_be_dropped(self.last[opid]), self.last[opid]
        self.promised &= now.keys()
        for opid, status in now.items():
            if opid not in self.last or self.last[opid].state != status.state:
                self.since[opid] = self.lab.height
        self.last = now

    def may_be_dropped(self, status: QueueStatus) -> bool:
        """It was shown long enough after it ended, or the life of its name is over, or a later one replaced it."""
        if status.state in FINAL:
            return self.lab.height >= self.since[status.opid] + SHOWN - 12  # reorgs move heights a little
        assert status.state == "confirmed", status
        if status.kind in ("update", "renew"):
            return True
        assert status.name is not None or status.kind == "commit"
        entry = None if status.name is None else self.lab.chain.state.entry(status.name)
        located = self.lab.chain.view().locate(status.opid)
        assert located is not None
        if entry is None or entry.registered > located.height + PARAMS.consensus.commit_life:
            return True
        return entry.expires + PARAMS.consensus.grace <= self.lab.height + 1  # the next block deletes it

    @invariant()
    def what_is_told_agrees_with_the_chain(self) -> None:
        view = self.lab.chain.view()
        for status in self.driver.all():
            assert status.reason
            assert status.next_change
            located = view.locate(status.opid)
            if status.kind != "commit":
                assert (status.state == "confirmed") == (located is not None)
            if status.state == "confirmed":
                assert located is not None
                assert status.confirmations == view.height - located.height + 1
            if status.winner is not None:
                assert status.state == "conflict-lost"

    @invariant()
    def a_restart_tells_the_same(self) -> None:
        self.driver.check_restart()

    def teardown(self) -> None:
        """Left alone, every promise comes to an end, or its name lives on renewals."""
        if not hasattr(self, "driver"):
            return
        for _ in range(PARAMS.consensus.expiry + PARAMS.consensus.grace + 12):
            self.driver.mine()
            self.nothing_is_lost_without_a_word()
        for status in self.driver.all():
            if status.opid in self.promised:
                assert status.state in (*FINAL, "confirmed"), status


def test_any_order() -> None:
    run_state_machine_as_test(AnyOrder, settings=settings(max_examples=12, stateful_step_count=25))


@pytest.mark.slow
def test_any_order_for_long() -> None:
    run_state_machine_as_test(AnyOrder, settings=settings(max_examples=400, stateful_step_count=60))
