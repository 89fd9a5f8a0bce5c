"""Being found: BEACONs at Trickle's pace, and SOLICITs.

Theory of operation
===================
On a link with many, every node would have to say now and then that it is there; Trickle (RFC 6206) keeps that cheap
however many they are. Time is cut into intervals, 1 s long at first and doubling to 64 s. Once in the second
half of each, at a random time, a node sends its BEACON, unless it has heard ``K`` others in this interval. When
something happens (the link came up, a neighbour was lost), intervals begin at 1 s again.

Whoever keeps sending BEACONs could so silence all others, and some nodes might never be heard of. So after as many
silent intervals as there were BEACONs in the last one, sixteen at most, a node sends one nevertheless. With N nodes
that adds √N to an interval: n of them send, and each does so every n-th time.

A node that has nobody on a link asks by SOLICIT: at once, and again after 1, 2, 4 … 64 s. Whoever hears it answers by a
BEACON to *all*, 0 to 250 ms later, unless it hears three others' first; a second SOLICIT in the meantime is answered by
the same BEACON, and answers are a second apart. So N nodes that ask at once get a handful of answers, not N².

    event                     answer pending: no             answer pending: yes
    SOLICIT                   pending, counting from 0       nothing
    BEACON                    count it for the interval      and for the answer
    the answer's time         (none)                         send unless three were counted

A node that has no room for another neighbour (``Port.full``) sends no BEACONs: they would only attract what it must
refuse.

On a link with one peer there is nobody to spare: no Trickle, SOLICIT until there is a neighbour, and each SOLICIT
answered at once to where it came from, at a bounded rate.
"""

from typing import Final

from meshrouter.links.link import EVERYBODY
from meshrouter.neighbours.ground import Ground, Port
from meshrouter.tokens import Bucket
from meshrouter.wire import frame
from meshrouter.wire.beacon import Beacon, Solicit

SHORTEST: Final = 1.0
LONGEST: Final = 64.0
K: Final = 2
MOST_SILENT: Final = 16
"""Intervals."""
ANSWER_TIME: Final = 0.25
ENOUGH_ANSWERS: Final = 3
ANSWER_GAP: Final = 1.0
ASK_DELAY: Final = 0.1
"""Seconds within which a node that comes to a link with many asks first; a BEACON that is heard before spares it."""
ANSWER_RATE: Final = 10.0
"""Answers a second on a link with one peer at a time; a listener may have many that come back at once."""


class Beacons:
    """Those of one link."""

    def __init__(self, ground: Ground, port: Port) -> None:
        self._ground = ground
        self._port = port
        self._interval = SHORTEST
        self._begun = 0.0
        self._heard = 0
        """BEACONs in this interval."""
        self._silent = 0
        """Intervals in a row in which we sent none."""
        self._answers = 0
        """BEACONs since the SOLICIT that is to be answered."""
        self._answered = float("-inf")
        self._wait = SHORTEST
        self._found = False
        """A BEACON was heard since we last asked."""
        self._bucket = Bucket(ANSWER_RATE, ANSWER_RATE)

    def start(self, now: float) -> None:
        """The link is there."""
        self.unsettled(now)
        self.lonely(now)

    def stop(self) -> None:
        """The link is gone."""
        for what in ("beacon", "solicit", "answer"):
            self._ground.timers.stop((what, self._port))

    def unsettled(self, now: float) -> None:
        """Something happened here: short intervals again."""
        if self._port.link.shared and self._port.link.up:
            self._begin(now, SHORTEST)

    def lonely(self, now: float) -> None:
        """Nobody is here: ask, and go on asking until somebody is."""
        if not self._port.known and self._port.link.up:
            self._wait, self._found = SHORTEST, False
            delay = self._ground.env.rng.uniform(0, ASK_DELAY) if self._port.link.shared else 0.0
            self._ground.timers.at(("solicit", self._port), now + delay, self._ask)

    def heard(self) -> None:
        """Somebody's BEACON on this link."""
        self._heard += 1
        self._answers += 1
        self._found = True

    def solicited(self, address: bytes, now: float) -> None:
        """Somebody asks."""
        if not self._port.link.shared:
            if self._bucket.spend(1, now):
                self._send(address)
        elif ("answer", self._port) not in self._ground.timers:
            self._answers = 0
            soon = now + self._ground.env.rng.uniform(0, ANSWER_TIME)
            self._ground.timers.at(("answer", self._port), max(soon, self._answered + ANSWER_GAP), self._answer)

    # --- timers ------------------------------------------------------------------------------------------------

    def _begin(self, now: float, interval: float) -> None:
        self._interval, self._begun, self._heard = interval, now, 0
        due = now + self._ground.env.rng.uniform(interval / 2, interval)
        self._ground.timers.at(("beacon", self._port), due, self._fire)

    def _fire(self, _now: float) -> None:
        self._silent += 1
        if (self._heard < K or self._silent > min(self._heard, MOST_SILENT)) and not self._port.full:
            self._silent = 0
            self._send(EVERYBODY)
        self._ground.timers.at(("beacon", self._port), self._begun + self._interval, self._end)

    def _end(self, now: float) -> None:
        self._begin(now, min(2 * self._interval, LONGEST))

    def _answer(self, now: float) -> None:
        if self._answers < ENOUGH_ANSWERS and not self._port.full:
            self._answered = now
            self._send(EVERYBODY)

    def _ask(self, now: float) -> None:
        if self._port.known:
            return
        if not (self._found and self._port.link.shared):
            solicit = Solicit(self._ground.env.network).encode()
            self._port.link.send(EVERYBODY, frame.clear(frame.SOLICIT, solicit))
        self._found = False
        self._ground.timers.at(("solicit", self._port), now + self._ground.jitter(self._wait), self._ask)
        self._wait = min(2 * self._wait, LONGEST)

    def _send(self, address: bytes) -> None:
        ground = self._ground
        own = Beacon(
            ground.env.network,
            ground.own_caps,
            ground.gossip_port,
            ground.env.identity.key,
            ground.directory.tip.height,
        )
        self._port.link.send(address, frame.clear(frame.BEACON, own.encode()))
