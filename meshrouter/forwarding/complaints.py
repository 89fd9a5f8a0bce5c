"""ERR packets: telling a source why its packet went no further.

Nobody is told about an ERR, nor more often than the budget of the neighbour that brought the packet allows: what a
stranger can make us send is bounded by who he is, not by what he claims to be. An ERR has at most 51 bytes beside its
header.
"""

from collections.abc import Callable
from typing import Final

from meshrouter.env import Env
from meshrouter.neighbours.neighbour import Neighbour
from meshrouter.tokens import Bucket
from meshrouter.wire import meshctl
from meshrouter.wire.meshctl import MAX_QUOTE, Error, ErrorCode
from meshrouter.wire.packet import MESHCTL, NEXT_HEADER_AT, SOURCE, Packet

RATE: Final = 20.0
"""ERRs a second for the packets of one neighbour, as many at once."""
_MOST_BUCKETS: Final = 1024


class Complaints:
    """``send``: takes a MESHP packet to its destination; False where there is no route."""

    def __init__(self, env: Env, send: Callable[[bytes, float], bool]) -> None:
        self._env = env
        self._send = send
        self._buckets: dict[bytes, Bucket] = {}

    def complain(self, packet: bytes, ingress: Neighbour | None, code: ErrorCode, now: float, mtu: int = 0) -> None:
        """Tell the packet's source. ``ingress``: who brought it; None if this node did, which needs no telling."""
        self._env.counters.drop(f"forward-{code.name.lower().replace('_', '-')}")
        if ingress is None or packet[NEXT_HEADER_AT] == MESHCTL or not self._spend(ingress.key, now):
            return
        error = Packet(
            next_header=MESHCTL,
            source=self._env.identity.id,
            destination=packet[SOURCE],
            payload=meshctl.encode(Error(code, mtu, packet[:MAX_QUOTE])),
            source_zone=self._env.zone,
            destination_zone=int.from_bytes(packet[8:10], "big"),
        )
        self._send(error.encode(), now)

    def _spend(self, key: bytes, now: float) -> bool:
        if len(self._buckets) >= _MOST_BUCKETS and key not in self._buckets:
            self._buckets.clear()  # full again for everybody: harmless at this rate
        return self._buckets.setdefault(key, Bucket(RATE, RATE)).spend(1.0, now)
