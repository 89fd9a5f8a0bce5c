"""Which branch each peer is on: the best header that it has shown to have and that stands in our header tree."""

from meshchain.ledger.chain.index import Flag, IndexEntry
from meshchain.p2p.actions import Peer
from meshchain.p2p.facts import Facts


class Heads:
    """One header a peer. Block download asks it who can have a block, relay whether a peer needs to be told."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._heads: dict[Peer, IndexEntry] = {}

    def get(self, peer: Peer) -> IndexEntry | None:
        """The peer's head; None while nothing is known of it. Its flags may have changed since."""
        return self._heads.get(peer)

    def shown(self, peer: Peer, entry: IndexEntry) -> None:
        """``peer`` has this block, whether it announced, sent or asked for it. Kept if better than what is known."""
        known = self._heads.get(peer)
        if known is None or entry.rank > known.rank or self.is_failed(known):
            self._heads[peer] = entry

    def is_failed(self, entry: IndexEntry) -> bool:
        fresh = self._facts.header(entry.id)
        return fresh is None or bool(fresh.flags & Flag.FAILED)

    def gone(self, peer: Peer) -> None:
        self._heads.pop(peer, None)
