"""The zone's serial: a counter that every change of the zone raises, and nothing sets back.

What the zone says follows from the ledger's state and the week of its signatures, so the counter is kept with the state
root and the week it was given to: another root, by a block or by a reorganisation at the same height, has another
serial. A serial is written to disk before it is served.
"""

from dataclasses import dataclass
from typing import Final

_SIZE: Final = 4 + 4 + 32
_WRAP: Final = 2**32


def is_later(serial: int, than: int) -> bool:
    """RFC 1982 §3.2; of two that are as far apart as can be, each is later."""
    return 0 < (serial - than) % _WRAP <= _WRAP // 2


@dataclass(frozen=True, slots=True)
class ZoneVersion:
    serial: int
    window: int
    """Of signatures (``signing.WINDOW``)."""
    root: bytes
    """The state root, 32 bytes."""

    def encode(self) -> bytes:
        return self.serial.to_bytes(4, "big") + self.window.to_bytes(4, "big") + self.root

    @classmethod
    def decode(cls, data: bytes | None) -> "ZoneVersion":
        """Of the stored row; the first version where there is none or it is damaged (secondaries then start anew)."""
        if data is None or len(data) != _SIZE:
            return cls(0, 0, bytes(32))
        return cls(int.from_bytes(data[:4], "big"), int.from_bytes(data[4:8], "big"), data[8:])

    def follow(self, root: bytes, window: int) -> "ZoneVersion":
        """Itself, if nothing has changed; 0 is left out (RFC 1982 has no word for "none yet")."""
        if (root, window) == (self.root, self.window):
            return self
        return ZoneVersion((self.serial + 1) % _WRAP or 1, window, root)
