"""A reliable stream over packets that may be lost, late or out of order: TCP (RFC 9293), as far as gossip needs it.

Theory of operation
-------------------
Real nodes speak gossip over the kernel's TCP through the TUN. A simulation has no kernel and no real time, so this
machine stands in for it. What the mesh sees of a connection is packets, and these are alike in number, size and rhythm:
three for the handshake, segments of up to 1,332 bytes, acknowledgements of every second segment or after 40 ms, a
window of 64 kB, slow start from ten segments (RFC 6928), halved at a loss (RFC 5681), retransmission after three
duplicate acknowledgements or a timeout from the measured round trip (RFC 6298, 0.2 s at least as in Linux), doubled
each time, and then of one hole after the other (RFC 6582); an end by FIN or RST. Left out is what does not show there
or what no simulated host does: urgent data, selective acknowledgements, time-wait, a window that closes, sequence
numbers that wrap (a stream ends before 4 GB).

    closed --(open)--> opening --SYN,ACK--> open --(finish)--> finishing: all is sent, then FIN --its ACK--> closed
    closed --SYN--> answering --ACK--> open                    a FIN from the other side: ended is told, in order

Sans-IO: segments and ``now`` come in, segments leave by ``out``; ``listener`` hears what arrived.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from math import inf
from typing import Final, Protocol

from meshchain.sim.mesh.segments import ACK, FIN, MSS, PSH, RST, SYN, Segment

WINDOW: Final = 65_535
FIRST_WINDOW: Final = 10 * MSS
FIRST_TIMEOUT: Final = 1.0
LEAST_TIMEOUT: Final = 0.2
MOST_TIMEOUT: Final = 120.0
DELAYED: Final = 0.04
LINGER: Final = 60.0
"""Seconds for the other side to hang up, too (tcp_fin_timeout)."""
MOST_TRIES: Final = 15
MOST_SYNS: Final = 6
"""As Linux's tcp_retries2 and tcp_syn_retries."""


class Ear(Protocol):
    """Who has this end of the stream."""

    def opened(self) -> None:
        """The other side has answered."""

    def arrived(self, data: bytes) -> None: ...

    def ended(self) -> None:
        """Nothing more comes. Told once, whoever ended it, but not to who has called ``finish`` or ``abort``."""


class State(Enum):
    OPENING = "opening"
    ANSWERING = "answering"
    OPEN = "open"
    CLOSED = "closed"


@dataclass(slots=True)
class _Sent:
    segment: Segment
    at: float
    tries: int = 1


