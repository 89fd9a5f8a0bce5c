"""The address book: two tables of buckets, *new* for what was heard, *tried* for what answered.

Theory of operation
-------------------
As Bitcoin Core's addrman, whose shape answers the eclipse attacks of Heilman et al. (USENIX Security 2015). A keyed
hash decides the one place an address may take. In *new* the bucket follows from the position of the source and the
position of the address, so that one source reaches 64 of 1,024 buckets, whatever it sends; in *tried* from the
address and its position, 8 of 256 buckets a position. A place that is taken is given up only by an address that has
gone bad: not seen for 30 days, or three failures without a success. Memory is bounded by the places.

An address in *tried* moves back to *new* only to make room for another that has answered more recently.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from meshchain.crypto.hashing import tagged_hash
from meshchain.p2p.actions import Endpoint
from meshchain.p2p.addresses.group import group_of

NEW_BUCKETS: Final = 1024
TRIED_BUCKETS: Final = 256
BUCKET_SIZE: Final = 64
BUCKETS_A_SOURCE: Final = 64
BUCKETS_A_POSITION: Final = 8
_STALE: Final = 30 * 86400
_FAILURES: Final = 3
_RETRY: Final = 600.0
"""Seconds before a failed address is tried again, doubled with every failure in a row."""

_Place = tuple[bool, int, int]
"""(tried, bucket, slot)"""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one address. Times are unix seconds, 0 for never."""

    endpoint: Endpoint
    source: bytes
    """Position of whoever told us first."""
    key: bytes | None
    seen: int
    """When it was last said to be up."""
    tried: int = 0
    answered: int = 0
    failures: int = 0
    """In a row."""

    def is_bad(self, wall: float) -> bool:
        forgotten = wall - max(self.seen, self.answered) > _STALE
        return forgotten or (self.failures >= _FAILURES and self.answered == 0)

    def is_due(self, wall: float) -> bool:
        """Whether enough time has passed since the last attempt."""
        wait = _RETRY * 2 ** min(self.failures - 1, 6) if self.failures else 0.0
        return wall - self.tried >= wait


