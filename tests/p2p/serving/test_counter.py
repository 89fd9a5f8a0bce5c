"""What serving the chain may cost, and who waits for it. Time is virtual, costs are those that the counter reckons."""

from collections.abc import Iterable
from functools import cache

from meshchain.p2p.actions import Action, Send
from meshchain.p2p.machines import FLOOD
from meshchain.p2p.messages import (
    MAX_BLOCKS,
    MAX_HEADERS,
    BlockMessage,
    GetBlocks,
    GetHeaders,
    Headers,
    NotFound,
    encode,
)
from meshchain.p2p.serving import Counter
from meshchain.p2p.serving.counter import A_PEER, A_TICK, ALL, HEADER_COST, MOST_HEADER_QUESTIONS
from tests.ledger.kit import Lab, small_params
from tests.p2p.addresses.crowd import NOW
from tests.p2p.kit import LabFacts
from tests.p2p.mining import lab_of, mine_headers
from tests.p2p.slots.pair import KEYS, Pair

TICK = 0.25
STRANGER = b"\xee" * 32


@cache
def long_chain() -> LabFacts:
    """A full message of headers."""
    params = small_params()
    return LabFacts(lab_of(params, mine_headers(params, [120] * MAX_HEADERS)))


class Usual(LabFacts):
    """A chain whose blocks all have the 2 kB of five operations."""

    def block_bytes(self, block_id: bytes) -> bytes | None:
        return bytes(2048)


ALL_HEADERS = GetHeaders((STRANGER,))
PRICE = HEADER_COST * MAX_HEADERS
"""Of a full answer, and a little more."""


def headers_in(actions: Iterable[Action]) -> int:
    return sum(len(a.message.headers) for a in actions if isinstance(a, Send) and isinstance(a.message, Headers))


