"""The address book: two tables of buckets, *new* for what was heard, *tried* for what answered.

Theory of operation
-------------------
As Bitcoin Core's addrman, whose shape answers the eclipse attacks of Heilman et al. (USENIX Security 2015). A keyed
hash decides the one place an address may take (``places``). In *new* the bucket follows from the position of the
source and the position of the address, so that one source reaches 64 of 1,024 buckets, whatever it sends; in *tried*
from the address and its position, 8 of 256 buckets a position. An address to dial is drawn by drawing a bucket first.
Memory is bounded by the places.

A place in *new* is given up only by an address that has gone bad: not seen for 30 days, or three failures without a
success. A place in *tried* is defended: an address that wants it *challenges* its holder and waits in *new*. Feelers
try challenged holders first. A holder that answers stays; one that fails twice, or has gone bad, moves back to *new*,
and the challenger comes in (test before evict, Heilman §7, countermeasure 3).

Failures count only while this node is not cut off itself: of the failures at one address, one counts for every time
that any address has answered in between. A night without network says nothing about others.

Being old keeps an address from being told to others and lets its place go, but it may still be dialled: a node that
was off for two months, or started with its clock at 1970, has nothing better.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from meshchain.p2p.actions import Endpoint
from meshchain.p2p.addresses.group import group_of
from meshchain.p2p.addresses.known import MOST_FAILURES, SHAKEN, Known
from meshchain.p2p.addresses.places import FULL, Place, Places, Shape, Table

_DRAWS: Final = 64
"""In one table, before a draw is given up: the next one is a moment away."""
_MOST_CHALLENGES: Final = 16
_TOLD_PERCENT: Final = 23
_TOLD_LEAST: Final = 16
_TOLD_TIME: Final = 86400.0


@dataclass(frozen=True, slots=True)
class _Stand:
    """An address and its place."""

    known: Known
    tried: bool
    place: Place


@dataclass(frozen=True, slots=True)
class _Told:
    """The answer that everybody gets for a day: asking again and again shows no more of the book."""

    until: float
    size: int
    """Of the book, when it was drawn."""
    listed: Sequence[Known]


def _any(_: Known) -> bool:
    return True


class AddressBook:
    """``secret``: 32 random bytes of this node, so that nobody can compute its buckets."""

    def __init__(
        self,
        secret: bytes,
        rng: random.Random,
        position: Callable[[bytes], bytes] = group_of,
        shape: Shape = FULL,
    ) -> None:
        self.secret = secret
        self._rng = rng
        self._position = position
        self._places = Places(secret, position, shape)
        self._tables = {False: Table(), True: Table()}
        """By whether they hold what answered."""
        self._stands: dict[Endpoint, _Stand] = {}
        self._challenges: dict[Endpoint, Endpoint] = {}
        """Holder of a place in tried → who wants it."""
        self._last_answer = 0
        """Unix seconds at which any address answered."""
        self._told = _Told(0.0, 0, ())

    def __len__(self) -> int:
        return len(self._stands)

    def __contains__(self, endpoint: Endpoint) -> bool:
        return endpoint in self._stands

    def get(self, endpoint: Endpoint) -> Known | None:
        stand = self._stands.get(endpoint)
        return None if stand is None else stand.known

    def buckets(self, *, tried: bool) -> int:
        """How many buckets of a table hold anything."""
        return self._tables[tried].buckets

    def all(self) -> list[tuple[Known, bool]]:
        """Everything, with whether it stands in tried; for persistence."""
        return [(stand.known, stand.tried) for stand in self._stands.values()]

    # --- what is learned ---------------------------------------------------------------------------------------

    def add(self, endpoint: Endpoint, source: bytes, seen: int, wall: float, key: bytes | None = None) -> bool:
        """Note an address that the position ``source`` told of; True if it is new and found its place."""
        seen = max(0, min(seen, int(wall)))  # nobody was seen in the future
        known = self.get(endpoint)
        if known is None:
            return self._enter(Known(endpoint, source, key, seen), wall, tried=False)
        self._update(replace(known, seen=max(known.seen, seen), key=known.key or key))
        return False

    def attempted(self, endpoint: Endpoint, wall: float) -> None:
        """A connection is tried; it is a failure until answered() says otherwise."""
        known = self.get(endpoint)
        if known is not None:
            counts = known.tried <= self._last_answer and known.failures < MOST_FAILURES
            self._update(replace(known, tried=int(wall), failures=known.failures + counts))

    def answered(self, endpoint: Endpoint, wall: float, key: bytes) -> None:
        """It answered, as ``key``: into tried, or a challenge to whoever has its place there."""
        if endpoint not in self._stands and not self.add(endpoint, self._position(endpoint.ip), int(wall), wall, key):
            return
        now = self._last_answer = int(wall)
        stand = self._stands[endpoint]
        self._update(replace(stand.known, key=key, seen=now, tried=now, answered=now, failures=0))
        self._challenges.pop(endpoint, None)
        if not stand.tried:
            self._promote(endpoint, wall)

    def restore(self, known: Known, wall: float, *, tried: bool) -> None:
        """Put back what all() gave."""
        if known.endpoint not in self._stands:
            self._enter(known, wall, tried=tried)
            self._last_answer = max(self._last_answer, known.answered)

    # --- what is asked -----------------------------------------------------------------------------------------

    def select(self, wall: float, fits: Callable[[Known], bool] = _any) -> Known | None:
        """A random address that is due and ``fits``: from both tables with equal chance, so that neither is starved."""
        for tried in self._rng.sample([False, True], 2):
            found = self._draw(tried, wall, fits)
            if found is not None:
                return found
        return None

    def to_test(self, wall: float, fits: Callable[[Known], bool] = _any) -> Known | None:
        """Whom a feeler should try: the holder of a challenged place, else any address in new."""
        self._settle_challenges(wall)
        for holder in self._challenges:
            known = self._stands[holder].known
            if known.is_due(wall) and fits(known):
                return known
        return self._draw(False, wall, fits)

    def sample(self, most: int, wall: float) -> Sequence[Known]:
        """Up to ``most`` addresses for others: at most 23 % of the book, or 16, and the same ones for a day.

        Drawn anew when the book has grown by half.
        """
        told = self._told
        if not 0 <= told.until - wall <= _TOLD_TIME or 2 * len(self) > 3 * told.size:
            good = [stand.known for stand in self._stands.values() if not stand.known.is_bad(wall)]
            count = min(len(good), max(_TOLD_LEAST, len(good) * _TOLD_PERCENT // 100))
            told = self._told = _Told(wall + _TOLD_TIME, len(self), self._rng.sample(good, count))
        return told.listed[:most]

    # --- places ------------------------------------------------------------------------------------------------

    def _draw(self, tried: bool, wall: float, fits: Callable[[Known], bool]) -> Known | None:
        table = self._tables[tried]
        for _ in range(min(_DRAWS, 4 * len(table))):
            endpoint = table.draw(self._rng)
            assert endpoint is not None  # the table is not empty
            known = self._stands[endpoint].known
            if known.is_due(wall) and not known.is_hopeless and fits(known):
                return known
        return None

    def _update(self, known: Known) -> None:
        self._stands[known.endpoint] = replace(self._stands[known.endpoint], known=known)

    def _place(self, known: Known, *, tried: bool) -> Place:
        return self._places.in_tried(known.endpoint) if tried else self._places.in_new(known.endpoint, known.source)

    def _enter(self, known: Known, wall: float, *, tried: bool) -> bool:
        """Into its place, if that is free or held by a bad address."""
        place = self._place(known, tried=tried)
        holder = self._tables[tried].at(place)
        if holder is not None:
            if not self._stands[holder].known.is_bad(wall):
                return False
            self._leave(holder)
        self._tables[tried].put(place, known.endpoint)
        self._stands[known.endpoint] = _Stand(known, tried, place)
        return True

    def _leave(self, endpoint: Endpoint) -> Known:
        stand = self._stands.pop(endpoint)
        self._tables[stand.tried].clear(stand.place)
        self._challenges.pop(endpoint, None)
        return stand.known

    def _promote(self, endpoint: Endpoint, wall: float) -> None:
        holder = self._tables[True].at(self._places.in_tried(endpoint))
        if holder is not None:
            last = self._stands[holder].known
            if last.failures < SHAKEN and not last.is_bad(wall):
                if len(self._challenges) < _MOST_CHALLENGES:
                    self._challenges.setdefault(holder, endpoint)
                return
        known, displaced = self._leave(endpoint), None if holder is None else self._leave(holder)
        self._enter(known, wall, tried=True)
        if displaced is not None:
            self._enter(displaced, wall, tried=False)

    def _settle_challenges(self, wall: float) -> None:
        for holder, challenger in list(self._challenges.items()):
            if challenger not in self._stands or self._stands[challenger].tried:
                del self._challenges[holder]
            elif self._stands[holder].known.failures >= SHAKEN:
                self._promote(challenger, wall)
