"""Blame, bans, and how they end."""

import pytest

from meshchain.ledger import codec
from meshchain.ledger.codec import Value
from meshchain.ledger.errors import StoreError
from meshchain.p2p.conduct import BAN_TIME, Scores
from tests.p2p.addresses.crowd import NOW, v4, v6

KEY, OTHER = b"k" * 32, b"o" * 32
HOST, ELSEWHERE = v4(66, 6).ip, v4(10, 1).ip


def test_points_add_up_to_a_ban_of_key_and_host() -> None:
    scores = Scores()
    assert scores.blame(KEY, HOST, 60, "first", NOW) is None
    assert scores.ban(KEY, NOW) is None
    ban = scores.blame(KEY, HOST, 40, "second", NOW)
    assert ban is not None
    assert (ban.until, ban.reason) == (NOW + BAN_TIME, "second")
    assert BAN_TIME == 24 * 3600
    assert scores.ban(KEY, NOW) == scores.ban(HOST, NOW) == ban
    assert scores.ban(OTHER, NOW) is None
    assert scores.ban(ELSEWHERE, NOW) is None
    assert scores.standing(NOW) == [(KEY, ban), (HOST, ban)]


def test_a_ban_ends_after_a_day() -> None:
    scores = Scores()
    scores.blame(KEY, HOST, 100, "why", NOW)
    for who in (KEY, HOST):
        assert scores.ban(who, NOW + BAN_TIME - 1) is not None
    assert scores.standing(NOW + BAN_TIME) == []
    assert not scores.bans
    assert scores.points(KEY, NOW + BAN_TIME) == 0


def test_points_fade_by_one_a_minute() -> None:
    scores = Scores()
    scores.blame(KEY, HOST, 50, "why", NOW)
    assert [scores.points(KEY, NOW + 60 * n) for n in (0, 10, 50, 60)] == pytest.approx([50, 40, 0, 0])
    assert scores.blame(KEY, HOST, 99, "why", NOW + 3600) is None
    assert scores.reason(KEY) == "why"
    assert scores.reason(OTHER) == ""


def test_a_fresh_key_from_the_same_host_starts_where_the_last_one_ended() -> None:
    """75 points under each of many keys: the fifth of a second connection is one too many."""
    scores = Scores()
    connections = 0
    for n in range(50):
        key = bytes((n,)) * 32
        if scores.ban(HOST, NOW):
            break
        connections += 1
        for _ in range(3):
            scores.blame(key, HOST, 25, "a bad stamp", NOW)
    print(f"one host with 50 keys: {connections} connections until the ban")
    assert connections == 2


def test_a_host_of_ipv6_is_a_64() -> None:
    scores = Scores()
    scores.blame(KEY, v6(6, host=1).ip, 100, "why", NOW)
    assert scores.ban(v6(6, host=2**60).ip, NOW) is not None
    assert scores.ban(v6(7, host=1).ip, NOW) is None


def test_configured_peers_are_scored_but_never_banned() -> None:
    scores = Scores()
    scores.spare(KEY)
    assert [scores.blame(KEY, HOST, 100, "why", NOW) for _ in range(5)] == [None] * 5
    assert scores.points(KEY, NOW) == 500
    assert scores.reason(KEY) == "why"
    assert scores.standing(NOW) == []
    assert scores.blame(OTHER, HOST, 100, "another one there", NOW) is not None
    assert scores.ban(KEY, NOW) is None


def test_who_is_configured_later_is_freed() -> None:
    scores = Scores()
    scores.blame(KEY, HOST, 100, "why", NOW)
    scores.spare(KEY)
    assert scores.ban(KEY, NOW) is None


def test_bans_outlive_a_restart() -> None:
    scores = Scores()
    scores.blame(KEY, HOST, 100, "malformed message: «ü»", NOW)
    again = Scores.decode(scores.encode())
    assert again.standing(NOW + 5) == scores.standing(NOW + 5)
    assert again.standing(NOW + BAN_TIME) == []
    assert again.points(KEY, NOW) == 0, "the ban is what remains"


def test_a_clock_that_was_ahead_bans_for_a_day_too() -> None:
    scores = Scores()
    scores.blame(KEY, HOST, 100, "in 2040", NOW + 14 * 365 * 86400)
    assert scores.ban(KEY, NOW) is not None
    assert scores.ban(KEY, NOW + BAN_TIME - 1) is not None
    assert scores.ban(KEY, NOW + BAN_TIME) is None
    scores.blame(OTHER, ELSEWHERE, 50, "in 2040", NOW + 10**8)
    assert scores.points(OTHER, NOW) == 50
    assert scores.points(OTHER, NOW + 3000) == 0


def test_tables_are_bounded() -> None:
    scores = Scores()
    for n in range(20_000):
        scores.blame(n.to_bytes(32, "big"), v4(n >> 8 & 255, n & 255, n >> 16).ip, 100, "x" * 5000, NOW)
    print(f"20,000 nodes banned: {len(scores.bans)} bans, {len(scores.encode())} bytes")
    assert len(scores.bans) == len(scores._scores) == 4096
    assert len(scores.encode()) < 4096 * 360
    assert scores.ban((19_999).to_bytes(32, "big"), NOW) is not None, "the newest are kept"


BAD: list[Value] = [
    None,
    [1],
    [[KEY, 5]],
    [[b"short", 5, "x"]],
    [[KEY, True, "x"]],
    [[KEY, "5", "x"]],
    [[KEY, 2**53 + 1, "x"]],
    [[KEY, 5, b"x"]],
    [[KEY, 5, "x", 1]],
]


@pytest.mark.parametrize("value", BAD, ids=repr)
def test_a_damaged_list(value: Value) -> None:
    with pytest.raises(StoreError, match="damaged") as caught:
        Scores.decode(codec.encode(value))
    assert caught.value.code == "damaged"


def test_bytes_that_are_no_list() -> None:
    for data in (b"", b"\xff", Scores().encode() + b"\x00"):
        with pytest.raises(StoreError, match="damaged"):
            Scores.decode(data)
