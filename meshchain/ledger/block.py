"""A block: a header and the operations its operations root lists."""

from collections.abc import Iterable
from dataclasses import dataclass

from meshchain.ledger import codec, operations, shape
from meshchain.ledger.errors import CodecError, RuleError
from meshchain.ledger.header import Header, operations_root
from meshchain.ledger.operations import Operation
from meshchain.ledger.params import Consensus

ARRAY_OVERHEAD = 3
"""Bytes of the array's head in a block of up to 65,535 operations."""
ITEM_OVERHEAD = 3
"""Bytes of the head before each operation."""


@dataclass(frozen=True, slots=True)
class Block:
    header: Header
    operations: tuple[Operation, ...]

    def encode(self) -> bytes:
        """124 bytes of header, then a canonical CBOR array of byte strings, one an operation."""
        return self.header.encode() + encode_body(self.operations)

    @classmethod
    def decode(cls, data: bytes, consensus: Consensus) -> "Block":
        """Inverse of encode; CodecError or RuleError. The header's claims are not checked here."""
        if len(data) > consensus.max_block_size:
            raise CodecError("block-size", f"a block has at most {consensus.max_block_size} bytes")
        header = Header.decode(data[: Header.SIZE])
        return cls(header, decode_body(data[Header.SIZE :], consensus))

    def check_size(self, consensus: Consensus) -> None:
        """RuleError "block-size", as decode, for a block that was put together here."""
        size = len(self.encode())
        if size > consensus.max_block_size:
            raise RuleError("block-size", "the block is too large", size=size, limit=consensus.max_block_size)

    def check_root(self) -> None:
        """RuleError "operations-root" unless the body belongs to the header (the header may still be good)."""
        if operations_root([operations.wid(op) for op in self.operations]) != self.header.operations_root:
            raise RuleError("operations-root", "the block's operations are not those its header commits to")


def encode_body(listed: Iterable[Operation]) -> bytes:
    return codec.encode([operations.encode(op) for op in listed])


def decode_body(data: bytes, consensus: Consensus) -> tuple[Operation, ...]:
    listed = []
    for item in shape.array(codec.decode(data), "a block's operations"):
        if not isinstance(item, bytes):
            raise CodecError("field-bytes", "a block lists operations as byte strings")
        listed.append(operations.decode(item, consensus))
    return tuple(listed)
