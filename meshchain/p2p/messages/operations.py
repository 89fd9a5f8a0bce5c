"""Operations: announced by wid, asked for by wid, sent as they are."""

from dataclasses import dataclass
from typing import ClassVar

from meshchain.ledger.codec import Value
from meshchain.ledger.errors import CodecError
from meshchain.ledger.params import Consensus
from meshchain.p2p.messages.limits import (
    ID_SIZE,
    MAX_INVENTORY,
    MAX_OPERATION_BYTES,
    MAX_OPERATIONS,
    Limit,
)
from meshchain.p2p.messages.reader import Reader


@dataclass(frozen=True, slots=True)
class Inventory:
    """Operations that the sender has in its mempool."""

    TYPE: ClassVar[int] = 0x30
    LIMIT: ClassVar[Limit] = Limit(5 + MAX_INVENTORY * ID_SIZE)

    wids: tuple[bytes, ...]

    def values(self) -> list[Value]:
        return [b"".join(self.wids)]

    @classmethod
    def read(cls, reader: Reader, _: Consensus) -> "Inventory":
        reader.count("inventory", 1, 1)
        return cls(reader.parts("wids", ID_SIZE, 1, MAX_INVENTORY))


@dataclass(frozen=True, slots=True)
class GetOperations:
    TYPE: ClassVar[int] = 0x31
    LIMIT: ClassVar[Limit] = Limit(5 + MAX_OPERATIONS * ID_SIZE)

    wids: tuple[bytes, ...]

    def values(self) -> list[Value]:
        return [b"".join(self.wids)]

    @classmethod
    def read(cls, reader: Reader, _: Consensus) -> "GetOperations":
        reader.count("get-operations", 1, 1)
        return cls(reader.parts("wids", ID_SIZE, 1, MAX_OPERATIONS))


@dataclass(frozen=True, slots=True)
class Operations:
    """Some of the operations asked for, encoded; what does not fit into 64 KiB comes in the next message."""

    TYPE: ClassVar[int] = 0x32
    LIMIT: ClassVar[Limit] = Limit(4 + MAX_OPERATION_BYTES + 3 * MAX_OPERATIONS)

    raws: tuple[bytes, ...]

    def values(self) -> list[Value]:
        return [list(self.raws)]

    @classmethod
    def read(cls, reader: Reader, consensus: Consensus) -> "Operations":
        reader.count("operations", 1, 1)
        return cls(read_raws(reader, consensus, MAX_OPERATIONS, MAX_OPERATION_BYTES))


def read_raws(reader: Reader, consensus: Consensus, most: int, most_bytes: int) -> tuple[bytes, ...]:
    """An array of 1 to ``most`` encoded operations, ``most_bytes`` together; they are not decoded here."""
    count = reader.count("operations", 1, most)
    raws = tuple(reader.blob("operation", 1, consensus.max_operation_size) for _ in range(count))
    if sum(map(len, raws)) > most_bytes:
        raise CodecError("message-size", f"the operations have more than {most_bytes} bytes together")
    return raws
