"""How many answers go by UDP to who has not shown that it asked (response rate limiting).

A bucket for every /24 of IPv4 and /56 of IPv6: 50 answers a second, 100 at once. Beyond, every second question gets an
empty answer with TC, as long as the question: a true client then comes by TCP or with a cookie. Loopback is free.
"""

from enum import Enum, auto
from ipaddress import IPv6Address, ip_address
from typing import Final

from meshchain.dns.generations import Generations

RATE: Final = 50.0
BURST: Final = 100.0
MOST_BUCKETS: Final = 32768
"""Some 200 bytes each: 7 MB."""


class Leave(Enum):
    ANSWER = auto()
    TRUNCATE = auto()
    DROP = auto()


class RateLimit:
    def __init__(self) -> None:
        self._buckets: Generations[bytes, tuple[float, float, bool]] = Generations(MOST_BUCKETS)

    def ask(self, address: str, now: float) -> Leave:
        """``now``: any steady clock (s)."""
        net = network(address)
        left, since, slip = self._buckets.get(net, (BURST, now, False))
        left = min(BURST, left + (now - since) * RATE)
        if left >= 1:
            self._buckets.put(net, (left - 1, now, slip))
            return Leave.ANSWER
        self._buckets.put(net, (left, now, not slip))
        return Leave.DROP if slip else Leave.TRUNCATE


def network(address: str) -> bytes:
    parsed = ip_address(address.partition("%")[0])
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    packed = (mapped or parsed).packed
    return packed[:3] if len(packed) == 4 else packed[:7]
