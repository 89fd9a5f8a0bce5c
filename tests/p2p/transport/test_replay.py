"""Bytes that were honest once, given to somebody again."""

from random import Random

import pytest

from meshchain.p2p.transport import Established, Stream
from tests.p2p.transport.peers import ALICE, BOB, KEY, alice, cut, established, fault, stream


def record() -> tuple[Stream, bytes, bytes]:
    """A real Bob after a session with Alice, all that Alice sent, all that he sent."""
    one, other = alice(), stream(BOB, initiator=False, rng=Random(5))
    forth, back = one.take_output(), b""
    other.receive(forth, 0.0)
    back = other.take_output()
    one.receive(back, 0.0)
    one.send(b"an operation")
    other_end = one.take_output()
    assert other.receive(other_end, 0.0)[0] == Established(KEY[ALICE])
    other.send(b"an answer")
    return other, forth + other_end, back + other.take_output()


@pytest.mark.parametrize("at_once", [True, False], ids=["in one piece", "frame by frame"])
@pytest.mark.parametrize("seed", range(3))
def test_a_recorded_initiator_achieves_one_failed_handshake(at_once: bool, seed: int) -> None:
    _, forth, _ = record()
    victim = stream(BOB, initiator=False, rng=Random(100 + seed))
    hello, rest = forth[:34], forth[34:]
    error = fault(victim, forth) if at_once else (victim.receive(hello, 0.0), fault(victim, rest))[1]
    assert (error.code, error.proven) == ("noise-tag", False)
    answer = victim.take_output()
    assert [len(frame) for frame in cut(answer)] == [194]
    assert KEY[BOB] not in answer
    assert fault(victim, rest).code == "closed"
    with pytest.raises(RuntimeError):
        victim.send(b"secret")


def test_what_the_responder_answers_a_replay_is_never_the_same_twice() -> None:
    """Beyond the ephemeral key, not even the sealed part repeats: it says nothing about who answers."""
    _, forth, _ = record()
    rng = Random(200)
    answers = []
    for _ in range(4):
        victim = stream(BOB, initiator=False, rng=rng)
        victim.receive(forth[:34], 0.0)
        answers.append(victim.take_output())
    pieces = {answer[place : place + 32] for answer in answers for place in range(2, 194, 32)}
    assert len(pieces) == 4 * 6


def test_a_recorded_responder_learns_nothing_of_the_initiator() -> None:
    _, _, back = record()
    victim = alice(7)
    assert len(victim.take_output()) == 34
    error = fault(victim, back)
    assert (error.code, error.proven) == ("noise-tag", False)
    assert victim.take_output() == b""


def test_an_initiator_s_own_bytes_are_no_answer() -> None:
    """Reflection; the second message has another size, and a forged one of its size does not open."""
    victim = alice()
    assert fault(victim, victim.take_output()).code == "handshake-size"
    victim = alice()
    hello = victim.take_output()
    assert fault(victim, (192).to_bytes(2, "big") + hello[2:] + bytes(160)).code == "noise-tag"


def test_own_frames_sent_back_do_not_open() -> None:
    one, _ = established()
    one.send(b"hello")
    assert fault(one, one.take_output()).code == "noise-tag"


def test_frames_of_one_session_do_not_open_in_another() -> None:
    one, _ = established(10)
    _, other = established(20)
    one.send(b"hello")
    assert fault(other, one.take_output()).code == "noise-tag"


def test_a_live_stream_takes_none_of_its_frames_again() -> None:
    other, forth, _ = record()
    assert fault(other, cut(forth)[-1]).code == "noise-tag"
