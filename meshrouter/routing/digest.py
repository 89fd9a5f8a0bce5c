"""What two neighbours think that one has told the other, in 8 bytes on every HELLO.

Instead of repeating a table of routes for ever, each side sends a digest of what it has told, and the other compares
it with what it holds. An UPDATE or RETRACT that was lost makes two HELLOs in a row disagree (one alone may have been
overtaken by an UPDATE), and the listener asks for everything again with a DUMP. What the dump did not repeat is gone:
once the digest equals that of what came since the DUMP was asked for, all else is dropped.

The digest is a sum, so it is kept in O(1); terms are keyed by nothing, since a neighbour that wants to lie about what
it has told can do so without collisions.
"""

from dataclasses import dataclass, field
from hashlib import blake2s
from struct import Struct
from typing import Final, NamedTuple

MODULUS: Final = 1 << 64
_DISTANCE: Final = Struct(">QH")

FIRST_PAUSE: Final = 4.0
"""Seconds between two DUMPs asked for, doubled up to LAST_PAUSE while they do not help."""
LAST_PAUSE: Final = 300.0
_TRIES: Final = 4
"""Dumps by which everything should have come once; then what came long ago counts as unconfirmed again."""


def term(key: bytes, seqno: int, metric: int) -> int:
    """BLAKE2s-64(key 32, seqno u64, metric u16), big-endian."""
    return int.from_bytes(blake2s(key + _DISTANCE.pack(seqno, metric), digest_size=8).digest(), "big")


class Entry(NamedTuple):
    key: bytes
    seqno: int
    metric: int
    term: int


@dataclass(slots=True)
class Account:
    """Routes told in one direction, by id, and their digest."""

    entries: dict[bytes, Entry] = field(default_factory=dict)
    total: int = 0

    @property
    def digest(self) -> tuple[int, int]:
        """Sum modulo 2^64, and of how many routes."""
        return self.total, len(self.entries)

    def put(self, origin: bytes, key: bytes, seqno: int, metric: int) -> None:
        self.drop(origin)
        entry = Entry(key, seqno, metric, term(key, seqno, metric))
        self.entries[origin] = entry
        self.total = (self.total + entry.term) % MODULUS

    def drop(self, origin: bytes) -> None:
        entry = self.entries.pop(origin, None)
        if entry is not None:
            self.total = (self.total - entry.term) % MODULUS

    def clear(self) -> None:
        self.entries.clear()
        self.total = 0


@dataclass(slots=True)
class Heard:
    """What a neighbour has told us, and whether that is what it thinks it has. Times are running seconds."""

    all: Account = field(default_factory=Account)
    _confirmed: Account | None = None
    """What came since a DUMP was asked for."""
    _mismatches: int = 0
    _asked: int = 0
    _quiet_until: float = 0.0

    def put(self, origin: bytes, key: bytes, seqno: int, metric: int) -> None:
        self.all.put(origin, key, seqno, metric)
        if self._confirmed is not None:
            self._confirmed.put(origin, key, seqno, metric)

    def drop(self, origin: bytes) -> None:
        self.all.drop(origin)
        if self._confirmed is not None:
            self._confirmed.drop(origin)

    def gone(self, digest: tuple[int, int]) -> list[bytes]:
        """Ids that the neighbour no longer has, as a dump has shown."""
        if self._confirmed is None or self._confirmed.digest != digest:
            return []
        confirmed = self._confirmed.entries
        return [origin for origin in self.all.entries if origin not in confirmed]

    def should_ask(self, digest: tuple[int, int], now: float) -> bool:
        """The digest of a HELLO came: whether to answer with a DUMP."""
        if self.all.digest == digest:
            self._confirmed, self._mismatches, self._asked, self._quiet_until = None, 0, 0, 0.0
            return False
        self._mismatches += 1
        if self._mismatches < 2 or now < self._quiet_until:
            return False
        self.asked(now)
        return True

    def asked(self, now: float) -> None:
        """A DUMP leaves."""
        if self._confirmed is None or self._asked % _TRIES == 0:
            self._confirmed = Account()
        self._quiet_until = now + min(FIRST_PAUSE * 2**self._asked, LAST_PAUSE)
        self._asked = min(self._asked + 1, 16)
        self._mismatches = 0
