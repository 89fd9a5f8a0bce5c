"""Which stamps are good: shape, minimum bits, anchor heights, work.

A nonce n_i of puzzle i is good when

    argon2id(challenge ‖ i u8 ‖ n_i u64, salt "meshchain-stamp1", 1 pass, 1 lane, memory as for blocks)

begins with ``bits`` zero bits, where challenge = H("stamp", anchor height u32 ‖ first 8 bytes of the
anchor's id ‖ body ‖ signature). The anchor is a recent block on a coarse grid, so stamps can be neither
hoarded nor made before the chain got there, and a re-org of a few blocks rarely touches one.
"""

from dataclasses import dataclass
from functools import partial
from typing import Final, TypeGuard

from meshchain.crypto import argon2id
from meshchain.crypto.hashing import tagged_hash
from meshchain.ledger import codec
from meshchain.ledger.errors import CodecError, RuleError
from meshchain.ledger.params import Consensus
from meshchain.ledger.workers import Workers

PUZZLES: Final = 8
MAX_BITS: Final = 64
HASH_SIZE: Final = 8
_SALT: Final = b"meshchain-stamp1"
_U32: Final = 1 << 32
_U64: Final = 1 << 64


@dataclass(frozen=True, slots=True)
class Stamp:
    """Anchor (height u32, first 8 bytes of its block id), claimed bits, one u64 nonce per puzzle."""

    anchor_height: int
    anchor_hash: bytes
    bits: int
    nonces: tuple[int, ...]

    def to_value(self) -> codec.Value:
        return [self.anchor_height, self.anchor_hash, self.bits, list(self.nonces)]

    @classmethod
    def from_value(cls, value: codec.Value) -> "Stamp":
        """Raise CodecError (stamp-shape) unless ``value`` is [height, 8 bytes, bits, [8 nonces]]."""
        if not isinstance(value, list) or len(value) != 4:
            raise _shape("a stamp is an array of anchor height, anchor hash, bits and nonces")
        height, anchor_hash, bits, nonces = value
        if not _is_uint(height, _U32):
            raise _shape("the anchor height is an unsigned integer below 2^32")
        if not isinstance(anchor_hash, bytes) or len(anchor_hash) != HASH_SIZE:
            raise _shape(f"the anchor hash is a string of {HASH_SIZE} bytes")
        if not _is_uint(bits, _U64):
            raise _shape("bits is an unsigned integer")
        return cls(height, anchor_hash, bits, _nonces(nonces))


def _nonces(value: codec.Value) -> tuple[int, ...]:
    if not isinstance(value, list) or len(value) != PUZZLES:
        raise _shape(f"nonces is an array of {PUZZLES}")
    nonces = tuple(nonce for nonce in value if _is_uint(nonce, _U64))
    if len(nonces) != PUZZLES:
        raise _shape("a nonce is an unsigned integer below 2^64")
    return nonces


def anchor_heights(consensus: Consensus, height: int) -> tuple[int, int]:
    """The two heights, newer first, at which a stamp in block ``height`` may be anchored.

    They are equal near genesis. The newer one lies one to two grids back: every anchor is settled before
    it is used, and a stamp that takes the newer one stays good for at least a grid.
    """
    grid = consensus.stamp_grid
    step = height // grid
    return grid * max(0, step - 1), grid * max(0, step - 2)


def minimum_bits(consensus: Consensus, kind: str, name: str | None) -> int:
    """Least bits for an operation of ``kind``; a reveal pays one more per character ``name`` lacks."""
    bits = consensus.stamp_bits[kind]
    if kind != "reveal":
        return bits
    if name is None:
        raise ValueError("a reveal has a name")
    return bits + max(0, consensus.stamp_short_name - len(name))


def challenge(anchor_height: int, anchor_hash: bytes, body: bytes, signature: bytes) -> bytes:
    """What the eight puzzles of an operation are made from: 32 bytes. ``signature`` is empty for a commit."""
    return tagged_hash("stamp", anchor_height.to_bytes(4, "big"), anchor_hash, body, signature)


def meets(challenge: bytes, index: int, nonce: int, bits: int, memory_kib: int) -> bool:
    """Whether ``nonce`` solves puzzle ``index`` (0 … 7) at ``bits``; one argon2id."""
    return solves(puzzle(challenge, index), nonce, bits, memory_kib)


def puzzle(challenge: bytes, index: int) -> bytes:
    """The fixed part of a puzzle's password."""
    return challenge + index.to_bytes(1, "big")


def solves(puzzle: bytes, nonce: int, bits: int, memory_kib: int) -> bool:
    """Whether the argon2id output of ``nonce`` begins with ``bits`` zero bits."""
    digest = argon2id(puzzle + nonce.to_bytes(8, "big"), _SALT, memory_kib=memory_kib)
    return int.from_bytes(digest, "big").bit_length() <= 256 - bits


def check_bits(stamp: Stamp, consensus: Consensus, kind: str, name: str | None) -> None:
    """Raise RuleError (stamp-bits) unless minimum ≤ bits ≤ 64."""
    minimum = minimum_bits(consensus, kind, name)
    if not minimum <= stamp.bits <= MAX_BITS:
        raise RuleError(
            "stamp-bits",
            f"this {kind} needs a stamp of {minimum} to {MAX_BITS} bits, not {stamp.bits}",
            minimum=minimum,
            bits=stamp.bits,
        )


def check_work(stamp: Stamp, challenge: bytes, memory_kib: int, workers: Workers) -> None:
    """Raise RuleError (stamp-work, with the puzzle's index) unless every nonce meets the stamp's bits.

    As many nonces are hashed at once as there are threads: a worthless stamp costs its receiver one
    round, inline a single hash.
    """
    for first in range(0, PUZZLES, workers.threads):
        indices = range(first, min(first + workers.threads, PUZZLES))
        good = workers.map(partial(_nonce_meets, stamp, challenge, memory_kib), indices)
        if not all(good):
            index = indices[good.index(False)]
            message = f"nonce {index} of the stamp does not meet {stamp.bits} bits"
            raise RuleError("stamp-work", message, index=index, bits=stamp.bits)


def _nonce_meets(stamp: Stamp, challenge: bytes, memory_kib: int, index: int) -> bool:
    return meets(challenge, index, stamp.nonces[index], stamp.bits, memory_kib)


def _is_uint(value: codec.Value, limit: int) -> TypeGuard[int]:
    return type(value) is int and 0 <= value < limit


def _shape(message: str) -> CodecError:
    return CodecError("stamp-shape", message)
