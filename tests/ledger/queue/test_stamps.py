"""Stamps age, rise, follow reorgs, and go on after a restart where they stopped."""

from dataclasses import replace

from meshchain.ledger.errors import RuleError
from meshchain.ledger.operations import Update
from meshchain.ledger.queue import Stamp
from tests.ledger.kit import Lab, small_params
from tests.ledger.queue.driver import Driver, find

BITS = {"commit": 1, "reveal": 1, "update": 5, "renew": 1, "transfer": 1, "revoke": 1}


def waiting_update(driver: Driver) -> tuple[bytes, Update]:
    alice = driver.lab.owner(1)
    update = alice.update("alice", driver.lab.register(alice, "alice").reg, 1)
    return driver.submit(update)[0], update


def only_search(driver: Driver) -> Stamp:
    (action,) = driver.searches()
    return action


def test_bits_rise_by_one_every_three_blocks() -> None:
    driver = Driver()
    opid, _ = waiting_update(driver)
    seen = []
    for _ in range(8):
        driver.work()
        held = driver.pool.get(opid)
        assert held is not None
        assert held.stamp is not None
        seen.append(held.stamp.bits)
        assert driver.state(opid) == "pending"
        driver.mine_empty(1)
    assert seen == [1, 1, 1, 2, 2, 2, 3, 3]


def test_an_anchor_that_ages_out_gets_a_new_stamp() -> None:
    driver = Driver()
    opid, _ = waiting_update(driver)
    driver.work()
    grid = driver.lab.params.consensus.stamp_grid
    driver.mine_empty(2 * grid - driver.lab.height - 2)
    assert driver.state(opid) == "pending"
    driver.mine_empty(grid)  # block 29 will have the anchors 10 and 0, block 30 no longer the stamp's
    assert driver.state(opid) == "pending"
    driver.mine_empty(1)
    assert driver.state(opid) == "queued"
    assert "stamp" in driver.status(opid).reason
    assert only_search(driver).anchor_height == 2 * grid
    driver.check_restart()
    driver.work()
    assert driver.state(opid) == "pending"
    driver.mine()
    assert driver.state(opid) == "confirmed"


def test_an_anchor_on_another_branch_gets_a_new_stamp() -> None:
    driver = Driver()
    alice = driver.lab.owner(1)
    reg = driver.lab.register(alice, "alice").reg
    grid = driver.lab.params.consensus.stamp_grid
    driver.mine_empty(2 * grid - driver.lab.height)  # the newest anchor is block 10 from now on
    (opid,) = driver.submit(alice.update("alice", reg, 1))
    driver.work()
    assert driver.state(opid) == "pending"
    driver.reorg(12)
    assert driver.state(opid) == "queued"
    driver.check_restart()
    driver.mine()
    assert driver.state(opid) == "confirmed"


def test_a_search_stays_listed_while_blocks_come_and_ends_with_its_use() -> None:
    driver = Driver()
    opid, update = waiting_update(driver)
    action = only_search(driver)
    driver.mine_empty(2)
    assert only_search(driver) == action
    driver.follow(driver.lab.mine(driver.lab.stamp(update)))
    assert driver.searches() == []
    driver.queue.stamped(opid, find(action), driver.lab.now)  # too late is no error
    assert driver.state(opid) == "confirmed"


def test_a_search_whose_anchor_aged_out_is_no_longer_listed() -> None:
    driver = Driver()
    opid, _ = waiting_update(driver)
    action = only_search(driver)
    driver.mine_empty(3 * driver.lab.params.consensus.stamp_grid)
    assert action not in driver.searches()
    driver.queue.stamped(opid, find(action), driver.lab.now)
    assert driver.state(opid) == "queued"


def test_found_nonces_survive_a_restart_and_are_shown() -> None:
    driver = Driver(Lab(small_params(stamp_bits=BITS)))
    opid, _ = waiting_update(driver)
    action = only_search(driver)
    search = action.search()
    while search.unsolved > 5:
        piece = search.next_slice(16)
        assert piece is not None
        search.feed(piece, *search.run(piece, lambda: False))
    driver.queue.progressed(opid, search, 50.0)
    told = driver.status(opid).stamp
    assert told is not None
    assert (told.bits, told.rate, told.expected_s) == (5, 50.0, search.expected_remaining() / 50)
    assert told.bound95_s is not None
    assert told.bound95_s > search.expected_remaining() / 50
    assert 0 < told.percent < 100
    driver.restart()
    again = only_search(driver)
    assert (again, again.found, again.tried) == (action, tuple(search.found), search.tried)
    driver.mine()
    assert driver.state(opid) == "confirmed"


def test_nonces_of_the_old_stamp_serve_the_raised_one() -> None:
    driver = Driver()
    waiting_update(driver)
    driver.work()
    driver.mine_empty(3)
    for action in driver.sends():
        driver.send(action)
    raised = only_search(driver)
    assert raised.bits == 2
    assert None not in raised.found
    assert any(nonce is not None for nonce in raised.search().found)


def test_a_stamp_that_does_not_hold_its_bits_is_made_again() -> None:
    driver = Driver(Lab(small_params(stamp_bits=BITS)))
    opid, _ = waiting_update(driver)
    action = only_search(driver)
    driver.queue.stamped(opid, replace(find(action), nonces=(0,) * 8), driver.lab.now)
    driver.send(driver.sends()[0])
    assert "nonce" in driver.status(opid).reason or "stamp" in driver.status(opid).reason
    driver.mine(blocks=2)
    assert driver.state(opid) == "confirmed"


def test_a_full_mempool_is_tried_again_with_more_bits() -> None:
    driver = Driver()
    opid, _ = waiting_update(driver)
    bits = []
    for _ in range(6):
        while not (sends := driver.sends()):
            driver.step()
        driver.queue.refused(opid, RuleError("mempool-full", "the mempool is full"), driver.lab.now)
        assert driver.state(opid) == "queued"
        assert "full" in driver.status(opid).reason
        driver.check_restart()
        while driver.searches():
            driver.step()
        bits.append(sends[0].operation.stamp.bits if sends[0].operation.stamp else 0)
        driver.mine_empty(1)
    assert bits[0] == 1
    assert bits[-1] == 2
    driver.mine()
    assert driver.state(opid) == "confirmed"


def test_what_no_block_can_mend_is_refused_for_good_and_frees_what_waits_behind_it() -> None:
    driver = Driver()
    alice = driver.lab.owner(1)
    reg = driver.lab.register(alice, "alice").reg
    first, second = driver.submit(alice.update("alice", reg, 1), alice.update("alice", reg, 2))
    driver.work()
    driver.queue.refused(first, RuleError("signature", "the signature does not verify"), driver.lab.now)
    assert (driver.state(first), driver.status(first).reason) == ("refused", "the signature does not verify")
    driver.check_restart()
    driver.mine_only(second)
    assert driver.state(second) == "confirmed"
