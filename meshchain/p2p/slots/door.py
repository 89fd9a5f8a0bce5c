"""The door: which strangers may begin a handshake.

A handshake costs 0.4 ms of CPU before anything is known of who asks for it. So strangers are counted before it begins:
by host, so that one of them cannot take all the time there is; and together, so that all of them cannot take more than
a tenth of a core (250 handshakes a second). Who is turned away is told nothing and may come again.
"""

from collections import Counter, OrderedDict
from typing import Final

from meshchain.p2p.addresses import host_of
from meshchain.p2p.tokens import Bucket, Rate

ALL: Final = Rate(250, 500)
"""Handshakes a second."""
A_HOST: Final = Rate(2, 16)
AT_ONCE: Final = 64
"""In the middle of a handshake, each for at most 10 s."""
AT_ONCE_A_HOST: Final = 8
_MOST_HOSTS: Final = 4096
"""Remembered, about 1 MB; a flood from more hosts than that meets the common limits alone."""


class Door:
    """Times are running seconds. ``knock`` before a handshake with a stranger, ``entered`` when it is over."""

    def __init__(self) -> None:
        self._all = Bucket(ALL)
        self._hosts: OrderedDict[bytes, Bucket] = OrderedDict()
        self._inside: Counter[bytes] = Counter()
        self.refused = 0
        """How many were turned away."""

    def knock(self, ip: bytes, now: float) -> bool:
        """Whether the stranger at this 16-byte address may begin; if so, tell entered() how it ended."""
        host = host_of(ip)
        crowded = self._inside[host] >= AT_ONCE_A_HOST or self._inside.total() >= AT_ONCE
        if crowded or not self._bucket(host).spend(1, now) or not self._all.spend(1, now):
            self.refused += 1
            return False
        self._inside[host] += 1
        return True

    def entered(self, ip: bytes) -> None:
        """The handshake is over, one way or the other."""
        host = host_of(ip)
        self._inside[host] -= 1
        if self._inside[host] <= 0:
            del self._inside[host]

    def _bucket(self, host: bytes) -> Bucket:
        bucket = self._hosts.setdefault(host, Bucket(A_HOST))
        self._hosts.move_to_end(host)
        if len(self._hosts) > _MOST_HOSTS:
            self._hosts.popitem(last=False)
        return bucket
