"""Trains that arrive: frames become one sealed packet again.

Theory of operation
-------------------
A train is sealed once, so none of its frames can be checked before all are there; until then they are bytes that
anybody on the link may have written. What that can cost is bounded: a session has two trains under way (the one that
comes in and one that was overtaken: links reorder a frame or two where trains end), all sessions together 64, each of
at most 65,016 bytes for at most 2 seconds. A third train ends the older of the two. Frames of one train may come in any
order and more than once; the first of a number stays. A train whose counter is spent already is not begun.

A forged frame can spoil the train whose number it bears, as noise on the wire can; nothing of it is believed, since the
whole is opened under the session's key before anybody sees it.
"""

from collections import Counter, OrderedDict
from typing import Final

from meshrouter.handshake import full_counter
from meshrouter.neighbours.session import LinkSession
from meshrouter.wire.frame import FIRST_TRAIN, FRAME, HEADER_SIZE, LAST, MAX_CARS
from meshrouter.wire.train import MOST_SEALED, TRAIN_TIME, train_aad, uncoupled

A_SESSION: Final = 2
MOST_TRAINS: Final = 64
"""4 MB."""
MOST_TOGETHER: Final = 64
"""Frames in one receive: as many as one send takes (UDP_MAX_SEGMENTS)."""


class _Train:
    __slots__ = ("cars", "held", "session", "since", "top", "total")

    def __init__(self, session: LinkSession, now: float) -> None:
        self.session = session
        self.since = now
        self.cars: dict[int, bytes] = {}
        self.total = MAX_CARS
        """Frames of it, at most; the last one tells."""
        self.top = 0
        """The highest number here."""
        self.held = 0
        """Bytes."""

    def add(self, number: int, content: bytes, *, last: bool) -> bool:
        """Whether the train may still become one. That frames are of one size is not asked: the seal is over all."""
        if number in self.cars:
            return True
        if last:
            self.total = min(self.total, number + 1)
        self.cars[number] = content
        self.top = max(self.top, number)
        self.held += len(content)
        return self.held <= MOST_SEALED and self.top < self.total

    @property
    def is_whole(self) -> bool:
        return len(self.cars) == self.total

    def sealed(self) -> bytes:
        return b"".join([self.cars[number] for number in range(self.total)])


class Trains:
    """Of all links.

    Drops are counted in ``counters``: train-size, train-long (or numbered past its last), train-late, train-tag.
    """

    def __init__(self, counters: Counter[str]) -> None:
        self._counters = counters
        self._trains: OrderedDict[tuple[int, int], _Train] = OrderedDict()
        """By our index and low counter, the oldest first."""

    def __len__(self) -> int:
        return len(self._trains)

    @property
    def held(self) -> int:
        """Bytes that wait."""
        return sum(train.held for train in self._trains.values())

    def received(self, session: LinkSession, data: bytes, now: float) -> bytes | None:
        """A TRAIN frame to ``session``'s index, or several of one size, one behind the other, as UDP_GRO has put them
        together. The MESHP packet, authentic, once the last one is here.

        Usually that is a whole train at once, and then nothing is kept.
        """
        size = HEADER_SIZE + int.from_bytes(data[2:4], "big")
        if len(data) <= size:
            return self._frame(session, data, now)
        whole = uncoupled(data)
        if whole is None:
            return self._singly(session, data, size, now)
        index, low, sealed = whole
        packet = session.opener.open(low, sealed, train_aad(index, low))
        if packet is None:
            self._counters["train-tag"] += 1
        return packet

    def _singly(self, session: LinkSession, run: bytes, size: int, now: float) -> bytes | None:
        """Frame by frame, up to what is none of this session: the end of a frame that a link has filled up."""
        packet = None
        for start in range(0, min(len(run), MOST_TOGETHER * size), size):
            if run[start] != FIRST_TRAIN or run[start + 4 : start + 8] != run[4:8]:
                break
            packet = self._frame(session, run[start : start + size], now) or packet
        return packet

    def _frame(self, session: LinkSession, frame: bytes, now: float) -> bytes | None:
        if len(frame) <= HEADER_SIZE:
            self._counters["train-size"] += 1
            return None
        _, mark, length, index, low = FRAME.unpack_from(frame)
        if not 0 < length <= len(frame) - HEADER_SIZE or mark & ~LAST >= MAX_CARS:
            self._counters["train-size"] += 1
            return None
        train = self._trains.get((index, low)) or self._begin(session, index, low, now)
        if train is None:
            self._counters["train-late"] += 1
            return None
        if not train.add(mark & ~LAST, frame[HEADER_SIZE : HEADER_SIZE + length], last=bool(mark & LAST)):
            self._end(index, low, "train-long")
            return None
        return self._whole(train, index, low) if train.is_whole else None

    def tick(self, now: float) -> None:
        """Ends what has waited for 2 seconds."""
        while self._trains:
            (index, low), oldest = next(iter(self._trains.items()))
            if oldest.since + TRAIN_TIME > now:
                return
            self._end(index, low, "train-late")

    def deadline(self) -> float:
        oldest = next(iter(self._trains.values()), None)
        return float("inf") if oldest is None else oldest.since + TRAIN_TIME

    def _begin(self, session: LinkSession, index: int, low: int, now: float) -> _Train | None:
        window = session.opener.window
        if not window.fresh(full_counter(low, window.greatest)):
            return None
        self.tick(now)
        own = [at for at in self._trains if at[0] == index]
        if len(own) >= A_SESSION:
            self._end(*own[0], "train-late")
        elif len(self._trains) >= MOST_TRAINS:
            self._end(*next(iter(self._trains)), "train-late")
        train = self._trains[index, low] = _Train(session, now)
        return train

    def _whole(self, train: _Train, index: int, low: int) -> bytes | None:
        del self._trains[index, low]
        packet = train.session.opener.open(low, train.sealed(), train_aad(index, low))
        if packet is None:
            self._counters["train-tag"] += 1
        return packet

    def _end(self, index: int, low: int, rule: str) -> None:
        del self._trains[index, low]
        self._counters[rule] += 1
