"""Operations travel from mempool to mempool: how far, how soon, at what cost, and from whom they are asked."""

import pytest

from meshchain.ledger import operations
from meshchain.ledger.entry import Record
from meshchain.ledger.errors import StoreError
from meshchain.p2p.actions import AdmitOperation, Blame, Do, Outcome, Send
from meshchain.p2p.messages import (
    MAX_OPERATION_BYTES,
    MAX_OPERATIONS,
    GetOperations,
    Inventory,
    Message,
    NotFound,
    Operations,
    Wanted,
)
from meshchain.p2p.relay.requests import HEAD_START, TIMEOUT
from meshchain.p2p.relay.verdict import Verdict, judge
from tests.ledger.kit import small_params
from tests.p2p.relay.node import Town


def test_an_operation_crosses_a_line_in_batches_that_wait_a_little(capsys: pytest.CaptureFixture[str]) -> None:
    names = ("a", "b", "c", "d")
    town = Town(*names)
    town.line(*names)
    town.net.run(1)
    begun, listed = town.net.now, town.commits("a", 50)
    before = town.received("d")
    town.put("a", *listed)
    assert town.net.run_until(lambda: all(town.has("d", operation) for operation in listed), 15)
    taken, cost = town.net.now - begun, town.received("d") - before
    with capsys.disabled():
        print(f"\n50 operations cross 3 hops in {taken:.1f} s, {cost / 50:.0f} bytes each at the last", end="")
    assert [len(town.carried(name, Inventory)) for name in "bcd"] == [1, 1, 1]
    town.net.run(10)
    assert [len(town.carried(name, Inventory)) for name in "abcd"] == [0, 1, 1, 1], "nobody is told what he knows"
    assert town.points_of_all() == 0


def test_moments_of_announcing_differ() -> None:
    names = [f"n{number}" for number in range(8)]
    town = Town("hub", *names)
    for name in names:
        town.line("hub", name)
    town.net.run(1)
    flushes = list(town.relay("hub").operations._outboxes.values())
    town.put("hub", *town.commits("hub", 1))
    moments = [outbox.next_flush for outbox in flushes if outbox.next_flush is not None]
    assert len(set(moments)) == 8
    assert all(0 <= moment - town.net.now <= 2 for moment in moments)


def test_a_new_peer_is_told_of_the_mempool_best_first() -> None:
    town = Town("a", "b")
    lab = town.lab("a")
    listed = [lab.stamp(lab.owner(number).commit("name"), more=number % 5) for number in range(1, 21)]
    town.put("a", *listed)
    town.line("a", "b")
    assert town.net.run_until(lambda: len(town["b"].facts.pending()) == 20, 10)
    (told,) = town.carried("b", Inventory)
    ranks = {item.wid: item.rank for item in town["a"].facts.pending()}
    assert [ranks[wid] for wid in told.wids] == sorted(ranks.values(), reverse=True)


def silent(message: Message) -> Message | None:
    return None if isinstance(message, Operations) else message


def test_whoever_does_not_deliver_is_passed_over(capsys: pytest.CaptureFixture[str]) -> None:
    town = Town("b", "silent", "honest")
    town.line("b", "silent")
    town.line("b", "honest")
    town.net.lies["silent"] = silent
    (operation,) = town.commits("b", 1)
    town.put("silent", operation)
    assert town.net.run_until(lambda: bool(town.carried("silent", GetOperations)), 5)
    begun = town.net.now
    town.put("honest", operation)
    assert town.net.run_until(lambda: town.has("b", operation), 40)
    with capsys.disabled():
        print(f"\na silent first announcer delays an operation by {town.net.now - begun:.1f} s", end="")
    assert TIMEOUT - 1 < town.net.now - begun < TIMEOUT + 2
    assert town.points_of_all() == 0


@pytest.mark.parametrize("lag", [0.5, 3.0])
def test_many_silent_announcers_delay_little(lag: float, capsys: pytest.CaptureFixture[str]) -> None:
    """Ten peers that dial us announce everything ``lag`` seconds before a peer that we have dialled, and deliver
    nothing."""
    liars = [f"s{number}" for number in range(10)]
    town = Town("b", *liars, "honest")
    for name in liars:
        town.line(name, "b")
        town.net.lies[name] = lambda message: message if isinstance(message, Inventory) else None
    town.line("b", "honest")
    delays = []
    for operation in town.commits("b", 12):
        for name in liars:
            town.announce(name, "b", operation)
        town.net.run(lag)
        town.announce("honest", "b", operation)
        begun = town.net.now
        town.put("honest", operation, tell=False)
        assert town.net.run_until(lambda operation=operation: town.has("b", operation), 300)  # type: ignore[misc]
        delays.append(town.net.now - begun)
    with capsys.disabled():
        print(f"\n10 silent peers {lag} s ahead; delays:", *(f"{delay:.1f}" for delay in delays), "s", end="")
    if lag < HEAD_START:
        assert max(delays) < 0.1, "quickness got them before a peer with credit"
    else:
        assert max(delays) < HEAD_START + 1.2, "a peer with credit waited for one without"
    assert town.points_of_all() == 0


