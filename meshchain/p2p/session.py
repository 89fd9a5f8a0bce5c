"""One peer, from the first message to the last: greeting, keep-alive, and what is known of it.

Theory of operation
-------------------
The transport has authenticated the peer's key before the first message. Both sides send ``Version`` at once,
then check the other's and answer ``Ready``; a side that has sent and got ``Ready`` is *ready*, and nothing but the
greeting is taken before. A peer on another network, with another genesis block or with our own nonce (ourselves,
through some detour) is closed with the reason, without blame: it is
not dishonest, only elsewhere.

::

    greeting --Version ok--> welcomed --Ready--> ready --Goodbye, silence, blame--> closed

A *feeler* only looks whether somebody of this network is there. It sends no ``Ready``, so that the connection is never
ready on the other side and counts for nothing there.

A ready peer is pinged every minute; the answer measures the round trip. A peer that answers no ping for 90 s, or
does not finish its greeting within 20 s, is closed. ``probe`` pings at once; ``alive`` tells whether it was answered.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from meshchain.p2p.actions import Action, Close, Endpoint, Peer, Send
from meshchain.p2p.messages import Goodbye, Message, Ping, Pong, Ready, Version

GREETING_TIME: Final = 20.0
PING_EVERY: Final = 60.0
PONG_TIME: Final = 90.0


class Stage(Enum):
    GREETING = "greeting"
    WELCOMED = "welcomed"
    READY = "ready"
    CLOSED = "closed"


@dataclass(slots=True)
class Traffic:
    """Bytes of messages, both ways."""

    sent: int = 0
    received: int = 0


@dataclass(slots=True, kw_only=True)
class Session:
    """A connection to ``key`` (Ed25519, 32 bytes). Times are running seconds."""

    peer: Peer
    key: bytes
    endpoint: Endpoint
    """Where the connection leads or comes from; of an inbound one the port means nothing."""
    inbound: bool
    purpose: str
    opened: float
    ours: Version
    stage: Stage = Stage.GREETING
    theirs: Version | None = None
    traffic: Traffic = field(default_factory=Traffic)
    heard: float = 0.0
    """When the last message came."""
    round_trip: float | None = None
    best_round_trip: float | None = None
    told_addresses: bool = False
    """Whether it got its one answer to GetAddresses."""
    clock_offset: float = 0.0
    """The peer's clock minus ours at its greeting (s)."""
    alive: bool = True
    """Since the last probe, if there was one."""
    _ping: tuple[int, float] | None = None
    _next_ping: float = 0.0

    def end(self) -> None:
        """The connection is being closed, for a reason found elsewhere."""
        self.stage = Stage.CLOSED

    def begin(self) -> list[Action]:
        return [Send(self.peer, self.ours)]

    @property
    def ready(self) -> bool:
        return self.stage is Stage.READY

    def received(self, message: Message, now: float) -> list[Action] | None:
        """Take a message of the greeting or the keep-alive; None for one that is somebody else's to take.

        A message out of turn closes the connection; what comes after its end is not looked at.
        """
        if self.stage is Stage.CLOSED:
            return []
        self.heard = now
        match message:
            case Version():
                return self._version(message)
            case Ready():
                return self._ready(now)
            case Goodbye(code=code, reason=reason):
                return [self._close("goodbye", f"the peer said goodbye: {code}: {reason}")]
        if not self.ready:
            return [self._close("out-of-turn", f"{type(message).__name__} before the greeting was over")]
        match message:
            case Ping(nonce=nonce):
                return [Send(self.peer, Pong(nonce))]
            case Pong(nonce=nonce):
                return self._pong(nonce, now)
        return None

    def tick(self, now: float, nonce: int) -> list[Action]:
        """Time-outs, and a ping with ``nonce`` when one is due."""
        if self.stage in (Stage.GREETING, Stage.WELCOMED):
            late = now - self.opened > GREETING_TIME
            return [self._close("greeting-timeout", f"no greeting within {GREETING_TIME:.0f} s")] if late else []
        if self.stage is Stage.CLOSED:
            return []
        if self._ping is not None and now - self._ping[1] > PONG_TIME:
            return [self._close("ping-timeout", f"no answer to a ping for {PONG_TIME:.0f} s")]
        if self._ping is None and now >= self._next_ping:
            self._ping, self._next_ping = (nonce, now), now + PING_EVERY
            return [Send(self.peer, Ping(nonce))]
        return []

    def probe(self, now: float, nonce: int) -> list[Action]:
        """Ping a ready peer, whether or not a ping is out: the answer to an older one says nothing about now."""
        self.alive = False
        self._ping, self._next_ping = (nonce, now), now + PING_EVERY
        return [Send(self.peer, Ping(nonce))]

    def _version(self, version: Version) -> list[Action]:
        if self.theirs is not None:
            return [self._close("out-of-turn", "a second Version")]
        self.theirs = version
        refusal = _refusal(self.ours, version)
        if refusal is not None:
            code, reason = refusal
            return [self._close(code, reason)]
        if self.stage is Stage.GREETING:
            self.stage = Stage.WELCOMED
        return [] if self.purpose == "feeler" else [Send(self.peer, Ready())]

    def _ready(self, now: float) -> list[Action]:
        if self.stage is not Stage.WELCOMED:
            return [self._close("out-of-turn", "Ready before Version, or twice")]
        self.stage = Stage.READY
        self._next_ping = now
        return []

    def _pong(self, nonce: int, now: float) -> list[Action]:
        if self._ping is not None and self._ping[0] == nonce:
            self.round_trip = now - self._ping[1]
            best = self.best_round_trip
            self.best_round_trip = self.round_trip if best is None else min(self.round_trip, best)
            self._ping, self.alive = None, True
        return []

    def _close(self, code: str, reason: str) -> Close:
        self.stage = Stage.CLOSED
        return Close(self.peer, code, reason)


def _refusal(ours: Version, theirs: Version) -> tuple[str, str] | None:
    if theirs.network != ours.network:
        return "wrong-network", f"this node is on network {ours.network}, not {theirs.network}"
    if theirs.genesis != ours.genesis:
        return "wrong-genesis", f"this network's genesis is {ours.genesis.hex()}, not {theirs.genesis.hex()}"
    if theirs.nonce == ours.nonce:
        return "self", "this is the same node"
    return None
