"""What is refused at the door, with which code, and that nothing of a refused batch stays."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from meshchain.ledger.entry import Record
from meshchain.ledger.errors import RemoteError, RuleError, StoreError
from meshchain.ledger.operations import Operation, encode
from meshchain.ledger.queue import submission
from meshchain.ledger.store.memory import MemoryStore
from tests.ledger.kit import Lab, Node, small_params
from tests.ledger.queue.driver import Driver


def refusal(driver: Driver, *drafts: Operation) -> str:
    before = driver.all()
    with pytest.raises(RemoteError) as caught:
        driver.submit(*drafts)
    assert driver.all() == before == driver.another_queue().status(driver.next)
    return caught.value.code


def test_a_reveal_needs_its_commit() -> None:
    driver = Driver()
    alice = driver.lab.owner(1)
    assert refusal(driver, alice.reveal("alice"), alice.commit("alice")) == "commitment-missing"
    driver.submit(alice.commit("alice"))
    driver.submit(alice.reveal("alice"))


def test_a_reveal_may_come_after_a_commit_that_the_chain_holds() -> None:
    driver = Driver()
    alice = driver.lab.owner(1)
    driver.mine(driver.lab.stamp(alice.commit("alice")))
    (reveal,) = driver.submit(alice.reveal("alice"))
    assert [status.kind for status in driver.all()] == ["commit", "reveal"]  # so that it can be made anew
    driver.reorg(1)
    driver.mine(blocks=4)
    assert driver.state(reveal) == "confirmed"


@pytest.mark.parametrize("born", [500, 10_000])
def test_born_out_of_range(born: int) -> None:
    driver = Driver()
    alice = driver.lab.owner(1)
    assert refusal(driver, alice.commit("alice", born), alice.reveal("alice", born=born)) == "born-range"


def test_a_taken_name() -> None:
    driver = Driver()
    driver.lab.register(driver.lab.owner(2), "alice")
    alice = driver.lab.owner(1)
    assert refusal(driver, alice.commit("alice"), alice.reveal("alice")) == "name-taken"


def test_signatures_and_proofs() -> None:
    driver = Driver()
    alice, bob = driver.lab.owner(1), driver.lab.owner(2)
    stolen: Record = {"hosts": [Node(3).host(driver.lab.genesis, bob.key, "alice")]}
    assert refusal(driver, alice.commit("alice"), alice.reveal("alice", stolen)) == "host-proof"
    assert refusal(driver, alice.commit("alice"), replace(alice.reveal("alice"), signature=b"")) == "signature-missing"
    assert refusal(driver, alice.commit("alice"), replace(alice.reveal("alice"), signature=bytes(64))) == "signature"
    reg = driver.lab.register(alice, "alice").reg
    assert refusal(driver, bob.update("alice", reg, 1)) == "signature"
    assert refusal(driver, bob.renew("alice", reg, driver.lab.entry("alice").expires)) == "signature"


def test_shape() -> None:
    driver = Driver()
    alice = driver.lab.owner(1)
    assert refusal(driver, alice.commit("Alice"), alice.reveal("Alice")) == "name-alphabet"


def test_room_for_the_stamp_is_counted() -> None:
    driver = Driver(Lab(small_params(max_operation_size=1000)))
    alice = driver.lab.owner(1)
    reg = driver.lab.register(alice, "alice").reg
    spare = 1000 - len(encode(alice.update("alice", reg, 1, {"x": bytes(700)})))
    assert refusal(driver, alice.update("alice", reg, 1, {"x": bytes(700 + spare)})) == "operation-size"
    (update,) = driver.submit(alice.update("alice", reg, 1, {"x": bytes(700 + spare - 115)}))
    driver.mine()
    assert driver.state(update) == "confirmed"


def test_turn_and_life() -> None:
    driver = Driver()
    alice = driver.lab.owner(1)
    entry = driver.lab.register(alice, "alice")
    assert refusal(driver, alice.update("bob", entry.reg, 1)) == "name-absent"
    assert refusal(driver, alice.update("alice", bytes(16), 1)) == "reg-mismatch"
    assert refusal(driver, alice.update("alice", entry.reg, 0)) == "seq-too-low"
    assert refusal(driver, alice.update("alice", entry.reg, 1001)) == "seq-too-high"
    assert refusal(driver, alice.renew("alice", entry.reg, entry.expires - 1)) == "expires-mismatch"
    driver.submit(alice.update("alice", entry.reg, 3))
    assert refusal(driver, alice.update("alice", entry.reg, 3, {"another": 1})) == "seq-too-low"
    assert refusal(driver, alice.update("alice", entry.reg, 2)) == "seq-too-low"
    twice = alice.update("alice", entry.reg, 4), alice.update("alice", entry.reg, 4, {"x": 1})
    assert refusal(driver, *twice) == "seq-too-low"
    driver.submit(alice.revoke("alice", entry.reg, 4))
    assert refusal(driver, alice.update("alice", entry.reg, 5)) == "name-revoked"


def test_a_queued_transfer_decides_who_may_sign_next() -> None:
    driver = Driver()
    alice, bob = driver.lab.owner(1), driver.lab.owner(2)
    reg = driver.lab.register(alice, "alice").reg
    driver.submit(alice.transfer("alice", reg, 1, bob.key))
    assert refusal(driver, alice.update("alice", reg, 2)) == "signature"
    (update,) = driver.submit(bob.update("alice", reg, 2))
    driver.mine(blocks=2)
    assert driver.state(update) == "confirmed"


def test_an_operation_that_a_block_holds_already() -> None:
    driver = Driver()
    alice = driver.lab.owner(1)
    reg = driver.lab.register(alice, "alice").reg
    update = alice.update("alice", reg, 1)
    driver.mine(driver.lab.stamp(update))
    assert refusal(driver, update) == "already-confirmed"
    (commit, reveal) = driver.submit(alice.commit("alice"), alice.reveal("alice"))  # a wallet after a lost datadir
    assert (driver.state(commit), driver.state(reveal)) == ("confirmed", "confirmed")


def test_the_queue_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = Driver()
    alice = driver.lab.owner(1)
    reg = driver.lab.register(alice, "alice").reg
    monkeypatch.setattr(submission, "MAX_WAITING", 3)
    driver.submit(alice.commit("a"), alice.commit("b"), alice.commit("c"))
    assert refusal(driver, alice.commit("d")) == "queue-full"
    driver.mine()
    monkeypatch.setattr(submission, "MAX_PER_NAME", 2)
    driver.submit(alice.update("alice", reg, 1), alice.update("alice", reg, 2))
    assert refusal(driver, alice.update("alice", reg, 3)) == "queue-name-full"


class FullDisk(MemoryStore):
    full = False

    def write(self, changes: Mapping[bytes, bytes | None], *, sync: bool = True) -> None:
        if self.full:
            raise StoreError("disk-full", "no space left")
        super().write(changes, sync=sync)


def test_a_full_disk_promises_nothing() -> None:
    store = FullDisk()
    driver = Driver(Lab(store=store))
    alice = driver.lab.owner(1)
    store.full = True
    with pytest.raises(StoreError):
        driver.submit(alice.commit("alice"), alice.reveal("alice"))
    assert driver.all() == ()
    store.full = False
    driver.submit(alice.commit("alice"), alice.reveal("alice"))
    driver.mine(blocks=3)
    assert driver.states() == ["confirmed"] * 2


def test_rule_errors_say_so() -> None:
    driver = Driver()
    with pytest.raises(RuleError) as caught:
        driver.submit(driver.lab.owner(1).update("alice", bytes(16), 1))
    assert caught.value.detail == {"name": "alice"}
