"""What the chain keeps in memory of its store, and how it is kept true.

Tip, best header, candidates and parked rivals are all found in the store when it is opened; the rooms of the chain
(``intake``, ``choice``, ``moves``) share them here and keep them in step with what they write. Caches may run a
step ahead of a write.

When something fails on the way that is no fault of the input (a read, a write, memory), nothing of this can be
trusted: flags may be set that were never written, headers known whose work was not checked, and a write that
failed may be there all the same, since data can reach the disk although fsync reports an error. A node that went on
from there would hold good blocks invalid, alone. So it is all found anew, before anything else is done.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from meshchain.ledger.chain import founding
from meshchain.ledger.chain.bodies import Bodies
from meshchain.ledger.chain.branches import Candidates, good_leaves
from meshchain.ledger.chain.index import HeaderIndex, IndexEntry
from meshchain.ledger.chain.parking import ParkingLot
from meshchain.ledger.chain.statedb import Changes, StoredState
from meshchain.ledger.chain.view import ChainView
from meshchain.ledger.errors import RemoteError, StoreError
from meshchain.ledger.header import genesis
from meshchain.ledger.params import Params
from meshchain.ledger.store import Store


class Standing:
    """Where one network's chain stands. Opening raises StoreError (wrong-network, wrong-version, damaged)."""

    def __init__(self, store: Store, params: Params) -> None:
        self.store = store
        self.params = params
        self.genesis = genesis(params)
        self.index = HeaderIndex(store, params.consensus)
        self.state = StoredState(store)
        self.bodies = Bodies(store, params.consensus)
        founding.check_identity(store, self.index, self.genesis, params.consensus)
        self._find()

    def _find(self) -> None:
        """Everything from the store."""
        self.trusted = False
        self.view: ChainView | None = None
        self.view_epoch = 0
        """The store's epoch when ``view`` was made: later ones cannot read it."""
        """Until something it shows is written."""
        self.index.forget()
        self.tip: IndexEntry = founding.stored_tip(self.store, self.index)
        self.lot = ParkingLot(self.store, self.params.policy)
        self._drop_adopted()
        self.candidates = Candidates.find(self.index, self.tip)
        self.best_header = self.find_best_header()
        self.trusted = True

    def _drop_adopted(self) -> None:
        """Clocks of rivals that are the active chain now: a crash came between their last block and the end."""
        changes: Changes = {}
        for first in list(self.lot.rivals):
            if self.index.is_main(self.index.require(first)):
                changes |= self.lot.drop(first)
        if changes:
            self.store.write(changes)

    @contextmanager
    def upright(self) -> Iterator[None]:
        """Around everything the chain does: what fails in it, but for the input's own faults, makes the next one find
        all of this anew. StoreError if that cannot be done."""
        if not self.trusted:
            self._find()
        try:
            yield
        except RemoteError:
            raise
        except BaseException:
            self.trusted = False
            raise

    def find_best_header(self) -> IndexEntry:
        """Of all headers that are not failed, whether their bodies are here or not."""
        return max(good_leaves(self.index), key=lambda entry: entry.rank)

    def main_id(self, height: int) -> bytes:
        """Id of the active block at a height up to the tip's."""
        block_id = self.index.main_id(height)
        if block_id is None:
            raise StoreError("damaged", f"height {height} of the active chain is missing")
        return block_id

    def write(self, changes: Changes, *, sync: bool = True, shown: bool = True) -> None:
        """``shown``: views show some of it."""
        self.store.write(changes, sync=sync)
        if shown:
            self.view = None
