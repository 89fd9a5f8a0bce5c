"""Who comes in, and who goes for them."""

from random import Random

from meshchain.p2p.actions import Endpoint
from meshchain.p2p.slots.inbound import MOST_A_HOST, MOST_INBOUND
from tests.p2p.addresses.crowd import v4, v6
from tests.p2p.slots.yard import OWN, Yard


def key(n: int) -> bytes:
    return Random(n).randbytes(32)


def test_two_hundred_connections_from_one_host() -> None:
    yard = Yard()
    yard.opened(key(1000), v4(10, 1))
    for n in range(200):
        yard.opened(key(n), v4(66, 6, 6, 6, 20_000 + n))
    held = [held for held in yard.slots.held if held.endpoint.ip == v4(66, 6, 6, 6).ip]
    codes = {close.code for close in yard.closes}
    print(f"200 connections from one host: {len(held)} held, {len(yard.closes)} closed: {codes}")
    assert len(held) == MOST_A_HOST
    assert codes == {"too-many-from-host"}
    assert len(yard.closes) == 200 - MOST_A_HOST
    assert yard.opened(key(2000), v4(10, 2))[1] == [], "others still come in"


def test_an_ipv6_host_is_a_whole_64() -> None:
    yard = Yard()
    for n in range(200):
        yard.opened(key(n), v6(6, host=1 + n * 2**40))
    assert len(yard.slots.held) == MOST_A_HOST


def test_a_host_that_leaves_may_come_back() -> None:
    yard = Yard()
    peers = [yard.opened(key(n), v4(66, 6, 6, 6, n + 1))[0] for n in range(MOST_A_HOST)]
    assert yard.opened(key(50), v4(66, 6, 6, 6, 99))[1]
    yard.close(peers[0])
    assert yard.opened(key(50), v4(66, 6, 6, 6, 99))[1] == []


def test_a_full_host_keeps_nobody_from_taking_its_own_place() -> None:
    """One of eight behind a NAT has lost its power, and its old connection counts as one of the eight."""
    yard = Yard()
    for n in range(MOST_A_HOST):
        yard.opened(key(n), v4(66, 6, 6, 6, n + 1))
    assert yard.opened(key(3), v4(66, 6, 6, 6, 99))[1] == []


def flooded(positions: int) -> tuple[Yard, dict[str, list[int]]]:
    """100 honest peers, of which some are old, quick, or useful; then 2,000 newcomers from ``positions`` positions."""
    yard, rng = Yard(), Random(5)
    honest: dict[str, list[int]] = {"old": [], "quick": [], "useful": [], "plain": []}
    for n in range(100):
        yard.now += 60
        kind = "old" if n < 8 else "quick" if n >= 92 else "useful" if n >= 84 else "plain"
        peer, closes = yard.opened(key(n), v4(10, n % 20, n))
        assert closes == []
        honest[kind].append(peer)
        yard.slots.measured(peer, 0.005 if kind == "quick" else 0.2)
        if kind == "useful":
            yard.slots.useful(peer, yard.now)
    for n in range(2000):
        yard.now += 1
        where = v4(66 + n % positions // 200, n % positions % 200, rng.randrange(256), rng.randrange(1, 255))
        peer, _ = yard.opened(key(10_000 + n), where)
        yard.slots.measured(peer, 0.05)
        if n % 50 == 0:
            yard.slots.useful(peer, 0.5)
    return yard, honest


def test_eviction_keeps_the_best() -> None:
    for positions in (1, 10, 1000):
        yard, honest = flooded(positions)
        held = {peer.peer for peer in yard.slots.held}
        kept = {kind: sum(peer in held for peer in peers) for kind, peers in honest.items()}
        print(f"2,000 newcomers from {positions} positions against 100 honest peers: {kept} stay, {len(held)} held")
        assert len(held) == MOST_INBOUND
        assert yard.most_held == MOST_INBOUND
        assert kept["old"] == kept["quick"] == kept["useful"] == 8
        assert kept["plain"] >= 30, "they have been here longer than the flood"


def test_the_crowd_goes_first_and_of_it_the_youngest() -> None:
    yard = Yard()
    for n in range(MOST_INBOUND - 30):
        yard.now += 1
        yard.opened(key(n), v4(10 + n // 200, n % 200))
    crowd = []
    for n in range(30):
        yard.now += 1
        crowd.append(yard.opened(key(500 + n), v4(66, 6, n))[0])
    yard.now += 1
    newcomer, closes = yard.opened(key(900), v4(67, 7))
    assert [close.peer for close in closes] == [crowd[-1]]
    assert newcomer in {held.peer for held in yard.slots.held}


def test_a_full_house_from_everywhere_turns_the_newcomer_away() -> None:
    yard = Yard()
    for n in range(MOST_INBOUND):
        yard.now += 1
        yard.opened(key(n), v4(10 + n // 200, n % 200))
    peer, closes = yard.opened(key(900), v4(67, 7))
    assert [(close.peer, close.code) for close in closes] == [(peer, "no-room")]


def test_outbound_peers_are_never_evicted() -> None:
    heard: list[Endpoint] = [v4(40 + n, n) for n in range(20)]
    yard = Yard(heard=heard)
    yard.run(60)
    ours = {held.peer for held in yard.slots.held}
    for n in range(300):
        yard.now += 1
        yard.opened(key(n), v4(66 + n // 200, n % 200))
    assert ours <= {held.peer for held in yard.slots.held}


def test_our_own_key_does_not_come_in() -> None:
    yard = Yard()
    assert [close.code for close in yard.opened(OWN, v4(10, 1))[1]] == ["self"]
    assert yard.slots.held == ()
