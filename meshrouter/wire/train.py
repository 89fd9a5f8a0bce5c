"""What is larger than a frame: trains (one packet sealed once, its ciphertext cut) and pieces (cut, then sealed).

A TRAIN is sealed under one counter with the associated data ``train_aad``; every frame of it carries a header with that
same index and counter, the number of the piece in the flags (``LAST`` marks the last), and the piece's own length.

A PIECE is the plaintext of a frame of its own: packet number u16 ‖ piece u8 (``LAST`` marks the last) ‖ bytes.
"""

from dataclasses import dataclass
from struct import Struct
from typing import Final

from meshrouter.errors import WireError
from meshrouter.wire.frame import FIRST_TRAIN, FRAME, LAST, MAX_CARS

MAX_TRAIN: Final = 65_000
"""Bytes of the MESHP packet in a train."""
TRAIN_TIME: Final = 2.0
"""Seconds for which a receiver keeps the pieces of a train or of a packet."""

PIECE_HEADER: Final = Struct(">HB")
"""Packet number, piece | LAST."""
PIECE_HEADER_SIZE: Final = PIECE_HEADER.size
MAX_PIECES: Final = 16
SMALLEST_WHOLE: Final = 1305
"""A link with room for a packet of so many bytes carries no PIECEs: IPv6's least, 1280, and MESHSEC."""
_STARTS: Final = tuple(bytes((FIRST_TRAIN, number)) for number in range(MAX_CARS))
_TAIL: Final = Struct(">HII")
"""Of a frame's header: length, index, counter."""


def train_aad(index: int, counter: int) -> bytes:
    """The 12 bytes under which a train is sealed: the header with flags and length 0. ``counter``: low 32 bits."""
    return FRAME.pack(FIRST_TRAIN, 0, 0, index, counter)


def car_header(number: int, length: int, index: int, counter: int, *, last: bool) -> bytes:
    """Header of one frame of a train. ``number`` counts from 0."""
    return FRAME.pack(FIRST_TRAIN, number | LAST if last else number, length, index, counter)


def car_headers(count: int, size: int, rest: int, index: int, counter: int) -> list[bytes]:
    """Of all ``count`` ≤ 45 frames: ``size`` bytes in each but the last, which has ``rest``."""
    tail = _TAIL.pack(size, index, counter)
    heads = [start + tail for start in _STARTS[: count - 1]]
    heads.append(car_header(count - 1, rest, index, counter, last=True))
    return heads


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
