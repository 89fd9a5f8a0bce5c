"""The zone's serial: a counter that every change of the zone raises, and nothing sets back.

What the zone says follows from the ledger's state, the week of its signatures and the key that makes them, so the
counter is kept with the state root, the week and the key it was given to: another root, by a block or by a
reorganisation at the same height, has another serial. A serial is written to disk before it is served.
"""

from dataclasses import dataclass
from typing import Final

_SIZE: Final = 4 + 4 + 32 + 2
_WITHOUT_TAG: Final = _SIZE - 2
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
    tag: int
    """Of the key that signs (RFC 4034 appendix B)."""

    def encode(self) -> bytes:
        return self.serial.to_bytes(4, "big") + self.window.to_bytes(4, "big") + self.root + self.tag.to_bytes(2, "big")

    @classmethod
    def decode(cls, data: bytes | None) -> "ZoneVersion":
        """Of the stored row; the first version where there is none or it is damaged (secondaries then start anew).

        Earlier programs wrote it without the tag: 0 then.
        """
        if data is None or len(data) not in (_SIZE, _WITHOUT_TAG):
            return cls(0, 0, bytes(32), 0)
        serial, window, tag = (int.from_bytes(part, "big") for part in (data[:4], data[4:8], data[40:]))
        return cls(serial, window, data[8:40], tag)

    def follow(self, root: bytes, window: int, tag: int) -> "ZoneVersion":
        """Itself, if nothing has changed; 0 is left out (RFC 1982 has no word for "none yet")."""
        if (root, window, tag) == (self.root, self.window, self.tag):
            return self
        return ZoneVersion((self.serial + 1) % _WRAP or 1, window, root, tag)
