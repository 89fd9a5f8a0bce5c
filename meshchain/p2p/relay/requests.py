"""Who is asked for which operation.

Theory of operation
-------------------
Several peers offer the same operation; one at a time is asked for it. ::

    offered --ask--> asked --arrived--> judged --settled--> forgotten
       ^                |                  |
       '- time-out, not found, gone        '--returned (no budget)--> offered

If the peer that is asked does not deliver within 20 s, has the operation no longer or leaves, the next one is asked:
the one with the fewest *strikes*, equals in random order. A strike is a time-out, or an operation that cost a check
and proved useless; an operation that proves good takes one away, down to six below zero, and a time-out wipes
out such credit. Peers that we have dialled begin with one good mark, for anybody can dial us.

There are peers with credit, without a mark, and with strikes. Those of the best class we have are asked at once. The
others wait until an operation has been on offer for 2 s, as long as the trickle of an honest announcement takes, and a
peer of a better class takes over what a worse one was asked for 2 s ago: nobody can put himself before better ones by
being quick.

Each strike halves how much is asked of a peer at once (100 at first) and how long it is waited for, and from
the sixth on it is asked for one operation a second. So a peer that sends rubbish for which it cannot be blamed costs
next to nothing, one that never delivers delays little, and neither is shut out for ever.

Bounds: 2,000 offers a peer, 100 asked for and being judged; what is offered beyond that is ignored.
"""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from meshchain.p2p.actions import Peer
from meshchain.p2p.messages import MAX_OPERATIONS

OFFERS: Final = 2000
TIMEOUT: Final = 20.0
"""s. 100 operations of 2 KiB take that long at 10 kB/s."""
LEAST_TIMEOUT: Final = 2.5
HEAD_START: Final = 2.0
"""s for which a peer is not asked for what it offers while there are better peers."""
SLOW_AT: Final = 6
"""Strikes from which on a peer is asked for one operation at a time; the most strikes, and the most credit."""
PAUSE: Final = 1.0
"""s between two such questions."""


@dataclass(slots=True)
class _Want:
    """An operation that somebody offers."""

    since: float
    """When it was first offered."""
    sources: dict[Peer, None] = field(default_factory=dict)
    asked: Peer | None = None
    asked_at: float = 0.0
    judged: bool = False
    """It is here, and its outcome is not known yet."""


@dataclass(slots=True)
class _Source:
    """A peer. ``late``: answers that may still come although we have stopped waiting for them."""

    strikes: int
    offers: dict[bytes, None] = field(default_factory=dict)
    asked: dict[bytes, float] = field(default_factory=dict)
    """wid → deadline, oldest first."""
    judged: int = 0
    resume: float = -math.inf
    late: int = 0

    @property
    def room(self) -> int:
        """How many operations can be asked for now."""
        return max(1, MAX_OPERATIONS >> max(0, self.strikes)) - len(self.asked) - self.judged

    @property
    def standing(self) -> int:
        """−1 with credit, 0 without a mark, 1 with strikes."""
        return (self.strikes > 0) - (self.strikes < 0)

    @property
    def timeout(self) -> float:
        return max(LEAST_TIMEOUT, TIMEOUT * 0.5 ** max(0, self.strikes))


