"""Messages to test with: one of each type, the greatest of each type, and any at all."""

from dataclasses import replace
from typing import Any, Final

from hypothesis import strategies as st

from meshchain.ledger.codec import Value
from meshchain.ledger.header import Header
from meshchain.ledger.params import Consensus, load
from meshchain.p2p.messages import (
    MAX_ADDRESSES,
    MAX_BLOCKS,
    MAX_HEADERS,
    MAX_INVENTORY,
    MAX_LOCATOR,
    MAX_OPERATION_BYTES,
    MAX_OPERATIONS,
    Address,
    Addresses,
    BlockMessage,
    BlockOperations,
    CompactBlock,
    GetAddresses,
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
    Ping,
    Pong,
    Ready,
    SendCompact,
    Version,
    Wanted,
    block_operations,
)

MESH: Final = load("mesh").consensus
WIDE: Final = replace(MESH, max_block_size=1 << 22, max_operation_size=1 << 16, max_record_size=1 << 16)
"""The greatest blocks and operations that a network may have."""
U16, U32, U64 = 2**16 - 1, 2**32 - 1, 2**64 - 1
ID: Final = b"\xab" * 32
HEADER: Final = Header(1, U32, ID, ID, ID, U64, U32, U64)
VERSION: Final = Version(1, ID, "m" * 32, "a" * 64, U32, 2**256 - 1, U64, U64, U16, True)

ONE_EACH: Final[tuple[Message, ...]] = (
    VERSION,
    Ready(),
    Ping(7),
    Pong(7),
    Goodbye("wrong-network", "this is mesh, not test"),
    GetHeaders((ID,), None),
    Headers((HEADER,)),
    GetBlocks((ID,)),
    BlockMessage(HEADER.encode() + b"\x80"),
    NotFound(Wanted.BLOCK, (ID,)),
    Inventory((ID,)),
    GetOperations((ID,)),
    Operations((b"x",)),
    SendCompact(True),
    CompactBlock(HEADER, 1, (b"8 bytes.",), ((1, b"x"),)),
    GetBlockOperations(ID, (0, 3)),
    BlockOperations(ID, (b"x", b"y")),
    GetAddresses(),
    Addresses((Address(bytes(16), 1, 0, None),)),
)


def greatest_of_each(consensus: Consensus = MESH) -> tuple[Message, ...]:
    """As many and as large items as decode takes."""
    most = block_operations(consensus)
    size = min(MAX_OPERATION_BYTES // MAX_OPERATIONS, consensus.max_operation_size)
    raws = [bytes(size)] * (MAX_OPERATIONS - 1)
    raws.append(bytes(MAX_OPERATION_BYTES - size * len(raws)))
    return (
        VERSION,
        Ready(),
        Ping(U64),
        Pong(U64),
        Goodbye("c" * 32, "r" * 200),
        GetHeaders((ID,) * MAX_LOCATOR, ID),
        Headers((HEADER,) * MAX_HEADERS),
        GetBlocks((ID,) * MAX_BLOCKS),
        BlockMessage(HEADER.encode() + bytes(consensus.max_block_size - Header.SIZE)),
        NotFound(Wanted.OPERATION, (ID,) * MAX_OPERATIONS),
        Inventory((ID,) * MAX_INVENTORY),
        GetOperations((ID,) * MAX_OPERATIONS),
        Operations(tuple(raws)),
        SendCompact(True),
        CompactBlock(HEADER, U64, (), tuple((index, bytes(85)) for index in range(most))),
        GetBlockOperations(ID, tuple(range(most))),
        BlockOperations(ID, (bytes(85),) * most),
        GetAddresses(),
        Addresses((Address(ID[:16], U16, U64, ID),) * MAX_ADDRESSES),
    )


U16S, U32S, U64S = (st.integers(0, most) for most in (U16, U32, U64))
IDS: Final = st.binary(min_size=32, max_size=32)
RAWS: Final = st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=20).map(tuple)
PRINTABLE: Final = st.characters(min_codepoint=0x20, max_codepoint=0x7E)
HEADERS: Final = st.builds(Header, st.just(1), U32S, IDS, IDS, IDS, U64S, U32S, U64S)
ADDRESSES: Final = st.builds(Address, st.binary(min_size=16, max_size=16), st.integers(1, U16), U64S, st.none() | IDS)


def _ids(most: int) -> st.SearchStrategy[tuple[bytes, ...]]:
    return st.lists(IDS, min_size=1, max_size=min(most, 20)).map(tuple)


@st.composite
def _compact(draw: st.DrawFn) -> CompactBlock:
    slots: list[Any] = draw(st.lists(st.none() | st.binary(min_size=1, max_size=99), max_size=20))
    short_ids = tuple(index.to_bytes(8, "big") for index, raw in enumerate(slots) if raw is None)
    prefilled = tuple((index, raw) for index, raw in enumerate(slots) if raw is not None)
    return CompactBlock(draw(HEADERS), draw(U64S), short_ids, prefilled)


INDEXES: Final = st.sets(st.integers(0, block_operations(MESH) - 1), min_size=1, max_size=30)
ANY: Final[st.SearchStrategy[Message]] = st.one_of(
    st.builds(
        Version,
        st.integers(1, U16),
        IDS,
        st.text(PRINTABLE, max_size=32),
        st.text(PRINTABLE, max_size=64),
        U32S,
        st.integers(0, 2**256 - 1),
        U64S,
        U64S,
        U16S,
        st.booleans(),
    ),
    st.just(Ready()),
    st.builds(Ping, U64S),
    st.builds(Pong, U64S),
    st.builds(Goodbye, st.text("abcxyz019-", min_size=1, max_size=32), st.text(PRINTABLE, max_size=200)),
    st.builds(GetHeaders, _ids(MAX_LOCATOR), st.none() | IDS),
    st.builds(Headers, st.lists(HEADERS, max_size=5).map(tuple)),
    st.builds(GetBlocks, _ids(MAX_BLOCKS)),
    st.builds(BlockMessage, st.binary(min_size=125, max_size=2000)),
    st.builds(NotFound, st.sampled_from(Wanted), _ids(MAX_OPERATIONS)),
    st.builds(Inventory, _ids(MAX_INVENTORY)),
    st.builds(GetOperations, _ids(MAX_OPERATIONS)),
    st.builds(Operations, RAWS),
    st.builds(SendCompact, st.booleans()),
    _compact(),
    st.builds(GetBlockOperations, IDS, INDEXES.map(lambda found: tuple(sorted(found)))),
    st.builds(BlockOperations, IDS, RAWS),
    st.just(GetAddresses()),
    st.builds(Addresses, st.lists(ADDRESSES, max_size=8).map(tuple)),
)

BODIES: Final[st.SearchStrategy[Value]] = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2**64 - 1) | st.binary(max_size=200) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
"""Values of the codec that a message's fields might be."""
