"""Two nodes that dial each other at the same moment: one connection survives, and it is the same for both."""

from itertools import permutations

import pytest

from meshchain.p2p.actions import Endpoint
from tests.p2p.addresses.crowd import v4
from tests.p2p.slots.yard import Yard

SMALL, GREAT = b"\x01" * 32, b"\xf0" * 32
SMALL_AT, GREAT_AT = v4(10, 1), v4(10, 2)
Event = tuple[str, str]
"""(who learns of it, which connection: named after its dialler)"""
EVENTS: list[Event] = [("small", "small"), ("small", "great"), ("great", "small"), ("great", "great")]


class Pair:
    """Both nodes, and their two connections. A close at one end reaches the other end at once."""

    def __init__(self, purpose: str) -> None:
        self.yards = {"small": Yard(own=SMALL), "great": Yard(own=GREAT)}
        self.purposes = {"small": purpose, "great": "configured"}
        self.open: dict[Event, int] = {}
        self.dead: set[str] = set()
        self.replaced = False
        """Whether the small one gave up a connection for another."""

    def establish(self, event: Event) -> None:
        who, dialler = event
        if dialler in self.dead:  # the other end has closed it before it was established here
            return
        key, at = (GREAT, GREAT_AT) if who == "small" else (SMALL, SMALL_AT)
        inbound = who != dialler
        endpoint = Endpoint(at.ip, 50_000) if inbound else at
        purpose = "inbound" if inbound else self.purposes[dialler]
        peer, closes = self.yards[who].opened(key, endpoint, inbound=inbound, purpose=purpose, ready=False)
        self.open[event] = peer
        for close in closes:
            self.replaced |= who == "small" and close.peer != peer
            ended = next(name for (side, name), number in self.open.items() if (side, number) == (who, close.peer))
            self.end(ended)

    def end(self, dialler: str) -> None:
        self.dead.add(dialler)
        for who, yard in self.yards.items():
            if (who, dialler) in self.open:
                yard.close(self.open.pop((who, dialler)))


@pytest.mark.parametrize("purpose", ["configured", "outbound", "feeler"])
def test_exactly_one_survives_on_both_sides(purpose: str) -> None:
    for order in permutations(EVENTS):
        pair = Pair(purpose)
        for event in order:
            pair.establish(event)
        assert sorted(pair.open) == [("great", "small"), ("small", "small")], order
        for yard in pair.yards.values():
            assert len(yard.slots.held) == 1, order
        held = pair.yards["small"].slots.held[0]
        if purpose == "feeler" and not pair.replaced:
            continue  # it came first, and found no other connection
        assert pair.yards["small"].slots.ready(held.peer, 0.0) == [], "it is needed"


def test_closes_that_cross_do_not_end_both() -> None:
    """Both ends are established before either hears of the other's close."""
    for order in permutations(EVENTS):
        yards = {"small": Yard(own=SMALL), "great": Yard(own=GREAT)}
        closed: dict[str, set[str]] = {"small": set(), "great": set()}
        numbers: dict[Event, int] = {}
        for who, dialler in order:
            key = GREAT if who == "small" else SMALL
            inbound = who != dialler
            purpose = "inbound" if inbound else "outbound"
            peer, closes = yards[who].opened(key, v4(10, 9), inbound=inbound, purpose=purpose)
            numbers[who, dialler] = peer
            for close in closes:
                closed[who] |= {name for (side, name), n in numbers.items() if (side, n) == (who, close.peer)}
        assert closed == {"small": {"great"}, "great": {"great"}}, order


def test_two_addresses_of_one_node() -> None:
    """Of two connections that we have dialled the first stays, here and there."""
    ours, theirs = Yard(own=SMALL), Yard(own=GREAT)
    assert ours.opened(GREAT, v4(10, 2), inbound=False, purpose="outbound")[1] == []
    assert theirs.opened(SMALL, v4(10, 1, port=50_001))[1] == []
    peer, closes = ours.opened(GREAT, v4(10, 3), inbound=False, purpose="outbound")
    assert [close.peer for close in closes] == [peer]
    peer, closes = theirs.opened(SMALL, v4(10, 1, port=50_002))
    assert [close.peer for close in closes] == [peer]


def test_a_closing_twin_is_no_twin() -> None:
    """While the shell still says goodbye on the connection that lost, a third one is judged by the winner alone."""
    yard = Yard(own=SMALL, prompt=False)
    yard.opened(GREAT, v4(10, 2, port=50_000))
    winner, closes = yard.opened(GREAT, v4(10, 2), inbound=False, purpose="configured")
    assert len(closes) == 1
    third, closes = yard.opened(GREAT, v4(10, 2, port=50_001))
    assert [close.peer for close in closes] == [third]
    assert [held.peer for held in yard.slots.held] == [winner]
