"""Whom to connect to, and the initiator's side of handshakes between neighbours.

Theory of operation
===================
A BEACON makes a *candidate*. On a link with many, a candidate is looked at again a little later, and a handshake is
begun if there is still reason to:

    reason                                              looked at after
    fewer than 3 neighbours and handshakes here         0 … 0.25 s: everybody hears the same BEACON at once
    no route to its id                                  1.5 … 3 s: routes need that long to come

Candidates that were not needed are remembered for a minute. When a handshake gets no answer at once, its place counts
as free, and one of them is tried: its node may be full (nobody says so, because anybody could).

On a link with one peer the handshake begins at once, and so after a REDIRECT, for a neighbour whose session is to be
replaced, and with one that has fallen silent.

A handshake sends its INIT, and again after 0.5, 1, 2, 4 s (within a quarter), always the same Noise message, so that
the responder knows a repetition. With strangers it ends after four in vain, and the key is left alone for a while. With
a neighbour it goes on, at most 5 s apart, until it is answered or the adjacency ends. A COOKIE repeats it at once.

Our own handshake goes on whatever the other side begins: each of the two first messages is answered by who gets it, and
``keeping`` sorts out what comes of it.

Nothing here is believed: a forged BEACON or REDIRECT costs an INIT or five, at a bounded rate, to an address that never
answers, because the answer takes the private key of the BEACON.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from meshchain.crypto.address import node_id
from meshrouter.directory import Role
from meshrouter.errors import WireError
from meshrouter.handshake import Initiation
from meshrouter.neighbours import redirects
from meshrouter.neighbours.answering import PROLOGUE
from meshrouter.neighbours.ground import WANTED, Ground, Port
from meshrouter.neighbours.keeping import Keeping
from meshrouter.neighbours.session import LinkSession
from meshrouter.tokens import Bucket
from meshrouter.wire import frame
from meshrouter.wire.handshake import LinkPayload

SOON: Final = (0.0, 0.25)
LATER: Final = (1.5, 3.0)
FIRST_WAIT: Final = 0.5
LONGEST_WAIT: Final = 5.0
MOST_TRIES: Final = 4
MOST_CANDIDATES: Final = 64
"""On a link: more would be looked at than one second's BEACONs."""
MOST_ATTEMPTS: Final = 8
"""With strangers, on a link, at a time: the three that are looked for, and some redirected."""
BEGIN_RATE: Final = 10.0
"""Handshakes a second that are begun on a link (0.3 ms each), so that forged BEACONs cannot keep a node busy."""
FINISH_RATE: Final = 50.0
"""RESPONSEs a second that are tried (0.3 ms each)."""
ALONE: Final = (10.0, 20.0)
"""Seconds for which a key that did not answer is left alone."""
MOST_ALONE: Final = 256
COOKIE_GAP: Final = 0.25
SPARE_TIME: Final = 60.0


@dataclass(eq=False, slots=True)
class Attempt:
    """A handshake that we have begun."""

    key: bytes
    address: bytes
    initiation: Initiation
    redirected: bool
    tries: int = 0
    last: float = 0.0


