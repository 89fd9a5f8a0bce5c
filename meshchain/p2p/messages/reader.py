"""Reads a message's body item by item, each against what the message's type says comes next.

A general decoder would first build whatever the sender wrote, up to sixty times its size in objects, and refuse it
afterwards. This one stops at the first item that is not what belongs there; the codec's own rules (shortest
forms, lengths compared with the bytes left) hold throughout.
"""

import re
from typing import Final

from meshchain.ledger import codec
from meshchain.ledger.errors import CodecError
from meshchain.ledger.shape import U64

_PRINTABLE: Final = re.compile(r"[ -~]*")
_WORD: Final = re.compile(r"[a-z0-9-]+")


class Reader:
    """Stands in front of one item of ``data``; every method takes it and moves on, or raises CodecError."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes, at: int = 0) -> None:
        self._data = data
        self._at = at

    def count(self, what: str, least: int, most: int) -> int:
        """The head of an array of ``least`` to ``most`` items, which the caller reads next."""
        count, self._at = codec.array_at(self._data, self._at)
        if not least <= count <= most:
            raise CodecError("field-count", f"{what} has {count} items, not {least} to {most}")
        return count

    def uint(self, what: str, most: int = U64, least: int = 0) -> int:
        value = self._next()
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise CodecError("field-uint", f"{what} must be an integer from {least} to {most}")
        return value

    def raw(self, what: str, size: int) -> bytes:
        """A byte string of exactly ``size`` bytes."""
        return self.blob(what, size, size)

    def blob(self, what: str, least: int, most: int) -> bytes:
        value = self._next()
        if not isinstance(value, bytes) or not least <= len(value) <= most:
            raise CodecError("field-bytes", f"{what} must be {least} to {most} bytes")
        return value

    def optional(self, what: str, size: int) -> bytes | None:
        """A byte string of exactly ``size`` bytes, or null."""
        value = self._next()
        if value is not None and not (isinstance(value, bytes) and len(value) == size):
            raise CodecError("field-bytes", f"{what} must be {size} bytes or null")
        return value

    def joined(self, what: str, size: int, least: int, most: int) -> bytes:
        """``least`` to ``most`` strings of ``size`` bytes each, in one byte string."""
        joined = self._next()
        if not isinstance(joined, bytes) or len(joined) % size:
            raise CodecError("field-bytes", f"{what} must be a byte string, a multiple of {size}")
        if not least <= len(joined) // size <= most:
            raise CodecError("field-count", f"{what} holds {len(joined) // size} items, not {least} to {most}")
        return joined

    def parts(self, what: str, size: int, least: int, most: int) -> tuple[bytes, ...]:
        """As joined, taken apart."""
        joined = self.joined(what, size, least, most)
        return tuple(joined[at : at + size] for at in range(0, len(joined), size))

    def text(self, what: str, most: int) -> str:
        """At most ``most`` printable ASCII characters: peers' text is shown on terminals and written to logs."""
        return self._matching(what, _PRINTABLE, most)

    def word(self, what: str, most: int) -> str:
        """1 to ``most`` of a–z, 0–9 and ``-``."""
        return self._matching(what, _WORD, most)

    def flag(self, what: str) -> bool:
        value = self._next()
        if not isinstance(value, bool):
            raise CodecError("field-bool", f"{what} must be true or false")
        return value

    def skip(self) -> None:
        """Take one item that is no container, whatever it is."""
        self._next()

    def end(self) -> None:
        """CodecError "trailing-bytes" unless everything was read."""
        if self._at != len(self._data):
            raise CodecError("trailing-bytes", f"{len(self._data) - self._at} bytes follow the message")

    def _next(self) -> codec.Value:
        value, self._at = codec.scalar_at(self._data, self._at)
        return value

    def _matching(self, what: str, pattern: re.Pattern[str], most: int) -> str:
        value = self._next()
        if not isinstance(value, str) or len(value) > most or not pattern.fullmatch(value):
            raise CodecError("field-text", f"{what} must be at most {most} characters of {pattern.pattern}")
        return value
