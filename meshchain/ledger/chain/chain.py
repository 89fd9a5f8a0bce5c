"""The chain: takes headers and blocks, keeps the state of the best branch, moves between branches.

Theory of operation
-------------------
*Header tree.* Every header with valid work on a known parent is kept (``intake``, ``index``).

*Candidates* (``branches``) are the leaves of branches whose bodies are all here and that rank above the tip.

*Activation.* The best candidate that may be adopted (``choice``) becomes the tip, block by block, one atomic batch
each (``moves``). Where a block breaks a rule, the next best candidate, usually the old tip, is taken.

*Parking* (``parking``) holds back candidates that would disconnect too many settled blocks.

The rooms share ``standing``, which is what is kept in memory of the store. The chain is not thread-safe: its owner
lets one call in at a time, from any thread. Readers take ``view()``, which stays valid and unchanged whatever
happens here.
"""

from collections.abc import Sequence
from typing import Final

from meshchain.ledger.block import Block
from meshchain.ledger.chain.branches import Branch, Candidates
from meshchain.ledger.chain.choice import Choice
from meshchain.ledger.chain.connect import Judge
from meshchain.ledger.chain.index import Flag, IndexEntry
from meshchain.ledger.chain.intake import Intake
from meshchain.ledger.chain.moves import Moves, Switch
from meshchain.ledger.chain.nextblock import NextBlock
from meshchain.ledger.chain.standing import Standing
from meshchain.ledger.chain.view import ChainView
from meshchain.ledger.errors import RemoteError, RuleError
from meshchain.ledger.header import Header
from meshchain.ledger.params import Params
from meshchain.ledger.recent import RecentSet
from meshchain.ledger.store import Store
from meshchain.ledger.workers import Workers

__all__ = ["Branch", "Chain", "Switch"]

_KNOWN_STAMPS: Final = 20_000
"""Operations whose stamp work is remembered: several times what a mempool holds."""


class Chain:
    """One network's chain in one store. Opening raises StoreError (wrong-network, wrong-version, damaged)."""

    def __init__(self, store: Store, params: Params, workers: Workers) -> None:
        self._standing = standing = Standing(store, params)
        self.params = params
        self.store = store
        self.workers = workers
        self.genesis = standing.genesis
        self.index = standing.index
        self.state = standing.state
        self.stamps_seen = RecentSet(_KNOWN_STAMPS)
        self.settling = False
        """Set by the owner while synced with a peer: blocks connected now count as settled."""
        self._judge = Judge(params.consensus, self.genesis.id, workers, self.stamps_seen.__contains__)
        self._intake = Intake(standing, workers)
        self._choice = Choice(standing)
        self._moves = Moves(standing, self._judge)

    @property
    def genesis_id(self) -> bytes:
        return self.genesis.id

    @property
    def tip(self) -> IndexEntry:
        """The newest block of the active chain, as last known."""
        return self._standing.tip

    @property
    def best_header(self) -> IndexEntry:
        """The best header that is not failed, whether its body is here or not."""
        return self._standing.best_header

    # --- taking headers and blocks -------------------------------------------------------------------------

    def add_headers(self, headers: Sequence[Header], now: float | None) -> list[IndexEntry]:
        """Check and keep consecutive headers; ``now`` in unix seconds, None while the clock is not trusted.

        Raises RuleError (unknown-parent, header-*, time-too-old, pow, block-failed) or HeldError (time-too-new) for
        the first bad header; those before it are kept.
        """
        with self._standing.upright():
            return self._intake.add_headers(headers, now)

    def add_block(self, block: Block, now: float | None) -> Switch:
        """Check and keep a block, then activate the best branch. RuleError, HeldError as add_headers, and
        operations-root, block-size, block-failed; a block on the tip that breaks a rule raises that rule's error."""
        with self._standing.upright():
            (entry,) = self._intake.add_headers([block.header], now)
            self._intake.add_body(entry, block)
            switch = self._activate(blame=entry.id)
            self._intake.secure()
            return switch

    # --- moving between branches ---------------------------------------------------------------------------

    def activate(self) -> Switch:
        """Move to the best candidate that may be adopted."""
        with self._standing.upright():
            return self._activate()

    def _activate(self, blame: bytes | None = None) -> Switch:
        """If block ``blame`` proves invalid, raise its error."""
        problem: RemoteError | None = None
        while (branch := self._choice.best_adoptable()) is not None:
            failed = self._moves.adopt(branch, settling=self.settling)
            if failed is not None and failed[0] == blame:
                problem = failed[1]
        switch = self._moves.report()
        if problem is not None and not switch.connected and not switch.disconnected:
            raise problem
        return switch

    def hold_future(self, latest: int | None) -> Switch:
        """Take back blocks mined alone (not settled) whose time is after ``latest`` (unix s, by a credible clock).

        They were stamped by a clock that has been set since. They stay in the header tree and are adopted again once
        ``latest`` has passed their time and they are still the best branch. It holds back until it is called again, so
        call it with None while no clock is credible.
        """
        with self._standing.upright():
            self._choice.latest = latest
            if latest is not None:
                self._take_back_after(latest)
            return self._activate()

    def _take_back_after(self, latest: int) -> None:
        standing = self._standing
        before = standing.tip
        while standing.tip.header.time > latest and standing.tip.height > 0 and not standing.tip.flags & Flag.SETTLED:
            self._moves.disconnect_tip()
        if standing.tip.id != before.id:
            standing.candidates = Candidates.find(standing.index, standing.tip)

    # --- parking -------------------------------------------------------------------------------------------

    def tick(self, elapsed_ms: int) -> Switch:
        """Let running time pass for parked rivals; adopts one whose time has come.

        Also goes on with what a crash or a failing disk cut short, so call it soon after opening.
        """
        with self._standing.upright():
            if changes := self._standing.lot.tick(elapsed_ms, [branch.first for branch in self._choice.parked()]):
                self._standing.write(changes, sync=False, shown=False)
            return self._activate()

    def parked(self) -> list[Branch]:
        """Branches that are heavier than the active chain and held back."""
        with self._standing.upright():
            return self._choice.parked()

    def accept(self, block_id: bytes) -> Switch:
        """Adopt the parked branch that holds ``block_id`` at once. RuleError "not-parked"."""
        with self._standing.upright():
            for branch in self._choice.parked():
                if any(entry.id == block_id for entry in branch.path):
                    self._standing.write(self._standing.lot.accept(branch.first))
                    return self._activate()
        raise RuleError("not-parked", "no parked branch holds this block", block=block_id.hex())

    # --- reading -------------------------------------------------------------------------------------------

    def block(self, entry: IndexEntry) -> Block:
        """A stored block; StoreError "damaged" if its body is missing or not what was written."""
        return self._standing.bodies.get(entry)

    def view(self) -> ChainView:
        """The chain as it is now, for any thread; the same view until something it shows has changed."""
        standing = self._standing
        with standing.upright():
            if standing.view is None or standing.view_epoch != self.store.epoch:
                standing.view_epoch = self.store.epoch
                parked = frozenset(branch.leaf.id for branch in self._choice.parked())
                standing.view = ChainView(self.store.snapshot(), self.params, self.genesis_id, parked)
            return standing.view

    def next_block(self) -> NextBlock:
        """What operations and templates are judged against; reads the live store, so for the chain's owner only."""
        standing = self._standing
        with standing.upright():
            tip, median = standing.tip, self.index.median_time(standing.tip)
        return NextBlock(self.state, self._judge.context(tip.height + 1), standing.main_id, tip, median)
