"""Cacophony's vectors (github.com/centromere/cacophony), read from $MESH_TEST_VECTORS."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from meshchain.crypto.noise import IK, XK, XX, CipherState, HandshakeState, x25519_public

_BESIDE_PROJECT: Final = Path(__file__).parents[4] / "shared" / "vectors"
PATTERNS: Final = {pattern.protocol: pattern for pattern in (XX, XK, IK)}
Vector = dict[str, Any]


def _vectors() -> dict[str, Vector]:
    path = Path(os.environ.get("MESH_TEST_VECTORS", _BESIDE_PROJECT)) / "noise" / "cacophony-25519-chachapoly.json"
    if not path.exists():
        pytest.skip(f"no test vectors at {path}; MESH_TEST_VECTORS names their folder")
    return {vector["protocol_name"]: vector for vector in json.loads(path.read_text())["vectors"]}


def _side(vector: Vector, side: str) -> HandshakeState:
    given = {name: bytes.fromhex(value) for name, value in vector.items() if name.startswith(side)}
    return HandshakeState(
        PATTERNS[vector["protocol_name"]],
        initiator=side == "init",
        prologue=given[f"{side}_prologue"],
        static=given[f"{side}_static"],
        ephemeral=lambda: given[f"{side}_ephemeral"],
        remote_static=given.get(f"{side}_remote_static"),
    )


def _messages(vector: Vector) -> Iterator[tuple[bytes, bytes]]:
    for message in vector["messages"]:
        yield bytes.fromhex(message["payload"]), bytes.fromhex(message["ciphertext"])


def _exchange(send: CipherState, receive: CipherState, payload: bytes, expected: bytes) -> None:
    assert send.seal(payload).hex() == expected.hex()
    assert receive.open(expected) == payload


@pytest.mark.parametrize("protocol", PATTERNS)
def test_handshake_and_transport_bytes(each_arm: str, protocol: str) -> None:
    vector = _vectors()[protocol]
    writer, reader = _side(vector, "init"), _side(vector, "resp")
    messages = _messages(vector)
    for _ in PATTERNS[protocol].messages:
        payload, expected = next(messages)
        assert writer.write_message(payload).hex() == expected.hex()
        assert reader.read_message(expected) == payload
        writer, reader = reader, writer
    _check_end(vector, writer, reader)
    ends = [writer.split(), reader.split()]
    for payload, expected in messages:
        _exchange(ends[0][0], ends[1][1], payload, expected)
        ends.reverse()


def _check_end(vector: Vector, *ends: HandshakeState) -> None:
    """``ends`` in any order."""
    statics = {x25519_public(bytes.fromhex(vector[name])) for name in ("init_static", "resp_static")}
    assert {end.remote_static for end in ends} == statics
    for end in ends:
        assert end.finished
        assert end.handshake_hash.hex() == vector["handshake_hash"]


def test_no_row_goes_unseen() -> None:
    """Every BLAKE2s row of the file is run above; the others belong to a hash that the protocol does not use."""
    others = set(_vectors()) - set(PATTERNS)
    assert all(name.endswith("_SHA256") for name in others)
    assert len(PATTERNS) == 3
    pytest.skip(f"not run, the protocol hashes with BLAKE2s only: {', '.join(sorted(others))}")
