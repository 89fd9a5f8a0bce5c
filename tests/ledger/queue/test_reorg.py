"""Branches that take away what was confirmed, and rivals who win."""

from tests.ledger.kit import Lab, small_params
from tests.ledger.queue.driver import Driver


def registered(driver: Driver) -> tuple[bytes, bytes]:
    alice = driver.lab.owner(1)
    commit, reveal = driver.submit(alice.commit("alice"), alice.reveal("alice"))
    driver.mine(blocks=3)
    assert driver.states() == ["confirmed", "confirmed"]
    return commit, reveal


def test_a_lost_reveal_is_sent_again() -> None:
    driver = Driver()
    _, reveal = registered(driver)
    driver.reorg(1)
    assert driver.state(reveal) == "committed"
    driver.check_restart()
    driver.mine()
    assert driver.state(reveal) == "confirmed"


def test_a_lost_commit_is_made_anew_and_its_reveal_follows() -> None:
    driver = Driver()
    commit, reveal = registered(driver)
    driver.reorg(3)
    assert (driver.state(commit), driver.state(reveal)) == ("queued", "queued")
    driver.check_restart()
    driver.mine(blocks=3)
    assert driver.states() == ["confirmed", "confirmed"]


def test_a_reorg_that_nobody_reported_is_seen_all_the_same() -> None:
    driver = Driver()
    _, reveal = registered(driver)
    rival = driver.lab.fork(back=1)
    rival.mine_empty(2)
    driver.lab.take(rival)
    driver.restart()
    assert driver.state(reveal) == "committed"
    driver.mine()
    assert driver.state(reveal) == "confirmed"


def test_a_whole_life_comes_back_after_a_deep_reorg() -> None:
    driver = Driver()
    registered(driver)
    alice, bob = driver.lab.owner(1), driver.lab.owner(2)
    reg = alice.reg("alice")
    driver.submit(alice.update("alice", reg, 1, {"v": 1}), alice.transfer("alice", reg, 2, bob.key))
    driver.submit(bob.update("alice", reg, 7, {"v": 7}))
    driver.mine(blocks=3)
    before = driver.lab.entry("alice")
    assert (before.owner, before.seq) == (bob.key, 7)
    driver.reorg(6)
    assert driver.lab.chain.state.entry("alice") is None
    assert driver.states() == ["queued"] * 5
    driver.check_restart()
    driver.mine(blocks=8)
    assert driver.states() == ["confirmed"] * 5
    after = driver.lab.entry("alice")
    assert (after.owner, after.seq, after.record) == (bob.key, 7, {"v": 7})


def test_a_rival_who_reveals_first_wins_and_is_named() -> None:
    driver = Driver()
    alice, rival = driver.lab.owner(1), driver.lab.owner(2)
    driver.mine(driver.lab.stamp(rival.commit("alice")))
    commit, reveal = driver.submit(alice.commit("alice"), alice.reveal("alice"))
    driver.mine()
    (update,) = driver.submit(alice.update("alice", alice.reg("alice"), 1))
    theirs = driver.lab.stamp(rival.reveal("alice"))
    driver.follow(driver.lab.mine(theirs))
    winner = driver.lab.chain.view().history("alice")[0].opid
    for opid in (reveal, update):
        status = driver.status(opid)
        assert (status.state, status.winner) == ("conflict-lost", winner)
        assert "registered by another" in status.reason
    assert driver.state(commit) == "confirmed"
    driver.check_restart()
    driver.mine(blocks=2)
    assert driver.state(reveal) == "conflict-lost"


def test_a_rival_that_a_reorg_removes_gives_the_name_back() -> None:
    driver = Driver()
    alice, rival = driver.lab.owner(1), driver.lab.owner(2)
    driver.mine(driver.lab.stamp(rival.commit("alice")))
    _, reveal = driver.submit(alice.commit("alice"), alice.reveal("alice"))
    driver.mine()
    driver.follow(driver.lab.mine(driver.lab.stamp(rival.reveal("alice"))))
    assert driver.state(reveal) == "conflict-lost"
    driver.reorg(1)
    assert driver.state(reveal) == "committed"
    driver.check_restart()
    driver.mine_only(reveal)  # the mempool holds the rival's reveal too
    assert driver.lab.entry("alice").owner == alice.key


