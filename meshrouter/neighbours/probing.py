"""How well a neighbour is heard, what that costs, and whether it is there at all: HELLOs sent and received.

Theory of operation
===================
A HELLO goes every 4 s (within 10 %), and every 0.5 s for some seconds after the adjacency began or another one ended:
then routes move, and the digest in a HELLO finds what an update that was lost has left wrong. It measures loss and
round trip (``pulse``), from which comes the cost (``metric``); others hear of a cost only when it has changed by a
fifth. ``watch`` says when a neighbour is in doubt; a HELLO that asks for an answer at once decides.

At 65 bytes a HELLO, three neighbours cost an idle node 49 B/s.
"""

from typing import Final

from meshrouter.neighbours.bond import Bond
from meshrouter.neighbours.ground import Ground
from meshrouter.neighbours.keeping import Keeping
from meshrouter.neighbours.metric import cost_of, steady
from meshrouter.wire.control import ANSWER_AT_ONCE, SILENT, Hello

SLOW: Final = 4.0
QUICK: Final = 0.5
HURRY_TIME: Final = 5.0
SPREAD: Final = 0.1
LEAST_FRAME: Final = 128
"""Bytes of a frame that everybody takes; a HELLO that says less is not believed: 16 pieces could not carry what IPv6
asks for, and sizes computed from it would be negative."""


class Probing:
    """Sees to all bonds."""

    def __init__(self, ground: Ground, keeping: Keeping) -> None:
        self._ground = ground
        self._keeping = keeping

    def begin(self, bond: Bond, now: float) -> None:
        """An adjacency is up: our first HELLO goes at once (from the initiator, it proves the session)."""
        bond.hurried = now + HURRY_TIME
        self._beat(bond, now)

    def end(self, bond: Bond, now: float) -> None:
        """It is gone: the others are asked more often for a while."""
        self._ground.timers.stop(("hello", bond))
        for other in self._keeping.bonds.values():
            if other.hurried < now:
                other.hurried = now + HURRY_TIME
                self._later(other, now)

    def hello(self, bond: Bond, hello: Hello, now: float) -> None:
        """One came."""
        bond.pulse.heard(hello, now)
        neighbour = bond.neighbour
        neighbour.rtt = bond.pulse.rtt
        neighbour.loss = 1.0 - bond.pulse.forth * bond.pulse.back
        neighbour.queue_ms = hello.queue
        self._weigh(bond, max(hello.mtu, LEAST_FRAME))
        if hello.flags & ANSWER_AT_ONCE and bond.answers.spend(1, now):
            self.say(bond, now)

    def say(self, bond: Bond, now: float, flags: int = 0) -> None:
        """Send a HELLO."""
        neighbour, ask = bond.neighbour, self._ground.ask
        hello = bond.pulse.beat(
            now,
            mtu=bond.port.link.mtu,
            queue=ask.queue_ms(neighbour),
            flags=flags,
            digest=ask.digest_for(neighbour),
        )
        self._keeping.send(neighbour, [hello])

    def due(self) -> float:
        """When the first neighbour is in doubt."""
        bonds = self._keeping.bonds
        return min([bond.watch.due(neighbour) for neighbour, bond in bonds.items()], default=float("inf"))

    def check(self, now: float) -> None:
        """Doubt whom there is reason to doubt; give up who does not answer."""
        for neighbour, bond in list(self._keeping.bonds.items()):
            verdict = bond.watch.check(neighbour, now)
            if verdict:
                self.say(bond, now, ANSWER_AT_ONCE)
            elif verdict is False:
                self._keeping.dismiss(bond, SILENT, "silent", now)

    def _weigh(self, bond: Bond, mtu: int) -> None:
        neighbour, pulse = bond.neighbour, bond.pulse
        exact = cost_of(wired=bond.port.link.wired, forth=pulse.forth, back=pulse.back, rtt=pulse.rtt)
        cost = steady(neighbour.cost, exact)
        if (cost, mtu) != (neighbour.cost, neighbour.mtu):
            neighbour.cost, neighbour.mtu = cost, mtu
            self._ground.on.changed(neighbour)

    def _beat(self, bond: Bond, now: float) -> None:
        self.say(bond, now)
        self._later(bond, now)
        if bond.neighbour.session.spent:
            self._keeping.renew(bond, now)

    def _later(self, bond: Bond, now: float) -> None:
        pace = QUICK if now < bond.hurried else SLOW
        due = now + pace * self._ground.env.rng.uniform(1 - SPREAD, 1 + SPREAD)
        self._ground.timers.at(("hello", bond), due, lambda later: self._beat(bond, later))
