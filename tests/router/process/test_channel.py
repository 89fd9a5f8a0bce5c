"""The channel between node and router."""

import contextlib
import json
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshrouter.process.channel import (
    MOST_MESSAGE,
    MOST_UNSENT,
    Channel,
    ChannelError,
    Message,
    Splitter,
    decode,
    encode,
)

MESSAGES = st.lists(st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=9), max_size=4), max_size=5)


@given(MESSAGES, st.lists(st.integers(1, 30), max_size=20))
def test_messages_cut_anywhere_arrive(messages: list[Message], cuts: list[int]) -> None:
    data, splitter = b"".join(map(encode, messages)), Splitter()
    got: list[Message] = []
    for cut in [*cuts, len(data)]:
        got += map(decode, splitter.add(data[:cut]))
        data = data[cut:]
    assert got == messages


@given(st.binary(max_size=100))
def test_any_bytes_are_messages_or_an_error(data: bytes) -> None:
    with contextlib.suppress(ChannelError):
        assert all(isinstance(each, dict) for each in map(decode, Splitter().add(data)))


@pytest.mark.parametrize("text", [b"[]", b"1", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_object_ends_it(text: bytes) -> None:
    with pytest.raises(ChannelError):
        decode(text)


def test_too_long_a_message_is_refused_at_both_ends() -> None:
    with pytest.raises(ChannelError):
        encode({"x": "x" * MOST_MESSAGE})
    with pytest.raises(ChannelError):
        Splitter().add((MOST_MESSAGE + 1).to_bytes(4, "big"))
    fits = {"x": "x" * (MOST_MESSAGE - len(json.dumps({"x": ""}, separators=(",", ":"))))}
    assert [decode(each) for each in Splitter().add(encode(fits))] == [fits]


def test_a_slow_reader_gets_everything_and_a_dead_one_is_given_up() -> None:
    ours, theirs = socket.socketpair()
    channel, other = Channel(ours), Channel(theirs)
    sent = [{"number": number, "fill": "x" * 10_000} for number in range(200)]
    for message in sent:
        channel.send(message)
    got: list[Message] = []
    while channel.flush() or len(got) < len(sent):
        got += other.receive()
    assert got == sent
    for _ in range(MOST_UNSENT // 1_000_000 + 1):
        channel.send({"fill": "x" * 1_000_000})
    with pytest.raises(ChannelError, match="does not read"):
        channel.send({})
    other.close()
    channel.flush()
    assert channel.ended
    channel.close()


def test_an_end_that_goes_with_something_unread_is_an_end() -> None:
    """The kernel says ECONNRESET then, where it says nothing otherwise."""
    ours, theirs = socket.socketpair()
    channel = Channel(ours)
    channel.send({})
    channel.flush()
    theirs.close()
    assert channel.receive() == []
    assert channel.ended
    channel.close()
