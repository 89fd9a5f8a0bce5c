"""What readers see: the chain at one tip, immutable, usable from any thread."""

from collections.abc import Iterator
from dataclasses import dataclass

from meshchain.ledger import tree
from meshchain.ledger.block import Block, decode_body
from meshchain.ledger.chain.index import Flag, HeaderIndex, IndexEntry
from meshchain.ledger.chain.statedb import StoredState
from meshchain.ledger.chain.undo import Undo
from meshchain.ledger.entry import NameEntry
from meshchain.ledger.errors import StoreError
from meshchain.ledger.header import Header
from meshchain.ledger.params import Params
from meshchain.ledger.state import Commitment
from meshchain.ledger.store import Reader, layout


@dataclass(frozen=True, slots=True)
class Located:
    """Where an operation stands: block height, position in the block, identity."""

    height: int
    index: int
    opid: bytes


@dataclass(frozen=True, slots=True)
class TipInfo:
    """A leaf of the header tree."""

    id: bytes
    height: int
    branch_length: int
    """Blocks above the active chain; 0 for the active tip."""
    status: str
    """active, valid-fork (bodies there), headers-only, parked or invalid."""
    work: int


class ChainView:
    """Reads over one snapshot. All heights are of the snapshot's active chain."""

    def __init__(self, reader: Reader, params: Params, genesis_id: bytes, parked: frozenset[bytes]) -> None:
        self.params = params
        self.genesis_id = genesis_id
        self._reader = reader
        self._parked = parked
        self._index = HeaderIndex(reader, params.consensus)
        self._state = StoredState(reader)
        self._tips: list[TipInfo] | None = None
        tip_id = reader.get(layout.TIP)
        if tip_id is None:
            raise StoreError("damaged", "the store names no tip")
        self._tip = self._index.require(tip_id)

    @property
    def tip_id(self) -> bytes:
        return self._tip.id

    @property
    def tip(self) -> Header:
        return self._tip.header

    @property
    def height(self) -> int:
        return self._tip.height

    @property
    def work(self) -> int:
        return self._tip.work

    # names

    @property
    def state(self) -> StoredState:
        """The state after the tip, as the rules read it."""
        return self._state

    def entry(self, name: str) -> NameEntry | None:
        return self._state.entry(name)

    def names(self, start: str = "") -> Iterator[tuple[str, NameEntry]]:
        """In bytewise order of name, from ``start`` on."""
        return self._state.names(start)

    def names_back(self, end: str) -> Iterator[tuple[str, NameEntry]]:
        """Those before ``end`` (not ""), the last one first."""
        return self._state.names_back(end)

    def names_of(self, owner: bytes) -> Iterator[tuple[str, NameEntry]]:
        """All names with this owner key; reads every entry."""
        return ((name, entry) for name, entry in self.names() if entry.owner == owner)

    def names_with_key(self, key: bytes) -> Iterator[str]:
        """Names, revoked ones included, whose record lists the 32-byte node key as a host, in order."""
        return self._state.names_with_key(key)

    def host_keys(self) -> Iterator[bytes]:
        """Every 32-byte node key that a record lists, in order, once for each name that lists it."""
        for row, _ in self._reader.items(layout.HOST_KEY):
            yield row[1:33]

    def expiring(self, before: int) -> Iterator[tuple[int, str]]:
        """(expires, name) with expires < ``before``, soonest first."""
        for expires, name in self._state.expiries():
            if expires >= before:
                return
            yield expires, name

    def history(self, name: str) -> list[Located]:
        """A name's operations on the active chain, oldest first, through all its lives."""
        prefix = layout.HISTORY + name.encode() + b"\0"
        return [_located(key[len(prefix) :], opid) for key, opid in self._reader.items(prefix)]

    def history_back(self, name: str) -> Iterator[Located]:
        """The same, newest first, read as far as it is asked for."""
        prefix = layout.HISTORY + name.encode() + b"\0"
        for key, opid in self._reader.items(prefix, reverse=True):
            yield _located(key[len(prefix) :], opid)

    def last_operation(self, name: str) -> Located | None:
        return next(self.history_back(name), None)

    def locate(self, opid: bytes) -> Located | None:
        """Where ``opid`` was confirmed last (a commit may confirm again after its life)."""
        prefix = layout.OPERATION + opid
        for key, _ in self._reader.items(prefix, reverse=True):
            return _located(key[len(prefix) :], opid)
        return None

    def commitment(self, commitment: bytes) -> Commitment | None:
        return self._state.commitment(commitment)

    def prove(self, name: str) -> bytes:
        """Proof of the name's entry or absence under the tip's state root."""
        return tree.prove(self.tip.state_root, name, self._state.node, self._state.entry_bytes)

    # blocks

    def header_at(self, height: int) -> Header | None:
        block_id = self._index.main_id(height) if height >= 0 else None
        return None if block_id is None else self.header(block_id)

    def header(self, block_id: bytes) -> Header | None:
        entry = self._index.get(block_id)
        return None if entry is None else entry.header

    def block(self, block_id: bytes) -> Block | None:
        """None if the block is unknown or its body is not here."""
        entry = self._index.get(block_id)
        data = self._reader.get(layout.BODY + block_id)
        if entry is None or data is None:
            return None
        return Block(entry.header, decode_body(data, self.params.consensus))

    def block_at(self, height: int) -> Block | None:
        block_id = self._index.main_id(height)
        return None if block_id is None else self.block(block_id)

    def block_bytes(self, block_id: bytes) -> bytes | None:
        """A stored block as it travels: header and body; None without its body."""
        entry, body = self._index.get(block_id), self._reader.get(layout.BODY + block_id)
        return None if entry is None or body is None else entry.header.encode() + body

    def undo(self, block_id: bytes) -> Undo | None:
        """What an active block replaced; None for genesis and other blocks."""
        data = self._reader.get(layout.UNDO + block_id)
        return None if data is None else Undo.decode(data)

    @property
    def index(self) -> HeaderIndex:
        """The header tree; its entries carry work and flags."""
        return self._index

    @property
    def tip_entry(self) -> IndexEntry:
        return self._tip

    def is_main(self, block_id: bytes) -> bool:
        entry = self._index.get(block_id)
        return entry is not None and self._index.is_main(entry)

    def work_of(self, block_id: bytes) -> int | None:
        """Work from genesis to this block (hashes), None if it is unknown."""
        entry = self._index.get(block_id)
        return None if entry is None else entry.work

    def median_time(self) -> int:
        """The median time past that the next block must exceed (s)."""
        return self._index.median_time(self._tip)

    def tips(self) -> list[TipInfo]:
        """All leaves of the header tree and the active tip (no leaf while headers run ahead of it), best first.

        Found once a view: where headers run far ahead of the blocks, every branch is walked back a long way.
        """
        if self._tips is None:
            ends = {leaf.id: leaf for leaf in (self._tip, *self._index.leaves())}
            best_first = sorted(ends.values(), key=lambda entry: entry.rank, reverse=True)
            self._tips = [self._tip_info(leaf) for leaf in best_first]
        return list(self._tips)

    def _tip_info(self, leaf: IndexEntry) -> TipInfo:
        fork = next(entry for entry in self._index.ancestors(leaf) if self._index.is_main(entry))
        return TipInfo(leaf.id, leaf.height, leaf.height - fork.height, self._status(leaf), leaf.work)

    def _status(self, leaf: IndexEntry) -> str:
        if leaf.id == self.tip_id:
            return "active"
        if leaf.flags & Flag.FAILED:
            return "invalid"
        if leaf.id in self._parked:
            return "parked"
        return "valid-fork" if leaf.flags & Flag.CHAINED else "headers-only"


def _located(position: bytes, opid: bytes) -> Located:
    return Located(int.from_bytes(position[:4], "big"), int.from_bytes(position[4:6], "big"), opid)
