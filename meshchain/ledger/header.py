"""Block headers: 124 bytes, big-endian, fixed layout; the genesis header; the operations root.

| offset | size | field |
|---|---|---|
| 0 | 4 | version (= 1) |
| 4 | 4 | height |
| 8 | 32 | previous: id of the parent block |
| 40 | 32 | operations root |
| 72 | 32 | state root, after this block's operations |
| 104 | 8 | time, seconds since 1970 UTC |
| 112 | 4 | bits: compact target |
| 116 | 8 | nonce |
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from struct import Struct
from typing import ClassVar, Final

from meshchain.crypto.hashing import tagged_hash
from meshchain.ledger.errors import CodecError
from meshchain.ledger.params import Params

VERSION: Final = 1
_LAYOUT: Final = Struct(">II32s32s32sQIQ")


@dataclass(frozen=True, slots=True)
class Header:
    """One block header; field widths as in the table above."""

    SIZE: ClassVar[int] = _LAYOUT.size

    version: int
    height: int
    previous: bytes
    operations_root: bytes
    state_root: bytes
    time: int
    bits: int
    nonce: int
    _id: bytes | None = field(default=None, init=False, repr=False, compare=False)

    def encode(self) -> bytes:
        """The 124 bytes that are hashed and sent."""
        return _LAYOUT.pack(
            self.version,
            self.height,
            self.previous,
            self.operations_root,
            self.state_root,
            self.time,
            self.bits,
            self.nonce,
        )

    @classmethod
    def decode(cls, data: bytes) -> "Header":
        """Raise CodecError (header-size, header-version) unless ``data`` is exactly one header."""
        if len(data) != cls.SIZE:
            raise CodecError("header-size", f"a header has {cls.SIZE} bytes, this one has {len(data)}")
        header = cls(*_LAYOUT.unpack(data))
        if header.version != VERSION:
            raise CodecError("header-version", f"header version is {header.version}, not {VERSION}")
        return header

    @property
    def id(self) -> bytes:
        """H("block", header): 32 bytes; computed once, since fork choice and the indexes ask all the time."""
        if self._id is None:
            object.__setattr__(self, "_id", tagged_hash("block", self.encode()))
            assert self._id is not None
        return self._id


def genesis(params: Params) -> Header:
    """The header every node of a network starts from; its work is not checked.

    ``previous`` commits to all consensus parameters, so networks that differ in one share no digest.
    """
    return Header(
        version=VERSION,
        height=0,
        previous=params.network_hash(),
        operations_root=operations_root(()),
        state_root=bytes(32),
        time=params.consensus.genesis_time,
        bits=params.consensus.pow_limit_bits,
        nonce=0,
    )


def operations_root(wids: Sequence[bytes]) -> bytes:
    """H("ops", count u32 ‖ wids in order): 32 bytes over the 32-byte ids of the operations as sent."""
    return tagged_hash("ops", len(wids).to_bytes(4, "big"), *wids)
