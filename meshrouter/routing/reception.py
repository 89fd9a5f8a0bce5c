"""UPDATEs and RETRACTs of neighbours: from a message to an offer that counts.

The cheap questions come first, the signature last, and only if this announcement was never checked before. A message
that breaks a rule, or is about what the ledger forbids, counts as heard (``acceptance``); one whose signature does not
hold, or for which there was no budget, does not, so that the digests differ and bring it again.
"""

from meshchain.crypto import is_ed25519_public_key
from meshrouter.routing.acceptance import refusal, refused_by_ledger
from meshrouter.routing.adjacency import MOST_HEARD, Adjacency, Need
from meshrouter.routing.announcement import Announcement, read
from meshrouter.routing.choosing import Choosing
from meshrouter.routing.own import MOST_SEQNO
from meshrouter.routing.state import EVERYTHING, State
from meshrouter.routing.table import LIFETIME, Advert, Origin
from meshrouter.wire.control import INFINITY, Retract, RouteRequest, Update


class Reception:
    """Times are running seconds."""

    def __init__(self, state: State, choosing: Choosing) -> None:
        self._state = state
        self._choosing = choosing
        self._drop = state.env.counters.drop

    # --- UPDATE -----------------------------------------------------------------------------------------------

    def update(self, adjacency: Adjacency, update: Update, now: float) -> None:
        entry, known = adjacency.heard.all.entries.get(update.id), self._state.table.get(update.id)
        key = update.key or (entry.key if entry is not None else None if known is None else known.key)
        if update.id == self._state.own_id:
            self._about_us(adjacency, update, now)
        elif key is None:
            self.ask_for(adjacency, update.id, now)
        elif entry is not None and update.seqno < entry.seqno:
            self._late(adjacency, known, now)
        else:
            self._take(adjacency, update, key, now)

    def ask_for(self, adjacency: Adjacency, origin: bytes, now: float) -> None:
        """One route, with its key."""
        if adjacency.asked.spend(1, now):
            self._state.outputs.append((adjacency.neighbour, RouteRequest(origin, 1)))

    def _late(self, adjacency: Adjacency, known: Origin | None, now: float) -> None:
        """The neighbour itself has told a newer one: this was overtaken, or it has lost its memory."""
        self._drop("route-late")
        if known is not None:
            self._give_newer(adjacency, known, now)

    def _take(self, adjacency: Adjacency, update: Update, key: bytes, now: float) -> None:
        state = self._state
        rule = refusal(update, key, adjacency, state.table.get(update.id), state.directory, state.zone)
        if rule is not None:
            self._refuse(adjacency, update, key, rule, now)
            return
        announcement = self._announcement(adjacency, update, key, now)
        if announcement is None:
            return
        rule = refused_by_ledger(key, state.directory, state.zone)
        origin = self._origin(adjacency, announcement, update.metric, now) if rule is None else None
        if origin is None:
            self._refuse(adjacency, update, key, rule or "route-table", now)
        else:
            self._hold(adjacency, origin, announcement, update.metric, now)

    def _refuse(self, adjacency: Adjacency, update: Update, key: bytes, rule: str, now: float) -> None:
        self._drop(rule)
        self._choosing.unhear(adjacency, [update.id], now)
        if update.metric < INFINITY and len(adjacency.heard.all.entries) < MOST_HEARD:
            adjacency.heard.put(update.id, key, update.seqno, update.metric)

    def _announcement(self, adjacency: Adjacency, update: Update, key: bytes, now: float) -> Announcement | None:
        """The announcement in an UPDATE, if its signature holds and its life is not over."""
        known = self._state.table.get(update.id)
        held = None if known is None else next((one for one in known.announcements() if one.is_in(update)), None)
        found = held or self._verified(adjacency, update, key, known, now)
        if found is None or now < found.first_heard + LIFETIME:
            return found
        self._drop("route-expired")
        return None

    def _verified(
        self, adjacency: Adjacency, update: Update, key: bytes, known: Origin | None, now: float
    ) -> Announcement | None:
        if known is None and not is_ed25519_public_key(key):
            self._drop("route-key")
            return None
        if not self._is_signed(adjacency, update, key, now):
            return None
        is_older = known is not None and update.seqno < known.newest.seqno
        return read(update, key, known.newest.first_heard if is_older and known is not None else now)

    def _is_signed(self, adjacency: Adjacency, update: Update, key: bytes, now: float) -> bool:
        if not adjacency.verify.has(1, now) or not self._state.verify.spend(1, now):
            self._drop("route-budget")
            return False
        adjacency.verify.spend(1, now)
        env = self._state.env
        holds = env.verify(key, update.signed(env.genesis, key), update.signature)
        if not holds:
            self._drop("route-signature")
        return holds

    def _origin(self, adjacency: Adjacency, announcement: Announcement, metric: int, now: float) -> Origin | None:
        """Its entry, with the newest announcement in it; None if there is no room."""
        known = self._state.table.get(announcement.id)
        if known is None:
            return None if metric >= INFINITY else self._newcomer(adjacency, announcement, now)
        if announcement.seqno > known.newest.seqno:
            known.newest = announcement
        elif announcement.seqno < known.newest.seqno:
            self._give_newer(adjacency, known, now)
        return known

    def _newcomer(self, adjacency: Adjacency, announcement: Announcement, now: float) -> Origin | None:
        role = self._state.directory.role(announcement.key)
        origin, evicted = self._state.table.admit(announcement, role, adjacency.neighbour)
        if evicted is not None:
            self._choosing.forgotten(evicted, now)
        return origin

    def _hold(self, adjacency: Adjacency, origin: Origin, announcement: Announcement, metric: int, now: float) -> None:
        neighbour = adjacency.neighbour
        if metric >= INFINITY:  # somebody gives us what we missed: no route, but its seqno is worth knowing
            adjacency.heard.drop(origin.id)
            origin.adverts.pop(neighbour, None)
        else:
            adjacency.heard.put(origin.id, origin.key, announcement.seqno, metric)
            origin.adverts[neighbour] = Advert(neighbour, announcement, metric)
        self._choosing.select(origin, now)

    # --- who is out of date -----------------------------------------------------------------------------------

    def _give_newer(self, adjacency: Adjacency, origin: Origin, now: float) -> None:
        """The neighbour has told an older seqno than we hold."""
        offer = self._state.offer(adjacency, origin.id)
        if offer is not None and offer[0].seqno == origin.newest.seqno:
            self._state.telling.need(adjacency, origin.id, Need.REPEAT, now)
        elif offer is None and adjacency.asked.spend(1, now):
            self._state.telling.give(adjacency, origin.newest)

    def _about_us(self, adjacency: Adjacency, update: Update, now: float) -> None:
        """Who tells us of ourselves says that our seqno is old. The announcement in use says nothing new."""
        own, key = self._state.own_announcement(now), self._state.env.identity.key
        if update.seqno < own.seqno or update.seqno > MOST_SEQNO or own.is_in(update):
            return
        if self._is_signed(adjacency, update, key, now):
            self._drop("route-rewound")
            self._state.own.jump(update.seqno)
            self._state.own.asked(now)

    # --- RETRACT ----------------------------------------------------------------------------------------------

    def retract(self, adjacency: Adjacency, message: Retract, now: float) -> None:
        if message.id == EVERYTHING:
            self._retract_all(adjacency, now)
            return
        entry = adjacency.heard.all.entries.get(message.id)
        if entry is not None and message.seqno >= entry.seqno:
            self._choosing.unhear(adjacency, [message.id], now)

    def _retract_all(self, adjacency: Adjacency, now: float) -> None:
        """It begins anew, and has forgotten what we told it."""
        if adjacency.heard.all.entries:
            self.forget_session(adjacency, now)
            self._state.tell_all(adjacency, now)

    def forget_session(self, adjacency: Adjacency, now: float) -> None:
        """Nothing that was said between us counts any more."""
        adjacency.told.clear()
        adjacency.keyed.clear()
        adjacency.pending.clear()
        adjacency.repeats.clear()
        self._choosing.unhear(adjacency, list(adjacency.heard.all.entries), now)
