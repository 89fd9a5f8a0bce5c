"""The integrity check: replay every block of the active chain and compare all that is derived from them.

Runs on a snapshot, so the node goes on meanwhile. The replay checks headers (links, difficulty, work), operations
and signatures, state roots and undo records; stamps are not hashed again. At the end every derived key of the
store is compared with the replay's, and the rows of the header tree with each other (``check_tree``). The
first difference is named.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import zip_longest

from meshchain.ledger.block import Block, decode_body, encode_body
from meshchain.ledger.chain.check_tree import tree_difference
from meshchain.ledger.chain.connect import Judge, connect
from meshchain.ledger.chain.index import Flag, HeaderIndex, IndexEntry
from meshchain.ledger.chain.statedb import Changes, StoredState
from meshchain.ledger.errors import LedgerError
from meshchain.ledger.params import Params
from meshchain.ledger.pow import check_work
from meshchain.ledger.store import Reader, Store, layout
from meshchain.ledger.workers import InlineWorkers


@dataclass(frozen=True, slots=True)
class CheckReport:
    """Result of a check up to ``height``; ``checked`` blocks were replayed. ``difference`` is None if all is well."""

    height: int
    checked: int
    difference: str | None

    @property
    def ok(self) -> bool:
        return self.difference is None


Progress = Callable[[int, int], None]
"""Told (blocks done, blocks in all)."""


def check_chain(
    reader: Reader, scratch: Store, params: Params, genesis_id: bytes, progress: Progress | None = None
) -> CheckReport:
    """Replay the chain of ``reader`` into the empty store ``scratch`` and compare.

    Raises StoreError only if ``scratch`` fails.
    """
    replay = _Replay(reader, scratch, params)
    try:
        replay.begin(genesis_id)
        tip = replay.tip()
        for height in range(1, tip.height + 1):
            replay.step(height)
            if progress is not None:
                progress(height, tip.height)
        difference = _first_difference(reader, scratch) or tree_difference(reader, replay.index)
    except _DifferenceError as found:
        return CheckReport(replay.height_of_tip, replay.done, str(found))
    except LedgerError as error:
        after = f"after block {replay.done}" if replay.done == replay.height_of_tip else f"block {replay.done + 1}"
        return CheckReport(replay.height_of_tip, replay.done, f"{after}: {error.code}: {error.message}")
    return CheckReport(tip.height, replay.done, difference)


class _DifferenceError(Exception):
    """What the store holds is not what the blocks say."""


class _Replay:
    def __init__(self, reader: Reader, scratch: Store, params: Params) -> None:
        self._reader = reader
        self._scratch = scratch
        self._params = params
        self.index = HeaderIndex(reader, params.consensus)
        self._state = StoredState(scratch)
        self._judge: Judge
        self._parent: IndexEntry
        self.done = 0
        self.height_of_tip = 0

    def begin(self, genesis_id: bytes) -> None:
        entry = self.index.get(genesis_id)
        if entry is None or self.index.main_id(0) != genesis_id:
            raise _DifferenceError("the genesis block is missing")
        if self._reader.get(layout.BODY + genesis_id) != encode_body(()):
            raise _DifferenceError("the genesis block has a body that is not empty")
        self._judge = Judge(self._params.consensus, genesis_id, InlineWorkers(), lambda _wid: False)
        self._parent = entry

    def tip(self) -> IndexEntry:
        tip_id = self._reader.get(layout.TIP)
        tip = None if tip_id is None else self.index.get(tip_id)
        if tip is None:
            raise _DifferenceError("the store names no known tip")
        self.height_of_tip = tip.height
        if self.index.main_id(tip.height) != tip.id:
            raise _DifferenceError(f"the tip is not the active block at height {tip.height}")
        above = next(self._reader.items(layout.MAIN, layout.u32(tip.height + 1)), None)
        if above is not None:
            raise _DifferenceError(f"there is an active block above the tip: key {above[0]!r}")
        return tip

    def step(self, height: int) -> None:
        entry = self._entry(height)
        block = self._block(entry)
        changes = connect(self._state, block, self._parent.header.state_root, self._block_id, self._judge, stamps=False)
        self._compare_undo(entry, changes)
        self._scratch.write(changes, sync=False)
        self._parent = entry
        self.done = height

    def _entry(self, height: int) -> IndexEntry:
        block_id = self.index.main_id(height)
        entry = None if block_id is None else self.index.get(block_id)
        if entry is None:
            raise _DifferenceError(f"block {height}: no header at this height")
        if entry.header.id != entry.id or entry.header.previous != self._parent.id:
            raise _DifferenceError(f"block {height}: its header does not follow block {height - 1}")
        expected = self.index.extend(self._parent, entry.header)
        if (entry.work, entry.difficulty) != (expected.work, expected.difficulty):
            raise _DifferenceError(f"block {height}: work or difficulty state in the index is wrong")
        check_work(entry.header, self._params.consensus)
        if not (entry.flags & Flag.BODY and entry.flags & Flag.CHAINED) or entry.flags & Flag.FAILED:
            raise _DifferenceError(f"block {height}: flags {entry.flags!r} do not fit a connected block")
        return entry

    def _block(self, entry: IndexEntry) -> Block:
        data = self._reader.get(layout.BODY + entry.id)
        if data is None:
            raise _DifferenceError(f"block {entry.height}: its body is missing")
        block = Block(entry.header, decode_body(data, self._params.consensus))
        block.check_root()
        return block

    def _block_id(self, height: int) -> bytes:
        block_id = self.index.main_id(height)
        if block_id is None:
            raise _DifferenceError(f"block {height}: no header at this height")
        return block_id

    def _compare_undo(self, entry: IndexEntry, changes: Changes) -> None:
        key = layout.UNDO + entry.id
        if self._reader.get(key) != changes.pop(key):
            raise _DifferenceError(f"block {entry.height}: its undo record is not what the block replaced")


def _first_difference(reader: Reader, scratch: Reader) -> str | None:
    for prefix in layout.DERIVED:
        pairs = zip_longest(reader.items(prefix), scratch.items(prefix))
        for stored, expected in pairs:
            if stored != expected:
                return _describe(stored, expected)
    return None


def _describe(stored: tuple[bytes, bytes] | None, expected: tuple[bytes, bytes] | None) -> str:
    if expected is None or (stored is not None and stored[0] < expected[0]):
        assert stored is not None  # one of the two is there
        return f"key {stored[0]!r} should not be in the store"
    if stored is None or stored[0] > expected[0]:
        return f"key {expected[0]!r} is missing from the store"
    return f"key {stored[0]!r} holds {stored[1].hex()}, the blocks say {expected[1].hex()}"
