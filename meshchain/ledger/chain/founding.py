"""Opening a store as the chain of one network; a new one gets the genesis block."""

from meshchain.ledger.block import encode_body
from meshchain.ledger.chain.index import HeaderIndex, IndexEntry, genesis_entry
from meshchain.ledger.errors import StoreError
from meshchain.ledger.header import Header
from meshchain.ledger.params import Consensus
from meshchain.ledger.store import Store, layout


def check_identity(store: Store, index: HeaderIndex, genesis: Header, consensus: Consensus) -> None:
    """Found the chain if the store is empty; StoreError (wrong-network, wrong-version) if it is another's."""
    known = store.get(layout.GENESIS)
    if known is None:
        _found(store, index, genesis, consensus)
    elif known != genesis.id:
        raise StoreError("wrong-network", f"the store belongs to another network (genesis {known.hex()[:16]}…)")
    if store.get(layout.STORE_VERSION) != bytes((layout.VERSION,)):
        raise StoreError("wrong-version", "the store was written by another version of this program")


def stored_tip(store: Store, index: HeaderIndex) -> IndexEntry:
    """The tip that the last batch left; StoreError "damaged"."""
    tip = store.get(layout.TIP)
    if tip is None:
        raise StoreError("damaged", "the store names no tip")
    return index.require(tip)


def _found(store: Store, index: HeaderIndex, genesis: Header, consensus: Consensus) -> None:
    entry = genesis_entry(genesis, consensus)
    changes = index.changes_for_new(entry)
    changes[layout.GENESIS] = entry.id
    changes[layout.STORE_VERSION] = bytes((layout.VERSION,))
    changes[layout.TIP] = entry.id
    changes[layout.main(0)] = entry.id
    changes[layout.BODY + entry.id] = encode_body(())
    store.write(changes)
