"""What unverified operations may cost, under a flood."""

from dataclasses import dataclass, field
from random import Random

import pytest

from meshchain.p2p.actions import Peer
from meshchain.p2p.conduct import Budgets
from meshchain.p2p.conduct.budgets import (
    ASSURED,
    COMMON,
    ENTRY,
    MOST_PEERS,
    OPERATION_COST,
    SIGNATURE_COST,
    STAMP_COST,
    STAMPS,
    UNVERIFIED,
)

HONEST: Peer = 1
ATTACKERS: tuple[Peer, ...] = (2, 3, 4)
EVERY = 1 / 10_000
"""Seconds between two bad operations, of all three attackers together 10,000 a second."""


@dataclass
class Checker:
    """Checks what a budget pays for, one at a time, in virtual time."""

    budgets: Budgets = field(default_factory=Budgets)
    wasted: float = 0.0
    """CPU-seconds for operations that were no good."""
    bad: int = 0
    good: int = 0
    refused: int = 0
    """Good operations that were not checked."""

    def offer_bad(self, peer: Peer, now: float, *, early: bool) -> None:
        if self.budgets.operation(peer, now):
            self.bad += 1
            self.wasted += SIGNATURE_COST if early else OPERATION_COST
            if early:
                self.budgets.refused_early(peer)

    def offer_good(self, peer: Peer, now: float) -> None:
        if self.budgets.operation(peer, now):
            self.good += 1
            self.budgets.proven(peer)
        else:
            self.refused += 1


@pytest.mark.parametrize("fault", ["stamp", "signature"])
def test_ten_thousand_bad_operations_a_second(fault: str) -> None:
    """Nobody is banned here: this is what budgets do alone. The honest peer sends ten a second in between."""
    checker, seconds = Checker(), 20
    for peer in (HONEST, *ATTACKERS):
        checker.budgets.opened(peer)
    for n in range(seconds * 10_000):
        now = 100 + n * EVERY
        checker.offer_bad(ATTACKERS[n % 3], now, early=fault == "signature")
        if n % 1000 == 999:
            checker.offer_good(HONEST, now)
    allowance = UNVERIFIED.burst + UNVERIFIED.per_second * seconds
    print(
        f"{fault}: {seconds * 10_000} bad operations in {seconds} s: {checker.bad} checked, {checker.wasted:.2f} "
        f"CPU-seconds ({checker.wasted / seconds:.1%} of a core, bound {allowance / seconds:.1%}); of "
        f"{checker.good + checker.refused} honest operations {checker.good} are checked"
    )
    assert checker.refused == 0
    assert checker.good == 200
    assert checker.wasted <= allowance
    assert checker.budgets.dropped == seconds * 10_000 - checker.bad


def test_a_hundred_attackers_who_come_again_and_again() -> None:
    """Every second each of a hundred attackers comes as a new peer with full purses."""
    checker, rng = Checker(), Random(1)
    checker.budgets.opened(HONEST)
    checker.offer_good(HONEST, 49.0)
    peers = list(range(10, 110))
    for peer in peers:
        checker.budgets.opened(peer)
    seconds = 20
    for second in range(seconds):
        for step in range(2000):
            now = 50 + second + step / 2000
            checker.offer_bad(rng.choice(peers), now, early=False)
            if step % 200 == 0:
                checker.offer_good(HONEST, now)
        for n, peer in enumerate(peers):
            checker.budgets.closed(peer)
            peers[n] = peer + 1000
            checker.budgets.opened(peers[n])
    allowance = UNVERIFIED.burst + UNVERIFIED.per_second * seconds
    print(f"{(seconds + 1) * len(peers)} connections of attackers: {checker.wasted:.1f} CPU-s, at most {allowance:.1f}")
    assert checker.refused == 0
    assert checker.wasted <= allowance


def test_the_parts_make_the_whole() -> None:
    each = MOST_PEERS * ASSURED.per_second
    assert COMMON.per_second + each + ENTRY.per_second == pytest.approx(UNVERIFIED.per_second)
    assert COMMON.burst + ENTRY.burst == pytest.approx(UNVERIFIED.burst), "purses are filled from the entry's burst"
    assert UNVERIFIED.per_second <= 0.25


def test_who_is_refused_pays_nothing() -> None:
    """The common part is gone; a peer that is turned away meanwhile has all its own money later."""
    budgets = Budgets()
    budgets.opened(HONEST)
    budgets.opened(2)
    budgets.opened(3)
    for peer in (2, 3):
        while budgets.operation(peer, 0.0):
            pass
    spender = 2
    for n in range(400):  # drains what the two could not at once
        budgets.operation(spender, 1.0 + n / 100)
    for peer in range(20, 30):
        budgets.opened(peer)
        while budgets.operation(peer, 5.0):
            pass
    assured = sum(budgets.operation(HONEST, 5.0) for _ in range(500))
    assert assured == 4
    for _ in range(assured):
        budgets.proven(HONEST)
    later = sum(budgets.operation(HONEST, 5.0 + n) for n in range(100, 105))
    assert later == 5


def test_work_that_proved_good_is_free() -> None:
    budgets = Budgets()
    budgets.opened(HONEST)
    for _ in range(5000):
        assert budgets.operation(HONEST, 1.0)
        budgets.proven(HONEST)
    assert budgets.dropped == 0


def test_a_peer_alone_is_bounded_too() -> None:
    budgets = Budgets()
    budgets.opened(2)
    checked = sum(budgets.operation(2, 1.0 + n / 1000) for n in range(30_000))
    assert checked <= STAMPS.burst + 30 * STAMPS.per_second
    assert checked * STAMP_COST / 30 < 0.25


def test_nothing_comes_back_after_a_peer_is_gone() -> None:
    """Outcomes that arrive after the connection is over do not fill the common purse."""
    budgets = Budgets()
    for peer in range(10, 60):
        budgets.opened(peer)
        while budgets.operation(peer, 0.0):
            pass
    before = budgets._common.tokens
    budgets.closed(10)
    for _ in range(100):
        budgets.proven(10)
        budgets.refused_early(10)
    assert budgets._common.tokens == before
    assert not budgets.operation(10, 0.0)
    assert not budgets.message(10, 0.0)
