"""All pairs and sessions of this node, found by what packets show; bounded.

A session is found by our index (what comes in), by the other's index and id (what errors quote), and a pair by its
addresses. ``by_pair`` holds the sessions that are sent on: one lookup for a packet from the TUN.

There are at most 4,096 proven sessions and 256 that are not: whoever answers a first message must keep a session for
it, though it may be a replay, or the first of a flood. When one is too many, the one unused longest is forgotten (for
it costs its owner one handshake to come back), and of one pair that is not proven the oldest beyond four.
"""

import random
from collections import OrderedDict
from typing import Final

from meshrouter.counters import Counters
from meshrouter.sessions.endsession import ALWAYS, EndSession
from meshrouter.sessions.flowlabel import FlowLabels
from meshrouter.sessions.pair import NO_MTU, Pair

MOST_SESSIONS: Final = 4096
"""About 10 KB each with all that belongs to it: 40 MB."""
MOST_UNPROVEN: Final = 256
"""About 13 s of handshakes at the rate that needs no cookie (20/s)."""
MOST_A_PAIR: Final = 4
"""One that is sent on, one before it, one that each side has begun at the same time."""
MOST_PAIRS: Final = 2 * MOST_SESSIONS
MOST_SPENT: Final = MOST_SESSIONS
"""Ephemeral keys of sessions that are over (500 KB). Replays of older ones make sessions that are never proven."""
LIFETIME: Final = 300.0
"""Seconds after which a session is gone, used or not: what its keys have sealed cannot be opened any more."""
UNPROVEN_TIME: Final = 10.0


class Table:
    """``own_id``: 14 bytes."""

    def __init__(self, own_id: bytes, zone: int, rng: random.Random, counters: Counters) -> None:
        self.by_index: dict[int, EndSession] = {}
        self.by_pair: dict[bytes, EndSession] = {}
        """Own address ‖ other address, as in the IPv6 header → the session that is sent on."""
        self.by_remote: dict[tuple[bytes, int], EndSession] = {}
        """(id of the other end, its index)."""
        self.pairs: dict[bytes, Pair] = {}
        """By own address ‖ other address."""
        self.unproven: dict[int, EndSession] = {}
        """By our index, the oldest first."""
        self._spent: OrderedDict[bytes, None] = OrderedDict()
        self._own_id = own_id
        self._zone = zone
        self._rng = rng
        self._secret = rng.randbytes(32)
        self._counters = counters

    def pair(self, own: bytes, other: bytes) -> Pair | None:
        """The pair of two addresses, new if need be; None: there are too many."""
        pair = self.pairs.get(own + other)
        if pair is None:
            if len(self.pairs) >= MOST_PAIRS and not self._forget_idle():
                self._counters.drop("end-pairs")
                return None
            labels = FlowLabels(self._secret, own + other)
            pair = self.pairs[own + other] = Pair(own, other, self._own_id, self._zone, labels)
        return pair

    def new_index(self, *taken: dict[int, Pair]) -> int:
        """One that no session has, nor any of ``taken``."""
        while True:
            index = self._rng.getrandbits(32)
            if index and index not in self.by_index and not any(index in others for others in taken):
                return index

    def add(self, session: EndSession) -> None:
        """A new session of its pair, not yet sent on."""
        pair = session.pair
        self.by_index[session.index] = session
        self.by_remote[pair.id, session.sealer.index] = session
        if not session.proven:
            self.unproven[session.index] = session
        pair.sessions.append(session)
        self._bound_pair(pair)
        self._bound()

    def send_on(self, session: EndSession, due: float) -> None:
        """From now on what goes from the one address to the other goes here. ``due``: when to look at it again."""
        pair = session.pair
        if pair.current is not None and pair.current is not session:
            pair.current.due = ALWAYS  # what comes on it is looked at: the other side may not know of the new one
        pair.current = self.by_pair[pair.addresses] = session
        pair.told_mtu, pair.caps = session.told_mtu, session.caps
        session.due = due
        session.proven = True
        session.response = b""
        self.unproven.pop(session.index, None)
        self._bound()

    def close(self, session: EndSession) -> None:
        pair = session.pair
        if self.by_index.pop(session.index, None) is None:
            return
        self.by_remote.pop((pair.id, session.sealer.index), None)
        self.unproven.pop(session.index, None)
        pair.sessions.remove(session)
        if session.proven and session.ephemeral:
            self._spend(session.ephemeral)
        if pair.current is session:
            pair.current = None
            del self.by_pair[pair.addresses]

    def is_spent(self, ephemeral: bytes) -> bool:
        """Whether an INIT with this key has led to a session that is over: it is a replay."""
        return ephemeral in self._spent

    def close_all(self, pair: Pair) -> None:
        """Its sessions; and who holds its address is to be asked again."""
        for session in tuple(pair.sessions):
            self.close(session)
        pair.key = pair.id = b""
        pair.told_mtu = pair.learned_mtu = NO_MTU
        pair.split_until = 0.0

    def sweep(self, now: float) -> None:
        """Closes what is over, forgets pairs of which nothing is left."""
        for session in tuple(self.by_index.values()):
            if now >= _end_of(session):
                self.close(session)
        for addresses in [addresses for addresses, pair in self.pairs.items() if pair.is_idle]:
            del self.pairs[addresses]

    def _bound(self) -> None:
        if len(self.unproven) > MOST_UNPROVEN:
            self._counters.drop("end-unproven")
            self.close(next(iter(self.unproven.values())))
        if len(self.by_index) - len(self.unproven) > MOST_SESSIONS:
            self._counters.drop("end-sessions")
            self.close(min(self.by_pair.values(), key=lambda one: one.used))

    def _bound_pair(self, pair: Pair) -> None:
        if len(pair.sessions) > MOST_A_PAIR:
            spare = [one for one in pair.sessions if one is not pair.current]
            unproven = [one for one in spare if not one.proven]
            self.close(unproven[0] if len(unproven) > 1 else spare[0])

    def _spend(self, ephemeral: bytes) -> None:
        self._spent[ephemeral] = None
        if len(self._spent) > MOST_SPENT:
            self._spent.popitem(last=False)

    def _forget_idle(self) -> bool:
        idle = next((addresses for addresses, pair in self.pairs.items() if pair.is_idle), None)
        if idle is not None:
            del self.pairs[idle]
        return idle is not None


def _end_of(session: EndSession) -> float:
    """One that we no longer send on may be what the other side sends on, however silent it is: it lasts as long."""
    return session.born + (LIFETIME if session.proven else UNPROVEN_TIME)