class AddressBook:
    """``secret``: 32 random bytes of this node, so that nobody can compute its buckets."""

    def __init__(self, secret: bytes, rng: random.Random) -> None:
        self.secret = secret
        self._rng = rng
        self._places: dict[_Place, Endpoint] = {}
        self._known: dict[Endpoint, tuple[Known, _Place]] = {}
        self._occupied: dict[bool, list[_Place]] = {False: [], True: []}

    def __len__(self) -> int:
        return len(self._known)

    def __contains__(self, endpoint: Endpoint) -> bool:
        return endpoint in self._known

    def get(self, endpoint: Endpoint) -> Known | None:
        found = self._known.get(endpoint)
        return None if found is None else found[0]

    def all(self) -> list[tuple[Known, bool]]:
        """Everything, with whether it stands in tried; for persistence."""
        return [(known, place[0]) for known, place in self._known.values()]

    def add(self, endpoint: Endpoint, source: bytes, seen: int, wall: float, key: bytes | None = None) -> bool:
        """Note an address that the position ``source`` told of; True if it is new and found its place."""
        seen = min(seen, int(wall))  # nobody was seen in the future
        if endpoint in self._known:
            known, place = self._known[endpoint]
            self._known[endpoint] = replace(known, seen=max(known.seen, seen), key=known.key or key), place
            return False
        return self._put(Known(endpoint, source, key, seen), self._new_place(endpoint, source), wall)

    def attempted(self, endpoint: Endpoint, wall: float) -> None:
        """A connection is tried; it counts as failed until answered() says otherwise."""
        if endpoint in self._known:
            known, place = self._known[endpoint]
            self._known[endpoint] = replace(known, tried=int(wall), failures=known.failures + 1), place

    def answered(self, endpoint: Endpoint, wall: float, key: bytes) -> None:
        """It answered, as ``key``: into tried, if its place there is free or older."""
        if endpoint not in self._known:
            self.add(endpoint, group_of(endpoint.ip), int(wall), wall, key)
        if endpoint not in self._known:
            return
        known, place = self._known[endpoint]
        now = int(wall)
        known = replace(known, key=key, seen=now, tried=now, answered=now, failures=0)
        self._known[endpoint] = known, place
        if not place[0]:
            self._promote(known, wall)

    def select(self, wall: float, *, only_new: bool = False) -> Known | None:
        """A random address that is due: from tried and new with equal chance, so that neither is starved."""
        tables = [False] if only_new else self._rng.sample([False, True], 2)
        for tried in tables:
            places = self._occupied[tried]
            for _ in range(min(64, len(places))):  # a bounded number of draws; the next tick draws again
                known = self._known[self._places[self._rng.choice(places)]][0]
                if known.is_due(wall) and not known.is_bad(wall):
                    return known
        return None

    def sample(self, most: int, wall: float) -> Sequence[Known]:
        """Up to ``most`` addresses for others, at most 23 % of the book, so that one answer does not show all of it."""
        good = [known for known, _ in self._known.values() if not known.is_bad(wall)]
        count = min(most, max(1, len(good) * 23 // 100)) if good else 0
        return self._rng.sample(good, count)

    # --- places --------------------------------------------------------------------------------------------

    def _new_place(self, endpoint: Endpoint, source: bytes) -> _Place:
        spread = self._number(BUCKETS_A_SOURCE, source, group_of(endpoint.ip))
        bucket = self._number(NEW_BUCKETS, source, spread.to_bytes(2, "big"))
        return False, bucket, self._slot(b"new", bucket, endpoint)

    def _tried_place(self, endpoint: Endpoint) -> _Place:
        spread = self._number(BUCKETS_A_POSITION, _raw(endpoint))
        bucket = self._number(TRIED_BUCKETS, group_of(endpoint.ip), spread.to_bytes(2, "big"))
        return True, bucket, self._slot(b"tried", bucket, endpoint)

    def _slot(self, table: bytes, bucket: int, endpoint: Endpoint) -> int:
        return self._number(BUCKET_SIZE, table, bucket.to_bytes(2, "big"), _raw(endpoint))

    def _number(self, below: int, *parts: bytes) -> int:
        framed = b"".join(bytes((len(part),)) + part for part in parts)
        return int.from_bytes(tagged_hash("address-bucket", self.secret, framed)[:8], "big") % below

    def _put(self, known: Known, place: _Place, wall: float) -> bool:
        if place in self._places:
            occupant = self._known[self._places[place]][0]
            if not occupant.is_bad(wall):
                return False
            self._remove(occupant.endpoint)
        self._places[place] = known.endpoint
        self._known[known.endpoint] = known, place
        self._occupied[place[0]].append(place)
        return True

    def _remove(self, endpoint: Endpoint) -> None:
        _, place = self._known.pop(endpoint)
        del self._places[place]
        self._occupied[place[0]].remove(place)

    def _promote(self, known: Known, wall: float) -> None:
        place = self._tried_place(known.endpoint)
        occupant = self._known[self._places[place]][0] if place in self._places else None
        if occupant is not None and occupant.answered >= known.answered:
            return
        self._remove(known.endpoint)
        if occupant is not None:
            self._remove(occupant.endpoint)
        self._put(known, place, wall)
        if occupant is not None:
            self._put(occupant, self._new_place(occupant.endpoint, occupant.source), wall)

    def restore(self, known: Known, wall: float, *, tried: bool) -> None:
        """Put back what all() gave."""
        place = self._tried_place(known.endpoint) if tried else self._new_place(known.endpoint, known.source)
        if known.endpoint not in self._known:
            self._put(known, place, wall)


def _raw(endpoint: Endpoint) -> bytes:
    return endpoint.ip + endpoint.port.to_bytes(2, "big")
