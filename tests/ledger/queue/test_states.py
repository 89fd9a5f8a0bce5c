"""The way of an operation from promise to block, with a restart at every step."""

from meshchain.ledger.operations import opid
from tests.ledger.kit import Lab, small_params
from tests.ledger.queue.driver import Driver


def test_register_goes_through_every_state() -> None:
    driver = Driver()
    alice = driver.lab.owner(1)
    commit, reveal = driver.submit(alice.commit("alice"), alice.reveal("alice"))
    assert driver.states() == ["queued", "queued"]
    assert [status.name for status in driver.all()] == ["alice", "alice"]
    driver.work()
    assert driver.states() == ["pending", "queued"]
    driver.mine()
    status = driver.status(reveal)
    assert (status.state, status.blocks_to_go) == ("committed", 1)
    assert (driver.state(commit), driver.status(commit).confirmations) == ("confirmed", 1)
    driver.mine_empty(1)
    driver.work()
    assert driver.state(reveal) == "pending"
    driver.mine()
    assert (driver.state(reveal), driver.status(reveal).confirmations) == ("confirmed", 1)
    driver.mine(blocks=3)
    assert driver.status(reveal).confirmations == 4
    assert driver.lab.entry("alice").owner == alice.key


def test_restart_at_every_step_changes_nothing() -> None:
    driver = Driver()
    alice = driver.lab.owner(1)
    driver.submit(alice.commit("alice"), alice.reveal("alice"))
    last = driver.submit(alice.update("alice", alice.reg("alice"), 1, {"dns": []}))[0]
    for step in range(60):
        driver.check_restart()
        driver.restart()
        driver.step()
        if step % 5 == 4:
            driver.check_restart()
            driver.mine()
    assert driver.state(last) == "confirmed"


def test_a_restarted_node_sends_again_what_is_pending() -> None:
    driver = Driver()
    alice = driver.lab.owner(1)
    (commit,) = driver.submit(alice.commit("alice"))
    driver.work()
    assert not driver.sends()
    driver.restart()
    assert driver.state(commit) == "pending"
    assert [action.opid for action in driver.sends()] == [commit]


def test_what_the_mempool_evicted_is_sent_again_at_the_next_tip() -> None:
    driver = Driver()
    alice = driver.lab.owner(1)
    (commit,) = driver.submit(alice.commit("alice"))
    driver.work()
    driver.mine_empty(1)
    assert [action.opid for action in driver.sends()] == [commit]


def test_a_commit_is_withheld_until_its_born_is_reached() -> None:
    driver = Driver()
    alice = driver.lab.owner(1)
    commit, reveal = driver.submit(alice.commit("alice", 3), alice.reveal("alice", born=3))
    driver.work()
    assert (driver.state(commit), driver.status(commit).blocks_to_go) == ("queued", 2)
    assert driver.queue.waiting == 2  # a miner that works on demand must go on
    driver.mine(blocks=2)
    driver.work()
    assert driver.state(commit) == "pending"
    driver.mine(blocks=5)
    assert driver.state(reveal) == "confirmed"


def test_a_commit_that_outlived_its_life_is_made_anew() -> None:
    driver = Driver()
    life = driver.lab.params.consensus.commit_life
    alice = driver.lab.owner(1)
    commit, reveal = driver.submit(alice.commit("alice"), alice.reveal("alice"))
    driver.mine()
    driver.mine_empty(life - 1)
    assert driver.state(commit) == "confirmed"
    assert driver.state(reveal) == "committed"
    driver.mine_empty(1)
    assert (driver.state(commit), driver.state(reveal)) == ("queued", "queued")
    driver.mine(blocks=3)
    assert driver.states() == ["confirmed", "confirmed"]
    assert driver.lab.entry("alice").registered == driver.lab.height


def test_a_commit_alone_expires_when_no_reveal_comes() -> None:
    driver = Driver()
    alice = driver.lab.owner(1)
    (commit,) = driver.submit(alice.commit("alice"))
    driver.mine(blocks=2 + driver.lab.params.consensus.commit_life)
    status = driver.status(commit)
    assert status.state == "expired"
    assert "no reveal" in status.reason
    again, reveal = driver.submit(alice.commit("alice"), alice.reveal("alice"))  # a wallet that resumes
    assert again == commit
    driver.mine(blocks=4)
    assert driver.state(reveal) == "confirmed"


