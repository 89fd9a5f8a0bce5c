"""Packets that do not fit: what is cut comes together again, in any order, and nothing else does."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshrouter.errors import WireError
from meshrouter.forwarding.pieces import MOST_UNFINISHED, Pieces
from meshrouter.wire.train import Piece


@given(
    st.integers(128, 1300),
    st.lists(st.binary(min_size=40, max_size=1500), min_size=1, max_size=4),
    st.randoms(use_true_random=False),
)
def test_whatever_is_cut_comes_together(mtu: int, packets: list[bytes], rng: random.Random) -> None:
    sender, receiver = Pieces(), Pieces()
    cut = [pieces for packet in packets if (pieces := sender.cut(mtu, packet)) is not None]
    whole = [packet for packet in packets if len(packet) <= 16 * (mtu - 31) and mtu < 1333]
    assert len(cut) == len(whole)
    assert all(len(piece) + 28 <= mtu for pieces in cut for piece in pieces)
    under_way = [piece for pieces in cut for piece in pieces]
    under_way += rng.sample(under_way, len(under_way) // 4)  # some twice
    rng.shuffle(under_way)
    done = [packet for piece in under_way if (packet := receiver.add(piece, 0.0)) is not None]
    assert set(done) >= set(whole)
    assert set(done) <= set(whole)


def test_links_that_carry_ipv6_cut_nothing() -> None:
    assert Pieces().cut(1333, bytes(1306)) is None
    assert Pieces().cut(1332, bytes(1305)) is not None, "an IPv6 packet of 1,280 bytes passes everywhere"
    assert Pieces().cut(128, bytes(97 * 16 + 1)) is None, "more than sixteen pieces"


def test_old_and_surplus_packets_are_dropped() -> None:
    pieces = Pieces()
    first, last = Pieces().cut(1000, bytes(1200)) or []
    pieces.add(first, 0.0)
    assert pieces.add(last, 2.1) is None, "the first piece is forgotten"
    pieces = Pieces()
    pieces.add(first, 0.0)
    for number in range(MOST_UNFINISHED):
        pieces.add(Piece(1000 + number, 0, False, b"x").encode(), 0.0)
    assert pieces.add(last, 0.0) is None, "room was needed"


def test_pieces_behind_the_last_spoil_their_packet() -> None:
    pieces = Pieces()
    pieces.add(Piece(7, 3, False, b"d").encode(), 0.0)
    with pytest.raises(WireError, match="piece 3 of a packet that has 2"):
        pieces.add(Piece(7, 1, True, b"b").encode(), 0.0)
    assert pieces.add(Piece(7, 0, False, b"a").encode(), 0.0) is None
    assert pieces.add(Piece(7, 1, True, b"b").encode(), 0.0) == b"ab"
