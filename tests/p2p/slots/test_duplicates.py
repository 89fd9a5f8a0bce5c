"""Several connections between two nodes: one survives, the same for both, in whatever order they learn of them."""

from collections.abc import Sequence
from itertools import product
from random import Random

import pytest

from meshchain.p2p import messages
from meshchain.p2p.actions import Probe
from meshchain.p2p.slots.duplicates import MOST_A_DIRECTION, SILENCE
from tests.p2p.addresses.crowd import v4
from tests.p2p.slots.pair import END, KEYS, Pair, Wire
from tests.p2p.slots.yard import Yard

SMALL, GREAT = KEYS["small"], KEYS["great"]
ORDERS = range(60)
Dials = Sequence[tuple[str, str]]
"""(who dials, for what)"""
PURPOSES = ("configured", "outbound", "block-only")


def settled(dials: Dials, order: int) -> tuple[Pair, Wire]:
    """All connections are made at once; who survives."""
    pair = Pair(order)
    for dialler, purpose in dials:
        pair.dial(dialler, purpose)
    pair.settle()
    pair.run(3 * SILENCE)
    return pair, pair.survivor()


def best(dials: Dials) -> tuple[bool, str]:
    """(full, dialler) of the one that has to stay."""
    full = [purpose != "block-only" for _, purpose in dials]
    diallers = [who for (who, _), one in zip(dials, full, strict=True) if one or not any(full)]
    return any(full), "small" if "small" in diallers else "great"


@pytest.mark.parametrize("purposes", list(product(PURPOSES, PURPOSES)), ids="-".join)
def test_nodes_that_dial_each_other_keep_the_same_connection(purposes: tuple[str, str]) -> None:
    """Full before block-only, then the one that the smaller key has dialled."""
    dials = [("small", purposes[0]), ("great", purposes[1])]
    for order in ORDERS:
        pair, wire = settled(dials, order)
        assert (wire.purpose != "block-only", wire.dialler) == best(dials), order
        assert {code for _, _, code in pair.closes} <= {"duplicate", "goodbye"}


@pytest.mark.parametrize("dialler", KEYS)
@pytest.mark.parametrize("purposes", list(product(PURPOSES, PURPOSES)), ids="-".join)
def test_two_addresses_of_one_node(dialler: str, purposes: tuple[str, str]) -> None:
    """Both are dialled by one side, and need not be ready in the same order here and there."""
    dials = [(dialler, purpose) for purpose in purposes]
    for order in ORDERS:
        _, wire = settled(dials, order)
        assert (wire.purpose != "block-only", wire.dialler) == best(dials), order


def test_four_at_once() -> None:
    """Two a direction is the most that a node looks at."""
    for order in range(100):
        rng = Random(order)
        dials = [(who, rng.choice(PURPOSES)) for who in ("small", "small", "great", "great")]
        _, wire = settled(dials, order)
        assert (wire.purpose != "block-only", wire.dialler) == best(dials), (order, dials)


@pytest.mark.parametrize("purpose", PURPOSES)
@pytest.mark.parametrize("dialler", KEYS)
def test_a_feeler_costs_nobody_a_connection(dialler: str, purpose: str) -> None:
    for order in ORDERS:
        pair, wire = settled([(dialler, "feeler"), ("small", purpose)], order)
        assert wire.purpose == purpose
        assert {(who, code) for who, number, code in pair.closes if number == 1} == {
            (dialler, "feeler"),
            *((who, "goodbye") for who in KEYS if who != dialler),
        }


def test_a_feeler_alone_is_answered_and_leaves() -> None:
    pair = Pair()
    pair.dial("small", "feeler")
    pair.settle()
    assert not pair.held("small")
    assert not pair.held("great")
    (known,) = pair.nodes["small"].book.all()
    assert known[0].proven_key == GREAT
    assert known[1], "it stands in tried"


def test_a_third_in_one_direction_is_refused_before_its_greeting() -> None:
    yard = Yard(own=SMALL)
    peers = [yard.opened(GREAT, v4(10, 2, port=50_000 + n), ready=False)[0] for n in range(50)]
    assert [held.peer for held in yard.slots.held] == peers[:MOST_A_DIRECTION]
    assert {close.code for close in yard.closes} == {"duplicate"}
    assert yard.opened(GREAT, v4(10, 2), inbound=False, purpose="outbound", ready=False)[1] == []


@pytest.mark.parametrize("dialler", KEYS)
def test_who_lost_its_power_gets_its_place_back(dialler: str) -> None:
    """Its old connection says nothing to the contrary, whoever had dialled it."""
    pair = Pair()
    pair.dial(dialler, "outbound")
    pair.settle()
    pair.run(300)
    pair.lose_power("small")
    new = pair.dial("small", "configured")
    pair.settle()
    assert [held.ready for held in pair.held("great")] == ([True, True] if dialler == "small" else [True])
    pair.run(SILENCE + 1)
    assert pair.survivor() is new


def test_who_lost_its_power_gets_its_place_back_from_the_smaller_key_too() -> None:
    pair = Pair()
    pair.dial("small", "outbound")
    pair.settle()
    pair.lose_power("great")
    new = pair.dial("great", "block-only")
    pair.settle()
    pair.run(SILENCE + 1)
    assert pair.survivor() is new
    assert ("small", 1, "replaced") in pair.closes


