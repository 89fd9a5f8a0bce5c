"""One node key, one connection: which of several stays.

Theory of operation
-------------------
Two nodes may dial each other at once, one may know the other by two addresses, and a machine that lost its power dials
anew while its old connection still seems alive here. So there can be several connections to one key for a moment. Which
one stays is settled when the second is *ready*: only then do both sides know of both connections all that counts. A
connection that is not ready yet counts for nothing, whatever becomes of it; two a direction may be open, so that nobody
holds many.

*Rank.* A full connection ranks before one for blocks only: a node with a single peer could not get its operations out
through the latter. Of two alike, the one that the smaller key has dialled ranks first. Both sides see the same ranks,
hence want to give up the same one, in whatever order they learn of the two:

::

    the second to be ready ranks higher              -> the first is closed
    it ranks lower, or is as the first is            -> the first is asked for a sign of life
        it answers                                   -> the second is closed
        it is silent for ``SILENCE``                 -> the first is closed, the second has its place
    it is as the first is, and both were dialled here -> the second is closed at once

*Why closes that cross never end both.* With different ranks, the higher one is closed only by a side that has not heard
from it for ``SILENCE`` while the lower one lives on; the other side, which needs no longer to find out that the
higher one is well, has closed the lower one by then. Two of the same rank were dialled by the same side. It alone
decides, at once, and by the order in which *it* saw them ready; the other side may have seen them in the other order.
But if a question on the one that came first there is answered, it was answered by a side that has both, or will
have, and keeps that one: so the other may go.

*Who can use this.* Only whoever holds the key gets this far: a handshake that is replayed proves none. A copy of a node
with the same key, started on another machine by mistake, cannot push the first out, for the first answers.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from meshchain.p2p.actions import Peer
from meshchain.p2p.slots.held import Held

SILENCE: Final = 5.0
"""Seconds without a word from a connection that was asked for a sign of life."""
MOST_A_DIRECTION: Final = 2
"""Connections of one key, ready or not: the one it has, and one that may take its place."""


@dataclass(slots=True)
class Ruling:
    """What is to become of connections to one key."""

    give_up: list[Held] = field(default_factory=list)
    ask: list[Held] = field(default_factory=list)
    """For a sign of life."""


class Duplicates:
    """``held``: all connections, kept by the slots. Times are running seconds."""

    def __init__(self, held: Mapping[Peer, Held], own_key: bytes) -> None:
        self._held = held
        self._own_key = own_key

    def is_one_too_many(self, newcomer: Held) -> bool:
        """Whether a connection that was just established cannot even be looked at."""
        return sum(twin.inbound == newcomer.inbound for twin in self.of(newcomer)) >= MOST_A_DIRECTION

    def of(self, held: Held) -> list[Held]:
        """The other connections to its key, oldest first."""
        return [twin for twin in self._held.values() if twin.key == held.key and twin is not held]

    def ready(self, newcomer: Held, now: float) -> Ruling:
        """``newcomer`` is the last of its key to be ready."""
        ruling = Ruling()
        for twin in self._ready_twins(newcomer):
            if self._rank(newcomer) > self._rank(twin):
                ruling.give_up.append(twin)
            elif self._rank(newcomer) == self._rank(twin) and not newcomer.inbound:
                return Ruling(give_up=[newcomer])
            else:
                twin.silent_at = now + SILENCE
                ruling.ask.append(twin)
        return ruling

    def heard(self, held: Held, now: float) -> None:
        """Something came: not the answer, but not silence either."""
        if held.silent_at is not None:
            held.silent_at = now + SILENCE

    def answered(self, held: Held) -> list[Held]:
        """It lives: whom to give up for it."""
        if held.silent_at is None:
            return []
        return [twin for twin in self._ready_twins(held) if self._rank(twin) <= self._rank(held)]

    def silent(self, now: float) -> Held | None:
        """Somebody to give up because it says nothing; after that, the next."""
        asked = (held for held in self._held.values() if held.silent_at is not None and now >= held.silent_at)
        return next(asked, None)

    def gone(self, gone: Held) -> None:
        """A connection that is over needs nobody else's place."""
        for twin in self._ready_twins(gone):
            if not any(self._ready_twins(twin)):
                twin.silent_at = None

    def _ready_twins(self, held: Held) -> Iterator[Held]:
        return (twin for twin in self.of(held) if twin.ready)

    def _rank(self, held: Held) -> tuple[bool, bool]:
        """The highest stays: full, dialled by the smaller key."""
        return not held.block_only, held.inbound == (held.key < self._own_key)
