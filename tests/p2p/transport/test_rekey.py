"""Both ends change keys at the same frame without a word."""

import pytest

from meshchain.crypto.noise import CipherState, NoiseError
from meshchain.p2p.transport.frames import MAX_PLAIN, REKEY_BYTES, REKEY_FRAMES, FrameCipher, frame
from tests.p2p.transport.peers import MALLORY, Dishonest, bob, established, messages

KEY = bytes(range(32))


def ends(**limits: int) -> tuple[FrameCipher, FrameCipher, CipherState]:
    """A sender, a receiver, and somebody who has stolen the first key and never changes it."""
    return FrameCipher(CipherState(KEY), **limits), FrameCipher(CipherState(KEY), **limits), CipherState(KEY)


def frames_until_rekey(plain: int, most: int, **limits: int) -> int:
    send, receive, thief = ends(**limits)
    for number in range(most):
        sealed = send.seal(bytes(plain))
        assert receive.open(sealed) == bytes(plain)
        try:
            thief.open(sealed)
        except NoiseError:
            return number
    return most


def test_after_so_many_frames() -> None:
    assert frames_until_rekey(1, 20, frames=5) == 5


def test_after_so_many_bytes_tags_included() -> None:
    """Five frames of 100 make 500: the sixth has a new key."""
    assert frames_until_rekey(84, 20, size=500) == 5
    assert frames_until_rekey(84, 20, size=501) == 6


def test_again_and_again() -> None:
    send, receive, thief = ends(frames=3)
    for number in range(10):
        sealed = send.seal(b"x")
        assert receive.open(sealed) == b"x"
        assert thief.open(sealed) == b"x"
        if number % 3 == 2:
            thief.rekey()


def test_a_receiver_that_counts_otherwise_is_lost() -> None:
    send, receive = FrameCipher(CipherState(KEY), frames=3), FrameCipher(CipherState(KEY), frames=4)
    for _ in range(3):
        receive.open(send.seal(b"x"))
    with pytest.raises(NoiseError):
        receive.open(send.seal(b"x"))


def test_a_refused_frame_does_not_count() -> None:
    send, receive, _ = ends(frames=3)
    for _ in range(7):
        with pytest.raises(NoiseError):
            receive.open(bytes(17))
        assert receive.open(send.seal(b"x")) == b"x"


def test_a_stream_expects_a_new_key_after_the_real_number_of_frames() -> None:
    victim, mallory = bob(), Dishonest(MALLORY, initiator=True)
    victim.receive(mallory.hello(), 0.0)
    mallory.read(victim.take_output())
    victim.receive(mallory.proof(), 0.0)
    cipher = mallory.bare_cipher()
    for _ in range(2**16):
        victim.receive(frame(cipher.seal(b"\0\0\0\1x")), 0.0)
    assert cipher.next_nonce == REKEY_FRAMES == 2**16
    cipher.rekey()
    assert messages(victim.receive(frame(cipher.seal(b"\0\0\0\1x")), 0.0)) == [b"x"]


@pytest.mark.slow
def test_the_real_number_of_bytes() -> None:
    assert REKEY_BYTES == 2**30
    assert frames_until_rekey(MAX_PLAIN, 2**15) == -(-(2**30) // (MAX_PLAIN + 16))


@pytest.mark.slow
def test_two_streams_outlive_their_first_keys() -> None:
    one, other = established()
    for number in range(2**16 + 10):
        for sender, receiver in ((one, other), (other, one)):
            sender.send(number.to_bytes(4, "big"))
            assert messages(receiver.receive(sender.take_output(), 0.0)) == [number.to_bytes(4, "big")]
