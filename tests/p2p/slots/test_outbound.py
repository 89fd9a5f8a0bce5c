"""Whom a node dials: configured peers, anchors, the book, feelers."""

from itertools import pairwise

from meshchain.p2p.actions import Dial, Endpoint
from meshchain.p2p.slots.configured import LAST_RETRY_OF_KNOWN
from meshchain.p2p.slots.slots import FEELER_EVERY
from tests.p2p.addresses.crowd import key_of, v4
from tests.p2p.slots.yard import OWN, Yard

VILLAGE = [v4(10 + n // 8, n % 8, n) for n in range(160)]
"""Ten in each of sixteen positions."""


def nobody(_: Endpoint) -> bytes | None:
    return None


def test_ten_connections_in_ten_positions() -> None:
    yard = Yard(heard=VILLAGE)
    yard.run(100)
    groups = [held.group for held in yard.slots.held]
    print(f"after 100 s: {len(yard.held('outbound'))} outbound, {len(yard.held('block-only'))} block-only")
    assert len(yard.held("outbound")) == 8
    assert len(yard.held("block-only")) == 2
    assert len(set(groups)) == 10
    assert yard.most_held == 10


def test_one_position_gives_one_connection() -> None:
    yard = Yard(heard=[v4(10, 1, n) for n in range(100)])
    yard.run(100)
    assert len(yard.slots.held) == 1


def test_what_is_lost_is_replaced() -> None:
    yard = Yard(heard=VILLAGE)
    yard.run(60)
    for held in yard.slots.held:
        yard.close(held.peer)
    yard.run(60)
    assert len(yard.slots.held) == 10


def test_backoff_of_configured_peers() -> None:
    yard = Yard(configured=[v4(10, 1)], reach=nobody)
    yard.run(400)
    times = [now for now, _, _ in yard.dials]
    assert [b - a for a, b in pairwise(times)] == [1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60]


def test_a_configured_peer_that_was_there_is_never_left_alone_for_long() -> None:
    """A network that comes and goes, each time too short for a connection to last, and then is gone for an hour."""
    yard = Yard(configured=[v4(10, 1)])
    up = True
    yard.reach = lambda endpoint: key_of(endpoint) if up else None
    for n in range(60):
        up = n % 3 == 0
        yard.run(2)
        for held in yard.slots.held:
            yard.close(held.peer)
    yard.dials.clear()
    up = False
    yard.run(3600)
    gaps = {b - a for (a, _, _), (b, _, _) in pairwise(yard.dials)}
    assert gaps == {LAST_RETRY_OF_KNOWN}
    up = True
    yard.run(LAST_RETRY_OF_KNOWN)
    assert len(yard.slots.held) == 1


def test_a_configured_peer_that_was_no_peer_is_not_known() -> None:
    """Its connections end before they are ready: it is on another network, say."""
    yard = Yard(configured=[v4(10, 1)], reach=nobody)
    for _ in range(400):
        for action in yard.slots.decide(yard.now, yard.wall):
            assert isinstance(action, Dial)
            yard.dials.append((yard.now, action.endpoint, action.purpose))
            yard.now += 0.25
            peer, _ = yard.opened(b"k" * 32, action.endpoint, inbound=False, purpose=action.purpose, ready=False)
            yard.close(peer)
        yard.now += 1
    assert max(b - a for (a, _, _), (b, _, _) in pairwise(yard.dials)) > 60


def test_backoff_holds_for_refusals_too() -> None:
    """Whoever answers with our own key, or is connected already, is not dialled at every tick."""
    yard = Yard(configured=[v4(10, 1)], reach=lambda endpoint: OWN)
    yard.run(400)
    assert len(yard.dials) == 1
    yard = Yard(configured=[v4(10, 1), v4(10, 2)], reach=lambda endpoint: b"k" * 32)
    yard.run(400)
    assert len(yard.dials) == 2
    assert len(yard.slots.held) == 1


def test_backoff_starts_anew_after_a_connection_that_lasted() -> None:
    yard = Yard(configured=[v4(10, 1)])
    for _ in range(6):
        yard.run(1)
        for held in yard.slots.held:
            yard.close(held.peer)
    flapping = len(yard.dials)
    yard.run(100)
    assert flapping < 5, "it closed at once, five times"
    yard.close(yard.slots.held[0].peer)
    count = len(yard.dials)
    yard.run(1.5)
    assert len(yard.dials) == count + 1


def test_a_configured_peer_that_came_by_itself_is_not_dialled() -> None:
    """It has once answered as this key; now the connection it made stands for both (its key is the smaller)."""
    small = b"\x01" * 32
    yard = Yard(configured=[v4(10, 1)], reach=lambda endpoint: small)
    yard.run(1)
    _, closes = yard.opened(small, v4(10, 1, port=50_000))
    assert [close.code for close in closes] == ["duplicate"]
    yard.run(600)
    assert len(yard.dials) == 1
    assert [held.inbound for held in yard.slots.held] == [True]
    assert yard.slots.is_configured(small)
    yard.close(yard.slots.held[0].peer)
    yard.run(61)
    assert [held.purpose for held in yard.slots.held] == ["configured"]


def test_configured_peers_take_no_outbound_place_and_are_not_drawn() -> None:
    yard = Yard(configured=VILLAGE[:3], heard=VILLAGE)
    yard.run(200)
    assert len(yard.held("configured")) == 3
    assert len(yard.held("outbound")) == 8
    assert len({endpoint for _, endpoint, _ in yard.dials}) > 11


def test_a_configured_peer_that_is_away_is_dialled_as_such_only() -> None:
    """Connected as any other it would have to fear a ban."""
    yard = Yard(configured=VILLAGE[:3], heard=VILLAGE[:6], reach=nobody)
    yard.run(4000)
    assert {endpoint for _, endpoint, purpose in yard.dials if purpose != "configured"} == set(VILLAGE[3:6])


def test_a_configured_peer_comes_back_as_such() -> None:
    """In the second before it is dialled again, the book must not offer it."""
    yard = Yard(configured=[v4(10, 1)])
    yard.run(100)
    yard.close(yard.slots.held[0].peer)
    yard.run(5)
    assert [held.purpose for held in yard.slots.held] == ["configured"]


def test_a_name_that_resolves_later_is_wanted() -> None:
    yard = Yard()
    yard.run(10)
    yard.slots.want(v4(10, 1))
    yard.run(1)
    assert [held.endpoint for held in yard.held("configured")] == [v4(10, 1)]


def test_anchors_are_dialled_first() -> None:
    anchors = [v4(30, 1), v4(30, 2)]
    yard = Yard(heard=VILLAGE, anchors=[*anchors, v4(30, 3)])
    yard.run(30)
    first = [endpoint for _, endpoint, _ in yard.dials[:2]]
    assert first == anchors
    assert yard.slots.anchors() == anchors
    assert v4(30, 3) not in [endpoint for _, endpoint, _ in yard.dials], "two are enough"


def test_anchors_of_a_run_that_reached_nobody_are_kept() -> None:
    yard = Yard(anchors=[v4(30, 1), v4(30, 2)], reach=nobody)
    yard.run(30)
    assert yard.slots.anchors() == [v4(30, 1), v4(30, 2)]


def test_anchors_are_the_block_only_peers() -> None:
    yard = Yard(heard=VILLAGE, anchors=[v4(30, 1)])
    yard.run(60)
    assert set(yard.slots.anchors()) == {held.endpoint for held in yard.held("block-only")}


def test_feelers_fill_tried() -> None:
    yard = Yard(heard=VILLAGE)
    yard.run(3600)
    feelers = [now for now, _, purpose in yard.dials if purpose == "feeler"]
    tried = sum(in_tried for _, in_tried in yard.book.all())
    gaps = [b - a for a, b in pairwise(feelers)]
    print(f"an hour: {len(feelers)} feelers, {tried} addresses in tried")
    assert 20 <= len(feelers) <= 45
    assert min(gaps) >= FEELER_EVERY / 2
    assert tried >= len(feelers) * 2 // 3 + 10
    assert {close.code for close in yard.closes} == {"feeler"}
    assert len(yard.slots.held) == 10


def test_our_own_address_is_dialled_once() -> None:
    ourselves = v4(10, 1)
    yard = Yard(heard=[ourselves], reach=lambda endpoint: OWN)
    yard.run(7200)
    assert len(yard.dials) == 1
    assert [close.code for close in yard.closes] == ["self"]


def test_a_key_that_is_hearsay_keeps_nobody_from_being_dialled() -> None:
    """An attacker who is connected says that an honest address belongs to its key."""
    yard = Yard()
    evil, victim = b"e" * 32, v4(10, 1)
    yard.opened(evil, v4(66, 6))
    yard.book.add(victim, b"src", int(yard.wall), yard.wall, evil)
    yard.run(10)
    assert [endpoint for _, endpoint, _ in yard.dials] == [victim]


def test_a_key_that_is_proven_and_connected_is_not_dialled() -> None:
    yard = Yard()
    friend = v4(10, 1)
    yard.book.answered(friend, yard.wall, key_of(friend))
    yard.opened(key_of(friend), v4(11, 1, port=50_000))
    yard.run(600)
    assert yard.dials == []


def test_who_dialled_us_and_said_where_it_listens_is_not_dialled() -> None:
    yard = Yard()
    peer, _ = yard.opened(b"k" * 32, v4(10, 1, port=50_000))
    yard.book.add(v4(10, 1), b"src", int(yard.wall), yard.wall, b"k" * 32)
    yard.run(10)
    assert yard.dials == []
    yard.close(peer)
    yard.run(10)
    assert [endpoint for _, endpoint, _ in yard.dials] == [v4(10, 1)]


def test_who_dialled_us_for_blocks_only_is_dialled_for_all() -> None:
    """It may be the only peer there is. Once is enough, and for blocks only it is not dialled again."""
    yard, at = Yard(), v4(10, 1)
    yard.opened(key_of(at), v4(10, 1, port=50_000), block_only=True)
    yard.book.add(at, b"src", int(yard.wall), yard.wall, key_of(at))
    yard.run(300)
    assert [(endpoint, purpose) for _, endpoint, purpose in yard.dials] == [(at, "outbound")]
    assert [held.purpose for held in yard.slots.held] == ["outbound"]


def test_whom_we_dialled_for_blocks_only_is_not_dialled_again() -> None:
    yard, at = Yard(), v4(10, 1)
    yard.opened(key_of(at), at, inbound=False, purpose="block-only")
    yard.book.answered(v4(11, 2), yard.wall, key_of(at))
    yard.run(300)
    assert yard.dials == []


def test_an_empty_book_costs_nothing() -> None:
    """Looking for what is not there is not repeated four times a second."""
    yard = Yard(heard=[v4(10, 1, n) for n in range(100)])
    yard.run(10)
    looked = 0

    def position(ip: bytes) -> bytes:
        nonlocal looked
        looked += 1
        return ip[:14]

    yard.slots._position = position
    yard.run(100)
    print(f"100 s with nobody to dial: {looked} addresses looked at")
    assert len(yard.slots.held) == 1
    assert looked < 100 / 5 * 140


def test_slots_that_take_over_want_the_same() -> None:
    """After a failure: the configured peer, the anchors and the rest of the book are dialled again."""
    chosen = v4(99, 1)
    yard = Yard(heard=VILLAGE, configured=[chosen])
    yard.run(60)
    anchors = yard.slots.anchors()
    yard.slots, yard.dials = yard.slots.renewed(), []
    assert not yard.slots.held
    yard.run(60)
    assert {(endpoint, purpose) for _, endpoint, purpose in yard.dials[:3]} == {
        (chosen, "configured"),
        *((anchor, "block-only") for anchor in anchors),
    }
    assert len(yard.slots.held) == 11
