"""Two honest ends."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshchain.p2p.transport import MAX_MESSAGE, Established, Stream, TransportError
from tests.crypto.both_arms import agreed
from tests.p2p.transport.peers import ALICE, BOB, KEY, alice, bob, cut, established, messages, stream


def test_who_knows_whom_when() -> None:
    one, other = alice(), bob()
    assert other.receive(one.take_output(), 1.0) == []
    assert one.receive(other.take_output(), 2.0) == [Established(KEY[BOB])]
    assert other.deadline() == 10.0
    assert other.receive(one.take_output(), 3.0) == [Established(KEY[ALICE])]
    assert (one.deadline(), other.deadline()) == (None, None)


def test_the_sizes_on_the_wire() -> None:
    """The specification's figures: frames of 32, 192 and 160 bytes, and 22 bytes around a message alone."""
    one, other = alice(), bob()
    first = one.take_output()
    other.receive(first, 0.0)
    second = other.take_output()
    one.receive(second, 0.0)
    assert [len(first), len(second), len(one.take_output())] == [2 + 32, 2 + 192, 2 + 160]
    one.send(b"x" * 100)
    assert len(one.take_output()) == 2 + 4 + 100 + 16


def test_a_handshake_and_messages_in_one_flight() -> None:
    """The initiator need not wait for an answer to its last handshake message."""
    one, other = alice(), bob()
    other.receive(one.take_output(), 0.0)
    one.receive(other.take_output(), 0.0)
    one.send(b"hello")
    events = other.receive(one.take_output(), 0.0)
    assert events[0] == Established(KEY[ALICE])
    assert messages(events[1:]) == [b"hello"]


def test_messages_of_every_size_arrive_both_ways() -> None:
    one, other = established()
    for size in (1, 2, 65_514, 65_515, 65_516, 65_519, 65_520, 200_000, MAX_MESSAGE):
        for sender, receiver in ((one, other), (other, one)):
            sender.send(Random(size).randbytes(size))
            assert messages(receiver.receive(sender.take_output(), 0.0)) == [Random(size).randbytes(size)]
            assert receiver.held == 0


def test_small_messages_share_a_frame() -> None:
    one, other = established()
    for number in range(500):
        one.send(number.to_bytes(8, "big"))
    assert one.unsent == 500 * 12
    output = one.take_output()
    assert len(cut(output)) == 1
    assert (one.unsent, one.take_output()) == (0, b"")
    assert len(messages(other.receive(output, 0.0))) == 500


@settings(max_examples=50)
@given(
    sizes=st.lists(st.integers(1, 300), max_size=8),
    batches=st.integers(1, 3),
    steps=st.lists(st.integers(1, 400), min_size=1, max_size=10),
)
def test_the_network_may_cut_the_bytes_anywhere(sizes: list[int], batches: int, steps: list[int]) -> None:
    one, other = established()
    sent, wire = [], b""
    for number, size in enumerate(sizes):
        sent.append(bytes([number]) * size)
        one.send(sent[-1])
        wire += one.take_output() if number % batches == 0 else b""
    wire += one.take_output()
    arrived, place = [], 0
    while place < len(wire):
        step = steps[place % len(steps)]
        arrived += messages(other.receive(wire[place : place + step], 0.0))
        place += step
    assert arrived == sent
    assert other.held == 0


def test_a_handshake_byte_by_byte() -> None:
    one, other = alice(), bob()
    for sender, receiver, event in ((one, other, []), (other, one, [KEY[BOB]]), (one, other, [KEY[ALICE]])):
        events = [event for byte in sender.take_output() for event in receiver.receive(bytes([byte]), 0.0)]
        assert events == [Established(key) for key in event]


def test_nothing_is_sent_to_nobody() -> None:
    for end in (alice(), bob()):
        with pytest.raises(RuntimeError):
            end.send(b"who is there")


@pytest.mark.parametrize("size", [0, MAX_MESSAGE + 1])
def test_messages_that_the_peer_would_refuse_are_not_sent(size: int) -> None:
    one, _ = established()
    with pytest.raises(ValueError, match="message"):
        one.send(bytes(size))
    assert one.take_output() == b""


def test_a_node_that_meets_itself_sees_its_own_key() -> None:
    one, other = (stream(ALICE, initiator=starts, rng=Random(7 + starts)) for starts in (True, False))
    other.receive(one.take_output(), 0.0)
    assert one.receive(other.take_output(), 0.0) == [Established(KEY[ALICE])]
    assert other.receive(one.take_output(), 0.0) == [Established(KEY[ALICE])]


def test_both_arms_put_the_same_bytes_on_the_wire() -> None:
    def transcript() -> bytes:
        one, other = alice(), bob()
        wire = b""
        for sender, receiver in ((one, other), (other, one), (one, other)):
            wire += (output := sender.take_output())
            receiver.receive(output, 0.0)
        other.send(b"hello")
        return wire + other.take_output()

    assert len(agreed(transcript)) == 34 + 194 + 162 + 27


def ending(end: Stream) -> str:
    try:
        end.end()
    except TransportError as error:
        return error.code
    return "clean"


def test_an_end_that_cuts_something_off_is_told_from_one_that_does_not() -> None:
    one, other = established()
    one.send(b"x" * 70_000)
    frames = cut(one.take_output())
    assert ending(alice()) == ending(bob()) == "truncated"
    assert ending(one) == "clean"
    other.receive(frames[0], 0.0)
    assert ending(other) == "truncated"
    assert ending(other) == "closed"


def test_an_end_inside_a_frame_is_noticed() -> None:
    one, other = established()
    one.send(b"x")
    other.receive(one.take_output()[:-1], 0.0)
    assert ending(other) == "truncated"
