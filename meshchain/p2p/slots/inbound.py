"""Who may come in, and who has to go for them.

When all places are taken, a newcomer gets the place of the peer that is easiest to spare. Protected are those an
attacker could hardly all be at once (Bitcoin Core's eviction): the longest connected, the quickest to answer, the
last to have brought something new, and one of each position. Of the rest, the youngest of the most crowded position
goes.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from meshchain.p2p.slots.held import Held

MOST_INBOUND: Final = 125
MOST_A_HOST: Final = 8
"""Several nodes behind one NAT are usual, two hundred are an attack."""
_PROTECTED: Final = 8
"""By each of the criteria."""


def refusal(held: Sequence[Held], newcomer: Held) -> tuple[str, str] | None:
    """Code and reason why the newcomer, inbound, may not stay; None if it may."""
    same_host = sum(other.inbound and other.endpoint.ip == newcomer.endpoint.ip for other in held)
    if same_host >= MOST_A_HOST:
        return "too-many-from-host", f"{MOST_A_HOST} connections from one host are enough"
    return None


def spare(held: Sequence[Held], now: float) -> Held | None:
    """The inbound peer to disconnect, if there are more than the most; None if all are protected or there is room."""
    inbound = [peer for peer in held if peer.inbound]
    if len(inbound) <= MOST_INBOUND:
        return None
    candidates = _unprotected(inbound)
    if not candidates:
        return None
    crowd = Counter(peer.group for peer in candidates)
    return min(candidates, key=lambda peer: (-crowd[peer.group], now - peer.opened, peer.peer))


def _unprotected(inbound: Sequence[Held]) -> list[Held]:
    safe: dict[int, None] = {}
    by_group: dict[bytes, Held] = {}
    for peer in sorted(inbound, key=lambda peer: peer.opened):
        by_group.setdefault(peer.group, peer)
    safe.update((peer.peer, None) for peer in list(by_group.values())[:_PROTECTED])
    orders = (
        sorted(inbound, key=lambda peer: peer.opened),
        sorted((p for p in inbound if p.round_trip is not None), key=lambda peer: peer.round_trip or 0.0),
        sorted((p for p in inbound if p.useful), key=lambda peer: -peer.useful),
    )
    for order in orders:
        safe.update((peer.peer, None) for peer in order[:_PROTECTED])
    return [peer for peer in inbound if peer.peer not in safe]
