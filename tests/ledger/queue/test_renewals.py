"""Names that this node hosts live on without anybody asking."""

import pytest

from meshchain.ledger.entry import Record
from meshchain.ledger.queue import renewals
from tests.ledger.kit import Lab, Node, small_params
from tests.ledger.queue.driver import NODE, Driver


def hosted(lab: Lab, name: str, *, by: Node = NODE, label: str = "") -> Record:
    return {"hosts": [by.host(lab.genesis, lab.owner(1).key, name, label=label)]}


def kinds(driver: Driver) -> list[str]:
    return [status.kind for status in driver.all()]


def test_renewed_at_a_quarter_of_its_life_once() -> None:
    driver = Driver()
    alice = driver.lab.owner(1)
    expires = driver.lab.register(alice, "alice", hosted(driver.lab, "alice")).expires
    quarter = driver.lab.params.consensus.expiry // 4
    driver.mine_empty(expires - quarter - driver.lab.height - 2)
    driver.work()
    assert kinds(driver) == []
    driver.mine_empty(1)
    for _ in range(3):
        driver.work()
        assert kinds(driver) == ["renew"]
        driver.check_restart()
        driver.restart()
    driver.mine()
    assert driver.states() == ["confirmed"]
    assert driver.lab.entry("alice").expires == driver.lab.height + driver.lab.params.consensus.expiry
    driver.mine(blocks=3)
    assert kinds(driver) == ["renew"]


def test_a_name_lives_for_ever_on_a_node_that_is_left_alone() -> None:
    driver = Driver(Lab(small_params(expiry=40, grace=8)))
    alice = driver.lab.owner(1)
    driver.lab.register(alice, "alice", hosted(driver.lab, "alice"))
    driver.mine(blocks=200)
    assert driver.lab.entry("alice").registered < 10


def test_renewed_in_grace_too() -> None:
    driver = Driver()
    entry = driver.lab.register(driver.lab.owner(1), "alice", hosted(driver.lab, "alice"))
    driver.lab.mine_empty(entry.expires - driver.lab.height + 2)
    driver.mine()
    assert driver.lab.entry("alice").active(driver.lab.height + 1)


@pytest.mark.parametrize("case", ["another host", "not primary", "revoked", "no host"])
def test_not_renewed(case: str) -> None:
    driver = Driver()
    lab, alice = driver.lab, driver.lab.owner(1)
    record = {
        "another host": hosted(lab, "alice", by=Node(8)),
        "not primary": hosted(lab, "alice", label="www"),
        "revoked": hosted(lab, "alice"),
        "no host": {},
    }[case]
    entry = lab.register(alice, "alice", record)
    if case == "revoked":
        lab.mine(lab.stamp(alice.revoke("alice", entry.reg, 1)))
    lab.mine_empty(entry.expires - lab.height)
    driver.work()
    assert driver.all() == ()


def test_an_owners_own_renewal_is_enough() -> None:
    driver = Driver()
    alice = driver.lab.owner(1)
    entry = driver.lab.register(alice, "alice", hosted(driver.lab, "alice"))
    driver.lab.mine_empty(entry.expires - driver.lab.height - 5)
    (renew,) = driver.submit(alice.renew("alice", entry.reg, entry.expires))
    driver.mine()
    assert [status.opid for status in driver.all()] == [renew]


def test_a_renewal_ends_when_the_host_moves_away() -> None:
    driver = Driver()
    lab, alice = driver.lab, driver.lab.owner(1)
    entry = lab.register(alice, "alice", hosted(lab, "alice"))
    lab.mine_empty(entry.expires - lab.height - 5)
    driver.work()
    driver.follow(lab.mine(lab.stamp(alice.update("alice", entry.reg, 1, hosted(lab, "alice", by=Node(8))))))
    (status,) = driver.all()
    assert (status.state, status.kind) == ("refused", "renew")
    driver.mine(blocks=2)
    assert driver.states() == ["refused"]
    update = alice.update("alice", entry.reg, 2, hosted(lab, "alice"))
    driver.follow(lab.mine(lab.stamp(update)))  # it comes back: so does the renewal
    driver.mine()
    assert driver.states() == ["confirmed"]


def test_many_names_are_swept_in_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renewals, "_SLICE", 1)
    driver = Driver()
    names = ["alice", "bob", "carol"]
    for name in names:
        driver.lab.register(driver.lab.owner(1), name, hosted(driver.lab, name))
    driver.lab.mine_empty(driver.lab.entry("alice").expires - driver.lab.height - 1)
    found = []
    for _ in range(4):
        driver.queue.tick(driver.next, driver.lab.now)
        found.append(len(driver.all()))
    assert found == [1, 2, 3, 3]
