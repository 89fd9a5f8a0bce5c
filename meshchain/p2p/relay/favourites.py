"""The peers that are asked to send new blocks at once, in compact form (BIP 152's high-bandwidth mode).

Three, as Bitcoin Core has it: enough that one slow or silent peer does not matter, few enough that a block does not
come a hundred times. Whoever delivers a new tip first takes the place of the one that has not done so for longest; but
the last outbound one does not give way to an inbound one, since anybody can arrange to be a quick inbound peer.
"""

from typing import Final

from meshchain.p2p.actions import Action, Peer, Send
from meshchain.p2p.messages import SendCompact

FAVOURITES: Final = 3


class Favourites:
    """Which peers, and the messages that tell them."""

    def __init__(self) -> None:
        self._outbound: dict[Peer, bool] = {}
        """Every ready peer, in the order of their coming."""
        self._chosen: list[Peer] = []
        """The one that has not delivered for longest first."""

    def __contains__(self, peer: Peer) -> bool:
        return peer in self._chosen

    def ready(self, peer: Peer, *, outbound: bool) -> list[Action]:
        self._outbound[peer] = outbound
        return self._choose(peer) if len(self._chosen) < FAVOURITES else []

    def gone(self, peer: Peer) -> list[Action]:
        """Another takes its place, if one is free."""
        self._outbound.pop(peer, None)
        if peer not in self._chosen:
            return []
        self._chosen.remove(peer)
        free = [other for other in self._outbound if other not in self._chosen]
        free.sort(key=lambda other: not self._outbound[other])
        return self._choose(free[0]) if free else []

    def delivered(self, peer: Peer) -> list[Action]:
        """``peer`` was the first with a new tip."""
        if peer not in self._outbound:
            return []
        if peer in self._chosen:
            self._chosen.remove(peer)
            self._chosen.append(peer)
            return []
        return self._displace(peer) + self._choose(peer)

    def _displace(self, newcomer: Peer) -> list[Action]:
        if len(self._chosen) < FAVOURITES:
            return []
        outbound = [peer for peer in self._chosen if self._outbound[peer]]
        spared = outbound if len(outbound) == 1 and not self._outbound[newcomer] else []
        victim = next(peer for peer in self._chosen if peer not in spared)
        self._chosen.remove(victim)
        return [Send(victim, SendCompact(False))]

    def _choose(self, peer: Peer) -> list[Action]:
        self._chosen.append(peer)
        return [Send(peer, SendCompact(True))]