class Stream:
    """One end. Ports as in the packets; the addresses are the host's matter."""

    def __init__(self, ports: tuple[int, int], out: Callable[[Segment], None], ear: Ear) -> None:
        self._ports = ports
        self._out = out
        self._ear = ear
        self.state = State.CLOSED
        self._deaf = False
        """The owner has hung up."""
        self._unsent = bytearray()
        self._finishing = False
        self._said_fin = False
        self._flight: deque[_Sent] = deque()
        self._next = 0
        self._acknowledged = 0
        self._window = FIRST_WINDOW
        self._threshold = WINDOW
        self._duplicates = 0
        self._recovered = 0
        """What had been sent when a loss was found: until that is acknowledged, the next hole is filled at once."""
        self._round_trip: float | None = None
        self._variation = 0.0
        self._timeout = FIRST_TIMEOUT
        self._expected = 0
        self._early: dict[int, Segment] = {}
        self._owed = 0
        """Segments not acknowledged yet."""
        self._ack_at = inf
        self._retry_at = inf
        self._heard_fin = False
        self._linger_at = inf

    # --- the owner -----------------------------------------------------------------------------------------

    def open(self, now: float) -> None:
        """Call the other side."""
        self.state = State.OPENING
        self._emit(SYN, b"", now)

    def send(self, data: bytes, now: float) -> None:
        self._unsent += data
        self._push(now)

    def finish(self, now: float) -> None:
        """Hang up after all that was said; the owner hears nothing more."""
        self._deaf = self._finishing = True
        if self.state is State.OPENING:
            self.abort()
        else:
            self._push(now)

    def abort(self) -> None:
        """End at once, and say so."""
        if self.state is not State.CLOSED:
            self._out(self._made(RST | ACK, b""))
        self._deaf = True
        self._close()

    def refused(self) -> None:
        """A router says that there is no way: that ends an attempt, but no stream that works (RFC 5461 §2)."""
        if self.state is State.OPENING:
            self._close()

    # --- the other side ------------------------------------------------------------------------------------

    def received(self, segment: Segment, now: float) -> None:
        if segment.flags & RST:
            self._close()
            return
        if self.state is State.CLOSED and segment.flags & (SYN | ACK) == SYN:
            self._answer(segment, now)
            return
        if self.state is State.OPENING:
            self._met(segment, now)
            return
        if segment.flags & ACK:
            self._acknowledge(segment, now)
        if segment.length and self.state is not State.CLOSED:
            self._take(segment, now)

    def _answer(self, segment: Segment, now: float) -> None:
        self.state, self._expected = State.ANSWERING, segment.end
        self._emit(SYN | ACK, b"", now)

    def _acknowledge(self, segment: Segment, now: float) -> None:
        new = segment.acknowledged
        if new > self._next:
            return
        if new <= self._acknowledged:
            if new == self._acknowledged and self._flight and not segment.length:
                self._duplicate(now)
            return
        self._slide(new, now)
        if self.state is State.ANSWERING:
            self.state = State.OPEN
        if new < self._recovered and self._flight:
            self._again(now)
        self._push(now)
        self._end_if_done(now)

    def _end_if_done(self, now: float) -> None:
        """Both sides have hung up, or only we have."""
        if self._said_fin and not self._flight:
            if self._heard_fin:
                self._close()
            else:
                self._linger_at = min(self._linger_at, now + LINGER)

    def _met(self, segment: Segment, now: float) -> None:
        """The answer to our call; anything else must be older."""
        if segment.flags & (SYN | ACK) == SYN | ACK and segment.acknowledged == self._next:
            self._slide(segment.acknowledged, now)
            self.state, self._expected = State.OPEN, segment.end
            self._confirm()
            self._ear.opened()
            self._push(now)

    def _slide(self, new: int, now: float) -> None:
        """So much has arrived there."""
        self._window += min(MSS, MSS if self._window < self._threshold else MSS * MSS // self._window)
        self._window = min(self._window, WINDOW)
        whole = self._acknowledged >= self._recovered
        self._acknowledged, self._duplicates = new, 0
        while self._flight and self._flight[0].segment.end <= new:
            sent = self._flight.popleft()
            if sent.tries == 1 and whole:
                self._measure(now - sent.at)
        self._timeout = self._patience()
        self._retry_at = now + self._timeout if self._flight else inf

    def _measure(self, round_trip: float) -> None:
        """RFC 6298 §2. What was sent twice tells nothing (Karn), nor what has waited behind a hole."""
        if self._round_trip is None:
            self._round_trip, self._variation = round_trip, round_trip / 2
        else:
            self._variation += (abs(self._round_trip - round_trip) - self._variation) / 4
            self._round_trip += (round_trip - self._round_trip) / 8

    def _patience(self) -> float:
        if self._round_trip is None:
            return FIRST_TIMEOUT
        return max(LEAST_TIMEOUT, self._round_trip + 4 * self._variation)

    def _duplicate(self, now: float) -> None:
        self._duplicates += 1
        if self._duplicates == 3 and self._acknowledged >= self._recovered:
            self._shrink()
            self._window = self._threshold
            self._again(now)

    def _shrink(self) -> None:
        """Something was lost."""
        self._threshold = max(2 * MSS, (self._next - self._acknowledged) // 2)
        self._recovered = self._next

    def _take(self, segment: Segment, now: float) -> None:
        """Deliver what is next; keep what is early; say where we are."""
        if segment.sequence > self._expected:
            if segment.end <= self._expected + WINDOW:
                self._early.setdefault(segment.sequence, segment)
            self._confirm()
            return
        if segment.end <= self._expected:
            self._confirm()
            return
        self._deliver(segment)
        while (early := self._early.pop(self._expected, None)) is not None:
            self._deliver(early)
        self._owed += 1
        if self._owed >= 2 or segment.flags & FIN:
            self._confirm()
        else:
            self._ack_at = min(self._ack_at, now + DELAYED)
        self._end_if_done(now)

    def _deliver(self, segment: Segment) -> None:
        """Retransmitted segments are cut as they were before, so none overlaps in part."""
        self._expected = segment.end
        if segment.payload and not self._deaf:
            self._ear.arrived(segment.payload)
        if segment.flags & FIN:
            self._heard_fin = True
            if not self._deaf:
                self._deaf = True
                self._ear.ended()

    # --- sending -------------------------------------------------------------------------------------------

    def _push(self, now: float) -> None:
        """As much as the window allows."""
        if self.state is not State.OPEN:
            return
        while self._unsent and self._next - self._acknowledged < self._window:
            piece = bytes(self._unsent[:MSS])
            del self._unsent[:MSS]
            self._emit(ACK | (PSH if not self._unsent else 0), piece, now)
        if self._finishing and not self._unsent and not self._said_fin:
            self._said_fin = True
            self._emit(FIN | ACK, b"", now)

    def _emit(self, flags: int, payload: bytes, now: float) -> None:
        segment = self._made(flags, payload)
        self._next = segment.end
        self._flight.append(_Sent(segment, now))
        self._retry_at = min(self._retry_at, now + self._timeout)
        self._said()
        self._out(segment)

    def _made(self, flags: int, payload: bytes) -> Segment:
        return Segment(*self._ports, self._next, self._expected, flags, WINDOW, payload)

    def _confirm(self) -> None:
        self._said()
        self._out(self._made(ACK, b""))

    def _said(self) -> None:
        """Every segment says how far we are."""
        self._owed, self._ack_at = 0, inf

    def _again(self, now: float) -> None:
        sent = self._flight[0]
        sent.tries, sent.at = sent.tries + 1, now
        old = sent.segment
        self._retry_at = now + self._timeout
        self._out(Segment(*self._ports, old.sequence, self._expected, old.flags, WINDOW, old.payload))

    # --- time ----------------------------------------------------------------------------------------------

    def deadline(self) -> float:
        return min(self._ack_at, self._retry_at, self._linger_at)

    def tick(self, now: float) -> None:
        if now >= self._ack_at:
            self._confirm()
        if now >= self._retry_at:
            self._timed_out(now)
        if now >= self._linger_at:
            self._close()

    def _timed_out(self, now: float) -> None:
        most = MOST_TRIES if self.state is State.OPEN else MOST_SYNS
        if not self._flight or self._flight[0].tries > most:
            self._close()
            return
        self._shrink()
        self._window = MSS
        self._timeout = min(2 * self._timeout, MOST_TIMEOUT)
        self._again(now)

    def _close(self) -> None:
        told, self._deaf = self._deaf, True
        self.state = State.CLOSED
        self._flight.clear()
        self._unsent.clear()
        self._ack_at = self._retry_at = self._linger_at = inf
        if not told:
            self._ear.ended()
