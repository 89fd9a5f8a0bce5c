"""Blame and bans, with reasons that an operator can read.

A node's faults add up under its key, and under the host it came from: keys cost nothing, so one that is used up would
otherwise be followed by a fresh one with a fresh score. At 100 points key and host are banned for a day (hsd and
Bitcoin Core have used these numbers for years). Hosts are shared behind NAT, so a ban of a host falls only on inbound
connections. A host is an IPv4 address, an IPv6 /64, a mesh address (``addresses.host_of``). Points fade: one a minute.

Peers whose operator chose them are *spared*: scored, and shown with their points, but neither their key nor their host
is ever banned for what they do.

Bans count by the wall clock, because they outlive restarts. One that ends later than a day from now was made by a
clock that was ahead, and is cut to a day.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from meshchain.ledger import codec, shape
from meshchain.ledger.codec import Value
from meshchain.ledger.errors import CodecError, StoreError
from meshchain.p2p.addresses.group import host_of

T = TypeVar("T")

BAN_POINTS: Final = 100
BAN_TIME: Final = 24 * 3600.0
_FADE: Final = 1 / 60
"""Points forgiven a second."""
_MOST: Final = 4096
"""Scores and bans kept; the oldest are forgotten. A ban of all keys one host invents is one ban, of the host."""
_REASON: Final = 300
"""Characters kept of a reason."""
_KEY, _HOST = 32, 16
_LATEST: Final = 2**53
"""Unix seconds that a float holds exactly."""


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
        self.bans: OrderedDict[bytes, Ban] = OrderedDict() if bans is None else bans
        """By node key (32 bytes) and by host (16 bytes); some may be over, see standing()."""
        self._scores: OrderedDict[bytes, _Score] = OrderedDict()
        self._spared: dict[bytes, None] = {}

    def spare(self, key: bytes) -> None:
        """A configured peer has proven to be ``key``."""
        self._spared[key] = None
        self.bans.pop(key, None)

    def blame(self, key: bytes, host: bytes, points: int, reason: str, wall: float) -> Ban | None:
        """Add points to a key and the host (16-byte address) it came from; the ban, if that makes one, of both."""
        reason = reason[:_REASON]
        mine = self._add(key, points, reason, wall)
        if key in self._spared:
            return None
        if max(mine, self._add(host_of(host), points, reason, wall)) < BAN_POINTS:
            return None
        ban = Ban(wall + BAN_TIME, reason)
        for who in (key, host_of(host)):
            _put(self.bans, who, ban)
        return ban

    def points(self, who: bytes, wall: float) -> float:
        """Of a key or a host (as host_of gives it), as they have faded by now."""
        score = self._scores.get(who)
        if score is None:
            return 0.0
        score.when = min(score.when, wall)  # the clock was set back: fade from now on
        return max(0.0, score.points - _FADE * (wall - score.when))

    def reason(self, who: bytes) -> str:
        """Of the last blame; "" if there was none."""
        score = self._scores.get(who)
        return "" if score is None else score.reason

    def ban(self, who: bytes, wall: float) -> Ban | None:
        """The ban that stands on a key (32 bytes) or an address (16 bytes), None when it is over."""
        who = host_of(who) if len(who) == _HOST else who
        ban = self.bans.get(who)
        if ban is None:
            return None
        if ban.until <= wall:
            del self.bans[who]
            return None
        if ban.until > wall + BAN_TIME:
            ban = self.bans[who] = replace(ban, until=wall + BAN_TIME)
        return ban

    def standing(self, wall: float) -> Sequence[tuple[bytes, Ban]]:
        """All bans that stand, for the operator: key or host, until when, and why."""
        return [(who, ban) for who in list(self.bans) if (ban := self.ban(who, wall)) is not None]

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

    def _add(self, who: bytes, points: int, reason: str, wall: float) -> float:
        score = _Score(self.points(who, wall) + points, wall, reason)
        _put(self._scores, who, score)
        return score.points


def _row(item: Value) -> tuple[bytes, Ban]:
    fields = shape.array(item, "a ban")
    if len(fields) != 3:
        raise CodecError("field-count", "a ban is [who, until, reason]")
    who, until, reason = fields
    if not isinstance(who, bytes) or len(who) not in (_KEY, _HOST):
        raise CodecError("field-bytes", "a ban is of a key of 32 bytes or a host of 16")
    if isinstance(until, bool) or not isinstance(until, int) or until > _LATEST or not isinstance(reason, str):
        raise CodecError("field-type", "a ban ends at an integer up to 2^53, for a reason in text")
    return who, Ban(float(until), reason[:_REASON])


def _put(table: OrderedDict[bytes, T], key: bytes, value: T) -> None:
    table[key] = value
    table.move_to_end(key)
    if len(table) > _MOST:
        table.popitem(last=False)
