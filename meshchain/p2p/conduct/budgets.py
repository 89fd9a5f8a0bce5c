"""What a peer may cost: token buckets for its messages and for unverified work, and one for all of them together.

Theory of operation
-------------------
*Work.* Checking a stamp costs eight argon2 hashes, some 5 ms; sending a bad one costs nothing. So each peer has
buckets of operations it may have checked before they have proven good: what proved good is given back, what did not
stays spent. All peers together waste at most ``UNVERIFIED``, a quarter of one core. Three fifths of that are for
whoever comes first, which under a flood is the flood; so one fifth is split beforehand into a small purse of its own
for each peer that can be connected. An honest peer gets everything back that it takes from its purse, and so it is
heard at any time, however many others waste the common part. The last fifth fills the purses of newcomers: were they
full for nothing, a flood would only have to reconnect.

*Messages.* Reading a message costs by its number and by its size, a token each and one for every 4 KiB. What we ask
for is paid by us: a question credits the peer with the largest answer it may draw, once.

What a budget does not cover is dropped. Operations are dropped without blame: the peer may just be fast.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from meshchain.p2p.actions import Peer
from meshchain.p2p.conduct.answers import answer_of
from meshchain.p2p.messages import Message
from meshchain.p2p.tokens import Bucket, Rate

MESSAGES: Final = Rate(200, 2000)
MESSAGE_BYTES: Final = 4096
"""Bytes that cost as much as a message does by itself."""
STAMPS: Final = Rate(20, 100)
SIGNATURES: Final = Rate(50, 200)
UNVERIFIED: Final = Rate(0.25, 2.0)
"""CPU-seconds a second for all peers' unproven work together."""
STAMP_COST: Final = 0.006
"""CPU-seconds of a stamp check: eight hashes of 1 MiB on a common core."""
SIGNATURE_COST: Final = 0.0003
OPERATION_COST: Final = STAMP_COST + SIGNATURE_COST
MOST_PEERS: Final = 160
"""Among whom the assured part is split: 125 inbound, 11 outbound, configured ones."""
COMMON: Final = Rate(UNVERIFIED.per_second * 0.6, UNVERIFIED.burst * 0.6)
ASSURED: Final = Rate(UNVERIFIED.per_second * 0.2 / MOST_PEERS, 4 * OPERATION_COST)
"""Of each peer. The burst: four operations that are being checked at once; after four bad ones it is banned."""
ENTRY: Final = Rate(UNVERIFIED.per_second * 0.2, UNVERIFIED.burst * 0.4)
"""What fills the assured purses of newcomers: two a second, thirty at once."""


@dataclass(slots=True)
class _Purse:
    messages: Bucket = field(default_factory=lambda: Bucket(MESSAGES))
    stamps: Bucket = field(default_factory=lambda: Bucket(STAMPS))
    signatures: Bucket = field(default_factory=lambda: Bucket(SIGNATURES))
    assured: Bucket = field(default_factory=lambda: Bucket(ASSURED, tokens=0.0))
    endowed: bool = False
    """Whether ``assured`` was filled for the first time."""


class Budgets:
    """One purse a peer, and the common one. Times are running seconds. ``size_of``: greatest size of a message type."""

    def __init__(self, size_of: Callable[[type[Message]], int] | None = None) -> None:
        self._size_of = size_of
        self._purses: dict[Peer, _Purse] = {}
        self._common = Bucket(COMMON)
        self._entry = Bucket(ENTRY)
        self.dropped = 0
        """Operations left unchecked because a budget was spent."""

    def opened(self, peer: Peer) -> None:
        self._purses[peer] = _Purse()

    def closed(self, peer: Peer) -> None:
        self._purses.pop(peer, None)

    # --- messages ----------------------------------------------------------------------------------------------

    def message(self, peer: Peer, now: float, size: int = 0) -> bool:
        """Whether the peer may send another message, of ``size`` bytes, now."""
        purse = self._purses.get(peer)
        return purse is not None and purse.messages.spend(_cost(size), now)

    def asked(self, peer: Peer, question: Message) -> None:
        """We ask the peer: its answers, as far as they may go, are on us. Nothing for what is no question."""
        answer, purse = answer_of(question), self._purses.get(peer)
        if answer is not None and purse is not None:
            size = 0 if self._size_of is None else self._size_of(answer.type)
            purse.messages.tokens += answer.messages + answer.full * size / MESSAGE_BYTES

    # --- work --------------------------------------------------------------------------------------------------

    def operation(self, peer: Peer, now: float) -> bool:
        """Whether an unproven operation of the peer may be checked now: a signature and a stamp."""
        purse = self._purses.get(peer)
        if purse is None or not self._pay(purse, now):
            self.dropped += 1
            return False
        return True

    def proven(self, peer: Peer) -> None:
        """The operation was good: it cost its sender more than us."""
        if (purse := self._purses.get(peer)) is not None:
            purse.signatures.refund(1)
            self._give_back(purse, OPERATION_COST)

    def refused_early(self, peer: Peer) -> None:
        """It was refused before its stamp was hashed: that part comes back, the signature's does not."""
        if (purse := self._purses.get(peer)) is not None:
            self._give_back(purse, STAMP_COST)

    def _pay(self, purse: _Purse, now: float) -> bool:
        """All of it or nothing: who is refused here has spent nothing."""
        if not (purse.signatures.has(1, now) and purse.stamps.has(1, now)):
            return False
        self._endow(purse, now)
        if not (purse.assured.spend(OPERATION_COST, now) or self._common.spend(OPERATION_COST, now)):
            return False
        return purse.signatures.spend(1, now) and purse.stamps.spend(1, now)

    def _endow(self, purse: _Purse, now: float) -> None:
        if not purse.endowed and self._entry.spend(ASSURED.burst, now):
            purse.endowed = True
            purse.assured = Bucket(ASSURED, when=now)

    def _give_back(self, purse: _Purse, cost: float) -> None:
        """To the peer's own purse first, and from there over into the common one.

        After a peer is gone nothing comes back: reconnecting would otherwise turn its new purses into common money.
        """
        purse.stamps.refund(1)
        self._common.refund(purse.assured.refund(cost))


def _cost(size: int) -> float:
    return 1 + size / MESSAGE_BYTES
