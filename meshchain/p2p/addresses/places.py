"""Where an address may stand: one place in each table, which only the holder of the book's secret can compute."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final, TypeAlias

from meshchain.crypto.hashing import tagged_hash
from meshchain.p2p.actions import Endpoint

Place: TypeAlias = tuple[int, int]
"""(bucket, slot)"""


@dataclass(frozen=True, slots=True)
class Shape:
    """How large the tables are, and how much of them one party reaches."""

    new: int = 1024
    """Buckets."""
    tried: int = 256
    size: int = 64
    """Addresses in a bucket."""
    a_source: int = 64
    """Buckets of new for all that one source tells."""
    a_position: int = 8
    """Buckets of tried for all addresses in one position."""


FULL: Final = Shape()


class Places:
    """``position`` tells an address's position (``group.group_of``, or with the first hop for mesh addresses)."""

    def __init__(self, secret: bytes, position: Callable[[bytes], bytes], shape: Shape = FULL) -> None:
        self.secret = secret
        self._shape = shape
        self._position = position

    def in_new(self, endpoint: Endpoint, source: bytes) -> Place:
        """One source reaches 64 buckets; with addresses in one position, one."""
        spread = self._number(self._shape.a_source, b"spread", source, self._position(endpoint.ip))
        bucket = self._number(self._shape.new, b"new", source, spread.to_bytes(2, "big"))
        return bucket, self._slot(b"new", bucket, endpoint)

    def in_tried(self, endpoint: Endpoint) -> Place:
        """One position reaches 8 buckets."""
        spread = self._number(self._shape.a_position, b"spread", _raw(endpoint))
        bucket = self._number(self._shape.tried, b"tried", self._position(endpoint.ip), spread.to_bytes(2, "big"))
        return bucket, self._slot(b"tried", bucket, endpoint)

    def _slot(self, table: bytes, bucket: int, endpoint: Endpoint) -> int:
        return self._number(self._shape.size, b"slot", table, bucket.to_bytes(2, "big"), _raw(endpoint))

    def _number(self, below: int, *parts: bytes) -> int:
        framed = b"".join(bytes((len(part),)) + part for part in parts)
        return int.from_bytes(tagged_hash("address-bucket", self.secret, framed)[:8], "big") % below


class Table:
    """Endpoints by place. Everything but enumeration takes the same time however many there are."""

    def __init__(self) -> None:
        self._at: dict[Place, Endpoint] = {}
        self._slots: dict[int, list[int]] = {}
        """Occupied slots of each bucket that has any."""
        self._buckets: list[int] = []
        """Those buckets, in any order."""

    def __len__(self) -> int:
        return len(self._at)

    @property
    def buckets(self) -> int:
        """How many hold anything."""
        return len(self._buckets)

    def at(self, place: Place) -> Endpoint | None:
        return self._at.get(place)

    def put(self, place: Place, endpoint: Endpoint) -> None:
        """Into a place that is free."""
        bucket, slot = place
        if bucket not in self._slots:
            self._slots[bucket] = []
            self._buckets.append(bucket)
        self._slots[bucket].append(slot)
        self._at[place] = endpoint

    def clear(self, place: Place) -> None:
        bucket, slot = place
        del self._at[place]
        self._slots[bucket].remove(slot)
        if not self._slots[bucket]:
            del self._slots[bucket]
            self._buckets.remove(bucket)

    def draw(self, rng: Random) -> Endpoint | None:
        """From a random bucket a random address: who fills few buckets is drawn seldom, however full they are."""
        if not self._buckets:
            return None
        bucket = rng.choice(self._buckets)
        return self._at[bucket, rng.choice(self._slots[bucket])]


def _raw(endpoint: Endpoint) -> bytes:
    return endpoint.ip + endpoint.port.to_bytes(2, "big")
