"""How fast a peer may fill the book: one address in ten seconds unasked, a thousand when asked (Bitcoin Core 22)."""

from typing import Final

from meshchain.p2p.actions import Peer
from meshchain.p2p.tokens import Bucket, Rate

UNASKED: Final = Rate(0.1, 1.0)
ANSWER: Final = 1000.0


class Intake:
    """A bucket of addresses for each peer. Times are running seconds."""

    def __init__(self) -> None:
        self._buckets: dict[Peer, Bucket] = {}

    def asked(self, peer: Peer) -> None:
        """We asked this peer for addresses: its next thousand are welcome."""
        bucket = self._bucket(peer)
        bucket.tokens = max(bucket.tokens, ANSWER)

    def allowed(self, peer: Peer, offered: int, now: float) -> int:
        """How many of ``offered`` addresses may be taken now."""
        bucket = self._bucket(peer)
        bucket.has(offered, now)
        taken = min(offered, int(bucket.tokens))
        bucket.tokens -= taken
        return taken

    def gone(self, peer: Peer) -> None:
        self._buckets.pop(peer, None)

    def _bucket(self, peer: Peer) -> Bucket:
        return self._buckets.setdefault(peer, Bucket(UNASKED))
