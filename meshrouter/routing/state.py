"""What the parts of routing share: one node's view of its zone."""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from meshrouter.directory import Directory, Role
from meshrouter.env import Env
from meshrouter.neighbours.neighbour import Neighbour
from meshrouter.routing.adjacency import Adjacency
from meshrouter.routing.announcement import Announcement
from meshrouter.routing.feasibility import Distance, tightened
from meshrouter.routing.own import OwnOrigin, SeqnoStore
from meshrouter.routing.requests import Passed
from meshrouter.routing.route import Route
from meshrouter.routing.table import Origin, Table
from meshrouter.routing.telling import Offer, Telling
from meshrouter.tokens import Bucket
from meshrouter.wire.control import Message

FORWARDS: Final = 1
"""The bit in caps."""
EVERYTHING: Final = bytes(14)
"""In a RETRACT: all routes of the sender. No key has this id (it lies in eeee::/80)."""

OnRoute = Callable[[bytes, Route | None], None]


class State:
    def __init__(
        self, env: Env, directory: Directory, *, zone: int, caps: int, seqnos: SeqnoStore, on_route: OnRoute
    ) -> None:
        self.env = env
        self.directory = directory
        self.zone = zone
        self.on_route = on_route
        self.own_id = env.identity.id
        self.own = OwnOrigin(env, directory, seqnos, zone=zone)
        self.table = Table()
        self.adjacencies: dict[Neighbour, Adjacency] = {}
        self.routes: dict[bytes, Route] = {}
        self.next_hops: dict[bytes, Neighbour] = {}
        self.outputs: deque[tuple[Neighbour, Message]] = deque()
        self.telling = Telling(self.outputs, self.offer, self._spoken)
        self.passed = Passed()
        self.verify = Bucket(1500, 3000)
        """Signatures checked, whoever brings them: a fifth of a core."""
        self._caps = caps
        self.relaying = self.may_relay()

    def may_relay(self) -> bool:
        """Whether this node carries what is not its own: it wants to, and the ledger lets it."""
        return bool(self._caps & FORWARDS) and self.directory.role(self.env.identity.key) is Role.MEMBER

    @property
    def own_caps(self) -> int:
        """As announced."""
        return self._caps if self.relaying else self._caps & ~FORWARDS

    def own_announcement(self, now: float) -> Announcement:
        return self.own.current(self.own_caps, now)

    def known(self, ids: Iterable[bytes]) -> list[Origin]:
        found = (self.table.get(origin) for origin in ids)
        return [origin for origin in found if origin is not None]

    def offer(self, adjacency: Adjacency, origin: bytes) -> Offer | None:
        """What this neighbour should know of an origin; None: nothing, or that it cannot be reached by us."""
        neighbour = adjacency.neighbour
        if adjacency.role is Role.BARRED or origin == neighbour.id:
            return None
        if origin == self.own_id:
            return None if self.own.announcement is None else (self.own.announcement, 0)
        route, known = self.routes.get(origin), self.table.get(origin)
        if not self.relaying or route is None or known is None or route.next_hop.id == neighbour.id:
            return None
        return known.adverts[route.next_hop].announcement, route.metric

    def tell_all(self, adjacency: Adjacency, now: float) -> None:
        """Everything that it may not know."""
        self.own_announcement(now)
        for origin in (self.own_id, *self.table.origins):
            self.telling.changed(adjacency, origin, now)

    def _spoken(self, announcement: Announcement, metric: int) -> None:
        origin = self.table.get(announcement.id)
        if origin is not None:
            origin.bound = tightened(origin.bound, Distance(announcement.seqno, metric))
