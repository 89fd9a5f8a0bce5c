"""Operations that were refused: not fetched again until the tip changes, and then perhaps once more.

A peer announces an operation to us once. If we refuse it on a branch that we then leave, nobody would tell us of it
again, so the peer that had it is remembered and asked after a reorganisation. What is forged stays so on any branch.
"""

from collections import OrderedDict
from typing import Final

from meshchain.ledger.recent import RecentSet
from meshchain.p2p.actions import Peer
from meshchain.p2p.relay.verdict import Verdict

REMEMBERED: Final = 5000
"""Wids of each sort; about 1 MB together."""
SECOND_CHANCES: Final = 500
"""Refused operations that are asked for once more when the tip changes: the newest."""


class Refusals:
    """All of it rolls: the newest push out the oldest."""

    def __init__(self) -> None:
        self._forged = RecentSet(REMEMBERED)
        self._at_this_tip = RecentSet(REMEMBERED)
        self._elsewhere: OrderedDict[bytes, Peer] = OrderedDict()
        """wid → who had it; until the next reorganisation."""
        self._early: OrderedDict[bytes, Peer] = OrderedDict()
        """The same, until the next block."""

    def __contains__(self, wid: bytes) -> bool:
        return wid in self._forged or wid in self._at_this_tip

    def __len__(self) -> int:
        return len(self._forged) + len(self._at_this_tip) + len(self._elsewhere) + len(self._early)

    def add(self, wid: bytes, peer: Peer, verdict: Verdict) -> None:
        if verdict is Verdict.FORGED:
            self._forged.add(wid)
            return
        self._at_this_tip.add(wid)
        if verdict is Verdict.ELSEWHERE:
            _keep(self._elsewhere, wid, peer)
        elif verdict is Verdict.EARLY:
            _keep(self._early, wid, peer)

    def new_tip(self, *, reorganised: bool) -> list[tuple[Peer, bytes]]:
        """Forget what was judged at the old tip; who to ask for what once more."""
        self._at_this_tip = RecentSet(REMEMBERED)
        chances = [*self._early.items()]
        self._early.clear()
        if reorganised:
            chances += self._elsewhere.items()
            self._elsewhere.clear()
        return [(peer, wid) for wid, peer in chances]


def _keep(table: OrderedDict[bytes, Peer], wid: bytes, peer: Peer) -> None:
    table[wid] = peer
    table.move_to_end(wid)
    if len(table) > SECOND_CHANCES:
        table.popitem(last=False)
