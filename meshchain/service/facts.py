"""The ledger as gossip reads it: from the values that the ledger service has published."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from meshchain.ledger.chain.chain import Chain
from meshchain.ledger.chain.index import IndexEntry
from meshchain.ledger.chain.view import ChainView
from meshchain.ledger.mempool import Pending
from meshchain.ledger.params import Params


class Published(Protocol):
    """What a ledger's owner publishes: a LedgerService, or a node of a simulation."""

    chain: Chain
    view: ChainView
    best_header: IndexEntry
    pending: tuple[Pending, ...]


class LedgerFacts:
    """``meshchain.p2p.facts.Facts`` over what is published; for the trio thread."""

    def __init__(self, ledger: Published) -> None:
        self._ledger = ledger
        self._indexed: Sequence[Pending] = ()
        self._by_wid: dict[bytes, Pending] = {}

    @property
    def params(self) -> Params:
        return self._ledger.chain.params

    @property
    def genesis_id(self) -> bytes:
        return self._ledger.chain.genesis_id

    def tip(self) -> IndexEntry:
        return self._ledger.view.tip_entry

    def best_header(self) -> IndexEntry:
        return self._ledger.best_header

    def header(self, block_id: bytes) -> IndexEntry | None:
        return self._ledger.view.index.get(block_id)

    def ancestors(self, entry: IndexEntry) -> Iterator[IndexEntry]:
        return self._ledger.view.index.ancestors(entry)

    def main_id(self, height: int) -> bytes | None:
        return self._ledger.view.index.main_id(height)

    def is_main(self, entry: IndexEntry) -> bool:
        return self._ledger.view.index.is_main(entry)

    def block_bytes(self, block_id: bytes) -> bytes | None:
        return self._ledger.view.block_bytes(block_id)

    def pending(self) -> Sequence[Pending]:
        return self._ledger.pending

    def pending_by_wid(self, wid: bytes) -> Pending | None:
        if self._indexed is not self._ledger.pending:
            self._indexed = self._ledger.pending
            self._by_wid = {item.wid: item for item in self._indexed}
        return self._by_wid.get(wid)
