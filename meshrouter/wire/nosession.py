"""Whose session is not known here: the clear frame NOSESSION, and MESHCTL's message of that name."""

from dataclasses import dataclass
from struct import Struct
from typing import ClassVar, Final

from meshrouter.wire.check import need_size

NOSESSION_BODY: Final = Struct(">II")


@dataclass(frozen=True, slots=True)
class NoSession:
    """8 bytes: index and low counter of what could not be opened, echoed. Unauthenticated: a hint, never an order."""

    TYPE: ClassVar[int] = 2
    """Among MESHCTL's messages."""
    SIZE: ClassVar[int] = NOSESSION_BODY.size

    index: int
    counter: int

    def encode(self) -> bytes:
        return NOSESSION_BODY.pack(self.index, self.counter)

    @classmethod
    def decode(cls, body: bytes) -> "NoSession":
        """WireError (wire-size)."""
        need_size(body, cls.SIZE, "a NOSESSION")
        return cls(*NOSESSION_BODY.unpack(body))