def test_a_struck_peer_gets_less_and_is_waited_for_less(capsys: pytest.CaptureFixture[str]) -> None:
    town = Town("b", "silent")
    town.line("b", "silent")
    town.net.lies["silent"] = lambda _: None
    relay, peer = town.relay("b").operations, town.peer("silent", at="b")
    wids = [number.to_bytes(32, "big") for number in range(2000)]
    for at in range(0, 2000, 500):
        town.net.apply(town["b"], relay.inventory(peer, Inventory(tuple(wids[at : at + 500])), town.net.now))
    town.net.run(60)
    sizes = [len(message.wids) for message in town.carried("silent", GetOperations)]
    with capsys.disabled():
        print(f"\na peer that never delivers is asked for {sizes} in a minute", end="")
    assert sizes[:7] == [100, 50, 25, 12, 6, 3, 1]
    assert set(sizes[7:]) == {1}


def test_not_found_and_leaving_ask_the_next_at_once() -> None:
    town = Town("b", "one", "two", "three")
    for name in ("one", "two", "three"):
        town.line("b", name)
    town.net.run(1)
    (operation,) = town.commits("b", 1)
    wid, now, relay = operations.wid(operation), town.net.now, town.relay("b").operations
    one, two, three = (town.peer(name, at="b") for name in ("one", "two", "three"))
    asked = [relay.inventory(peer, Inventory((wid,)), now) for peer in (one, two, three)]
    assert asked == [[Send(one, GetOperations((wid,)))], [], []]
    (second,) = relay.not_found(one, NotFound(Wanted.OPERATION, (wid,)), now)
    assert isinstance(second, Send)
    assert second.peer in (two, three)
    (last,) = relay.peer_gone(second.peer, now)
    assert last == Send(two + three - second.peer, GetOperations((wid,)))
    assert relay.not_found(last.peer, NotFound(Wanted.BLOCK, (wid,)), now) == []
    assert relay.not_found(last.peer, NotFound(Wanted.OPERATION, (wid,)), now) == []
    assert relay.state_size() < 10


def test_the_same_is_asked_of_one_peer_at_a_time() -> None:
    names = [f"n{number}" for number in range(6)]
    town = Town("b", *names)
    for name in names:
        town.line(name, "b")
    listed = town.commits("b", 30)
    for name in names:
        town.put(name, *listed)
    assert town.net.run_until(lambda: len(town["b"].facts.pending()) == 30, 10)
    asked = [wid for name in names for message in town.carried(name, GetOperations) for wid in message.wids]
    assert len(asked) == len(set(asked)) == 30


def test_answers_are_cut_to_the_size_of_a_message() -> None:
    town = Town("a", "b", params=small_params(max_block_size=2**20))
    town.line("a", "b")
    lab = town.lab("a")
    record: Record = {"dns": [["", "TXT", 60, "x" * 1400]]}
    owners = {f"n{number}": lab.owner(number) for number in range(1, 101)}
    for name in "ab":
        follow = town[name].facts.follow
        blocks = lab.blocks()[2:] if name == "b" else [lab.block(*(lab.stamp(o.commit(n)) for n, o in owners.items()))]
        for block in blocks:
            follow(town.lab(name).chain.add_block(block, None))
    follow = town["a"].facts.follow
    follow(lab.mine_empty(1))
    reveals = [lab.stamp(owner.reveal(name, record)) for name, owner in owners.items()]
    town.put("a", *reveals, tell=False)
    pending = town["a"].facts.pending()
    answers = town.relay("a").operations.wanted(
        town.peer("b", at="a"), GetOperations((bytes(32), *(item.wid for item in pending[:99]))), 0
    )
    sizes = []
    for answer in answers[:-1]:
        assert isinstance(answer, Send)
        assert isinstance(answer.message, Operations)
        sizes.append(sum(map(len, answer.message.raws)))
        assert len(answer.message.raws) <= MAX_OPERATIONS
    assert sum(sizes) == sum(item.size for item in pending[:99])
    assert sum(sizes) > MAX_OPERATION_BYTES
    assert max(sizes) <= MAX_OPERATION_BYTES
    assert answers[-1] == Send(town.peer("b", at="a"), NotFound(Wanted.OPERATION, (bytes(32),)))


