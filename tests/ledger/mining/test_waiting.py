"""The wait for another node's block, on a dev network."""

import random

from meshchain.ledger.mining import ForeignWait
from meshchain.ledger.params import bundled_networks

DEV = bundled_networks()["dev"].policy


def test_one_wait_is_drawn_for_a_tip_within_the_networks_range() -> None:
    waits = set()
    for seed in range(200):
        wait = ForeignWait(DEV, random.Random(seed))
        wait.observe(b"tip", 1, 100.0)
        first = (wait.since, wait.wait)
        wait.observe(b"tip", 2, 100.1)
        assert (wait.since, wait.wait) == first
        assert first[0] == 100.0
        waits.add(wait.wait)
    assert all(0.2 <= drawn <= 1.0 for drawn in waits)
    assert min(waits) < 0.3 < 0.9 < max(waits)


def test_a_block_ends_the_wait_and_what_it_left_gets_a_new_one() -> None:
    wait = ForeignWait(DEV, random.Random(1))
    wait.observe(b"one", 2, 100.0)
    before = wait.wait
    wait.observe(b"two", 1, 100.15)
    assert wait.since == 100.15
    assert wait.wait != before
    wait.observe(b"three", 0, 100.2)
    assert wait.since is None


def test_an_operation_that_comes_later_is_waited_for_anew() -> None:
    wait = ForeignWait(DEV, random.Random(1))
    wait.observe(b"tip", 1, 100.0)
    wait.observe(b"tip", 0, 101.0)
    wait.observe(b"tip", 1, 150.0)
    assert wait.since == 150.0
