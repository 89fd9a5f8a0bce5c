"""Packets that wait for their session: a few, for a short time."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from meshrouter.offload.vnet import VnetHeader

MOST_PACKETS: Final = 16
MOST_BYTES: Final = 32_768
WAIT: Final = 3.0
"""Seconds; a little less than until TCP has sent its second SYN again."""


@dataclass(frozen=True, slots=True)
class Waiting:
    packet: bytes
    vnet: VnetHeader | None
    until: float


@dataclass(eq=False, slots=True)
class Pending:
    """Of one pair of addresses, in order. The newest is refused where there is no room: its sender will repeat it."""

    held: int = 0
    """Bytes."""
    _queue: deque[Waiting] = field(default_factory=deque)

    def __len__(self) -> int:
        return len(self._queue)

    def add(self, packet: bytes, vnet: VnetHeader | None, now: float) -> bool:
        """Whether there was room. One super-packet may be larger than all the room: it comes alone or not at all."""
        full = len(self._queue) >= MOST_PACKETS or self.held + len(packet) > MOST_BYTES
        if self._queue and full:
            return False
        self._queue.append(Waiting(packet, vnet, now + WAIT))
        self.held += len(packet)
        return True

    def take(self) -> list[Waiting]:
        """All of them; none are left."""
        taken = list(self._queue)
        self._queue.clear()
        self.held = 0
        return taken

    def late(self, now: float) -> list[bytes]:
        """The packets that have waited too long; they are gone."""
        late = []
        while self._queue and self._queue[0].until <= now:
            late.append(self._queue.popleft().packet)
            self.held -= len(late[-1])
        return late

    @property
    def deadline(self) -> float:
        return self._queue[0].until if self._queue else float("inf")