def test_a_held_reveal_is_announced_when_its_turn_comes() -> None:
    """A reveal ahead of its commit: kept, nobody blamed, nobody told before it is valid."""
    town = Town("a", "b", "c")
    town.line("a", "b", "c")
    town.net.run(1)
    lab = town.lab("a")
    owner = lab.owner(5)
    commit, reveal = lab.stamp(owner.commit("alice")), lab.stamp(owner.reveal("alice"))
    town.offer("a", "b", reveal)
    town.net.run(4)
    assert [item.wid for item in town["b"].facts.mempool.held] == [operations.wid(reveal)]
    assert not town.carried("c", Inventory)
    assert town.points_of_all() == 0
    task = AdmitOperation(town.peer("a", at="b"), b"", operations.encode(reveal))
    assert judge(task.raw, town["b"].facts.do(task), town["b"].facts.params.consensus) is Verdict.HELD
    town.announce("a", "b", reveal)
    town.net.run(2)
    assert town.questions("a", reveal) == 1, "it was asked for again"
    town.mine("a", commit)
    town.block_arrives("b", "c")
    town.mine("a")
    town.block_arrives("b", "c")
    assert town.has("b", reveal)
    assert town.net.run_until(lambda: town.has("c", reveal), 5)
    assert town.points_of_all() == 0


def test_what_was_confirmed_is_not_asked_for() -> None:
    town = Town("a", "b")
    town.line("a", "b")
    town.net.run(1)
    (operation,) = town.commits("a", 1)
    town.mine("a", operation)
    town.block_arrives("b")
    town.net.run(1)
    town.announce("a", "b", operation)
    town.net.run(1)
    assert town.questions("a", operation) == 0


def test_what_is_in_the_mempool_is_not_asked_for() -> None:
    town = Town("a", "b")
    town.line("b", "a")
    (operation,) = town.commits("a", 1)
    town.put("b", operation)
    town.announce("a", "b", operation)
    town.net.run(1)
    assert town.questions("a", operation) == 0


def test_what_is_confirmed_before_its_batch_leaves_is_not_announced() -> None:
    town = Town("a", "b")
    town.line("a", "b")
    (gone, still) = town.commits("a", 2)
    town.put("a", gone, still)
    town.mine("a", gone)
    town.net.run(4)
    (told,) = town.carried("b", Inventory)
    assert told.wids == (operations.wid(still),)


def test_a_struck_peer_makes_good() -> None:
    town = Town("b", "a")
    town.line("b", "a")
    requests, peer = town.relay("b").operations._requests, town.peer("a", at="b")
    wids = [number.to_bytes(32, "big") for number in range(500)]
    for wid in wids:
        requests.offered(peer, wid, 0)
    for _ in range(5):
        requests.strike(peer, 0)
    for expected in (6, 12, 25, 50, 100, 100):
        asked = requests.ask(peer, 0)
        assert len(asked) == expected
        for wid in asked:
            assert requests.arrived(peer, wid)
            requests.settled(wid)
        requests.praise(peer)


def test_whoever_has_delivered_something_good_is_asked_at_once() -> None:
    """An inbound peer beside one that we have dialled: at first it has to wait."""
    town = Town("b", "in", "out")
    town.line("in", "b")
    town.line("b", "out")
    relay, peer = town.relay("b").operations, town.peer("in", at="b")
    first, second = (operations.encode(operation) for operation in town.commits("b", 2))
    assert relay.inventory(peer, Inventory((operations.wid_of(first),)), 0) == []
    (question,) = relay.tick(HEAD_START)
    assert question == Send(peer, GetOperations((operations.wid_of(first),)))
    (do,) = relay.operations(peer, Operations((first,)), 3)
    assert isinstance(do, Do)
    assert isinstance(do.task, AdmitOperation)
    relay.done(do.task, town["b"].facts.do(do.task), 3)
    wid = operations.wid_of(second)
    assert relay.inventory(peer, Inventory((wid,)), 3) == [Send(peer, GetOperations((wid,)))]


def test_a_time_out_wipes_out_credit() -> None:
    town = Town("b", "a", "c")
    town.line("b", "a")
    town.line("b", "c")
    requests, a, c = town.relay("b").operations._requests, town.peer("a", at="b"), town.peer("c", at="b")
    for _ in range(6):
        requests.praise(a)
    requests.offered(a, b"1", 0)
    assert requests.ask(a, 0) == (b"1",)
    requests.expire(TIMEOUT)
    requests.offered(a, b"2", TIMEOUT)
    assert requests.ask(a, TIMEOUT) == (), "c comes first now"
    requests.offered(c, b"2", TIMEOUT)
    assert requests.ask(c, TIMEOUT) == (b"2",)