class Requests:
    """All offers and questions. Times are running seconds."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._wants: dict[bytes, _Want] = {}
        self._sources: dict[Peer, _Source] = {}
        self._judges: dict[bytes, Peer] = {}
        """wid → whose copy is being judged."""

    def __len__(self) -> int:
        return len(self._wants)

    def opened(self, peer: Peer, *, outbound: bool) -> None:
        self._sources[peer] = _Source(-1 if outbound else 0)

    def closed(self, peer: Peer) -> None:
        source = self._sources.pop(peer, None)
        for wid in () if source is None else source.offers:
            self._leave(wid, peer)

    def offered(self, peer: Peer, wid: bytes, now: float) -> None:
        """``peer`` has an operation that we want."""
        source = self._sources.get(peer)
        if source is None or len(source.offers) >= OFFERS:
            return
        source.offers[wid] = None
        self._wants.setdefault(wid, _Want(now)).sources[peer] = None

    # --- asking ------------------------------------------------------------------------------------------

    def ask(self, peer: Peer, now: float) -> tuple[bytes, ...]:
        """What to ask ``peer`` for now; may be nothing."""
        source = self._sources.get(peer)
        if source is None or source.room <= 0 or now < source.resume:
            return ()
        since = now if source.standing == self._best_standing() else now - HEAD_START
        chosen = tuple(islice((wid for wid in source.offers if self._is_free(wid, source, since, now)), source.room))
        for wid in chosen:
            want = self._wants[wid]
            self._unask(want, wid, answered=False)
            want.asked, want.asked_at = peer, now
            source.asked[wid] = now + source.timeout
        return chosen

    def _is_free(self, wid: bytes, source: _Source, since: float, now: float) -> bool:
        """Whether ``source`` may be asked for it: nobody else is, or for long enough somebody worse."""
        want = self._wants[wid]
        if want.judged or want.asked is None:
            return not want.judged and want.since <= since
        return source.standing < self._sources[want.asked].standing and now >= want.asked_at + HEAD_START

    def ask_all(self, now: float) -> Iterator[tuple[Peer, tuple[bytes, ...]]]:
        """The same for every peer, the most reliable first."""
        order = sorted(self._sources, key=lambda peer: (self._sources[peer].strikes, self._rng.random()))
        for peer in order:
            if wids := self.ask(peer, now):
                yield peer, wids

    def expire(self, now: float) -> None:
        """Give up on answers that are overdue."""
        for peer, source in self._sources.items():
            overdue = [wid for wid, deadline in source.asked.items() if now >= deadline]
            for wid in overdue:
                self._drop_offer(source, wid, peer)
                source.late = min(source.late + 1, OFFERS)
            if overdue:
                source.strikes = max(0, source.strikes)
                self.strike(peer, now)

    # --- answers -----------------------------------------------------------------------------------------

    def arrived(self, peer: Peer, wid: bytes) -> bool:
        """Whether the operation is to be judged: it was asked of this peer, or comes late and is wanted still."""
        source, want = self._sources.get(peer), self._wants.get(wid)
        if source is None:
            return False
        if want is None or want.judged or (want.asked != peer and not source.late):
            return False
        if want.asked != peer:
            source.late -= 1
        self._unask(want, wid, answered=want.asked == peer)
        want.judged = True
        self._judges[wid] = peer
        source.judged += 1
        return True

    def forgives(self, peer: Peer) -> bool:
        """Whether an operation that is not wanted can be a late answer; each can be only once."""
        source = self._sources.get(peer)
        if source is None or not source.late:
            return False
        source.late -= 1
        return True

    def lacks(self, peer: Peer, wid: bytes) -> None:
        """The peer does not have it any more."""
        source = self._sources.get(peer)
        if source is not None and wid in source.asked:
            self._drop_offer(source, wid, peer)

    def settled(self, wid: bytes) -> None:
        """Nobody needs to be asked for it any more."""
        self._end_judging(wid)
        want = self._wants.pop(wid, None)
        if want is None:
            return
        self._unask(want, wid, answered=False)
        for peer in want.sources:
            self._sources[peer].offers.pop(wid, None)

    def returned(self, wid: bytes) -> None:
        """It was not judged: all who offered it can be asked again."""
        self._end_judging(wid)
        want = self._wants.get(wid)
        if want is not None:
            want.judged = False
            self._forget_unoffered(wid, want)

    def strike(self, peer: Peer, now: float) -> None:
        """The peer was of no use."""
        source = self._sources.get(peer)
        if source is not None:
            source.strikes = min(source.strikes + 1, SLOW_AT)
            if source.strikes == SLOW_AT:
                source.resume = now + PAUSE

    def praise(self, peer: Peer) -> None:
        """The peer delivered something good."""
        source = self._sources.get(peer)
        if source is not None:
            source.strikes = max(-SLOW_AT, source.strikes - 1)

    # --- inside ------------------------------------------------------------------------------------------

    def _best_standing(self) -> int:
        return min(source.standing for source in self._sources.values())

    def _end_judging(self, wid: bytes) -> None:
        peer = self._judges.pop(wid, None)
        if peer is not None and (source := self._sources.get(peer)) is not None:
            source.judged -= 1

    def _drop_offer(self, source: _Source, wid: bytes, peer: Peer) -> None:
        del source.offers[wid]
        source.asked.pop(wid, None)
        self._leave(wid, peer)

    def _leave(self, wid: bytes, peer: Peer) -> None:
        """``peer`` offers ``wid`` no longer."""
        want = self._wants[wid]
        del want.sources[peer]
        if want.asked == peer:
            want.asked = None
        self._forget_unoffered(wid, want)

    def _forget_unoffered(self, wid: bytes, want: _Want) -> None:
        if not want.sources and not want.judged:
            del self._wants[wid]

    def _unask(self, want: _Want, wid: bytes, *, answered: bool) -> None:
        """Wait for nobody's answer any more; one that was asked and has not answered may do so late."""
        source = None if want.asked is None else self._sources[want.asked]
        want.asked = None
        if source is not None:
            del source.asked[wid]
            source.late = min(source.late + (not answered), OFFERS)
