"""The greatest message of every type is taken, and not one byte or item more."""

from dataclasses import replace
from typing import Any, Final

import pytest

from meshchain.ledger.errors import CodecError
from meshchain.ledger.params import Consensus
from meshchain.p2p.messages import (
    LIMITS,
    Address,
    Addresses,
    BlockMessage,
    BlockOperations,
    CompactBlock,
    GetBlockOperations,
    GetBlocks,
    GetHeaders,
    GetOperations,
    Goodbye,
    Headers,
    Inventory,
    Message,
    NotFound,
    Operations,
    Version,
    block_operations,
    decode,
    encode,
    greatest,
    limit_of,
)
from meshchain.p2p.transport import MAX_MESSAGE
from tests.p2p.messages.samples import HEADER, ID, MESH, WIDE, greatest_of_each

ROOM = {Version: 314, CompactBlock: 340, BlockOperations: 135}
"""Bytes that the greatest message leaves: for later fields, or since not all parts can be at their greatest at once."""
LARGE = replace(WIDE, max_block_size=1 << 18)
"""Blocks whose lengths take the longest heads that lengths of blocks can take."""
HEADS = 2
"""Bytes that heads are longer with the greatest blocks that a network may have."""


def code_of(data: bytes, consensus: Consensus = MESH) -> str:
    with pytest.raises(CodecError) as caught:
        decode(data, consensus)
    return caught.value.code


@pytest.mark.parametrize("consensus", [MESH, LARGE], ids=["mesh", "large"])
def test_the_greatest_is_taken(consensus: Consensus) -> None:
    for message in greatest_of_each(consensus):
        data = encode(message)
        assert len(data) <= LIMITS[message.TYPE].size(consensus)
        assert decode(data, consensus) == message


def test_limits_are_no_larger_than_they_must() -> None:
    for message in greatest_of_each(MESH):
        room = LIMITS[message.TYPE].size(MESH) - len(encode(message))
        assert 0 <= room <= ROOM.get(type(message), HEADS), type(message)


def test_a_stream_needs_room_for_the_greatest() -> None:
    for consensus in (MESH, WIDE):
        assert greatest(consensus) == max(limit_of(kind, consensus) for kind in LIMITS)
    assert greatest(MESH) == 248_007
    assert greatest(WIDE) <= MAX_MESSAGE


@pytest.mark.parametrize("kind", LIMITS, ids=hex)
def test_size_is_looked_at_before_anything_else(kind: int) -> None:
    over = bytes((kind,)) + b"\xff" * LIMITS[kind].size(MESH)
    assert code_of(over) == "message-size"
    assert code_of(over[:-1]) != "message-size"
    assert limit_of(kind, MESH) == len(over) - 1


def test_an_unknown_type_has_no_size() -> None:
    assert {limit_of(kind, WIDE) for kind in set(range(256)) - set(LIMITS)} == {0}


def test_positions_fit_sixteen_bits_on_every_network() -> None:
    assert block_operations(WIDE) < 2**16


GREATEST = {type(message): message for message in greatest_of_each()}
MOST = block_operations(MESH)
FULL = (bytes(2048),)
ONE_MORE: Final[tuple[tuple[type[Message], dict[str, Any], str], ...]] = (
    (Version, {"agent": "a" * 65}, "field-text"),
    (Version, {"network": "m" * 33}, "field-text"),
    (Goodbye, {"code": "c" * 33, "reason": ""}, "field-text"),
    (Goodbye, {"code": "c", "reason": "r" * 201}, "field-text"),
    (GetHeaders, {"locator": (ID,) * 33, "stop": None}, "field-count"),
    (Headers, {"headers": (HEADER,) * 2001}, "message-size"),
    (GetBlocks, {"ids": (ID,) * 17}, "message-size"),
    (BlockMessage, {"raw": bytes(124)}, "field-bytes"),
    (BlockMessage, {"raw": bytes(MESH.max_block_size + 1)}, "field-bytes"),
    (BlockMessage, {"raw": bytes(MESH.max_block_size + 3)}, "message-size"),
    (NotFound, {"ids": (ID,) * 101}, "message-size"),
    (Inventory, {"wids": (ID,) * 501}, "message-size"),
    (GetOperations, {"wids": (ID,) * 101}, "message-size"),
    (Operations, {"raws": (b"x",) * 101}, "field-count"),
    (Operations, {"raws": (bytes(2049),)}, "field-bytes"),
    (Operations, {"raws": (*FULL * 32, b"x")}, "message-size"),
    (CompactBlock, {"short_ids": (bytes(8),) * (MOST + 1), "prefilled": ()}, "field-count"),
    (CompactBlock, {"short_ids": (bytes(8),), "prefilled": ((0, b"x"),) * MOST}, "field-count"),
    (CompactBlock, {"prefilled": ((0, bytes(2049)),)}, "field-bytes"),
    (GetBlockOperations, {"indexes": (*range(MOST + 1),)}, "field-count"),
    (GetBlockOperations, {"indexes": (0,) * (MOST + 2)}, "message-size"),
    (BlockOperations, {"raws": (b"x",) * (MOST + 1)}, "field-count"),
    (BlockOperations, {"raws": (bytes(2049),)}, "field-bytes"),
    (BlockOperations, {"raws": FULL * 16}, "message-size"),
    (Addresses, {"addresses": (Address(bytes(16), 1, 1),) * 1001}, "field-count"),
)


@pytest.mark.parametrize(("kind", "changes", "code"), ONE_MORE, ids=lambda value: getattr(value, "__name__", ""))
def test_one_more_is_refused(kind: type[Message], changes: dict[str, Any], code: str) -> None:
    assert code_of(encode(replace(GREATEST[kind], **changes))) == code
