"""Blocks of the store, decoded; the last ones are kept: a block is decoded once on its way from arrival to report."""

from typing import Final

from meshchain.ledger.block import Block, decode_body
from meshchain.ledger.chain.index import IndexEntry
from meshchain.ledger.errors import RemoteError, StoreError
from meshchain.ledger.params import Consensus
from meshchain.ledger.store import Reader, layout

_AT_HAND: Final = 16


class Bodies:
    """Reads blocks whose bodies are in the store."""

    def __init__(self, reader: Reader, consensus: Consensus) -> None:
        self._reader = reader
        self._consensus = consensus
        self._at_hand: dict[bytes, Block] = {}

    def get(self, entry: IndexEntry) -> Block:
        """StoreError "damaged" if the body is missing or not what was written."""
        if (known := self._at_hand.get(entry.id)) is not None:
            return known
        data = self._reader.get(layout.BODY + entry.id)
        if data is None:
            raise StoreError("damaged", f"the body of block {entry.id.hex()} is missing")
        try:
            block = Block(entry.header, decode_body(data, self._consensus))
        except RemoteError as error:
            raise StoreError("damaged", f"the body of block {entry.id.hex()} is damaged: {error}") from error
        self.remember(block)
        return block

    def remember(self, block: Block) -> None:
        """Keep a block whose body belongs to its header."""
        if len(self._at_hand) >= _AT_HAND:
            del self._at_hand[next(iter(self._at_hand))]
        self._at_hand[block.header.id] = block
