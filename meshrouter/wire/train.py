"""What is larger than a frame: trains (one packet sealed once, its ciphertext cut) and pieces (cut, then sealed).

A TRAIN is sealed under one counter with the associated data ``train_aad``; every frame of it carries a header with that
same index and counter, the number of the piece in the flags (``LAST`` marks the last), and the piece's own length.

A PIECE is the plaintext of a frame of its own: packet number u16 ‖ piece u8 (``LAST`` marks the last) ‖ bytes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from struct import Struct
from typing import Final

from meshrouter.errors import WireError
from meshrouter.wire.frame import FIRST_TRAIN, FRAME, HEADER_SIZE, LAST, MAX_CARS, TAG_SIZE

MAX_TRAIN: Final = 65_000
"""Bytes of the MESHP packet in a train."""
MOST_SEALED: Final = MAX_TRAIN + TAG_SIZE
TRAIN_TIME: Final = 2.0
"""Seconds for which a receiver keeps the pieces of a train or of a packet."""

PIECE_HEADER: Final = Struct(">HB")
"""Packet number, piece | LAST."""
PIECE_HEADER_SIZE: Final = PIECE_HEADER.size
MAX_PIECES: Final = 16
SMALLEST_WHOLE: Final = 1305
"""A link with room for a packet of so many bytes carries no PIECEs: IPv6's least, 1280, and MESHSEC."""
_STARTS: Final = [[bytes((FIRST_TRAIN, number)) for number in range(count)] for count in range(MAX_CARS)]
"""Of the headers of all frames but the last, by how many those are."""
_TAIL: Final = Struct(">HII")
"""Of a frame's header: length, index, counter."""
_LENGTH_AT: Final = 2
_INDEX: Final = Struct(">II")
_INDEX_AT: Final = 4
_SHAPES: Final = 128
"""Shapes of trains whose cutting is kept ready, at 6 KB; a flow has one for its full packets."""


def train_aad(index: int, counter: int) -> bytes:
    """The 12 bytes under which a train is sealed: the header with flags and length 0. ``counter``: low 32 bits."""
    return FRAME.pack(FIRST_TRAIN, 0, 0, index, counter)


def car_header(number: int, length: int, index: int, counter: int, *, last: bool) -> bytes:
    """Header of one frame of a train. ``number`` counts from 0."""
    return FRAME.pack(FIRST_TRAIN, number | LAST if last else number, length, index, counter)


def headers(count: int, size: int, rest: int, index: int, counter: int) -> bytes:
    """Of all ``count`` ≤ 45 frames, one behind the other: ``size`` bytes in each but the last, which has ``rest``."""
    last = car_header(count - 1, rest, index, counter, last=True)
    return _TAIL.pack(size, index, counter).join([*_STARTS[count - 1], last])


def coupled(sealed: bytes, size: int, index: int, counter: int) -> bytes:
    """What was sealed as the frames of a train, one behind the other; ``size`` bytes of it in each but the last.

    ValueError if that takes more than 45 frames: a number in a header would overflow.
    """
    count = -(-len(sealed) // size)
    if count > MAX_CARS:
        raise ValueError(f"a train has at most {MAX_CARS} frames, not {count}")
    heads = headers(count, size, len(sealed) - (count - 1) * size, index, counter)
    parts: list[bytes | memoryview] = [b""] * (2 * count)
    parts[0::2] = _heads(count, HEADER_SIZE).unpack(heads)
    parts[1::2] = _contents(count, 0, size)(memoryview(sealed))
    return b"".join(parts)


def uncoupled(run: bytes) -> tuple[int, int, bytes] | None:
    """(index, counter, what was sealed), if the run of frames is one whole train, full and in order. None: it is not.

    ``run``: at least 12 bytes.
    """
    size = int.from_bytes(run[_LENGTH_AT:_INDEX_AT], "big")
    stride = HEADER_SIZE + size
    count = -(-len(run) // stride)
    rest = len(run) - (count - 1) * stride - HEADER_SIZE
    if rest <= 0 or not 1 < count <= MAX_CARS or size * (count - 1) + rest > MOST_SEALED:
        return None
    index, counter = _INDEX.unpack_from(run, _INDEX_AT)
    if b"".join(_heads(count, stride).unpack_from(run)) != headers(count, size, rest, index, counter):
        return None
    return index, counter, b"".join(_contents(count, HEADER_SIZE, stride)(memoryview(run)))


@lru_cache(maxsize=_SHAPES)
def _heads(count: int, stride: int) -> Struct:
    """Takes the header at every ``stride`` bytes. Slicing 45 of them takes three times as long."""
    return Struct(f"{HEADER_SIZE}s{stride - HEADER_SIZE}x" * (count - 1) + f"{HEADER_SIZE}s")


@lru_cache(maxsize=_SHAPES)
def _contents(count: int, start: int, stride: int) -> Callable[[memoryview], tuple[memoryview, ...]]:
    """Takes what is behind ``start`` bytes of every ``stride``, as far as it goes; in half the time of a loop."""
    slices = [slice(at + start, at + stride) for at in range(0, count * stride, stride)]
    taken: Callable[[memoryview], tuple[memoryview, ...]] = itemgetter(*slices)
    return taken if count > 1 else lambda view: (view[slices[0]],)


@dataclass(frozen=True, slots=True)
class Piece:
    """The plaintext of a PIECE frame."""

    packet: int
    """u16, one more with every packet that a sender cuts for this link session."""
    number: int
    """0 … 15"""
    last: bool
    content: bytes

    def encode(self) -> bytes:
        return PIECE_HEADER.pack(self.packet, self.number | LAST if self.last else self.number) + self.content

    @classmethod
    def decode(cls, plaintext: bytes) -> "Piece":
        """WireError: piece-size (nothing in it), piece-number."""
        if len(plaintext) <= PIECE_HEADER_SIZE:
            raise WireError("piece-size", f"a PIECE of {len(plaintext)} bytes carries nothing")
        packet, mark = PIECE_HEADER.unpack_from(plaintext)
        number = mark & ~LAST
        if number >= MAX_PIECES:
            raise WireError("piece-number", f"piece {number}; a packet has at most {MAX_PIECES}")
        return cls(packet, number, bool(mark & LAST), plaintext[PIECE_HEADER_SIZE:])