class Connecting:
    """That of one link."""

    def __init__(self, ground: Ground, port: Port, keeping: Keeping) -> None:
        self._ground = ground
        self._port = port
        self._keeping = keeping
        self._candidates: dict[bytes, bytes] = {}
        """Key → link address."""
        self._spare: OrderedDict[bytes, tuple[bytes, float]] = OrderedDict()
        """Key → link address, when heard: candidates that were not needed."""
        self._attempts: dict[bytes, Attempt] = {}
        """By key."""
        self._alone: OrderedDict[bytes, float] = OrderedDict()
        """Key → until when."""
        self._begins = Bucket(BEGIN_RATE, 2 * BEGIN_RATE)
        self._finishes = Bucket(FINISH_RATE, FINISH_RATE)

    # --- whom -----------------------------------------------------------------------------------------------------

    def beacon(self, key: bytes, address: bytes, now: float) -> None:
        """Somebody says that it is here."""
        if key in self._port.known or key in self._attempts or self._alone.get(key, now) > now:
            return
        if not self._port.link.shared:
            self.reach(key, address, now)
        elif key in self._candidates:
            self._candidates[key] = address
        elif len(self._candidates) >= MOST_CANDIDATES:
            self._ground.drop("link-candidates")
        elif not (self._wanting() or self._lost(key)):
            self._spare_it(key, address, now)
        else:
            self._candidates[key] = address
            due = now + self._ground.env.rng.uniform(*(SOON if self._wanting() else LATER))
            self._ground.timers.at(("candidate", self._port, key), due, lambda later: self._look(key, later))

    def reach(self, key: bytes, address: bytes, now: float, *, redirected: bool = False) -> None:
        """Begin a handshake, unless one is under way, or too many, or the key is barred."""
        if key in self._attempts or self._ground.directory.role(key) is Role.BARRED:
            return
        known = key in self._port.known
        if not known and len(self._attempts) >= MOST_ATTEMPTS:
            self._ground.drop("link-attempts")
        elif known or self._begins.spend(1, now):
            self._begin(key, address, redirected, now)
        else:
            self._ground.drop("link-begin-rate")

    def cancel(self, key: bytes) -> None:
        """Nothing more is wanted of it."""
        self._candidates.pop(key, None)
        self._ground.timers.stop(("candidate", self._port, key))
        attempt = self._attempts.pop(key, None)
        if attempt is not None:
            self._ground.begun.pop(attempt.initiation.index, None)
            self._ground.timers.stop(("attempt", attempt))

    def stop(self) -> None:
        """The link is gone."""
        for key in [*self._candidates, *self._attempts]:
            self.cancel(key)

    def _wanting(self) -> bool:
        fresh = sum(attempt.tries < 2 and key not in self._port.known for key, attempt in self._attempts.items())
        return len(self._port.known) + fresh < WANTED

    def _lost(self, key: bytes) -> bool:
        origin = node_id(key)
        return origin is not None and not self._ground.ask.has_route(origin)

    def _look(self, key: bytes, now: float) -> None:
        address = self._candidates.pop(key)
        if key not in self._port.known and not self._port.full and (self._wanting() or self._lost(key)):
            self.reach(key, address, now)
        else:
            self._spare_it(key, address, now)

    def _spare_it(self, key: bytes, address: bytes, now: float) -> None:
        self._spare.pop(key, None)
        self._spare[key] = address, now
        if len(self._spare) > MOST_CANDIDATES:
            self._spare.popitem(last=False)

    def _try_another(self, now: float) -> None:
        """If a neighbour is still wanted, and somebody else was heard lately."""
        self._spare = OrderedDict(
            (key, (address, heard))
            for key, (address, heard) in self._spare.items()
            if now - heard < SPARE_TIME and key not in self._port.known and key not in self._attempts
        )
        if self._spare and self._wanting():
            key = self._ground.env.rng.choice(list(self._spare))
            self.reach(key, self._spare.pop(key)[0], now)

    # --- handshakes -----------------------------------------------------------------------------------------------

    def _begin(self, key: bytes, address: bytes, redirected: bool, now: float) -> None:
        env, index = self._ground.env, self._ground.new_index()
        try:
            initiation = Initiation(env.identity, key, PROLOGUE + env.genesis, self._ground.payload(), index, env.rng)
        except WireError as error:
            self._ground.drop(error.code)
            return
        attempt = self._attempts[key] = Attempt(key, address, initiation, redirected)
        self._ground.begun[index] = attempt
        self._send(attempt, now)

    def _send(self, attempt: Attempt, now: float) -> None:
        known = self._port.known.get(attempt.key)
        if attempt.tries >= MOST_TRIES and known is None:
            self._give_up(attempt, now)
            return
        body = attempt.initiation.message()
        self._port.link.send(attempt.address if known is None else known.link_address, frame.clear(frame.INIT, body))
        wait = min(FIRST_WAIT * 2 ** min(attempt.tries, 8), LONGEST_WAIT)
        attempt.tries, attempt.last = attempt.tries + 1, now
        due = now + self._ground.jitter(wait)
        self._ground.timers.at(("attempt", attempt), due, lambda later: self._send(attempt, later))
        if attempt.tries == 2 and known is None:
            self._try_another(now)

    def _give_up(self, attempt: Attempt, now: float) -> None:
        self.cancel(attempt.key)
        if self._port.link.shared:
            self._alone.pop(attempt.key, None)
            self._alone[attempt.key] = now + self._ground.env.rng.uniform(*ALONE)
            if len(self._alone) > MOST_ALONE:
                self._alone.popitem(last=False)

    def response(self, index: int, body: bytes, now: float) -> None:
        """WireError: link-index (nothing of ours), link-finish-rate, of Initiation and LinkPayload."""
        attempt = self._of(index)
        if not self._finishes.spend(1, now):
            raise WireError("link-finish-rate", "more RESPONSEs than can be true")
        finished = attempt.initiation.finish(body)
        payload = LinkPayload.decode(finished.payload)
        self.cancel(attempt.key)
        session = LinkSession(index, finished.remote_index, finished.send, finished.receive, initiator=True, made=now)
        known = self._port.known.get(attempt.key)
        address = attempt.address if known is None else known.link_address
        bond = self._keeping.good(self._port, address, payload, session, now)
        if bond is not None and attempt.redirected:
            redirects.watch(self._ground, self._keeping, bond, now)

    def cookie(self, index: int, body: bytes, now: float) -> None:
        """WireError: link-index, of Initiation."""
        attempt = self._of(index)
        attempt.initiation.read_cookie(body)
        if now - attempt.last >= COOKIE_GAP or attempt.tries == 1:
            self._send(attempt, now)

    def _of(self, index: int) -> Attempt:
        for attempt in self._attempts.values():
            if attempt.initiation.index == index:
                return attempt
        raise WireError("link-index", "no handshake of ours has this index")