def test_ten_thousand_blocks_are_served_as_fast_as_they_are_asked_for() -> None:
    """All of it in no time at all: nothing waits."""
    counter = Counter(long_chain())
    counter.opened(1)
    assert sum(headers_in(counter.ask(1, ALL_HEADERS, 0.0) or []) for _ in range(5)) == 10_000
    counter._facts = Usual(Lab())
    question = GetBlocks((STRANGER,) * MAX_BLOCKS)
    served = [counter.ask(1, question, 0.0) for _ in range(10_000 // MAX_BLOCKS)]
    assert all(answers is not None and len(answers) == MAX_BLOCKS for answers in served)


def test_a_sync_that_goes_on_for_ever_is_not_slowed_down() -> None:
    """2,000 blocks a second are more than anybody connects."""
    counter = Counter(Usual(Lab()))
    counter.opened(1)
    question = GetBlocks((STRANGER,) * MAX_BLOCKS)
    for n in range(125 * 60):
        answers = counter.ask(1, question, n / 125)
        assert answers is not None
        assert len(answers) == MAX_BLOCKS


def test_three_peers_that_ask_for_everything_all_the_time() -> None:
    """What they get is bounded, and an honest one among them waits no longer than they do."""
    counter, seconds = Counter(long_chain()), 60
    for peer in range(1, 5):
        counter.opened(peer)
    got: dict[int, int] = dict.fromkeys(range(1, 5), 0)
    refused = waited = longest = 0
    for n in range(int(seconds / TICK)):
        actions = counter.tick(n * TICK)
        for _ in range(20):
            for peer in (1, 2, 3):
                answers = counter.ask(peer, ALL_HEADERS, n * TICK)
                refused += answers is None
                actions += answers or []
        if n % 40 == 0:
            actions += counter.ask(4, ALL_HEADERS, n * TICK) or []
            waited = 0
        for action in actions:
            assert isinstance(action, Send)
            got[action.peer] += 1
        waited += got[4] <= n // 40
        longest = max(longest, waited)
    spent = sum(got.values()) * PRICE
    print(
        f"three greedy peers for {seconds} s: {spent / seconds:.2f} core-seconds a second, "
        f"answers {got}, {refused} questions refused"
    )
    assert spent <= ALL.burst + ALL.per_second * seconds + PRICE
    assert all(got[peer] * PRICE <= A_PEER.burst + A_PEER.per_second * seconds + PRICE for peer in got)
    assert got[4] == seconds / TICK / 40
    assert longest * TICK <= 2.0


def test_what_waits_takes_no_more_than_its_share_of_a_tick() -> None:
    counter = Counter(long_chain())
    for peer in range(60):
        counter.opened(peer)
        while (counter.ask(peer, ALL_HEADERS, 0.0)) is not None:
            pass
    for n in range(1, 40):
        assert headers_in(counter.tick(n * 10.0)) <= MAX_HEADERS * (1 + A_TICK // PRICE)


def test_while_somebody_waits_all_wait_for_the_tick() -> None:
    """Also who has a full purse, and who waits already and asks again."""
    counter = Counter(LabFacts(Lab()))
    for peer in (1, 2):
        counter.opened(peer)
    while counter.ask(1, ALL_HEADERS, 0.0):
        pass
    assert counter.ask(1, ALL_HEADERS, 100.0) == []
    assert counter.ask(2, ALL_HEADERS, 100.0) == []
    assert [action.peer for action in counter.tick(100.0) if isinstance(action, Send)] == [1, 2, 1]
    assert counter.ask(2, ALL_HEADERS, 100.0)


def test_many_with_full_purses_share_what_there_is() -> None:
    counter, answers = Counter(long_chain()), 0
    for peer in range(100):
        counter.opened(peer)
        answers += sum(bool(counter.ask(peer, ALL_HEADERS, 0.0)) for _ in range(3))
    assert answers * PRICE <= ALL.burst + PRICE


def test_answers_keep_the_order_of_the_questions() -> None:
    facts = long_chain()
    counter = Counter(facts)
    counter.opened(1)
    while counter.ask(1, ALL_HEADERS, 0.0):
        pass
    assert counter.ask(1, GetBlocks((facts.tip().id,)), 0.0) == []
    assert counter.ask(1, GetHeaders((facts.tip().id,)), 0.0) == []
    answers: list[object] = []
    for n in range(1, 10):
        answers += [type(action.message) for action in counter.tick(float(n)) if isinstance(action, Send)]
    assert answers == [Headers, BlockMessage, Headers]


def test_no_more_waits_than_an_honest_peer_has_open() -> None:
    counter = Counter(long_chain())
    counter.opened(1)
    while counter.ask(1, ALL_HEADERS, 0.0):
        pass
    for _ in range(MOST_HEADER_QUESTIONS - 1):
        assert counter.ask(1, ALL_HEADERS, 0.0) == []
    assert counter.ask(1, ALL_HEADERS, 0.0) is None
    assert counter.ask(1, GetBlocks((STRANGER,) * 10), 0.0) == []
    assert counter.ask(1, GetBlocks((STRANGER,) * 7), 0.0) is None
    assert counter.ask(1, GetBlocks((STRANGER,) * 6), 0.0) == []


def test_blocks_that_are_not_here_cost_too() -> None:
    counter, answered = Counter(LabFacts(Lab())), 0
    counter.opened(1)
    while answers := counter.ask(1, GetBlocks((STRANGER,)), 0.0):
        assert [type(a.message) for a in answers if isinstance(a, Send)] == [NotFound]
        answered += 1
        assert answered <= 10_000
    assert answered > 1000


def test_who_has_gone_is_owed_nothing() -> None:
    counter = Counter(long_chain())
    counter.opened(1)
    while counter.ask(1, ALL_HEADERS, 0.0):
        pass
    counter.gone(1)
    assert counter.tick(100.0) == []
    assert counter.ask(1, ALL_HEADERS, 100.0) == []


def test_a_node_blames_who_asks_for_more_and_answers_the_rest_in_time() -> None:
    pair = Pair()
    wire = pair.dial("small", "outbound")
    pair.settle()
    great = pair.nodes["great"]
    great.machines.counter._customers[wire.number].purse.tokens = -1.0
    for _ in range(MOST_HEADER_QUESTIONS + 2):
        pair._carry_out("great", great.received(wire.number, encode(ALL_HEADERS), pair.now))
    assert great.scores.points(KEYS["small"], NOW + pair.now) == 2 * FLOOD
    assert not wire.queues["small"]
    great.machines.counter._customers[wire.number].purse.tokens = 1.0
    for _ in range(MOST_HEADER_QUESTIONS):
        pair._carry_out("great", great.tick(pair.now))
    assert len(wire.queues["small"]) >= MOST_HEADER_QUESTIONS
    pair._carry_out("great", great.received(wire.number, b"\xff", pair.now))  # no message: that is a ban
    assert not great.machines.counter._customers
