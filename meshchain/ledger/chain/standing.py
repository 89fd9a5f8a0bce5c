"""What the chain keeps in memory of its store, and the one way in which it writes.

Tip, best header, candidates and parked rivals are all found in the store when it is opened; the rooms of the chain
(``intake``, ``choice``, ``moves``) share them here and keep them in step with what they write.
"""

from meshchain.ledger.chain import founding
from meshchain.ledger.chain.bodies import Bodies
from meshchain.ledger.chain.branches import Candidates, good_leaves
from meshchain.ledger.chain.index import HeaderIndex, IndexEntry
from meshchain.ledger.chain.parking import ParkingLot
from meshchain.ledger.chain.statedb import Changes, StoredState
from meshchain.ledger.chain.view import ChainView
from meshchain.ledger.errors import LedgerError, StoreError
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
        self.view: ChainView | None = None
        """Until something it shows is written."""
        founding.check_identity(store, self.index, self.genesis, params.consensus)
        self.tip: IndexEntry = founding.stored_tip(store, self.index)
        self.lot = ParkingLot(store, params.policy)
        self.candidates = Candidates.find(self.index, self.tip)
        self.best_header = self.find_best_header()

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
        try:
            self.store.write(changes, sync=sync)
        except LedgerError:
            self.index.forget()  # it may be ahead of the store now
            self.view = None  # its snapshot may be gone
            raise
        if shown:
            self.view = None