def test_of_the_struck_the_least_struck_comes_first() -> None:
    names = [f"n{number}" for number in range(6)]
    town = Town("b", *names)
    for name in names:
        town.line(name, "b")
    requests = town.relay("b").operations._requests
    peers = [town.peer(name, at="b") for name in names]
    for at, peer in enumerate(peers):
        for _ in range(6 - at):
            requests.strike(peer, 0)
    for number in range(20):
        for peer in peers:
            requests.offered(peer, bytes((number,)), 0)
    (first, wids), *others = requests.ask_all(9)
    assert (first, len(wids), others) == (peers[-1], 20, [])


def test_an_operation_of_a_lost_block_is_asked_for_again() -> None:
    town = Town("a", "b")
    town.line("a", "b")
    town.net.run(1)
    rival = town.lab("b").fork()
    (operation,) = town.commits("a", 1)
    town.mine("a", operation)
    town.block_arrives("b")
    rival.mine_empty(2)
    facts = town["b"].facts
    facts.follow(town.lab("b").take(rival))
    facts.mempool = type(facts.mempool)(facts.params, facts.lab.workers, facts.lab.chain.stamps_seen)
    town.told("b")
    town.announce("a", "b", operation)
    town.net.run(1)
    assert town.questions("a", operation) == 1


def test_a_full_disk_is_nobodys_fault_and_the_operation_can_come_again() -> None:
    town = Town("a", "b", "c")
    town.line("a", "b")
    town.line("c", "b")
    town.net.run(1)
    (operation,) = town.commits("a", 1)
    town["b"].facts.fault = StoreError("disk-full", "no space left")
    town.put("a", operation)
    town.net.run(4)
    assert not town.has("b", operation)
    town["b"].facts.fault = None
    town.put("c", operation)
    assert town.net.run_until(lambda: town.has("b", operation), 4)
    assert town.points_of_all() == 0


def test_operations_that_nobody_asked_for_cost_points_unless_they_may_be_late() -> None:
    town = Town("a", "b")
    town.line("a", "b")
    town.net.disconnect(town["b"], town.peer("a", at="b"))
    town.line("b", "a")
    relay, peer = town.relay("b").operations, list(town["b"].links)[-1]
    first, second = (operations.encode(operation) for operation in town.commits("a", 2))
    (blame,) = relay.operations(peer, Operations((first,)), 0)
    assert blame == Blame(peer, 10, "operations that nobody asked for")
    relay.inventory(peer, Inventory((operations.wid_of(first),)), 10)
    relay.tick(10 + TIMEOUT)
    assert relay.operations(peer, Operations((second,)), 31) == [], "one answer is owed"
    assert relay.operations(peer, Operations((second,)), 31) == [blame]


def test_a_late_answer_is_taken_if_it_is_wanted_still() -> None:
    town = Town("b", "slow", "other")
    town.line("b", "slow")
    town.line("b", "other")
    relay, slow, other = town.relay("b").operations, town.peer("slow", at="b"), town.peer("other", at="b")
    raw = operations.encode(town.commits("b", 1)[0])
    wid = operations.wid_of(raw)
    assert relay.inventory(slow, Inventory((wid,)), 0) == [Send(slow, GetOperations((wid,)))]
    relay.inventory(other, Inventory((wid,)), 0)
    assert relay.tick(TIMEOUT) == [Send(other, GetOperations((wid,)))]
    task = AdmitOperation(slow, wid, raw)
    assert relay.operations(slow, Operations((raw,)), TIMEOUT + 1) == [Do(task)]
    assert relay.operations(other, Operations((raw,)), TIMEOUT + 1) == [], "it was asked, too"
    (blame,) = relay.operations(other, Operations((raw,)), TIMEOUT + 1)
    assert isinstance(blame, Blame)
    assert relay.done(task, Outcome(b""), TIMEOUT + 1) == []


def test_what_no_budget_was_left_for_is_asked_for_again() -> None:
    town = Town("a", "b")
    town.line("b", "a")
    relay, peer = town.relay("b").operations, town.peer("a", at="b")
    raw = operations.encode(town.commits("a", 1)[0])
    wid = operations.wid_of(raw)
    relay.inventory(peer, Inventory((wid,)), 0)
    (do,) = relay.operations(peer, Operations((raw,)), 0)
    assert isinstance(do, Do)
    assert isinstance(do.task, AdmitOperation)
    assert relay.dropped(do.task, 0) == []
    assert relay.tick(1) == [Send(peer, GetOperations((wid,)))]


def test_strangers_to_the_machine_are_ignored() -> None:
    """A peer for blocks only was never made ready here."""
    town = Town("a")
    relay = town.relay("a").operations
    raw = operations.encode(town.commits("a", 1)[0])
    wid = operations.wid_of(raw)
    assert relay.inventory(9, Inventory((wid,)), 0) == []
    assert relay.operations(9, Operations((raw,)), 0) == []
    assert relay.wanted(9, GetOperations((wid,)), 0) == []
    assert relay.peer_gone(9, 0) == []
