"""CipherState: order, nonces, and the change of keys."""

import pytest

from meshchain.crypto import seal_chacha20poly1305
from meshchain.crypto.noise import CipherState, NoiseError

KEY = bytes(range(32))


def pair(first: int = 0) -> tuple[CipherState, CipherState]:
    return CipherState(KEY, first), CipherState(KEY, first)


def test_nonces_are_little_endian_behind_four_zeros(each_arm: str) -> None:
    cipher = CipherState(KEY, 0x0102)
    assert cipher.seal(b"x", b"head") == seal_chacha20poly1305(KEY, b"\0\0\0\0\2\1" + bytes(6), b"x", b"head")
    assert cipher.next_nonce == 0x0103


def test_repeated_skipped_and_swapped_messages_do_not_open() -> None:
    send, receive = pair()
    one, two, three = (send.seal(text) for text in (b"one", b"two", b"three"))
    for wrong in (two, three):
        with pytest.raises(NoiseError, match="does not open"):
            receive.open(wrong)
    assert receive.open(one) == b"one"
    with pytest.raises(NoiseError, match="does not open"):
        receive.open(one)
    assert [receive.open(two), receive.open(three)] == [b"two", b"three"]


def test_the_last_nonce_is_never_used() -> None:
    send, receive = pair(2**64 - 2)
    sealed = send.seal(b"last")
    assert receive.open(sealed) == b"last"
    with pytest.raises(NoiseError, match="last nonce"):
        send.seal(b"more")
    with pytest.raises(NoiseError, match="last nonce"):
        receive.open(sealed)


def test_rekey_is_the_specification_s(each_arm: str) -> None:
    """§4.2: the first 32 bytes of 32 zeros sealed under nonce 2^64 − 1, no associated data; the count goes on."""
    cipher = CipherState(KEY, 5)
    cipher.rekey()
    new = seal_chacha20poly1305(KEY, bytes(4) + b"\xff" * 8, bytes(32), b"")[:32]
    assert new != KEY
    assert cipher.seal(b"x") == CipherState(new, 5).seal(b"x")


def test_a_side_that_does_not_rekey_is_lost() -> None:
    send, receive = pair()
    send.rekey()
    sealed = send.seal(b"x")
    with pytest.raises(NoiseError):
        receive.open(sealed)
    receive.rekey()
    assert receive.open(sealed) == b"x"
