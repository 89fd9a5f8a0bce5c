"""Our own announcement: when it is made anew, and with which number.

A seqno is never used twice, not even by a node that lost power: numbers are reserved in the store a thousand at a time,
and a restart goes on in the next block. If the store is lost, neighbours return what they remember of us, and we jump
past it. Anybody can make us announce anew, by asking; so that happens once in 2 s at most.
"""

from typing import Final, Protocol

from meshrouter.directory import Directory
from meshrouter.env import Env
from meshrouter.routing.announcement import Announcement, announce

REFRESH: Final = 300.0
"""Seconds between announcements if nothing happens, a tenth more or less. 64 origins and 4 neighbours: 84 B/s."""
SPREAD: Final = 0.1
LEAST_GAP: Final = 2.0
BLOCK: Final = 1000
HEIGHT_WINDOW: Final = 60
"""Blocks by which an announcement may be behind a synced ledger: older ones are refused, lest they be replayed when
nobody remembers the seqno any more."""
HEIGHT_STEP: Final = 20
"""Blocks after which we announce anew; a neighbour that is met later must not find ours too old."""
MOST_SEQNO: Final = (1 << 63) - 1
"""No honest origin gets so far; with greater ones, nobody could ask for the next within 64 bits."""


class SeqnoStore(Protocol):
    def reserve(self, count: int) -> int:
        """The first of ``count`` numbers that were never reserved before and never will be again; kept durably."""
        ...


class OwnOrigin:
    """``due``: when it should be made anew, running seconds."""

    def __init__(self, env: Env, directory: Directory, seqnos: SeqnoStore, *, zone: int) -> None:
        self._env = env
        self._directory = directory
        self._seqnos = seqnos
        self._zone = zone
        self._next = self._end = 0
        self._least_height = 0
        self._caps = 0
        self.announcement: Announcement | None = None
        """In use; None until somebody is there to hear it."""
        self.due = float("inf")

    def current(self, caps: int, now: float) -> Announcement:
        """Made at the first use."""
        return self.announcement or self.renew(caps, now)

    def renew(self, caps: int, now: float) -> Announcement:
        """With the next number."""
        self.announcement = announce(
            self._env.identity,
            self._env.genesis,
            seqno=self._take(),
            height=self._height,
            caps=caps,
            zone=self._zone,
            now=now,
        )
        self._caps = caps
        self.due = now + REFRESH * self._env.rng.uniform(1 - SPREAD, 1 + SPREAD)
        return self.announcement

    def asked(self, now: float) -> None:
        """Somebody needs a newer one: as soon as the last is 2 s old."""
        if self.announcement is not None:
            self.due = min(self.due, max(now, self.announcement.first_heard + LEAST_GAP))

    def jump(self, seqno: int) -> None:
        """The next number is greater than this one, which is signed by our key."""
        if seqno >= self._end:
            self._next = self._seqnos.reserve(seqno + 1 - self._end + BLOCK) + seqno + 1 - self._end
            self._end = self._next + BLOCK
        self._next = max(self._next, seqno + 1)

    def look(self, caps: int, neighbour_height: int, now: float) -> None:
        """Whether what we announce is out of date: our part in the mesh, or the height.

        Until our ledger is synced, what neighbours say is taken for the height: a newcomer that announced 0 would be
        refused by everybody, and a height that is too great is never held against anybody.
        """
        self._least_height = max(self._least_height, neighbour_height)
        last = self.announcement
        if last is not None and (caps != self._caps or self._height >= last.height + HEIGHT_STEP):
            self.asked(now)

    @property
    def _height(self) -> int:
        tip = self._directory.tip
        return tip.height if tip.synced else max(tip.height, self._least_height)

    def _take(self) -> int:
        if self._next >= self._end:
            self._next = self._seqnos.reserve(BLOCK)
            self._end = self._next + BLOCK
        self._next += 1
        return self._next - 1
