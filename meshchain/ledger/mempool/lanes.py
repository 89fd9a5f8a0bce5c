"""The pooled operations by the life of a name they belong to, in the order in which they would be applied.

A *lane* is what one life has waiting: for a living name its updates, transfers, revocation in seq order and
perhaps a renew; for an absent name a reveal and what follows it. Rival reveals of a name are lives of their
own, each valid alone; a block takes one of them. Every lane is valid, as a whole and in order, on the state
at the start of the next block, and lanes of different names cannot spoil one another, so any choice of whole
beginnings of lanes, at most one a name, is a valid block.

The sum of sizes and a list in order of rank are kept beside, for the bound of the whole.
"""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterator

from meshchain.ledger.mempool.pending import Life, Pending, life_of


class Lanes:
    """Insertion checks nothing: ``placing`` says where an operation may go."""

    def __init__(self, genesis: bytes) -> None:
        self.size = 0
        """Encoded bytes of all operations."""
        self._genesis = genesis
        self._lanes: dict[Life, list[Pending]] = {}
        self._lives: defaultdict[str, set[Life]] = defaultdict(set)
        self._by_opid: dict[bytes, Pending] = {}
        self._ranked: list[tuple[float, bytes]] = []

    def __len__(self) -> int:
        return len(self._by_opid)

    def __iter__(self) -> Iterator[Pending]:
        """Lane by lane, each in order."""
        for lane in self._lanes.values():
            yield from lane

    def get(self, opid: bytes) -> Pending | None:
        return self._by_opid.get(opid)

    def lane(self, life: Life) -> list[Pending]:
        """A copy of the life's operations in order; empty if it has none."""
        return list(self._lanes.get(life, ()))

    def lanes(self) -> Iterator[list[Pending]]:
        return iter(self._lanes.values())

    def lives(self, name: str) -> list[Life]:
        """The lives of a name that have operations here."""
        return sorted(self._lives.get(name, ()))

    def ranked(self) -> Iterator[Pending]:
        """All operations, lowest rank first."""
        return (self._by_opid[opid] for _, opid in self._ranked)

    def insert(self, pending: Pending, at: int) -> None:
        """Put an operation into its lane, before what stands at index ``at``."""
        life = life_of(pending.operation, self._genesis)
        self._lanes.setdefault(life, []).insert(at, pending)
        if life[0]:
            self._lives[life[0]].add(life)
        self._by_opid[pending.opid] = pending
        insort(self._ranked, pending.rank_key)
        self.size += pending.size

    def onward(self, opid: bytes) -> list[Pending]:
        """An operation and those after it in its lane, which may need it."""
        lane = self._lanes[life_of(self._by_opid[opid].operation, self._genesis)]
        return lane[lane.index(self._by_opid[opid]) :]

    def cut(self, opid: bytes) -> None:
        """Remove an operation and those after it in its lane."""
        life = life_of(self._by_opid[opid].operation, self._genesis)
        gone = self.onward(opid)
        lane = self._lanes[life]
        del lane[len(lane) - len(gone) :]
        for pending in gone:
            self._forget(pending)
        if not lane:
            self._close(life)

    def _forget(self, pending: Pending) -> None:
        del self._by_opid[pending.opid]
        del self._ranked[bisect_left(self._ranked, pending.rank_key)]
        self.size -= pending.size

    def _close(self, life: Life) -> None:
        del self._lanes[life]
        name = life[0]
        if name:
            self._lives[name].discard(life)
            if not self._lives[name]:
                del self._lives[name]

    def replace(self, pending: Pending) -> None:
        """Put another form of an operation (same opid) into its place."""
        lane = self._lanes[life_of(pending.operation, self._genesis)]
        old = self._by_opid[pending.opid]
        lane[lane.index(old)] = pending
        self._forget(old)
        self._by_opid[pending.opid] = pending
        insort(self._ranked, pending.rank_key)
        self.size += pending.size