def test_updates_of_one_name_go_in_seq_order_one_at_a_time() -> None:
    driver = Driver()
    alice = driver.lab.owner(1)
    reg = driver.lab.register(alice, "alice").reg
    drafts = [alice.update("alice", reg, seq, {"seq": seq}) for seq in (1, 2, 5)]
    opids = driver.submit(*drafts)
    for done in range(1, 4):
        driver.work()
        states = ["confirmed"] * (done - 1) + ["pending"] + ["queued"] * (3 - done)
        assert [driver.state(known) for known in opids] == states
        driver.mine()
    assert driver.lab.entry("alice").record == {"seq": 5}


def test_renew_goes_before_a_transfer_that_would_void_it() -> None:
    driver = Driver()
    alice, bob = driver.lab.owner(1), driver.lab.owner(2)
    entry = driver.lab.register(alice, "alice")
    drafts = alice.transfer("alice", entry.reg, 1, bob.key), alice.renew("alice", entry.reg, entry.expires)
    transfer, renew = driver.submit(drafts[0]) + driver.submit(drafts[1])
    driver.work()
    driver.mine(blocks=2)
    assert (driver.state(transfer), driver.state(renew)) == ("confirmed", "confirmed")


def test_an_update_in_grace_waits_for_the_renewal_queued_before_it() -> None:
    driver = Driver(Lab(small_params(expiry=44, grace=8)))
    alice = driver.lab.owner(1)
    entry = driver.lab.register(alice, "alice")
    driver.mine_empty(44)
    assert not driver.lab.entry("alice").active(driver.lab.height + 1)
    renew = alice.renew("alice", entry.reg, entry.expires)
    update = alice.update("alice", entry.reg, 1)
    opids = driver.submit(renew, update)
    driver.work()
    assert [driver.state(known) for known in opids] == ["pending", "queued"]
    driver.mine(blocks=2)
    assert [driver.state(known) for known in opids] == ["confirmed", "confirmed"]


def test_an_operation_expires_with_its_name() -> None:
    driver = Driver(Lab(small_params(expiry=44, grace=8)))
    alice = driver.lab.owner(1)
    entry = driver.lab.register(alice, "alice")
    (update,) = driver.submit(alice.update("alice", entry.reg, 1))
    driver.mine_empty(44)
    assert "grace" in driver.status(update).reason
    driver.mine_empty(8)
    assert (driver.state(update), driver.status(update).winner) == ("expired", None)


def test_submit_is_idempotent() -> None:
    driver = Driver()
    alice = driver.lab.owner(1)
    drafts = alice.commit("alice"), alice.reveal("alice")
    first = driver.submit(*drafts)
    driver.mine(blocks=3)
    assert driver.submit(*drafts) == first == tuple(opid(draft, driver.lab.genesis) for draft in drafts)
    assert driver.states() == ["confirmed", "confirmed"]


def test_promises_are_on_the_disk_before_submit_returns() -> None:
    driver = Driver()
    alice = driver.lab.owner(1)
    opids = driver.submit(alice.commit("alice"), alice.reveal("alice"))
    assert [status.opid for status in driver.another_queue().status(driver.next)] == list(opids)


def test_a_commit_that_came_too_early_is_made_anew() -> None:
    driver = Driver()
    life = driver.lab.params.consensus.commit_life
    alice = driver.lab.owner(1)
    driver.mine(driver.lab.stamp(alice.commit("alice", 5)))
    (reveal,) = driver.submit(alice.reveal("alice", born=5))
    driver.mine(blocks=4)
    status = driver.status(reveal)
    assert (status.state, status.blocks_to_go) == ("queued", life + 2 - 6)
    assert "before block 5" in status.reason
    driver.mine(blocks=life)
    assert driver.state(reveal) == "confirmed"
