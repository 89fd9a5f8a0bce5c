"""How much of a storm goes on: per origin, the same at every node, so that it ends at the origin's own neighbours."""

from collections import OrderedDict
from typing import Final, TypeVar

from meshrouter.directory import Role
from meshrouter.tokens import Bucket

K = TypeVar("K")
V = TypeVar("V")

MEMBER_PACKETS: Final = (20.0, 60.0)
"""A second, and saved up."""
MEMBER_BYTES: Final = (32_000.0, 64_000.0)
GUEST_PACKETS: Final = (1.0, 5.0)
GUEST_BYTES: Final = (1_000.0, 5_000.0)
ALL_GUESTS: Final = (10.0, 20.0)
"""Packets of all guests together: making keys is free, so what one guest may is no bound."""
CHECKS: Final = (400.0, 400.0)
"""Signatures that one neighbour can make us check: a twentieth of a core."""
FORGERY: Final = 20.0
"""What a signature that does not hold costs the neighbour, in checks: an honest one relays none."""
MOST_ORIGINS: Final = 4096
MOST_NEIGHBOURS: Final = 1024


class Budgets:
    def __init__(self) -> None:
        self._origins: OrderedDict[tuple[bytes, bool], tuple[Bucket, Bucket]] = OrderedDict()
        self._neighbours: OrderedDict[bytes, Bucket] = OrderedDict()
        self._guests = Bucket(*ALL_GUESTS)

    def may_check(self, neighbour: bytes, now: float) -> bool:
        """One more signature for a neighbour (its key)."""
        return self._neighbour(neighbour).spend(1.0, now)

    def forged(self, neighbour: bytes, now: float) -> None:
        bucket = self._neighbour(neighbour)
        bucket.has(0.0, now)
        bucket.tokens = max(0.0, bucket.tokens - FORGERY)

    def has(self, origin: bytes, role: Role, size: int, now: float) -> bool:
        """Whether a packet of ``size`` bytes is within the origin's budget. Spends nothing."""
        packets, octets = self._origin(origin, role)
        is_open = role == Role.MEMBER or self._guests.has(1.0, now)
        return is_open and packets.has(1.0, now) and octets.has(size, now)

    def spend(self, origin: bytes, role: Role, size: int, now: float) -> None:
        """What ``has`` allowed, and is proven to be the origin's."""
        packets, octets = self._origin(origin, role)
        packets.spend(1.0, now)
        octets.spend(size, now)
        if role != Role.MEMBER:
            self._guests.spend(1.0, now)

    def _origin(self, origin: bytes, role: Role) -> tuple[Bucket, Bucket]:
        member = role == Role.MEMBER
        known = self._origins.get((origin, member))
        if known is None:
            rates = (MEMBER_PACKETS, MEMBER_BYTES) if member else (GUEST_PACKETS, GUEST_BYTES)
            known = self._origins[origin, member] = Bucket(*rates[0]), Bucket(*rates[1])
        _use(self._origins, (origin, member), MOST_ORIGINS)
        return known

    def _neighbour(self, key: bytes) -> Bucket:
        bucket = self._neighbours.setdefault(key, Bucket(*CHECKS))
        _use(self._neighbours, key, MOST_NEIGHBOURS)
        return bucket


def _use(table: "OrderedDict[K, V]", key: K, most: int) -> None:
    table.move_to_end(key)
    if len(table) > most:
        table.popitem(last=False)