def test_power_that_is_lost_again_and_again() -> None:
    """Also in the middle of a greeting: nobody is kept out for longer than a greeting may take."""
    for order in ORDERS:
        pair = Pair(order)
        for _ in range(4):
            pair.dial("small", "configured")
            for _ in range(pair.rng.randrange(12)):
                waiting = [(wire, name) for wire in pair.wires for name, queue in wire.queues.items() if queue]
                if waiting:
                    pair.deliver(*pair.rng.choice(waiting))
            pair.lose_power("small")
        pair.run(20 + 2 * SILENCE)
        new = pair.dial("small", "configured")
        pair.settle()
        pair.run(SILENCE + 1)
        assert pair.survivor() is new


def test_a_copy_of_the_key_does_not_push_out_whoever_answers() -> None:
    """A machine that was cloned, key and all: the first answers, and the copy has to go."""
    pair = Pair()
    first = pair.dial("small", "outbound")
    pair.settle()
    original, pair.nodes["small"] = pair.nodes["small"], pair._node("small")
    second = pair.dial("small", "outbound")
    pair.exchange(second)
    assert all(held.ready for held in pair.held("great"))
    pair.nodes["small"] = original
    pair.exchange(first)
    assert [held.peer for held in pair.held("great")] == [first.number]


def test_an_answer_that_takes_long_but_is_on_its_way() -> None:
    """Something else comes meanwhile: five seconds are five seconds of silence."""
    yard = Yard(own=GREAT)
    first, _ = yard.opened(SMALL, v4(10, 1, port=50_000))
    second, _ = yard.opened(SMALL, v4(10, 1, port=50_001))
    for _ in range(10):
        yard.now += SILENCE - 0.5
        assert yard.slots.tick(yard.now) == []
        yard.slots.heard(first, yard.now)
    assert [close.peer for close in yard.settle(yard.slots.answered(first, yard.now))] == [second]
    yard.now += 100
    assert yard.slots.tick(yard.now) == []


def test_a_question_without_an_object_is_forgotten() -> None:
    """The newcomer has left: silence costs nobody its place any more."""
    yard = Yard(own=GREAT)
    first, _ = yard.opened(SMALL, v4(10, 1, port=50_000))
    second, _ = yard.opened(SMALL, v4(10, 1, port=50_001))
    yard.close(second)
    yard.now += 2 * SILENCE
    assert yard.slots.tick(yard.now) == []
    assert [held.peer for held in yard.slots.held] == [first]


def test_two_that_are_silent_are_not_both_given_up_for_each_other() -> None:
    yard = Yard(own=GREAT)
    first, _ = yard.opened(SMALL, v4(10, 1, port=50_000))
    yard.opened(SMALL, v4(10, 1, port=50_001))
    third, _ = yard.opened(SMALL, v4(10, 1), inbound=False, purpose="outbound")
    assert len(yard.slots.held) == 3
    yard.close(third)
    yard.now += SILENCE
    assert [close.peer for close in yard.settle(yard.slots.tick(yard.now))] == [first]
    assert len(yard.slots.held) == 1


def test_the_first_is_asked_and_only_if_it_has_to_stay() -> None:
    yard = Yard(own=GREAT)
    first, _ = yard.opened(SMALL, v4(10, 1, port=50_000), block_only=True)
    second, closes = yard.opened(SMALL, v4(10, 1, port=50_001))
    assert [close.peer for close in closes] == [first], "full before block-only"
    assert yard.probes == []
    yard.opened(SMALL, v4(10, 1, port=50_002), block_only=True)
    assert yard.probes == [Probe(second)]


def test_a_closing_twin_is_no_twin() -> None:
    """While one side still says goodbye for another reason, a new connection need not stand back."""
    pair = Pair()
    first = pair.dial("small", "outbound")
    pair.settle()
    small = pair.nodes["small"]
    pair._carry_out("small", small.received(first.number, b"\xff", pair.now))  # no message: that is a ban
    small.scores.bans.clear()
    assert list(first.queues["small"]) == [END]
    second = pair.dial("small", "outbound")
    pair.exchange(second)
    pair.settle()
    assert pair.survivor() is second


def test_who_talks_is_not_silent() -> None:
    """The same as above for a whole node, and with its clock."""
    pair = Pair()
    first = pair.dial("small", "outbound")
    pair.settle()
    pair.lose_power("small")
    pair.dial("small", "outbound")
    pair.settle()
    great = pair.nodes["great"]
    for _ in range(3):
        pair.run(SILENCE - 1)
        great.received(first.number, messages.encode(messages.GetAddresses()), pair.now)
        assert len(pair.held("great")) == 2
    pair.run(SILENCE + 1)
    pair.survivor()


def test_nobody_hears_of_a_connection_that_is_given_up_at_once() -> None:
    pair = Pair()
    first, second = pair.dial("small", "outbound"), pair.dial("small", "outbound")
    pair.exchange(first)
    while list(second.queues["small"]) != [END]:
        for name in ("great", "small"):
            if second.queues[name] and END not in second.queues[name]:
                pair.deliver(second, name)
    assert list(pair.nodes["small"].machines.header_sync._peers) == [first.number]
