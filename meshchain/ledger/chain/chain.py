"""The chain: takes headers and blocks, keeps the state of the best branch, moves between branches.

Theory of operation
-------------------
*Header tree.* Every header with valid work on a known parent is kept (``index``); a wrong body for it says
nothing about the header and is simply refused.

*Candidates.* A block whose body and all ancestors' bodies are stored is *chained*. The chained leaves that rank
above the tip (most work, then the smaller id) are the candidates; they live in memory and are found again at
start, so there is no queue on disk that could disagree with the tree.

*Activation.* The best candidate that is not parked becomes the tip: blocks back to the fork are disconnected,
those of the branch connected, each in one synced atomic batch that also moves the tip. A crash between two batches
leaves a valid, shorter chain; the candidate is still the best one and activation goes on at the next start. A
block that breaks a rule is marked failed with all its descendants, and the next best candidate, usually the old
tip, is taken.

*Parking* (``parking``) holds back candidates that would disconnect too many settled blocks.

The chain is not thread-safe: its owner lets one call in at a time, from any thread. Readers take ``view()``,
which stays valid and unchanged whatever happens here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from meshchain.ledger import chaintime
from meshchain.ledger.block import Block, decode_body, encode_body
from meshchain.ledger.chain import connect as connecting
from meshchain.ledger.chain.assumed import AssumedValid
from meshchain.ledger.chain.index import Flag, HeaderIndex, IndexEntry, genesis_entry
from meshchain.ledger.chain.nextblock import NextBlock
from meshchain.ledger.chain.parking import ParkingLot
from meshchain.ledger.chain.statedb import Changes, StoredState
from meshchain.ledger.chain.undo import Undo
from meshchain.ledger.chain.view import ChainView
from meshchain.ledger.errors import LedgerError, RemoteError, RuleError, StoreError
from meshchain.ledger.header import Header, genesis
from meshchain.ledger.params import Params
from meshchain.ledger.pow import check_works
from meshchain.ledger.recent import RecentSet
from meshchain.ledger.store import Store, layout
from meshchain.ledger.workers import Workers

HEADERS_AT_ONCE = 2000
"""Headers checked as one batch: what one gossip message carries (Bitcoin's limit)."""
_KNOWN_STAMPS = 20_000
"""Operations whose stamp work is remembered: several times what a mempool holds."""
_BLOCKS_AT_HAND = 16
"""Decoded blocks kept: a block is decoded once on its way from arrival to the report of the switch."""


@dataclass(frozen=True, slots=True)
class Switch:
    """How the active chain changed."""

    disconnected: tuple[Block, ...] = ()
    """Newest first."""
    connected: tuple[Block, ...] = ()
    """Oldest first."""


@dataclass(frozen=True, slots=True)
class Branch:
    """A candidate and how it leaves the active chain."""

    leaf: IndexEntry
    fork: IndexEntry
    """Last common block."""
    path: tuple[IndexEntry, ...]
    """Blocks after the fork, oldest first."""

    @property
    def first(self) -> bytes:
        return self.path[0].id


class Chain:
    """One network's chain in one store. Opening raises StoreError (wrong-network, wrong-version, damaged)."""

    def __init__(self, store: Store, params: Params, workers: Workers) -> None:
        self.params = params
        self.store = store
        self.genesis = genesis(params)
        self.index = HeaderIndex(store, params.consensus)
        self.state = StoredState(store)
        self.stamps_seen = RecentSet(_KNOWN_STAMPS)
        self.settling = False
        """Set by the owner while synced with a peer: blocks connected now count as settled."""
        self._judge = connecting.Judge(params.consensus, self.genesis.id, workers, self.stamps_seen.__contains__)
        self._assumed = AssumedValid(self.index, params.policy.assume_valid)
        self.tip = self._open()
        self._reported = self.tip
        """Where the last Switch led: one that a failing disk cut short is made up for by the next."""
        self._lot = ParkingLot(store, params.policy)
        self._candidates = self._find_candidates()
        self._view: ChainView | None = None
        self.best_header = max(self._good_leaves(), key=lambda entry: entry.rank)
        self._blocks: dict[bytes, Block] = {}
        self._latest_time: int | None = None

    @property
    def genesis_id(self) -> bytes:
        return self.genesis.id

    @property
    def workers(self) -> Workers:
        return self._judge.workers

    # --- opening -------------------------------------------------------------------------------------------

    def _open(self) -> IndexEntry:
        known = self.store.get(layout.GENESIS)
        if known is None:
            self._initialise()
        elif known != self.genesis_id:
            raise StoreError("wrong-network", f"the store belongs to another network (genesis {known.hex()[:16]}…)")
        version = self.store.get(layout.STORE_VERSION)
        if version != bytes((layout.VERSION,)):
            raise StoreError("wrong-version", "the store was written by another version of this program")
        tip = self.store.get(layout.TIP)
        if tip is None:
            raise StoreError("damaged", "the store names no tip")
        return self.index.require(tip)

    def _initialise(self) -> None:
        entry = genesis_entry(self.genesis, self.params.consensus)
        changes = self.index.changes_for_new(entry)
        changes.update(
            {
                layout.GENESIS: entry.id,
                layout.STORE_VERSION: bytes((layout.VERSION,)),
                layout.TIP: entry.id,
                layout.main(0): entry.id,
                layout.BODY + entry.id: encode_body(()),
            }
        )
        self.store.write(changes)

    def _good_leaves(self) -> Iterator[IndexEntry]:
        """Of every branch the highest header that is not failed."""
        for leaf in self.index.leaves():
            yield next(entry for entry in self.index.ancestors(leaf) if not entry.flags & Flag.FAILED)

    def _find_candidates(self) -> dict[bytes, IndexEntry]:
        return {leaf.id: leaf for leaf in self._chained_leaves() if leaf.rank > self.tip.rank}

    def _chained_leaves(self) -> Iterator[IndexEntry]:
        for leaf in self._good_leaves():
            yield next(entry for entry in self.index.ancestors(leaf) if entry.flags & Flag.CHAINED)

    # --- taking headers and blocks -------------------------------------------------------------------------

    def add_headers(self, headers: Sequence[Header], now: float | None) -> list[IndexEntry]:
        """Check and keep consecutive headers; ``now`` in unix seconds, None while the clock is not trusted.

        Raises RuleError (unknown-parent, header-*, time-too-old, pow, block-failed) or HeldError (time-too-new) for
        the first bad header; those before it are kept.
        """
        entries: list[IndexEntry] = []
        for at in range(0, len(headers), HEADERS_AT_ONCE):
            entries += self._add_batch(headers[at : at + HEADERS_AT_ONCE], now)
        return entries

    def _add_batch(self, headers: Sequence[Header], now: float | None) -> list[IndexEntry]:
        entries: list[IndexEntry] = []
        fresh: list[IndexEntry] = []
        problem: RemoteError | None = None
        try:
            for header in headers:
                known = self.index.get(header.id)
                entries.append(known or self._extend(header, now))
                if known is None:
                    fresh.append(self.index.remember(entries[-1]))
        except RemoteError as error:
            problem = error
        good = self._keep_proven(fresh)
        if good < len(fresh):
            bad = fresh[good].header
            problem = RuleError("pow", "the header's hash misses its target", height=bad.height, bits=f"{bad.bits:08x}")
        if problem is not None:
            raise problem
        return entries

    def _extend(self, header: Header, now: float | None) -> IndexEntry:
        parent = self.index.get(header.previous)
        if parent is None:
            raise RuleError("unknown-parent", "the header's parent is not known", previous=header.previous.hex())
        if parent.flags & Flag.FAILED:
            raise RuleError("block-failed", "the header builds on an invalid block", previous=header.previous.hex())
        entry = self.index.extend(parent, header)
        if now is not None:
            chaintime.check_future(header.time, now, self.params.policy)
        return entry

    def _keep_proven(self, fresh: Sequence[IndexEntry]) -> int:
        """Store the headers before the first whose work fails; returns how many."""
        proven = check_works([entry.header for entry in fresh], self.params.consensus, self.workers)
        good = proven.index(False) if False in proven else len(proven)
        for entry in fresh[good:]:
            self.index.drop(entry.id)
        changes: Changes = {}
        for entry in fresh[:good]:
            changes |= self.index.changes_for_new(entry)
        if changes:
            self._write(changes, sync=False)
            self.best_header = max(self.best_header, *fresh[:good], key=lambda entry: entry.rank)
        return good

    def add_block(self, block: Block, now: float | None) -> Switch:
        """Check and keep a block, then activate the best branch. RuleError, HeldError as add_headers, and
        operations-root, block-size, block-failed; a block on the tip that breaks a rule raises that rule's error."""
        (entry,) = self.add_headers([block.header], now)
        if entry.flags & Flag.FAILED:
            raise RuleError("block-failed", "the block was found invalid before", block=entry.id.hex())
        if not entry.flags & Flag.BODY:
            block.check_root()
            block.check_size(self.params.consensus)
            self._remember_block(entry.id, block)
            self._keep_body(entry, block)
        return self.activate(blame=entry.id)

    def _keep_body(self, entry: IndexEntry, block: Block) -> None:
        changes: Changes = {layout.BODY + entry.id: encode_body(block.operations)}
        entry = self.index.flagged(entry, entry.flags | Flag.BODY, changes)
        chained = self.index.require(entry.header.previous).flags & Flag.CHAINED
        leaves = self._chain_from(entry, changes) if chained else []
        self._write(changes, sync=False)
        self._candidates.pop(entry.header.previous, None)  # a leaf no longer
        self._candidates.update((leaf.id, leaf) for leaf in leaves if leaf.rank > self.tip.rank)

    def _chain_from(self, entry: IndexEntry, changes: Changes) -> list[IndexEntry]:
        """Mark ``entry`` and every descendant that it completes as chained; returns the leaves of what it marked."""
        leaves = []
        waiting = [entry]
        while waiting:
            entry = waiting.pop()
            entry = self.index.flagged(entry, entry.flags | Flag.CHAINED, changes)
            ready = [child for child in self.index.children(entry.id) if child.flags & Flag.BODY]
            waiting += ready
            if not ready:
                leaves.append(entry)
        return leaves

    # --- moving between branches ---------------------------------------------------------------------------

    def activate(self, blame: bytes | None = None) -> Switch:
        """Move to the best candidate that may be adopted. If block ``blame`` proves invalid, raise its error."""
        problem: RemoteError | None = None
        while (branch := self._best_adoptable()) is not None:
            failed = self._adopt(branch)
            if failed is not None and failed[0] == blame:
                problem = failed[1]
        switch = self._switch(self._reported)
        self._reported = self.tip
        if problem is not None and not switch.connected and not switch.disconnected:
            raise problem
        return switch

    def _best_adoptable(self) -> Branch | None:
        for leaf in sorted(self._candidates.values(), key=lambda entry: entry.rank, reverse=True):
            if leaf.rank <= self.tip.rank:
                del self._candidates[leaf.id]
                continue
            branch = self._branch(leaf)
            if self._is_held(branch):
                continue
            if not self._is_parked(branch):
                return branch
            if changes := self._lot.park(branch.first):
                self._write(changes)
        return None

    def _branch(self, leaf: IndexEntry) -> Branch:
        path: list[IndexEntry] = []
        for entry in self.index.ancestors(leaf):
            if self.index.is_main(entry):
                return Branch(leaf, entry, tuple(reversed(path)))
            path.append(entry)
        raise StoreError("damaged", "a branch does not lead to the active chain")

    def _is_held(self, branch: Branch) -> bool:
        latest = self._latest_time
        return latest is not None and any(entry.header.time > latest for entry in branch.path)

    def _is_parked(self, branch: Branch) -> bool:
        settled = self._settled_above(branch.fork)
        return self._lot.needs_parking(settled) and not self._lot.may_adopt(branch.first, settled)

    def _settled_above(self, fork: IndexEntry) -> int:
        count = 0
        for entry in self.index.ancestors(self.tip):
            if entry.height == fork.height:
                break
            count += bool(entry.flags & Flag.SETTLED)
        return count

    def _adopt(self, branch: Branch, *, again: bool = False) -> tuple[bytes, RemoteError] | None:
        """Make the branch active; returns the block that proved invalid, and why, after keeping what was valid.

        ``again``: it was active a moment ago, so what counted as settled still does, and nothing else.
        """
        left = self.tip
        while self.tip.id != branch.fork.id:
            self._disconnect_tip()
        if left.id != branch.fork.id:
            self._candidates[left.id] = left
        for entry in branch.path:
            try:
                known = self.index.require(entry.id)
                self._connect(known, settled=bool(known.flags & Flag.SETTLED) if again else self.settling)
            except RemoteError as error:
                self._fail(entry)
                self._return_to(left)
                return entry.id, error
        self._candidates.pop(branch.leaf.id, None)
        if changes := self._lot.drop(branch.first):
            self._write(changes)
        return None

    def _return_to(self, left: IndexEntry) -> None:
        """Go back to the tip that a failed branch was to replace, if it is better than what was valid of that.

        Not by way of the candidates: a branch of many good blocks and a bad one must not get the old tip parked.
        """
        if left.rank > self.tip.rank:
            self._adopt(self._branch(left), again=True)

    def _connect(self, entry: IndexEntry, *, settled: bool) -> None:
        block = self.block(entry)
        parent_root = self.tip.header.state_root
        stamps = not self._assumed.covers(entry, self.best_header)
        changes = connecting.connect(self.state, block, parent_root, self._main_id, self._judge, stamps=stamps)
        changes[layout.main(entry.height)] = entry.id
        changes[layout.TIP] = entry.id
        flags = entry.flags | Flag.SETTLED if settled else entry.flags & ~Flag.SETTLED
        entry = self.index.flagged(entry, flags, changes)
        self._write(changes)
        self.tip = entry

    def _disconnect_tip(self) -> None:
        entry = self.tip
        parent = self.index.require(entry.header.previous)
        undo = self.store.get(layout.UNDO + entry.id)
        if undo is None:
            raise StoreError("damaged", f"the undo of block {entry.id.hex()} is missing")
        changes = connecting.disconnect(
            self.state, self.block(entry), Undo.decode(undo), parent.header.state_root, self.genesis_id
        )
        changes[layout.main(entry.height)] = None
        changes[layout.TIP] = parent.id
        self._write(changes)
        self.tip = parent

    def _fail(self, entry: IndexEntry) -> None:
        changes: Changes = {}
        waiting = [entry]
        while waiting:
            entry = waiting.pop()
            self.index.flagged(entry, entry.flags | Flag.FAILED, changes)
            self._candidates.pop(entry.id, None)
            changes |= self._lot.drop(entry.id)
            waiting += self.index.children(entry.id)
        self._write(changes)
        self.best_header = max(self._good_leaves(), key=lambda good: good.rank)

    def _switch(self, before: IndexEntry) -> Switch:
        """The difference between the chain with tip ``before`` and the present one."""
        if before.id == self.tip.id:
            return Switch()
        old = []
        for fork in self.index.ancestors(before):
            if self.index.is_main(fork):
                break
            old.append(self.block(fork))
        new = []
        for entry in self.index.ancestors(self.tip):
            if entry.id == fork.id:
                break
            new.append(self.block(entry))
        return Switch(tuple(old), tuple(reversed(new)))

    def hold_future(self, latest: int) -> Switch:
        """Take back blocks mined alone (not settled) whose time is after ``latest`` (unix s, by a credible clock).

        They were stamped by a clock that has been set since. They stay in the header tree and are adopted again once
        ``latest`` has passed their time and they are still the best branch.
        """
        before = self.tip
        self._latest_time = latest
        while self.tip.header.time > latest and self.tip.height > 0 and not self.tip.flags & Flag.SETTLED:
            self._disconnect_tip()
        if self.tip.id != before.id:
            self._candidates = self._find_candidates()
        return self.activate()

    # --- parking -------------------------------------------------------------------------------------------

    def tick(self, elapsed_ms: int) -> Switch:
        """Let running time pass for parked rivals; adopts one whose time has come.

        Also goes on with what a crash or a failing disk cut short, so call it soon after opening.
        """
        if changes := self._lot.tick(elapsed_ms, [branch.first for branch in self.parked()]):
            self._write(changes, sync=False, shown=False)
        return self.activate()

    def parked(self) -> list[Branch]:
        """Branches that are heavier than the active chain and held back."""
        heavier = [leaf for leaf in self._candidates.values() if leaf.rank > self.tip.rank]
        return [branch for branch in map(self._branch, heavier) if branch.first in self._lot.rivals]

    def accept(self, block_id: bytes) -> Switch:
        """Adopt the parked branch that holds ``block_id`` at once. RuleError "not-parked"."""
        for branch in self.parked():
            if any(entry.id == block_id for entry in branch.path):
                self._write(self._lot.accept(branch.first))
                return self.activate()
        raise RuleError("not-parked", "no parked branch holds this block", block=block_id.hex())

    # --- reading -------------------------------------------------------------------------------------------

    def block(self, entry: IndexEntry) -> Block:
        """A stored block; StoreError "damaged" if its body is missing or not what was written."""
        if (known := self._blocks.get(entry.id)) is not None:
            return known
        data = self.store.get(layout.BODY + entry.id)
        if data is None:
            raise StoreError("damaged", f"the body of block {entry.id.hex()} is missing")
        try:
            block = Block(entry.header, decode_body(data, self.params.consensus))
        except RemoteError as error:
            raise StoreError("damaged", f"the body of block {entry.id.hex()} is damaged: {error}") from error
        self._remember_block(entry.id, block)
        return block

    def _remember_block(self, block_id: bytes, block: Block) -> None:
        if len(self._blocks) >= _BLOCKS_AT_HAND:
            del self._blocks[next(iter(self._blocks))]
        self._blocks[block_id] = block

    def view(self) -> ChainView:
        """The chain as it is now, for any thread; the same view until something it shows has changed."""
        if self._view is None:
            parked = frozenset(branch.leaf.id for branch in self.parked())
            self._view = ChainView(self.store.snapshot(), self.params, self.genesis_id, parked)
        return self._view

    def next_block(self) -> NextBlock:
        """What operations and templates are judged against; reads the live store, so for the chain's owner only."""
        context = self._judge.context(self.tip.height + 1)
        return NextBlock(self.state, context, self._main_id, self.tip, self.index.median_time(self.tip))

    def _main_id(self, height: int) -> bytes:
        block_id = self.index.main_id(height)
        if block_id is None:
            raise StoreError("damaged", f"height {height} of the active chain is missing")
        return block_id

    def _write(self, changes: Changes, *, sync: bool = True, shown: bool = True) -> None:
        """``shown``: views show some of it."""
        try:
            self.store.write(changes, sync=sync)
        except LedgerError:
            self.index.forget()  # it may be ahead of the store now
            self._view = None  # its snapshot may be gone
            raise
        if shown:
            self._view = None
