"""Sessions as people see them (``control.pairs.SessionView``): one row an address pair, whatever is under its hood."""

from collections.abc import Iterator
from dataclasses import dataclass

from meshrouter.sessions.pair import Pair
from meshrouter.sessions.sessions import Sessions


@dataclass(frozen=True, slots=True)
class PairView:
    key: bytes
    own: bytes
    peer: bytes
    state: str
    since: float
    used: float
    rekeyed: float
    packet: int
    packets_in: int
    packets_out: int
    bytes_in: int
    bytes_out: int


def session_views(sessions: Sessions, now: float) -> Iterator[PairView]:
    """Of every pair that has a session or waits for one."""
    for pair in sessions.table.pairs.values():
        if pair.key:
            yield _view(pair, now)


def _view(pair: Pair, now: float) -> PairView:
    alive = pair.sessions
    current = pair.current
    return PairView(
        key=pair.key,
        own=pair.own,
        peer=pair.other,
        state="up" if current is not None else "waiting",
        since=min((session.born for session in alive), default=now),
        used=max((session.used for session in alive), default=now),
        rekeyed=now if current is None else current.born,
        packet=pair.mtu(now),
        packets_in=sum(max(0, session.opener.window.greatest + 1) for session in alive),
        packets_out=sum(session.sealer.counter for session in alive),
        bytes_in=sum(session.bytes_in for session in alive),
        bytes_out=sum(session.bytes_out for session in alive),
    )
