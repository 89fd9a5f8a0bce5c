"""Whole blocks: asked for by id, sent one a message, or not found."""

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Final

from meshchain.ledger.codec import Value
from meshchain.ledger.header import Header
from meshchain.ledger.params import Consensus
from meshchain.p2p.messages.limits import ID_SIZE, MAX_BLOCKS, MAX_OPERATIONS, Limit
from meshchain.p2p.messages.reader import Reader

_LEAST_BLOCK: Final = Header.SIZE + 1


class Wanted(IntEnum):
    """What the ids of a NotFound are."""

    BLOCK = 1
    """Block ids, of a GetBlocks or a GetBlockOperations."""
    OPERATION = 2
    """Wids, of a GetOperations."""


@dataclass(frozen=True, slots=True)
class GetBlocks:
    TYPE: ClassVar[int] = 0x20
    LIMIT: ClassVar[Limit] = Limit(5 + MAX_BLOCKS * ID_SIZE)

    ids: tuple[bytes, ...]
    """1 to 16 block ids."""

    def values(self) -> list[Value]:
        return [b"".join(self.ids)]

    @classmethod
    def read(cls, reader: Reader, _: Consensus) -> "GetBlocks":
        reader.count("get-blocks", 1, 1)
        return cls(reader.parts("ids", ID_SIZE, 1, MAX_BLOCKS))


@dataclass(frozen=True, slots=True)
class BlockMessage:
    """One block, as Block.encode gives it; whether it is one is checked by whoever wanted it."""

    TYPE: ClassVar[int] = 0x21
    LIMIT: ClassVar[Limit] = Limit(7, blocks=1)

    raw: bytes

    def values(self) -> list[Value]:
        return [self.raw]

    @classmethod
    def read(cls, reader: Reader, consensus: Consensus) -> "BlockMessage":
        reader.count("block", 1, 1)
        return cls(reader.blob("block", _LEAST_BLOCK, consensus.max_block_size))


@dataclass(frozen=True, slots=True)
class NotFound:
    """What was asked for and is not there: the asker need not wait for it."""

    TYPE: ClassVar[int] = 0x22
    LIMIT: ClassVar[Limit] = Limit(6 + MAX_OPERATIONS * ID_SIZE)

    kind: Wanted
    ids: tuple[bytes, ...]

    def values(self) -> list[Value]:
        return [int(self.kind), b"".join(self.ids)]

    @classmethod
    def read(cls, reader: Reader, _: Consensus) -> "NotFound":
        reader.count("not-found", 2, 2)
        kind = Wanted(reader.uint("kind", max(Wanted), min(Wanted)))
        return cls(kind, reader.parts("ids", ID_SIZE, 1, MAX_OPERATIONS))
