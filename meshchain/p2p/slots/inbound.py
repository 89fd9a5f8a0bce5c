"""Who may come in, and who has to go for them.

When all places are taken, a newcomer gets the place of the peer that is easiest to spare. Protected are those an
attacker could hardly all be at once (Bitcoin Core's eviction): the quickest to answer, the last to have brought
something new, the longest connected of eight positions that a secret picks, and then half of the rest, the longest
connected. Of those left, the youngest of the most crowded position goes: that may be the newcomer.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from meshchain.crypto.hashing import tagged_hash
from meshchain.p2p.actions import Peer
from meshchain.p2p.addresses import host_of
from meshchain.p2p.slots.held import Held

MOST_INBOUND: Final = 125
MOST_A_HOST: Final = 8
"""Several nodes behind one NAT are usual, two hundred are an attack."""
_PROTECTED: Final = 8
"""By each of the criteria."""


def refusal(held: Iterable[Held], newcomer: Held) -> tuple[str, str] | None:
    """Code and reason why the newcomer, inbound, may not stay; None if it may."""
    host = host_of(newcomer.endpoint.ip)
    if sum(other.inbound and host_of(other.endpoint.ip) == host for other in held) >= MOST_A_HOST:
        return "too-many-from-host", f"{MOST_A_HOST} connections from one host are enough"
    return None


def spare(held: Iterable[Held], secret: bytes) -> Held | None:
    """The inbound peer to disconnect; None while there are no more than the most."""
    inbound = sorted((peer for peer in held if peer.inbound), key=lambda peer: (peer.opened, peer.peer))
    if len(inbound) <= MOST_INBOUND:
        return None
    candidates = _unprotected(inbound, secret)
    crowd = Counter(peer.group for peer in candidates)
    return max(candidates, key=lambda peer: (crowd[peer.group], peer.opened, peer.peer))


def _unprotected(inbound: Sequence[Held], secret: bytes) -> Sequence[Held]:
    """``inbound``: oldest first. At least one is left of any number above 24."""
    safe: dict[Peer, None] = {}
    quick = sorted((p for p in inbound if p.round_trip is not None), key=lambda peer: peer.round_trip or 0.0)
    useful = sorted((p for p in inbound if p.useful), key=lambda peer: -peer.useful)
    for order in (quick, useful, _of_positions(inbound, secret)):
        safe.update((peer.peer, None) for peer in order[:_PROTECTED])
    rest = [peer for peer in inbound if peer.peer not in safe]
    return rest[len(rest) // 2 :]


def _of_positions(inbound: Sequence[Held], secret: bytes) -> Sequence[Held]:
    """The oldest of each position, positions in an order that nobody else knows."""
    oldest: dict[bytes, Held] = {}
    for peer in inbound:
        oldest.setdefault(peer.group, peer)
    order = sorted(oldest, key=lambda group: tagged_hash("eviction-order", secret, group))
    return [oldest[group] for group in order]
