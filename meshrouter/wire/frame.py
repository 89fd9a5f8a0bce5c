"""Link frames: a header of 12 bytes in clear, and what it announces.

::

    0     version (3 bits, 1) | type (5 bits)
    1     flags: zero; in a train, the number of the frame
    2-3   bytes after the header, tag included
    4-7   receiver index: the receiver's number of the session
    8-11  counter, the low 32 of 64 bits

Clear frames have index and counter 0, a RESPONSE and a COOKIE the initiator's index. Of sealed ones the header is the
associated data. Ethernet pads short frames: what follows the announced bytes is cut off.
"""

from dataclasses import dataclass
from struct import Struct
from typing import Final

from meshrouter.errors import WireError

FRAME: Final = Struct(">BBHII")
"""First byte (``first_byte(type)``), flags, length, receiver index, counter."""
HEADER_SIZE: Final = 12
TAG_SIZE: Final = 16
OVERHEAD: Final = HEADER_SIZE + TAG_SIZE
"""28 bytes around the plaintext of a sealed frame."""
VERSION: Final = 1
MAX_LENGTH: Final = 0xFFFF
LAST: Final = 0x80
"""Flag of a train's last frame; the other bits number its frames."""
MAX_CARS: Final = 45
"""Frames of a train."""

BEACON: Final = 1
SOLICIT: Final = 2
INIT: Final = 3
RESPONSE: Final = 4
COOKIE: Final = 5
NOSESSION: Final = 6
CONTROL: Final = 8
PACKET: Final = 9
TRAIN: Final = 10
PIECE: Final = 11

CLEAR: Final = frozenset({BEACON, SOLICIT, INIT, RESPONSE, COOKIE, NOSESSION})
"""Types that anybody can make."""
SEALED: Final = frozenset({CONTROL, PACKET, TRAIN, PIECE})
"""Types that only the holder of a session's key can make."""


def first_byte(kind: int) -> int:
    """Version and type."""
    return VERSION << 5 | kind


FIRST_CONTROL: Final = first_byte(CONTROL)
FIRST_PACKET: Final = first_byte(PACKET)
FIRST_TRAIN: Final = first_byte(TRAIN)
FIRST_PIECE: Final = first_byte(PIECE)


@dataclass(frozen=True, slots=True)
class Frame:
    """A header taken apart, and the bytes that it announces (``body``: of a sealed frame, ciphertext and tag)."""

    kind: int
    body: bytes
    index: int = 0
    counter: int = 0
    """The low 32 bits."""
    flags: int = 0

    def encode(self) -> bytes:
        """ValueError for a body of more than 65,535 bytes."""
        if len(self.body) > MAX_LENGTH:
            raise ValueError(f"a frame carries at most {MAX_LENGTH} bytes, not {len(self.body)}")
        return self.header() + self.body

    def header(self) -> bytes:
        """The 12 bytes, associated data of a sealed frame (of a train's pieces see ``train``)."""
        return FRAME.pack(first_byte(self.kind), self.flags, len(self.body), self.index, self.counter)

    @classmethod
    def decode(cls, data: bytes) -> "Frame":
        """WireError: frame-size (no header, or less than it announces), frame-version, frame-type, frame-flags."""
        if len(data) < HEADER_SIZE:
            raise WireError("frame-size", f"a frame has at least {HEADER_SIZE} bytes, this one has {len(data)}")
        first, flags, length, index, counter = FRAME.unpack_from(data)
        end = HEADER_SIZE + length
        kind = _kind_of(first)
        if len(data) < end:
            raise WireError("frame-size", f"{length} bytes are announced and {len(data) - HEADER_SIZE} there")
        if kind in SEALED and length < (1 if kind == TRAIN else TAG_SIZE):
            raise WireError("frame-size", f"{length} bytes are announced, less than a tag")
        if flags if kind != TRAIN else flags & 0x7F >= MAX_CARS:
            raise WireError("frame-flags", f"flags {flags:#04x} on a frame of type {kind}")
        return cls(kind, data[HEADER_SIZE:end], index, counter, flags)


def clear(kind: int, body: bytes, index: int = 0) -> bytes:
    """A frame of one of the CLEAR types. ``index``: the initiator's, for RESPONSE and COOKIE."""
    return Frame(kind, body, index).encode()


def _kind_of(first: int) -> int:
    kind = first & 0x1F
    if first >> 5 != VERSION:
        raise WireError("frame-version", f"frames of version {first >> 5} are not spoken here")
    if kind not in CLEAR and kind not in SEALED:
        raise WireError("frame-type", f"no frame has type {kind}")
    return kind
