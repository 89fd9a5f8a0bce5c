"""Blocks whose operations the other side mostly has: a header and eight bytes an operation.

A short id is no commitment, only a hint which operation of the mempool stands where. What is put together from
hints is checked against the header's operations root, so a collision costs a request and nothing else. The salt
is the sender's, new for every block, so that nobody can make operations whose short ids collide at everybody.
"""

from dataclasses import dataclass
from struct import Struct
from typing import ClassVar, Final, TypeAlias

from meshchain.crypto.hashing import tagged_hash
from meshchain.ledger.codec import Value
from meshchain.ledger.errors import CodecError
from meshchain.ledger.header import Header
from meshchain.ledger.params import Consensus
from meshchain.ledger.shape import U16
from meshchain.p2p.messages.limits import ID_SIZE, SHORT_ID_SIZE, Limit, block_operations
from meshchain.p2p.messages.operations import read_raws
from meshchain.p2p.messages.reader import Reader

Prefilled: TypeAlias = tuple[int, bytes]
"""(position in the block from 0, encoded operation)."""

_INDEX: Final = Struct(">H")


def short_id(block_id: bytes, salt: int, wid: bytes) -> bytes:
    """The first 8 bytes of H("short", block id ‖ salt u64 ‖ wid)."""
    return tagged_hash("short", block_id, salt.to_bytes(8, "big"), wid)[:SHORT_ID_SIZE]


@dataclass(frozen=True, slots=True)
class SendCompact:
    """How the sender wants new blocks announced: at once as CompactBlock, or by Headers."""

    TYPE: ClassVar[int] = 0x40
    LIMIT: ClassVar[Limit] = Limit(3)

    high_bandwidth: bool

    def values(self) -> list[Value]:
        return [self.high_bandwidth]

    @classmethod
    def read(cls, reader: Reader, _: Consensus) -> "SendCompact":
        reader.count("send-compact", 1, 1)
        return cls(reader.flag("high bandwidth"))


@dataclass(frozen=True, slots=True)
class CompactBlock:
    TYPE: ClassVar[int] = 0x41
    LIMIT: ClassVar[Limit] = Limit(145, blocks=1, operations=4)

    header: Header
    salt: int
    """u64, the sender's choice for this block."""
    short_ids: tuple[bytes, ...]
    """Of the operations that are not prefilled, in block order."""
    prefilled: tuple[Prefilled, ...] = ()
    """Ascending by position."""

    def values(self) -> list[Value]:
        prefilled: list[Value] = [[index, raw] for index, raw in self.prefilled]
        return [self.header.encode(), self.salt, b"".join(self.short_ids), prefilled]

    @classmethod
    def read(cls, reader: Reader, consensus: Consensus) -> "CompactBlock":
        reader.count("compact-block", 4, 4)
        header = Header.decode(reader.raw("header", Header.SIZE))
        salt = reader.uint("salt")
        most = block_operations(consensus)
        short_ids = reader.parts("short ids", SHORT_ID_SIZE, 0, most)
        prefilled = _read_prefilled(reader, consensus, most - len(short_ids))
        _check_ascending([index for index, _ in prefilled], len(short_ids) + len(prefilled))
        return cls(header, salt, short_ids, prefilled)


@dataclass(frozen=True, slots=True)
class GetBlockOperations:
    """The operations at these positions of a block that was announced compactly."""

    TYPE: ClassVar[int] = 0x42
    LIMIT: ClassVar[Limit] = Limit(41, operations=2)

    block_id: bytes
    indexes: tuple[int, ...]
    """Ascending, at least one."""

    def values(self) -> list[Value]:
        return [self.block_id, b"".join(map(_INDEX.pack, self.indexes))]

    @classmethod
    def read(cls, reader: Reader, consensus: Consensus) -> "GetBlockOperations":
        reader.count("get-block-operations", 2, 2)
        block_id = reader.raw("block id", ID_SIZE)
        joined = reader.joined("indexes", _INDEX.size, 1, block_operations(consensus))
        indexes = tuple(index for (index,) in _INDEX.iter_unpack(joined))
        _check_ascending(indexes, block_operations(consensus))
        return cls(block_id, indexes)


@dataclass(frozen=True, slots=True)
class BlockOperations:
    """Answers GetBlockOperations: all of them, in the order asked for."""

    TYPE: ClassVar[int] = 0x43
    LIMIT: ClassVar[Limit] = Limit(41, blocks=1)

    block_id: bytes
    raws: tuple[bytes, ...]

    def values(self) -> list[Value]:
        return [self.block_id, list(self.raws)]

    @classmethod
    def read(cls, reader: Reader, consensus: Consensus) -> "BlockOperations":
        reader.count("block-operations", 2, 2)
        block_id = reader.raw("block id", ID_SIZE)
        return cls(block_id, read_raws(reader, consensus, block_operations(consensus), consensus.max_block_size))


def _read_prefilled(reader: Reader, consensus: Consensus, most: int) -> tuple[Prefilled, ...]:
    return tuple(_read_one(reader, consensus) for _ in range(reader.count("prefilled", 0, most)))


def _read_one(reader: Reader, consensus: Consensus) -> Prefilled:
    reader.count("prefilled operation", 2, 2)
    return reader.uint("index", U16), reader.blob("operation", 1, consensus.max_operation_size)


def _check_ascending(indexes: "tuple[int, ...] | list[int]", below: int) -> None:
    previous = -1
    for index in indexes:
        if not previous < index < below:
            raise CodecError("index-order", f"positions must ascend and stay below {below}")
        previous = index
