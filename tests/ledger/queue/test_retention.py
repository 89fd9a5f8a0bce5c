"""What is dropped, when, and what a heal still needs."""

import pytest

from meshchain.ledger.queue import retention
from meshchain.ledger.store import layout
from tests.ledger.kit import Lab, small_params
from tests.ledger.queue.driver import Driver

SHORT = {"expiry": 60, "grace": 4, "commit_life": 4}
SHOWN = 7 * 4


def rows(driver: Driver) -> int:
    return len(list(driver.lab.chain.store.items(layout.QUEUED)))


def registered(driver: Driver) -> bytes:
    alice = driver.lab.owner(1)
    driver.submit(alice.commit("alice"), alice.reveal("alice"))
    driver.mine(blocks=3)
    return alice.reg("alice")


def test_all_goes_when_the_life_of_the_name_ends() -> None:
    driver = Driver(Lab(small_params(**SHORT)))
    reg = registered(driver)
    driver.submit(driver.lab.owner(1).update("alice", reg, 1))
    driver.mine()
    driver.mine_empty(driver.lab.entry("alice").expires + 4 - driver.lab.height - 2)
    assert driver.states() == ["confirmed"] * 3
    driver.mine_empty(1)
    assert driver.all() == ()
    assert rows(driver) == 0
    driver.check_restart()


def test_kept_as_long_as_somebody_renews() -> None:
    driver = Driver(Lab(small_params(**SHORT)))
    registered(driver)
    alice = driver.lab.owner(1)
    end = driver.lab.entry("alice").expires
    driver.mine_empty(40)
    renew = alice.renew("alice", alice.reg("alice"), end)
    driver.follow(driver.lab.mine(driver.lab.stamp(renew)))
    driver.mine_empty(40)
    assert driver.states() == ["confirmed"] * 2
    driver.check_restart()


def test_an_update_that_another_replaces_goes_when_it_is_deep() -> None:
    driver = Driver(Lab(small_params(**SHORT)))
    reg = registered(driver)
    alice = driver.lab.owner(1)
    first, second = driver.submit(alice.update("alice", reg, 1, {"v": 1}), alice.update("alice", reg, 2, {"v": 2}))
    driver.mine(blocks=2)
    driver.mine_empty(SHOWN - 3)
    assert first in [status.opid for status in driver.all()]
    driver.mine_empty(1)
    kept = [status.opid for status in driver.all()]
    assert first not in kept
    assert second in kept
    driver.check_restart()


def test_what_seq_steps_need_stays() -> None:
    driver = Driver(Lab(small_params(**SHORT, max_seq_step=10)))
    reg = registered(driver)
    alice = driver.lab.owner(1)
    for seq in (8, 16, 24):
        driver.submit(alice.update("alice", reg, seq))
        driver.mine()
    driver.mine_empty(SHOWN)
    assert len(driver.all()) == 5  # 24 cannot follow 8, nor 16 follow 0
    driver.submit(alice.update("alice", reg, 25))
    driver.mine()
    driver.mine_empty(SHOWN)
    assert len(driver.all()) == 5  # 25 serves as well as 24


def test_small_steps_are_dropped_but_for_those_that_bridge() -> None:
    driver = Driver(Lab(small_params(**SHORT, max_seq_step=10)))
    reg = registered(driver)
    alice = driver.lab.owner(1)
    opids = driver.submit(*(alice.update("alice", reg, seq) for seq in (3, 6, 9, 12)))
    driver.mine(blocks=4)
    driver.mine_empty(SHOWN)
    kept = [status.opid for status in driver.all() if status.kind == "update"]
    assert kept == list(opids[2:])  # from 0 to 9 to 12
    driver.reorg(driver.lab.height - 1)
    driver.mine(blocks=8)
    assert driver.lab.entry("alice").seq == 12


def test_what_a_transfer_separates_stays() -> None:
    driver = Driver(Lab(small_params(**SHORT)))
    reg = registered(driver)
    alice, bob = driver.lab.owner(1), driver.lab.owner(2)
    driver.submit(alice.update("alice", reg, 1), alice.transfer("alice", reg, 2, bob.key))
    driver.submit(bob.update("alice", reg, 3))
    driver.mine(blocks=3)
    driver.mine_empty(SHOWN)
    assert len(driver.all()) == 5


def test_what_ended_is_shown_for_a_while() -> None:
    driver = Driver(Lab(small_params(**SHORT)))
    alice = driver.lab.owner(1)
    driver.submit(alice.commit("alice"))
    driver.mine()
    driver.mine_empty(4)
    assert driver.states() == ["expired"]
    assert f"until block {5 + SHOWN}" in driver.all()[0].next_change
    driver.mine_empty(SHOWN - 2)
    assert driver.states() == ["expired"]
    driver.mine_empty(1)
    assert driver.all() == ()
    assert rows(driver) == 0


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = Driver()
    alice = driver.lab.owner(1)
    driver.submit(alice.commit("lost"))
    driver.mine()
    driver.mine_empty(driver.lab.params.consensus.commit_life)
    for name in ("a1", "a2", "a3"):
        driver.submit(alice.commit(name), alice.reveal(name))
        driver.mine(blocks=3)
    waiting = driver.submit(alice.commit("waiting"), alice.reveal("waiting"))
    monkeypatch.setattr(retention, "MAX_KEPT", 5)
    driver.mine_empty(1)
    kept = driver.all()
    assert [status.name for status in kept] == ["a2", "a2", "a3", "a3", "waiting", "waiting"]
    assert [status.opid for status in kept[-2:]] == list(waiting)
    assert rows(driver) == 6


def test_a_life_that_a_reorg_makes_shorter_ends_when_it_ends() -> None:
    driver = Driver(Lab(small_params(**SHORT)))
    reg = registered(driver)
    alice, expires = driver.lab.owner(1), driver.lab.entry("alice").expires
    driver.mine_empty(expires - driver.lab.height - 3)
    (renew,) = driver.submit(alice.renew("alice", reg, expires))
    driver.mine()
    driver.mine_empty(1)
    driver.restart()
    driver.all()  # judges everything by the longer life
    driver.reorg(2, forward=6)
    assert driver.lab.height + 1 == expires + 4
    assert [(status.opid, status.state) for status in driver.all()] == [(renew, "expired")]
    driver.check_restart()
