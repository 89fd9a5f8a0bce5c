"""What gossip reads of the ledger: cheap, synchronous, never older than the last outcome it was told."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from meshchain.ledger.chain.index import IndexEntry
from meshchain.ledger.mempool import Pending
from meshchain.ledger.params import Params


class Facts(Protocol):
    """A ledger as its peers may know it."""

    @property
    def params(self) -> Params: ...

    @property
    def genesis_id(self) -> bytes: ...

    def tip(self) -> IndexEntry:
        """Of the active chain."""

    def best_header(self) -> IndexEntry:
        """The best header known that is not failed, with or without bodies."""

    def header(self, block_id: bytes) -> IndexEntry | None:
        """A known header with its flags (chain.index.Flag)."""

    def ancestors(self, entry: IndexEntry) -> Iterator[IndexEntry]:
        """``entry``, its parent, … genesis."""

    def main_id(self, height: int) -> bytes | None:
        """Block id on the active chain."""

    def is_main(self, entry: IndexEntry) -> bool: ...

    def block_bytes(self, block_id: bytes) -> bytes | None:
        """A stored block, encoded; None without its body."""

    def pending(self) -> Sequence[Pending]:
        """The mempool."""

    def pending_by_wid(self, wid: bytes) -> Pending | None: ...
