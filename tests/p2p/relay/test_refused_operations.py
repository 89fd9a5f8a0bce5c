"""What becomes of operations that the mempool refuses, and of those who send them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final, TypeAlias

import pytest

from meshchain.ledger import operations
from meshchain.ledger.mempool import Pending
from meshchain.ledger.operations import Operation
from meshchain.ledger.stamps import Stamp
from meshchain.p2p.actions import AdmitOperation, Outcome, Send
from meshchain.p2p.messages import GetOperations, Inventory
from meshchain.p2p.relay.outbox import KNOWN, WAITING
from meshchain.p2p.relay.refusals import REMEMBERED
from meshchain.p2p.relay.requests import OFFERS
from meshchain.p2p.relay.verdict import Verdict, judge
from tests.ledger.kit import Lab
from tests.p2p.relay.node import Town

Making: TypeAlias = Callable[[Lab], Operation]
NAME: Final = "registered"


def town_with_name() -> Town:
    """b listens to a; owner 1 has registered a name on everybody's chain."""
    town = Town("b", "a")
    town.line("b", "a")
    lab = town.lab("b")
    lab.register(lab.owner(1), NAME)
    for block in lab.blocks()[2:]:
        town.lab("a").chain.add_block(block, None)
    for name in "ab":
        town.told(name)
        town.lab(name).now = lab.now
    town.net.run(1)
    return town


def _stamp(operation: Operation) -> Stamp:
    assert operation.stamp is not None
    return operation.stamp


def _bad_work(lab: Lab) -> Operation:
    good = lab.stamp(lab.owner(2).commit("x"), more=3)
    return replace(good, stamp=replace(_stamp(good), nonces=(1, 2, 3, 4, 5, 6, 7, 8)))


def _bad_bits(lab: Lab) -> Operation:
    good = lab.stamp(lab.owner(2).commit("x"))
    return replace(good, stamp=replace(_stamp(good), bits=0))


def _bad_reveal(lab: Lab) -> Operation:
    """Its key is inside, so its signature is wrong anywhere; the commit is there, so that its turn has come."""
    owner = lab.owner(3)
    return lab.stamp(replace(owner.reveal("other"), signature=b"\x01" * 64))


def _bad_update(lab: Lab) -> Operation:
    return lab.stamp(replace(lab.owner(1).update(NAME, lab.entry(NAME).reg, 1), signature=b"\x01" * 64))


def _foreign_update(lab: Lab) -> Operation:
    """Signed by somebody who may own the name on another branch."""
    return lab.stamp(lab.owner(9).update(NAME, lab.entry(NAME).reg, 1))


def _taken(lab: Lab) -> Operation:
    return lab.stamp(lab.owner(4).reveal(NAME))


def _other_branch(lab: Lab) -> Operation:
    good = lab.stamp(lab.owner(2).commit("x"))
    return replace(good, stamp=replace(_stamp(good), anchor_hash=b"\xff" * 8))


def _early(lab: Lab) -> Operation:
    good = lab.stamp(lab.owner(2).commit("x"))
    return replace(good, stamp=replace(_stamp(good), anchor_height=1000))


@pytest.mark.parametrize("make", [_bad_work, _bad_bits, _bad_reveal])
def test_what_is_invalid_anywhere_costs_its_sender_25_points(make: Making) -> None:
    town = town_with_name()
    operation = make(town.lab("b"))
    town.offer("a", "b", operation)
    town.net.run(3)
    assert town["b"].points("a") == 25
    town.mine("b")
    town.net.run(1)
    town.announce("a", "b", operation)
    town.net.run(3)
    assert town.questions("a", operation) == 1, "what is forged was asked for at another tip"


@pytest.mark.parametrize("make", [_bad_update, _foreign_update, _taken, _other_branch, _early])
def test_what_may_be_good_elsewhere_costs_nothing(make: Making) -> None:
    town = town_with_name()
    operation = make(town.lab("b"))
    town.offer("a", "b", operation)
    town.net.run(3)
    (task,) = [task for task in town["b"].tasks if isinstance(task, AdmitOperation)]
    assert town["b"].facts.do(task).error is not None
    assert town["b"].points("a") == 0


