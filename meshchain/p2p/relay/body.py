"""A block as bytes, taken apart into header and encoded operations without reading the operations."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from meshchain.ledger import codec, operations
from meshchain.ledger.header import Header


@dataclass(frozen=True)
class Body:
    """A stored block's parts; made once a block, since announcing and answering need them all the time."""

    header: Header
    raws: tuple[bytes, ...]
    """Encoded operations in block order."""

    @classmethod
    def split(cls, raw: bytes) -> "Body":
        """Of a block that was checked before: one of our own store."""
        at = Header.SIZE
        count, at = codec.array_at(raw, at)
        raws = []
        for _ in range(count):
            item, at = codec.scalar_at(raw, at)
            assert isinstance(item, bytes)
            raws.append(item)
        return cls(Header.decode(raw[: Header.SIZE]), tuple(raws))

    @cached_property
    def wids(self) -> tuple[bytes, ...]:
        return tuple(map(operations.wid_of, self.raws))


def join(header: Header, raws: Sequence[bytes]) -> bytes:
    """The inverse of Body.split: what Block.encode gives."""
    return header.encode() + codec.encode(list(raws))