def test_a_rivals_expiry_does_not_wake_what_lost() -> None:
    driver = Driver(Lab(small_params(expiry=20, grace=4, commit_life=6)))
    alice, rival = driver.lab.owner(1), driver.lab.owner(2)
    driver.mine(driver.lab.stamp(rival.commit("alice")))
    _, reveal = driver.submit(alice.commit("alice"), alice.reveal("alice"))
    driver.mine()
    driver.follow(driver.lab.mine(driver.lab.stamp(rival.reveal("alice"))))
    driver.mine(blocks=25)
    assert driver.lab.chain.state.entry("alice") is None
    assert driver.state(reveal) == "conflict-lost"
    driver.check_restart()
    driver.mine(blocks=4)
    assert driver.lab.chain.state.entry("alice") is None


def test_a_name_lost_to_a_rival_in_a_reorg_is_reported_for_every_operation() -> None:
    driver = Driver()
    _, reveal = registered(driver)
    alice, rival = driver.lab.owner(1), driver.lab.owner(2)
    (update,) = driver.submit(alice.update("alice", alice.reg("alice"), 1))
    driver.mine()
    other = driver.lab.fork(back=4)
    other.register(rival, "alice")
    other.mine_empty(2)
    driver.follow(driver.lab.take(other))
    winner = driver.lab.chain.view().history("alice")[0].opid
    for opid in (reveal, update):
        assert (driver.state(opid), driver.status(opid).winner) == ("conflict-lost", winner)
    driver.check_restart()


def test_an_update_overtaken_by_another_names_it() -> None:
    driver = Driver()
    alice = driver.lab.owner(1)
    entry = driver.lab.register(alice, "alice")
    (mine,) = driver.submit(alice.update("alice", entry.reg, 2, {"mine": 1}))
    other = driver.lab.stamp(alice.update("alice", entry.reg, 2, {"other": 1}))
    driver.lab.mine(other)
    renewed = driver.lab.stamp(alice.renew("alice", entry.reg, entry.expires))
    driver.follow(driver.lab.mine(renewed))  # the last operation, but not the one that took the seq
    status = driver.status(mine)
    assert (status.state, status.winner) == ("conflict-lost", driver.lab.chain.view().history("alice")[1].opid)
    driver.check_restart()
    driver.reorg(2)
    driver.mine_only(mine)
    assert driver.state(mine) == "confirmed"


def test_a_name_transferred_elsewhere_is_lost_to_the_transfer() -> None:
    driver = Driver()
    alice, bob = driver.lab.owner(1), driver.lab.owner(2)
    entry = driver.lab.register(alice, "alice")
    update, renew = driver.submit(alice.update("alice", entry.reg, 5), alice.renew("alice", entry.reg, entry.expires))
    driver.follow(driver.lab.mine(driver.lab.stamp(alice.transfer("alice", entry.reg, 1, bob.key))))
    winner = driver.lab.chain.view().history("alice")[1].opid
    assert [(driver.state(opid), driver.status(opid).winner) for opid in (update, renew)] == [
        ("conflict-lost", winner)
    ] * 2


def test_operations_of_the_new_owner_wait_for_a_transfer_that_a_reorg_took_out() -> None:
    driver = Driver()
    alice, bob = driver.lab.owner(1), driver.lab.owner(2)
    entry = driver.lab.register(alice, "alice")
    transfer = alice.transfer("alice", entry.reg, 1, bob.key)
    driver.follow(driver.lab.mine(driver.lab.stamp(transfer)))
    (update,) = driver.submit(bob.update("alice", entry.reg, 2))
    driver.reorg(1)
    assert driver.state(update) == "queued"
    assert "transfer" in driver.status(update).reason
    driver.check_restart()
    driver.mine(driver.lab.stamp(transfer))
    driver.mine()
    assert driver.state(update) == "confirmed"


