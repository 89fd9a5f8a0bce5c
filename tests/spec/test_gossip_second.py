"""A second implementation of streams and messages, written from gossip.md, agrees with the first and the vectors."""

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshchain.ledger import codec
from meshchain.ledger.errors import CodecError
from meshchain.p2p.messages import LIMITS, Message, decode, encode, limit_of
from meshchain.p2p.transport import Established, Received, Stream
from tests.p2p.messages.samples import ANY, BODIES, greatest_of_each
from tests.spec.reading import consensus_of, load, raw
from tests.spec.second.messages import Messages
from tests.spec.second.streams import Frames, Side
from tests.spec.second.values import InvalidError

MESH = consensus_of("mesh")
SECOND = Messages(MESH.max_block_size, MESH.max_operation_size)
STREAMS, MESSAGES = load("gossip-streams.json"), load("gossip-messages.json")


def second_takes(data: bytes) -> bool:
    try:
        SECOND.read(data)
    except InvalidError:
        return False
    return True


def first_takes(data: bytes) -> bool:
    try:
        decode(data, MESH)
    except CodecError:
        return False
    return True


# --- messages --------------------------------------------------------------------------------------------------


def test_messages_of_the_vectors() -> None:
    assert SECOND.limits == {case["type"]: case["size"] for case in MESSAGES["limits"]}
    assert all(second_takes(raw(case["bytes"])) for case in (*MESSAGES["messages"], MESSAGES["later"]))
    taken = [case["why"] for case in MESSAGES["refused"] if second_takes(raw(case["bytes"]))]
    assert not taken


def test_the_greatest_messages() -> None:
    assert all(second_takes(encode(message)) for message in greatest_of_each(MESH))


@given(ANY)
def test_both_take_any_message(message: Message) -> None:
    assert second_takes(encode(message))


@given(ANY, st.data())
def test_both_judge_changed_messages_alike(message: Message, data: st.DataObject) -> None:
    changed = bytearray(encode(message))
    for _ in range(data.draw(st.integers(1, 2))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    assert second_takes(bytes(changed)) == first_takes(bytes(changed))


@given(st.sampled_from(sorted(LIMITS)), st.lists(BODIES, max_size=10))
def test_both_judge_any_values_alike(kind: int, body: list[codec.Value]) -> None:
    data = bytes((kind,)) + codec.encode(body)
    assert second_takes(data) == first_takes(data)


# --- streams ---------------------------------------------------------------------------------------------------


def side(word: str) -> Side:
    known = STREAMS[word]
    return Side(
        initiator=word == "initiator",
        seed=raw(known["seed"]),
        ephemeral=raw(known["ephemeral"]),
        limit_of=lambda kind: limit_of(kind, MESH),
    )


def test_the_handshake_of_the_vectors() -> None:
    ann, ben = side("initiator"), side("responder")
    first, second, third = map(raw, STREAMS["frames"])
    assert ann.out == first
    ben.feed(first)
    assert ben.out == second
    ann.feed(second)
    assert ann.out == first + third
    ben.feed(third)
    assert ann.remote_key.hex() == STREAMS["responder"]["key"]
    assert ben.remote_key.hex() == STREAMS["initiator"]["key"]
    assert ann.noise.h.hex() == STREAMS["hash"]
    assert [key.hex() for key in ann.noise.split()] == [STREAMS["keys"]["forth"], STREAMS["keys"]["back"]]
    ben.feed(raw(STREAMS["forth"]["bytes"]))
    ann.feed(raw(STREAMS["back"]["bytes"]))
    assert [message.hex() for message in ben.messages] == STREAMS["forth"]["messages"]
    assert [message.hex() for message in ann.messages] == STREAMS["back"]["messages"]


def test_the_change_of_keys_of_the_vectors() -> None:
    case = STREAMS["rekey"]
    frames = Frames(raw(case["key"]), case["number"], case["number"])
    assert frames.seal(raw(case["plaintext"])).hex() == case["sealed"]
    assert frames.key.hex() == case["next_key"]
    assert frames.seal(raw(case["next_plaintext"])).hex() == case["next_sealed"]


@pytest.mark.parametrize("case", STREAMS["refused"], ids=lambda case: case["why"])
def test_refused_streams(case: dict[str, Any]) -> None:
    ben = side("responder")
    *good, last = case["received"]
    for piece in good:
        ben.feed(raw(piece))
    with pytest.raises(InvalidError):
        ben.feed(raw(last))


@pytest.mark.parametrize("initiator", [True, False])
def test_the_second_talks_to_the_first(initiator: bool) -> None:
    other = side("initiator" if initiator else "responder")
    first = Stream(initiator=not initiator, seed=bytes(32), rng=Random(5).randbytes, now=0.0)
    events = []
    for _ in range(2):
        events += first.receive(other.out, 0.0)
        other.out = b""
        other.feed(first.take_output())
    assert events == [Established(raw(STREAMS["initiator" if initiator else "responder"]["key"]))]
    long = bytes(range(256)) * 600
    first.send(b"\x02\x80")
    first.send(b"\x11" + long)
    other.feed(first.take_output())
    assert other.messages == [b"\x02\x80", b"\x11" + long]
    assert first.receive(other.send(b"\x50\x80") + other.send(b"\x02\x80"), 0.0) == [
        Received(b"\x50\x80"),
        Received(b"\x02\x80"),
    ]
