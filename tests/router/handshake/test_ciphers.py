"""Both directions of a session: numbers from their low halves, each message once, nothing moved by a forgery."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshchain.crypto import seal_chacha20poly1305
from meshrouter.handshake import Opener, Sealer, full_counter

KEY = bytes(range(32))


def ends(window: int = 64) -> tuple[Sealer, Opener]:
    return Sealer(KEY, 5), Opener(KEY, window)


def sealed(sealer: Sealer, text: bytes = b"text") -> tuple[int, bytes]:
    counter = sealer.take()
    return counter & 0xFFFF_FFFF, sealer.seal(counter, text, b"head")


@given(st.integers(0, 2**40), st.integers(-(2**31), 2**31 - 1))
def test_the_closest_number_with_those_low_bits_is_meant(greatest: int, away: int) -> None:
    assert full_counter((greatest + away) & 0xFFFF_FFFF, greatest) == greatest + away


def test_the_first_numbers_of_a_session() -> None:
    assert [full_counter(low, -1) for low in (0, 1, 1023)] == [0, 1, 1023]


def test_a_message_is_the_aead_under_its_number() -> None:
    sealer, _ = ends()
    sealer.counter = 0x1_0203_0405
    _, text = sealed(sealer)
    nonce = bytes.fromhex("00000000 05040302 01000000")
    assert text == seal_chacha20poly1305(KEY, nonce, b"text", b"head")
    assert sealer.counter == 0x1_0203_0406


def test_each_message_opens_once_in_any_order() -> None:
    sealer, opener = ends()
    messages = [sealed(sealer, bytes((i,))) for i in range(60)]
    Random(3).shuffle(messages)
    for low, text in messages:
        assert opener.open(low, text, b"head") == bytes((low,))
        assert opener.open(low, text, b"head") is None


def test_what_is_older_than_the_window_does_not_open() -> None:
    sealer, opener = ends()
    messages = [sealed(sealer) for _ in range(65)]
    assert opener.open(*messages[64], b"head") == b"text"
    assert opener.open(*messages[0], b"head") is None
    assert opener.open(*messages[1], b"head") == b"text"


def test_numbers_go_on_beyond_what_travels_of_them() -> None:
    sealer, opener = ends()
    sealer.counter = 2**32 - 3
    opener.window.seen(2**32 - 4)
    messages = [sealed(sealer, bytes((i,))) for i in range(6)]
    assert [low for low, _ in messages] == [2**32 - 3, 2**32 - 2, 2**32 - 1, 0, 1, 2]
    for i in (3, 0, 1, 2, 5, 4):
        assert opener.open(*messages[i], b"head") == bytes((i,))
    assert opener.window.greatest == 2**32 + 2


@pytest.mark.parametrize("low", [1, 63, 64, 1000, 2**31, 2**32 - 1])
def test_a_forged_number_moves_nothing(low: int) -> None:
    sealer, opener = ends()
    message = sealed(sealer)
    assert opener.open(low, message[1], b"head") is None
    assert opener.open(message[0], message[1], b"heap") is None
    assert opener.open(message[0], b"", b"head") is None
    assert opener.window.greatest == -1
    assert opener.open(*message, b"head") == b"text"
