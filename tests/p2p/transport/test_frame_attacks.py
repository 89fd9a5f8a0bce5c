"""Somebody on the path changes the bytes of an established stream, or of its handshake."""

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshchain.p2p.transport import Established, Stream, TransportError
from tests.p2p.transport.peers import ALICE, KEY, alice, bob, cut, established, fault, messages

SENT = [b"first message", b"second " * 20, b"third"]
Frames = list[bytes]


def three_frames() -> tuple[Stream, Frames]:
    one, other = established()
    frames = []
    for message in SENT:
        one.send(message)
        frames.append(one.take_output())
    return other, frames


def flip(frame: bytes, place: int, bit: int) -> bytes:
    return frame[:place] + bytes([frame[place] ^ 1 << bit]) + frame[place + 1 :]


CHANGES: dict[str, Callable[[Frames], Frames]] = {
    "swapped": lambda frames: [frames[1], frames[0], frames[2]],
    "first left out": lambda frames: frames[1:],
    "one left out": lambda frames: [frames[0], frames[2]],
    "repeated": lambda frames: [frames[0], frames[0]],
    "one shortened": lambda frames: [frames[0], (len(frames[1]) - 3).to_bytes(2, "big") + frames[1][2:-1], frames[2]],
    "two joined": lambda frames: [
        (len(frames[0]) + len(frames[1]) - 4).to_bytes(2, "big"),
        frames[0][2:],
        frames[1][2:],
    ],
    "bytes put in between": lambda frames: [frames[0], b"\0\x20" + bytes(32), *frames[1:]],
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("at_once", [True, False], ids=["in one piece", "frame by frame"])
def test_changed_order_or_shape_ends_the_stream(change: str, at_once: bool) -> None:
    other, frames = three_frames()
    changed = CHANGES[change](frames)
    delivered, error = deliver(other, [b"".join(changed)] if at_once else changed)
    assert error is not None
    assert (error.code, error.proven) == ("noise-tag", False)
    assert delivered == SENT[: len(delivered)]
    assert fault(other, frames[-1]).code == "closed"


def deliver(stream: Stream, pieces: Frames) -> tuple[list[bytes], TransportError | None]:
    delivered: list[bytes] = []
    for piece in pieces:
        try:
            delivered += messages(stream.receive(piece, 0.0))
        except TransportError as error:
            return delivered, error
    return delivered, None


def test_any_flipped_bit_of_a_sealed_frame_ends_the_stream() -> None:
    """In the length it may also leave the receiver waiting; no message comes of it either way."""
    frame_size = len(three_frames()[1][0])
    for place in range(frame_size):
        other, frames = three_frames()
        delivered, error = deliver(other, [flip(frames[0], place, place % 8)])
        assert delivered == []
        assert place < 2 or (error is not None and error.code == "noise-tag")


def handshake(alter: Callable[[int, bytes], bytes]) -> list[str]:
    """Run one with ``alter(step, frame)`` on the path; what each end had to say, in order."""
    one, other = alice(), bob()
    said: list[str] = []
    for step, (sender, receiver) in enumerate(((one, other), (other, one), (one, other))):
        try:
            events = receiver.receive(alter(step, sender.take_output()), 0.0)
        except TransportError as error:
            return [*said, error.code]
        said += ["established" for event in events if isinstance(event, Established)]
    return said


def flipping(step: int, place: int) -> Callable[[int, bytes], bytes]:
    return lambda now, frame: flip(frame, place, 7) if now == step else frame


@pytest.mark.parametrize(("step", "size"), [(0, 32), (1, 192), (2, 160)])
def test_any_flipped_bit_of_a_handshake_ends_it(step: int, size: int) -> None:
    """A changed first message is noticed in the second; then nobody is established. A changed third: only Alice."""
    before = ["established"] if step == 2 else []
    for place in range(2, 2 + size, 3):
        assert handshake(flipping(step, place)) in ([*before, "noise-tag"], [*before, "noise-key"])
    assert handshake(lambda _step, frame: frame) == ["established", "established"]


@pytest.mark.parametrize("step", range(3))
@pytest.mark.parametrize("difference", [-32, -1, 1, 1000])
def test_a_handshake_frame_of_another_size_is_refused_by_its_length_alone(step: int, difference: int) -> None:
    def alter(now: int, frame: bytes) -> bytes:
        return (len(frame) - 2 + difference).to_bytes(2, "big") if now == step else frame

    assert handshake(alter)[-1] == "handshake-size"


@pytest.mark.parametrize("size", [0, 1, 16])
def test_frames_that_carry_nothing_are_refused(size: int) -> None:
    other, _ = three_frames()
    assert fault(other, size.to_bytes(2, "big")).code == "frame-size"


Alteration = st.one_of(
    st.tuples(st.just("flip"), st.integers(0, 10_000), st.integers(0, 7)),
    st.tuples(st.just("delete"), st.integers(0, 10_000), st.integers(1, 60)),
    st.tuples(st.just("repeat"), st.integers(0, 10_000), st.integers(1, 400)),
    st.tuples(st.just("insert"), st.integers(0, 10_000), st.integers(1, 60)),
    st.tuples(st.just("end"), st.integers(0, 10_000), st.just(0)),
)


def altered(wire: bytes, alteration: tuple[str, int, int]) -> bytes:
    kind, place, size = alteration
    place %= len(wire) + 1
    before, after = wire[:place], wire[place:]
    match kind:
        case "flip":
            return flip(wire, place, size) if after else wire
        case "delete":
            return before + after[size:]
        case "repeat":
            return before + after[:size] + after
        case "insert":
            return before + Random(place).randbytes(size) + after
    return before


@settings(max_examples=150)
@given(st.lists(Alteration, min_size=1, max_size=3))
def test_what_arrives_is_a_beginning_of_what_was_sent(alterations: list[tuple[str, int, int]]) -> None:
    """Whatever is done to all that Alice sends, handshake included."""
    one, other = alice(), bob()
    hello = one.take_output()
    other.receive(hello, 0.0)
    one.receive(other.take_output(), 0.0)
    wire = one.take_output()
    for message in SENT:
        one.send(message)
        wire += one.take_output()
    changed = wire
    for alteration in alterations:
        changed = altered(changed, alteration) or b"\0"
    events, _ = collect(other, changed)
    expected = [Established(KEY[ALICE]), *SENT]
    assert events == expected[: len(events)]
    assert changed == wire or len(events) < len(expected) or changed.startswith(wire)


def collect(stream: Stream, wire: bytes) -> tuple[list[object], TransportError | None]:
    """Events with messages bare, frame by frame as far as lengths can be followed."""
    events: list[object] = []
    for piece in cut(wire):
        try:
            events += [event if isinstance(event, Established) else event.message for event in stream.receive(piece, 0)]
        except TransportError as error:
            return events, error
    return events, None
