"""What a peer may cost: token buckets for its messages and for unverified work, and one for all of them together.

Checking a stamp costs eight argon2 hashes, some 5 ms; sending a bad one costs nothing. So each peer has a bucket of
work it may cause before the work has proven good: work that proved good is refunded, work that did not stays spent. A
global bucket keeps the unverified work of all peers below a quarter of one core. What a budget does not cover is
dropped, not blamed: the peer may just be fast.
"""

from dataclasses import dataclass, field
from typing import Final

from meshchain.p2p.actions import Peer


@dataclass(frozen=True, slots=True)
class Rate:
    """Tokens a second, and how many can be saved up."""

    per_second: float
    burst: float


MESSAGES: Final = Rate(200, 2000)
STAMPS: Final = Rate(20, 100)
SIGNATURES: Final = Rate(50, 200)
UNVERIFIED: Final = Rate(0.25, 2.0)
"""CPU-seconds a second for all peers' unproven work together."""
STAMP_COST: Final = 0.006
"""CPU-seconds of a stamp check: eight hashes of 1 MiB on a common core."""
SIGNATURE_COST: Final = 0.0003


@dataclass(slots=True)
class Bucket:
    """A token bucket; full at first."""

    rate: Rate
    tokens: float = field(init=False)
    when: float = 0.0

    def __post_init__(self) -> None:
        self.tokens = self.rate.burst

    def spend(self, amount: float, now: float) -> bool:
        """Take ``amount`` if it is there."""
        self._fill(now)
        if self.tokens < amount:
            return False
        self.tokens -= amount
        return True

    def refund(self, amount: float) -> None:
        self.tokens = min(self.rate.burst, self.tokens + amount)

    def _fill(self, now: float) -> None:
        earned = self.rate.per_second * max(0.0, now - self.when)
        self.tokens = max(self.tokens, min(self.rate.burst, self.tokens + earned))  # a credit above the burst stays
        self.when = now


@dataclass(slots=True)
class _Purse:
    messages: Bucket = field(default_factory=lambda: Bucket(MESSAGES))
    stamps: Bucket = field(default_factory=lambda: Bucket(STAMPS))
    signatures: Bucket = field(default_factory=lambda: Bucket(SIGNATURES))


class Budgets:
    """One purse a peer, and the common one. Times are running seconds."""

    def __init__(self) -> None:
        self._purses: dict[Peer, _Purse] = {}
        self._common = Bucket(UNVERIFIED)
        self.dropped = 0
        """Operations left unchecked because a budget was spent."""

    def opened(self, peer: Peer) -> None:
        self._purses[peer] = _Purse()

    def closed(self, peer: Peer) -> None:
        self._purses.pop(peer, None)

    def message(self, peer: Peer, now: float) -> bool:
        """Whether the peer may send another message now."""
        return self._purses[peer].messages.spend(1, now)

    def operation(self, peer: Peer, now: float) -> bool:
        """Whether an unproven operation of the peer may be checked now: a signature and a stamp."""
        purse = self._purses.get(peer)
        if purse is None:
            return False
        paid = purse.signatures.spend(1, now) and purse.stamps.spend(1, now)
        if not paid or not self._common.spend(STAMP_COST + SIGNATURE_COST, now):
            self.dropped += 1
            return False
        return True

    def proven(self, peer: Peer) -> None:
        """The operation was good: it cost its sender more than us."""
        self._common.refund(STAMP_COST + SIGNATURE_COST)
        if (purse := self._purses.get(peer)) is not None:
            purse.signatures.refund(1)
            purse.stamps.refund(1)

    def refused_early(self, peer: Peer) -> None:
        """It was refused before its stamp was hashed: that part comes back, the signature's does not."""
        self._common.refund(STAMP_COST)
        if (purse := self._purses.get(peer)) is not None:
            purse.stamps.refund(1)
