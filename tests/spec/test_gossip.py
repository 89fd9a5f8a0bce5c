"""gossip-*.json: this implementation says and takes what the files say."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import pytest

from docs.spec.making.gossip_messages import form, name_of
from meshchain.crypto import ed25519_public_key, x25519_public_from_ed25519
from meshchain.crypto.noise import CipherState
from meshchain.ledger import operations
from meshchain.ledger.block import Block
from meshchain.ledger.errors import CodecError
from meshchain.p2p.messages import (
    LIMITS,
    TYPES,
    BlockOperations,
    CompactBlock,
    GetBlockOperations,
    Message,
    Version,
    decode,
    encode,
    limit_of,
    short_id,
)
from meshchain.p2p.transport import Established, Event, Received, Stream, TransportError
from meshchain.p2p.transport.frames import REKEY_FRAMES, FrameCipher
from tests.spec.reading import consensus_of, load, raw

STREAMS, MESSAGES, COMPACT = load("gossip-streams.json"), load("gossip-messages.json"), load("gossip-compact.json")
GREETING = load("gossip-greeting.json")
MESH = consensus_of("mesh")


# --- messages --------------------------------------------------------------------------------------------------


def _shown(message: Message) -> dict[str, Any]:
    return {field.name: form(getattr(message, field.name)) for field in fields(message)}


@pytest.mark.parametrize("case", MESSAGES["messages"], ids=lambda case: case["name"])
def test_messages_both_ways(case: dict[str, Any]) -> None:
    message = decode(raw(case["bytes"]), MESH)
    assert (name_of(type(message)), message.TYPE) == (case["name"], case["type"])
    assert _shown(message) == case["fields"]
    assert encode(message).hex() == case["bytes"]


def test_every_type_has_a_vector_and_a_limit() -> None:
    assert {case["type"] for case in MESSAGES["messages"]} == set(TYPES)
    assert {case["type"]: case["size"] for case in MESSAGES["limits"]} == {
        kind: limit.size(MESH) for kind, limit in LIMITS.items()
    }


def test_a_version_of_a_later_protocol() -> None:
    message = decode(raw(MESSAGES["later"]["bytes"]), MESH)
    assert isinstance(message, Version)
    assert _shown(message) == MESSAGES["later"]["fields"]


@pytest.mark.parametrize("case", MESSAGES["refused"], ids=lambda case: case["why"])
def test_refused_messages(case: dict[str, Any]) -> None:
    with pytest.raises(CodecError) as caught:
        decode(raw(case["bytes"]), MESH)
    assert caught.value.code == case["code"]


def test_greetings() -> None:
    """What the file's answers say is made by the session itself; here only that both sides can be read."""
    for text in (GREETING["ours"], *(case["version"] for case in GREETING["theirs"])):
        assert isinstance(decode(raw(text), MESH), Version)
    assert {case["goodbye"] for case in GREETING["theirs"]} == {None, "wrong-network", "wrong-genesis", "self"}


def test_short_ids() -> None:
    for case in COMPACT["others"]:
        assert short_id(raw(case["block_id"]), case["salt"], raw(case["wid"])) == raw(case["short_id"])


def test_a_compact_block_and_what_it_leaves_out() -> None:
    block = Block.decode(raw(COMPACT["block"]), MESH)
    block.check_root()
    raws = [operations.encode(operation) for operation in block.operations]
    sent = decode(raw(COMPACT["compact_block"]), MESH)
    assert isinstance(sent, CompactBlock)
    known = {
        short_id(sent.header.id, sent.salt, operations.wid(operation)): operations.encode(operation)
        for index, operation in enumerate(block.operations)
        if index not in COMPACT["missing"]
    }
    built: list[bytes | None] = [known.get(found) for found in sent.short_ids]
    for index, prefilled in sent.prefilled:
        built.insert(index, prefilled)
    missing = tuple(index for index, found in enumerate(built) if found is None)
    assert encode(GetBlockOperations(sent.header.id, missing)) == raw(COMPACT["get_block_operations"])
    answer = decode(raw(COMPACT["block_operations"]), MESH)
    assert isinstance(answer, BlockOperations)
    for index, found in zip(missing, answer.raws, strict=True):
        built[index] = found
    assert built == raws


# --- streams ---------------------------------------------------------------------------------------------------


def _stream(side: str) -> Stream:
    known = STREAMS[side]
    return Stream(
        initiator=side == "initiator",
        seed=raw(known["seed"]),
        rng=lambda _: raw(known["ephemeral"]),
        now=0.0,
        limit_of=lambda kind: limit_of(kind, MESH),
    )


def _established() -> tuple[Stream, Stream]:
    ann, ben = _stream("initiator"), _stream("responder")
    for sender, receiver, expected in zip((ann, ben, ann), (ben, ann, ben), STREAMS["frames"], strict=True):
        assert sender.take_output().hex() == expected
        events = receiver.receive(raw(expected), 0.0)
        proven = STREAMS["initiator" if sender is ann else "responder"]["key"]
        assert events == ([] if sender is ann and expected == STREAMS["frames"][0] else [Established(raw(proven))])
    return ann, ben


def test_keys_of_streams() -> None:
    for side in ("initiator", "responder"):
        known = STREAMS[side]
        assert ed25519_public_key(raw(known["seed"])).hex() == known["key"]
        assert x25519_public_from_ed25519(raw(known["key"])).hex() == known["x25519"]


def test_a_handshake_and_frames_of_messages() -> None:
    ann, ben = _established()
    for message in STREAMS["forth"]["messages"]:
        ann.send(raw(message))
    assert ann.take_output().hex() == STREAMS["forth"]["bytes"]
    assert _messages(ben.receive(raw(STREAMS["forth"]["bytes"]), 0.0)) == STREAMS["forth"]["messages"]
    assert _messages(ann.receive(raw(STREAMS["back"]["bytes"]), 0.0)) == STREAMS["back"]["messages"]


def _messages(events: list[Event]) -> list[str]:
    return [event.message.hex() for event in events if isinstance(event, Received)]


@pytest.mark.parametrize("seal_or_open", ["seal", "open"])
def test_a_change_of_keys(seal_or_open: str) -> None:
    """A cipher that has one frame left before it changes its key."""
    case = STREAMS["rekey"]
    assert case["number"] == REKEY_FRAMES - 1
    cipher = FrameCipher(CipherState(raw(case["key"]), case["number"]), frames=1)
    act: Callable[[bytes], bytes] = cipher.seal if seal_or_open == "seal" else cipher.open
    pairs = ((case["plaintext"], case["sealed"]), (case["next_plaintext"], case["next_sealed"]))
    for plain, sealed in pairs:
        given, expected = (plain, sealed) if seal_or_open == "seal" else (sealed, plain)
        assert act(raw(given)).hex() == expected


@pytest.mark.parametrize("case", STREAMS["refused"], ids=lambda case: case["why"])
def test_refused_streams(case: dict[str, Any]) -> None:
    ben = _stream("responder")
    *good, last = case["received"]
    for piece in good:
        ben.receive(raw(piece), 0.0)
        ben.take_output()
    with pytest.raises(TransportError) as caught:
        ben.receive(raw(last), 0.0)
    assert caught.value.code == case["code"]