def test_bytes_that_are_no_operation_cost_points() -> None:
    town = town_with_name()
    outcome = town["b"].facts.do(AdmitOperation(1, b"", b"\xa0"))
    assert judge(b"\xa0", outcome, town["b"].facts.params.consensus) is Verdict.FORGED
    long_name = operations.encode(replace(town.lab("b").stamp(town.lab("b").owner(1).reveal("x")), name="-x-"))
    outcome = town["b"].facts.do(AdmitOperation(1, b"", long_name))
    assert judge(long_name, outcome, town["b"].facts.params.consensus) is Verdict.FORGED


def test_a_mempool_without_room_is_nobodys_fault() -> None:
    town = town_with_name()
    facts, lab = town["b"].facts, town.lab("b")
    commit = lab.owner(2).commit("x")
    town.put("b", lab.stamp(commit), tell=False)
    again = operations.encode(lab.stamp(commit, start=10**6))
    outcome = facts.do(AdmitOperation(1, b"", again))
    assert judge(again, outcome, facts.params.consensus) is Verdict.CROWDED
    assert not Verdict.CROWDED.useless


def test_an_owner_cannot_set_honest_nodes_against_each_other() -> None:
    """She transfers her name at one node, goes on updating it at the other: neither blames the other."""
    town = town_with_name()
    lab = town.lab("b")
    owner, reg = lab.owner(1), lab.entry(NAME).reg
    for _ in range(10):
        transfer = lab.stamp(owner.transfer(NAME, reg, 5, lab.owner(2).key))
        updates = [lab.stamp(owner.update(NAME, reg, 6 + number)) for number in range(6)]
    town.put("b", transfer, tell=False)
    town.put("a", *updates)
    town.net.run(10)
    assert any(town.questions("a", update) for update in updates)
    assert town.points_of_all() == 0


def test_a_refused_operation_is_not_fetched_again_until_the_tip_changes() -> None:
    town = Town("b", "a", "c")
    town.line("b", "a")
    town.line("b", "c")
    town.net.run(1)
    operation = _other_branch(town.lab("b"))
    town.offer("a", "b", operation)
    town.net.run(3)
    for _ in range(3):
        town.offer("c", "b", operation)
        town.announce("a", "b", operation)
        town.net.run(3)
    assert (town.questions("a", operation), town.questions("c", operation)) == (1, 0)
    town.mine("b")
    town.net.run(5)
    assert (town.questions("a", operation), town.questions("c", operation)) == (1, 0), "the branch is the same"
    town.announce("c", "b", operation)
    town.net.run(3)
    assert (town.questions("a", operation), town.questions("c", operation)) == (1, 1)


def test_a_reorganisation_gives_a_second_chance() -> None:
    """The operation was anchored in the branch that we join later; its sender does not announce it twice."""
    town = Town("b", "a", blocks=1)
    town.line("b", "a")
    branch = town.lab("a").fork()
    branch.mine_empty(20)
    town.lab("b").mine_empty(19)
    operation = branch.stamp(branch.owner(2).commit("x"))
    town["a"].facts.follow(town.lab("a").take(branch))
    for name in "ab":
        town.told(name)
    town.net.run(2)
    town.put("a", operation)
    town.net.run(4)
    assert town.questions("a", operation) == 1
    assert not town.has("b", operation)
    town["b"].facts.follow(town.lab("b").take(branch))
    town.told("b")
    town.net.run(2)
    assert town.questions("a", operation) == 2
    assert town.has("b", operation)
    assert town.points_of_all() == 0


def test_an_anchor_ahead_of_us_gets_a_second_chance_with_the_next_block() -> None:
    town = Town("b", "a", blocks=8)
    town.line("b", "a")
    town.net.run(1)
    block = town.lab("a").block()
    ahead = town.lab("a").fork()
    ahead.chain.add_block(block, None)
    ahead.mine_empty(12)
    for later in ahead.blocks()[8:]:
        town["a"].facts.follow(town.lab("a").chain.add_block(later, None))
    town.relay("a").changed(0)
    operation = ahead.stamp(ahead.owner(2).commit("x"))
    town.put("a", operation)
    town.net.run(4)
    assert not town.has("b", operation)
    town["b"].facts.follow(town.lab("b").take(ahead))
    town.told("b")
    town.net.run(2)
    assert town.has("b", operation)
    assert town.points_of_all() == 0