def test_a_revoked_name_ends_what_waits_for_it() -> None:
    driver = Driver()
    alice = driver.lab.owner(1)
    entry = driver.lab.register(alice, "alice")
    (update,) = driver.submit(alice.update("alice", entry.reg, 5))
    driver.follow(driver.lab.mine(driver.lab.stamp(alice.revoke("alice", entry.reg, 1))))
    assert driver.state(update) == "conflict-lost"
    assert driver.status(update).winner == driver.lab.chain.view().history("alice")[1].opid


def test_another_renewal_wins_and_is_named() -> None:
    driver = Driver()
    alice = driver.lab.owner(1)
    entry = driver.lab.register(alice, "alice")
    driver.mine_empty(1)
    first = alice.renew("alice", entry.reg, entry.expires)
    driver.follow(driver.lab.mine(driver.lab.stamp(first)))
    (second,) = driver.submit(alice.renew("alice", entry.reg, driver.lab.entry("alice").expires))
    driver.mine_empty(1)
    rival = driver.lab.fork(back=3)
    rival.mine_empty(2)
    rival.mine(rival.stamp(first))
    rival.mine_empty(1)
    driver.follow(driver.lab.take(rival))
    status = driver.status(second)
    assert (status.state, status.winner) == ("conflict-lost", driver.lab.chain.view().history("alice")[1].opid)


def test_what_ended_and_was_confirmed_after_all_says_so() -> None:
    driver = Driver()
    alice = driver.lab.owner(1)
    (commit,) = driver.submit(alice.commit("alice"))
    driver.mine(blocks=2 + driver.lab.params.consensus.commit_life)
    assert driver.state(commit) == "expired"
    driver.follow(driver.lab.mine(driver.lab.stamp(alice.commit("alice"))))
    assert driver.state(commit) == "confirmed"
    driver.check_restart()


def test_a_key_that_lost_a_name_may_sign_for_when_it_gets_it_back() -> None:
    driver = Driver()
    alice, bob = driver.lab.owner(1), driver.lab.owner(2)
    entry = driver.lab.register(alice, "alice")
    driver.mine(driver.lab.stamp(alice.transfer("alice", entry.reg, 1, bob.key)))
    back, update = driver.submit(
        bob.transfer("alice", entry.reg, 2, alice.key), alice.update("alice", entry.reg, 3, {"v": 3})
    )
    assert driver.state(update) == "queued"
    driver.check_restart()
    driver.mine(blocks=2)
    driver.reorg(2)
    assert [driver.state(opid) for opid in (back, update)] == ["queued"] * 2
    driver.mine(blocks=2)
    assert [driver.state(opid) for opid in (back, update)] == ["confirmed"] * 2


def test_a_renewal_waits_for_the_one_before_it_as_long_as_that_may_set_its_expiry() -> None:
    driver = Driver()
    alice = driver.lab.owner(1)
    entry = driver.lab.register(alice, "alice")
    first = alice.renew("alice", entry.reg, entry.expires)
    driver.mine_empty(3)
    driver.follow(driver.lab.mine(driver.lab.stamp(first)))
    height = driver.lab.height
    (second,) = driver.submit(alice.renew("alice", entry.reg, driver.lab.entry("alice").expires))
    time = driver.lab.chain.tip.header.time
    driver.follow(driver.lab.chain.hold_future(time - 1))  # the renewal's block alone is taken back
    assert driver.lab.height == height - 1
    assert driver.state(second) == "queued"
    assert f"block {height}" in driver.status(second).next_change
    driver.check_restart()
    driver.follow(driver.lab.chain.hold_future(time + 10_000))
    driver.mine()
    assert driver.state(second) == "confirmed"


def test_a_life_that_ended_while_nobody_looked_is_no_conflict() -> None:
    driver = Driver(Lab(small_params(expiry=20, grace=4, commit_life=6)))
    alice, bob = driver.lab.owner(1), driver.lab.owner(2)
    entry = driver.lab.register(alice, "alice")
    (update,) = driver.submit(alice.update("alice", entry.reg, 1))
    driver.lab.mine_empty(30)
    driver.lab.register(bob, "alice")
    driver.restart()
    assert (driver.state(update), driver.status(update).winner) == ("expired", None)
