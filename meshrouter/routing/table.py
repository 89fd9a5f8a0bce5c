"""What is known of every origin, within bounds.

An origin is remembered for an hour after its last announcement has died, with the distance that was told of it and its
newest announcement: so long can nobody replay an older one, nor can a route made of stale news loop. The table is
bounded, because ids cost nothing to make. Guests can be made at will, members cannot (each is a name in the ledger): so
guests have a part of the table only, the routes of one neighbour may fill half of that, and a member takes the place of
a guest if there is no other.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import inf
from typing import Final

from meshrouter.directory import Role
from meshrouter.neighbours.neighbour import INFINITY, Neighbour
from meshrouter.routing.announcement import Announcement
from meshrouter.routing.feasibility import Distance, is_feasible
from meshrouter.routing.requests import Wanted
from meshrouter.routing.route import Route

MOST_ORIGINS: Final = 4096
"""About 10 MB with 16 neighbours. A zone is planned for 32 to 128 members that forward; the largest known meshes
without zones (Freifunk) have 2,000."""
MOST_GUESTS: Final = 1024
MOST_GUESTS_A_NEIGHBOUR: Final = 512

LIFETIME: Final = 1000.0
"""Seconds that an announcement may be used for, from its first hearing: three refreshes may be lost."""
MEMORY: Final = 3600.0
"""Seconds more for which its seqno is remembered."""
MINIMUM_COST: Final = 96
"""What a healthy wire costs. No link counts for less, and nobody but an origin offers a metric below."""


@dataclass(frozen=True, slots=True)
class Advert:
    """What a neighbour offers: an announcement, and the metric from that neighbour on."""

    neighbour: Neighbour
    announcement: Announcement
    metric: int

    @property
    def distance(self) -> Distance:
        return Distance(self.announcement.seqno, self.metric)

    @property
    def total(self) -> int:
        """Metric from this node on, at most INFINITY."""
        cost = self.neighbour.cost
        return INFINITY if cost >= INFINITY else min(self.metric + max(cost, MINIMUM_COST), INFINITY)

    @property
    def is_direct(self) -> bool:
        """Offered by the origin itself."""
        return self.neighbour.id == self.announcement.id

    @property
    def dies(self) -> float:
        return self.announcement.first_heard + LIFETIME


@dataclass(eq=False, slots=True)
class Origin:
    """Times are running seconds."""

    newest: Announcement
    """Of the highest seqno heard, whether anybody offers it still or not."""
    is_guest: bool
    introduced_by: Neighbour
    adverts: dict[Neighbour, Advert] = field(default_factory=dict)
    bound: Distance | None = None
    """The best distance ever told of it: ``feasibility``."""
    route: Route | None = None
    rival: Neighbour | None = None
    """Has been better than the next hop, by less than the hysteresis, since ``rival_since``."""
    rival_since: float = inf
    wanted: Wanted | None = None
    """A newer announcement, asked for and not yet come."""

    @property
    def id(self) -> bytes:
        return self.newest.id

    @property
    def key(self) -> bytes:
        return self.newest.key

    @property
    def forgotten(self) -> float:
        """When nothing of it need be known any more."""
        return self.newest.first_heard + LIFETIME + MEMORY

    def is_feasible(self, advert: Advert) -> bool:
        return is_feasible(advert.distance, self.bound)

    def announcements(self) -> Iterator[Announcement]:
        """Those whose signatures are known to hold."""
        yield self.newest
        for advert in self.adverts.values():
            yield advert.announcement


class Table:
    def __init__(self) -> None:
        self.origins: dict[bytes, Origin] = {}
        self._guests = 0
        self._guests_of: dict[Neighbour, int] = {}

    def get(self, origin: bytes) -> Origin | None:
        return self.origins.get(origin)

    def admit(self, newest: Announcement, role: Role, by: Neighbour) -> tuple[Origin | None, Origin | None]:
        """A newcomer's entry, None if there is no room; and the entry that had to go for it."""
        guest = role is not Role.MEMBER
        evicted = None
        if len(self.origins) >= MOST_ORIGINS or (guest and self._guests_are_full(newest.id, by)):
            evicted = self._silent_guest() if guest else self._least()
            if evicted is None:
                return None, None
            self.forget(evicted)
        origin = Origin(newest, guest, by)
        self.origins[newest.id] = origin
        self._count(origin, 1)
        return origin, evicted

    def forget(self, origin: Origin) -> None:
        del self.origins[origin.id]
        self._count(origin, -1)

    def set_role(self, origin: Origin, role: Role) -> None:
        self._count(origin, -1)
        origin.is_guest = role is not Role.MEMBER
        self._count(origin, 1)

    def _guests_are_full(self, newcomer: bytes, by: Neighbour) -> bool:
        """A guest that is a neighbour itself always has a place: there are few neighbours."""
        if newcomer == by.id:
            return False
        return self._guests >= MOST_GUESTS or self._guests_of.get(by, 0) >= MOST_GUESTS_A_NEIGHBOUR

    def _silent_guest(self) -> Origin | None:
        """A guest that nobody offers any more."""
        return next((origin for origin in self.origins.values() if origin.is_guest and not origin.adverts), None)

    def _least(self) -> Origin | None:
        """Who has to make room for a member: a guest, or the member that nobody has offered for longest."""
        guest = self._silent_guest() or next((origin for origin in self.origins.values() if origin.is_guest), None)
        silent = (origin for origin in self.origins.values() if not origin.adverts)
        return guest or min(silent, key=lambda origin: origin.newest.first_heard, default=None)

    def _count(self, origin: Origin, change: int) -> None:
        if not origin.is_guest:
            return
        self._guests += change
        by = origin.introduced_by
        self._guests_of[by] = self._guests_of.get(by, 0) + change
        if not self._guests_of[by]:
            del self._guests_of[by]
