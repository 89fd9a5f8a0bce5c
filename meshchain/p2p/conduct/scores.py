"""Blame and bans, with reasons that an operator can read.

A node's faults add up under its key; at 100 points the key and the host it came from are banned for a day (hsd and
Bitcoin Core have used these numbers for years). Keys cost nothing, so the host is banned too; hosts are shared behind
NAT, so a ban of a host falls only on inbound connections and ends as soon as the ban does. Points fade: one a minute.
Configured peers are scored but never banned, because their operator chose them.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final, TypeVar

from meshchain.ledger import codec, shape
from meshchain.ledger.codec import Value
from meshchain.ledger.errors import CodecError, StoreError

T = TypeVar("T")

BAN_POINTS: Final = 100
BAN_TIME: Final = 24 * 3600.0
_FADE: Final = 1 / 60
"""Points forgiven a second."""
_MOST: Final = 4096
"""Scores and bans kept; the oldest are forgotten. A ban of all keys one host invents is one ban, of the host."""


@dataclass(frozen=True, slots=True)
class Ban:
    """Until when (unix seconds), and why."""

    until: float
    reason: str


@dataclass(slots=True)
class _Score:
    points: float
    when: float
    reason: str


class Scores:
    """All scores and bans. ``wall`` is unix time: bans outlive restarts."""

    def __init__(self, bans: OrderedDict[bytes, Ban] | None = None) -> None:
        self.bans: OrderedDict[bytes, Ban] = bans or OrderedDict()
        """By node key (32 bytes) and by host (16 bytes)."""
        self._scores: OrderedDict[bytes, _Score] = OrderedDict()

    def blame(self, key: bytes, host: bytes, points: int, reason: str, wall: float) -> Ban | None:
        """Add points to a key; the ban if that makes one, for key and host."""
        score = _Score(self.points(key, wall) + points, wall, reason)
        _put(self._scores, key, score)
        if score.points < BAN_POINTS:
            return None
        ban = Ban(wall + BAN_TIME, reason)
        for who in (key, host):
            _put(self.bans, who, ban)
        return ban

    def points(self, key: bytes, wall: float) -> float:
        score = self._scores.get(key)
        return 0.0 if score is None else max(0.0, score.points - _FADE * max(0.0, wall - score.when))

    def reason(self, key: bytes) -> str:
        """Of the last blame; "" if there was none."""
        score = self._scores.get(key)
        return "" if score is None else score.reason

    def ban(self, who: bytes, wall: float) -> Ban | None:
        """The ban that stands on a key or a host, None when it is over."""
        ban = self.bans.get(who)
        if ban is not None and ban.until <= wall:
            del self.bans[who]
            return None
        return ban

    def encode(self) -> bytes:
        """The bans, to be kept on disk."""
        return codec.encode([[who, int(ban.until), ban.reason] for who, ban in self.bans.items()])

    @classmethod
    def decode(cls, data: bytes) -> "Scores":
        """Inverse of encode; StoreError "damaged"."""
        try:
            rows = [_row(item) for item in shape.array(codec.decode(data), "bans")]
        except CodecError as error:
            raise StoreError("damaged", f"the list of bans is damaged: {error}") from error
        return cls(OrderedDict(rows[-_MOST:]))


def _row(item: Value) -> tuple[bytes, Ban]:
    fields = shape.array(item, "a ban")
    if len(fields) != 3:
        raise CodecError("field-type", "a ban is [who, until, reason]")
    who, until, reason = fields
    if not isinstance(who, bytes) or not isinstance(until, int) or not isinstance(reason, str):
        raise CodecError("field-type", "a ban is [bytes, integer, text]")
    return who, Ban(float(until), reason)


def _put(table: OrderedDict[bytes, T], key: bytes, value: T) -> None:
    table[key] = value
    table.move_to_end(key)
    if len(table) > _MOST:
        table.popitem(last=False)
