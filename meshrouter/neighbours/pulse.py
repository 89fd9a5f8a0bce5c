"""HELLOs of one adjacency: numbers of both sides, and what follows from them.

Times travel as microseconds modulo 2^32. Each side sends back the other's last time and how long it held it; the
difference to now, less that, is the round trip, whatever the two clocks say (RFC 9616 §2).
"""

from typing import Final

from meshrouter.neighbours.metric import smoothed
from meshrouter.wire.control import Hello

HISTORY: Final = 16
"""HELLOs over which arrivals are counted."""
_MASK: Final = (1 << HISTORY) - 1
_U32: Final = 0xFFFF_FFFF
_U16: Final = 0xFFFF
LONGEST_RTT: Final = 60.0
"""Seconds; a longer round trip is a false echo, or one of another session."""


def micros(now: float) -> int:
    return int(now * 1_000_000) & _U32


class Pulse:
    """``forth``: share of our last HELLOs that arrived, as the other side says; ``back``: of its, as we count."""

    __slots__ = ("_arrived", "_bits", "_count", "_echo", "_last", "_next", "forth", "rtt")

    def __init__(self) -> None:
        self._next = 0
        self._echo: int | None = None
        self._arrived = 0.0
        self._last = 0
        self._bits = self._count = 0
        self.forth = 1.0
        self.rtt: float | None = None

    @property
    def back(self) -> float:
        """What lies before the first one counts as arrived, so that one lost early does not look like half of all."""
        return 1.0 - (self._count - self._bits.bit_count()) / HISTORY

    def beat(self, now: float, *, mtu: int, queue: int, flags: int, digest: tuple[int, int]) -> Hello:
        """The next one to send."""
        seq, self._next = self._next, (self._next + 1) & _U16
        held = 0 if self._echo is None else min(max(int((now - self._arrived) * 1_000_000), 0), _U32)
        return Hello(
            seq=seq,
            sent=micros(now),
            echo=self._echo or 0,
            held=held,
            received=round(self.back * _U16),
            queue=min(queue, _U16),
            mtu=min(mtu, _U16),
            flags=flags,
            digest=digest[0],
            count=digest[1],
        )

    def heard(self, hello: Hello, now: float) -> None:
        """One came."""
        self._note(hello.seq)
        self._echo, self._arrived = hello.sent, now
        if self._next > 0:
            self.forth = hello.received / _U16
        if hello.echo:
            rtt = ((micros(now) - hello.echo - hello.held) & _U32) / 1_000_000
            if rtt < LONGEST_RTT:
                self.rtt = smoothed(self.rtt, rtt)

    def _note(self, seq: int) -> None:
        ahead = (seq - self._last) & _U16
        if self._count == 0 or HISTORY * 4 < ahead < _U16 - HISTORY * 4:
            self._last, self._bits, self._count = seq, 1, 1  # the first, or one who has begun anew
        elif 0 < ahead <= HISTORY * 4:
            self._bits = (self._bits << ahead | 1) & _MASK
            self._count = min(self._count + ahead, HISTORY)
            self._last = seq
        elif (behind := (self._last - seq) & _U16) < HISTORY:
            self._bits |= 1 << behind
            self._count = max(self._count, behind + 1)
