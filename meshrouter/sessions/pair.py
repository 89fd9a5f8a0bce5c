"""Two addresses, ours and theirs, and all that is between them: sessions, a handshake under way, what waits for it."""

from dataclasses import dataclass, field
from typing import Final

from meshrouter.handshake import Initiation
from meshrouter.sessions.endsession import EndSession
from meshrouter.sessions.flowlabel import FlowLabels
from meshrouter.sessions.pending import Pending
from meshrouter.wire.sec import SEC_OVERHEAD

LEAST_MTU: Final = 1280 + SEC_OVERHEAD
"""Smallest largest MESHP packet of a way (bytes): IPv6 asks for 1280, and narrower links fragment."""
NO_MTU: Final = 0xFFFF
LEARNED_TIME: Final = 600.0
"""Seconds after which a narrow place is taken to be gone (RFC 8201 §4: at least 5 minutes)."""


@dataclass(eq=False, slots=True)
class Attempt:
    """A handshake that we have begun, or want to begin as soon as we know with whom."""

    began: float
    next: float
    """When something is to be done about it."""
    initiation: Initiation | None = None
    tries: int = 0


@dataclass(eq=False, slots=True)
class Pair:
    """``own`` and ``other``: addresses, 16 bytes, derived or claimed."""

    own: bytes
    other: bytes
    own_id: bytes
    zone: int
    labels: FlowLabels
    key: bytes = b""
    """Who holds ``other``: 32 bytes; empty while not known."""
    id: bytes = b""
    """14 bytes, of ``key``."""
    caps: int = 0
    current: EndSession | None = None
    """What we send on."""
    sessions: list[EndSession] = field(default_factory=list)
    """All that packets are taken from, the oldest first; the current one is among them."""
    attempt: Attempt | None = None
    pending: Pending = field(default_factory=Pending)
    hinted: float = float("-inf")
    """When a NOSESSION last made us begin a handshake."""
    nudged: float = float("-inf")
    """When the other side was last shown that we have a newer session."""
    told_mtu: int = NO_MTU
    """What the other end has said in the handshake."""
    learned_mtu: int = NO_MTU
    """What a router on the way has said."""
    learned_until: float = 0.0
    split_until: float = 0.0
    """Until when super-packets are split, because a router on the way could not carry one whole."""

    @property
    def addresses(self) -> bytes:
        """32 bytes, as in the packets that we send."""
        return self.own + self.other

    def mtu(self, now: float) -> int:
        """Largest MESHP packet as far as is known, the first link aside."""
        if self.learned_mtu != NO_MTU and now >= self.learned_until:
            self.learned_mtu = NO_MTU
        return min(self.told_mtu, self.learned_mtu)

    def learn_mtu(self, mtu: int, now: float) -> bool:
        """Whether that is news: no more than the least is believed, nor anything greater than what is known."""
        mtu = max(mtu, LEAST_MTU)
        if mtu >= self.mtu(now):
            return False
        self.learned_mtu, self.learned_until = mtu, now + LEARNED_TIME
        return True

    def learn_no_trains(self, now: float) -> None:
        """A hop further on takes no trains, or none so long. To try again costs a whole super-packet."""
        self.split_until = now + LEARNED_TIME

    @property
    def is_idle(self) -> bool:
        """Whether nothing would be lost with it."""
        return not self.sessions and self.attempt is None and not self.pending
