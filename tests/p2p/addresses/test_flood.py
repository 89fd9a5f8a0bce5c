"""A hundred thousand addresses, from one peer and from one position."""

from random import Random

import pytest

from meshchain.p2p.actions import Endpoint
from meshchain.p2p.addresses import AddressBook, Intake, group_of
from meshchain.p2p.addresses.places import FULL
from tests.p2p.addresses.crowd import NOW, anywhere, book, key_of, share, v4

OFFERED = 100_000
ATTACKER = group_of(v4(66, 6).ip)


def honest_addresses(known: AddressBook, tried: int, heard: int) -> set[Endpoint]:
    """Nodes in many positions, told by peers in many positions; some have answered."""
    honest = [v4(10, n % 256, n // 256) for n in range(tried + heard)]
    for n, endpoint in enumerate(honest):
        known.add(endpoint, group_of(v4(20, n % 40).ip), NOW, NOW)
        if n < tried:
            known.answered(endpoint, NOW - 3600, key_of(endpoint))
    return {endpoint for endpoint in honest if endpoint in known}


def draws(known: AddressBook, count: int = 2000) -> list[Endpoint]:
    found = [known.select(NOW) for _ in range(count)]
    return [one.endpoint for one in found if one is not None]


def test_one_peer_offers_a_hundred_thousand() -> None:
    intake, known, rng = Intake(), book(), Random(2)
    intake.asked(1)
    taken, now = 0, 0.0
    for message in range(OFFERED // 1000):
        now = message * 1.0
        allowed = intake.allowed(1, 1000, now)
        taken += allowed
        for _ in range(allowed):
            known.add(anywhere(rng), ATTACKER, NOW, NOW)
    print(f"one peer: {OFFERED} offered in {now:.0f} s, {taken} taken, {len(known)} in the book")
    assert taken == 1000 + int(0.1 * now)
    assert len(known) <= taken


@pytest.mark.parametrize("first", ["honest", "attacker"])
def test_one_position_offers_a_hundred_thousand(first: str) -> None:
    """Many peers in one position get around the limit of one, so here nothing limits how many are offered."""
    known, rng = book(3), Random(3)
    honest = honest_addresses(known, 40, 160) if first == "honest" else set()
    for _ in range(OFFERED):
        known.add(anywhere(rng), ATTACKER, NOW, NOW)
    flood = len(known) - len(honest)
    flooded = known.buckets(tried=False)
    kept = sum(endpoint in known for endpoint in honest)
    if first == "attacker":
        honest = honest_addresses(known, 40, 160)
        kept = len(honest)
    drawn = draws(known)
    print(
        f"one position, {first} first: {OFFERED} offered, {flood} kept ({flood / FULL.new / FULL.size:.1%} of new); "
        f"{flooded} buckets hold anything; {kept} of 200 honest addresses stand, {share(drawn, honest):.0%} of draws"
    )
    assert flood <= FULL.a_source * FULL.size
    assert flooded <= FULL.a_source + (160 if first == "honest" else 0)
    assert kept >= 180
    assert len(drawn) == 2000
    assert share(drawn, honest) > 0.6


def test_a_flood_alone_reaches_no_more_than_its_buckets() -> None:
    known, rng = book(4), Random(4)
    for _ in range(OFFERED // 4):
        known.add(anywhere(rng), ATTACKER, NOW, NOW)
    reached = known.buckets(tried=False)
    print(f"one source reached {reached} of {FULL.new} buckets")
    assert 50 <= reached <= FULL.a_source


def test_asking_again_shows_no_more_of_the_book() -> None:
    known = book(5)
    honest_addresses(known, 0, 2000)
    size = len(known)
    seen = {one.endpoint for _ in range(50) for one in known.sample(1000, NOW + 60)}
    print(f"50 answers to GetAddresses show {len(seen)} of {size} addresses")
    assert len(seen) == size * 23 // 100
    assert {one.endpoint for one in known.sample(1000, NOW + 90_000)} != seen


def test_what_is_told_follows_a_young_book() -> None:
    known = book(6)
    for n in range(12):
        known.add(v4(10, n), b"x", NOW, NOW)
        assert len(known.sample(1000, NOW)) >= len(known) * 2 // 3
    assert len(known.sample(3, NOW)) == 3


def test_bad_addresses_are_not_told() -> None:
    known = book(7)
    known.add(v4(10, 1), b"x", NOW - 31 * 86400, NOW)
    known.add(v4(10, 2), b"x", NOW, NOW)
    assert [one.endpoint for one in known.sample(10, NOW)] == [v4(10, 2)]