def test_a_flood_of_forgeries_is_cut_off_after_four(capsys: pytest.CaptureFixture[str]) -> None:
    town = town_with_name()
    lab = town.lab("b")
    forged = [
        replace(lab.stamp(lab.owner(10 + number).commit("x")), stamp=replace(_stamp(_bad_bits(lab)), bits=40))
        for number in range(200)
    ]
    town.offer("a", "b", *forged)
    town.net.run(5)
    checked = sum(isinstance(task, AdmitOperation) for task in town["b"].tasks)
    with capsys.disabled():
        print(f"\nforged stamps: {checked} of 200 reached the ledger, {town['b'].points('a')} points", end="")
    assert checked <= 100, "no more than what was asked for at once"
    assert town["b"].points("a") >= 100
    assert not town["b"].links


def test_a_flood_that_nobody_can_be_blamed_for_ebbs_to_one_a_second(capsys: pytest.CaptureFixture[str]) -> None:
    town = town_with_name()
    lab = town.lab("b")
    reg = lab.entry(NAME).reg
    stamped = lab.stamp(lab.owner(1).update(NAME, reg, 1))
    rubbish: list[Operation] = [
        replace(stamped, seq=1 + number, signature=number.to_bytes(64, "big")) for number in range(400)
    ]
    town.offer("a", "b", *rubbish)
    town.net.run(60)
    checked = sum(isinstance(task, AdmitOperation) for task in town["b"].tasks)
    with capsys.disabled():
        print(f"\nsignatures that may be good elsewhere: {checked} of 400 checked in a minute", end="")
    assert 100 < checked <= 100 + 61
    assert town["b"].points("a") == 0


def test_an_honest_peer_is_heard_in_the_flood() -> None:
    town = Town("b", "a", "honest")
    town.line("a", "b")
    town.line("honest", "b")
    town.net.run(1)
    lab = town.lab("b")
    rubbish: list[Operation] = [
        replace(lab.stamp(lab.owner(1).commit("x")), commitment=number.to_bytes(32, "big")) for number in range(2000)
    ]
    for at in range(0, 2000, 100):
        town.announce("a", "b", *rubbish[at : at + 100])
    operation = lab.stamp(lab.owner(7).commit("y"))
    town.announce("a", "b", operation)
    town.put("honest", operation)
    assert town.net.run_until(lambda: town.has("b", operation), 5)


def test_inventories_without_end_fill_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    town = Town("b", *(f"p{number}" for number in range(3)))
    for number in range(3):
        town.line("b", f"p{number}")
    relay = town.relay("b").operations
    for round_ in range(100):
        for number, peer in enumerate(town["b"].links):
            first = (3 * round_ + number) * 500
            wids = tuple((first + at).to_bytes(32, "big") for at in range(500))
            asked = relay.inventory(peer, Inventory(wids), 0)
            assert len(asked) <= 1
            for action in asked:
                assert isinstance(action, Send)
                assert isinstance(action.message, GetOperations)
                assert len(action.message.wids) <= 100
    with capsys.disabled():
        print(f"\n150,000 wids announced by 3 peers leave {relay.state_size()} kept", end="")
    assert relay.state_size() <= 3 * (OFFERS + KNOWN)
    for peer in list(town["b"].links):
        relay.peer_gone(peer, 0)
    assert relay.state_size() == 0


def test_refusals_and_announcements_are_bounded() -> None:
    town = Town("b", "a")
    town.line("b", "a")
    relay, peer = town.relay("b").operations, town.peer("a", at="b")
    error = town["b"].facts.do(AdmitOperation(1, b"", operations.encode(_other_branch(town.lab("b"))))).error
    forged = town["b"].facts.do(AdmitOperation(1, b"", b"\xa0")).error
    for number in range(3 * REMEMBERED):
        wid = number.to_bytes(32, "big")
        relay.done(AdmitOperation(peer, wid, b"\xa0"), Outcome(error=(error, forged)[number % 2]), 0)
    assert relay.state_size() <= 2 * REMEMBERED + 1000
    (item,) = _pendings(town, 1)
    relay.admitted([replace(item, wid=number.to_bytes(32, "big")) for number in range(3 * WAITING)], 0)
    assert relay.state_size() <= 2 * REMEMBERED + 1000 + WAITING


def _pendings(town: Town, count: int) -> list[Pending]:
    town.put("b", *town.commits("b", count), tell=False)
    return list(town["b"].facts.pending())
