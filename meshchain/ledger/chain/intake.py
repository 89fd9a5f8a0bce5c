"""Taking headers and bodies in.

Every header with valid work on a known parent is kept in the tree (``index``); a wrong body for it says nothing
about the header and is simply refused.

*On the disk.* Nothing may be there without what it builds on, and a store only promises that for synced writes: after
a power cut LevelDB may lack the end of one log and have the next. So headers and bodies are synced, but for the
body of the one block that extends the tip: its rows go again with the batch that connects it (``moves``), which saves a
sync a block in the initial sync, or are synced (``secure``) if it was not connected after all.
"""

from collections.abc import Sequence
from typing import Final

from meshchain.ledger import chaintime
from meshchain.ledger.block import Block, encode_body
from meshchain.ledger.chain.index import Flag, IndexEntry
from meshchain.ledger.chain.standing import Standing
from meshchain.ledger.chain.statedb import Changes
from meshchain.ledger.errors import RemoteError, RuleError
from meshchain.ledger.header import Header
from meshchain.ledger.pow import check_works
from meshchain.ledger.store import layout
from meshchain.ledger.workers import Workers

HEADERS_AT_ONCE: Final = 2000
"""Headers checked as one batch: what one gossip message carries (Bitcoin's limit)."""


class Intake:
    """The door of one chain."""

    def __init__(self, standing: Standing, workers: Workers) -> None:
        self._standing = standing
        self._index = standing.index
        self._workers = workers
        self._loose: bytes | None = None
        """Id of the last block whose body was written and not synced."""

    def add_headers(self, headers: Sequence[Header], now: float | None) -> list[IndexEntry]:
        """As Chain.add_headers."""
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
                known = self._index.get(header.id)
                entries.append(known or self._extend(header, now))
                if known is None:
                    fresh.append(self._index.remember(entries[-1]))
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
        parent = self._index.get(header.previous)
        if parent is None:
            raise RuleError("unknown-parent", "the header's parent is not known", previous=header.previous.hex())
        if parent.flags & Flag.FAILED:
            raise RuleError("block-failed", "the header builds on an invalid block", previous=header.previous.hex())
        entry = self._index.extend(parent, header)
        if now is not None:
            chaintime.check_future(header.time, now, self._standing.params.policy)
        return entry

    def _keep_proven(self, fresh: Sequence[IndexEntry]) -> int:
        """Store the headers before the first whose work fails; returns how many."""
        good = self._proven(fresh)
        for entry in fresh[good:]:
            self._index.drop(entry.id)
        changes: Changes = {}
        for entry in fresh[:good]:
            changes |= self._index.changes_for_new(entry)
        if changes:
            standing = self._standing
            standing.write(changes)
            standing.best_header = max(standing.best_header, *fresh[:good], key=lambda entry: entry.rank)
        return good

    def _proven(self, fresh: Sequence[IndexEntry]) -> int:
        """How many come before the first whose work fails. They are hashed in growing portions: headers without work
        cost nothing to make, so a message of them must cost no more than a few hashes."""
        good, portion = 0, self._workers.threads
        while good < len(fresh):
            headers = [entry.header for entry in fresh[good : good + portion]]
            proven = check_works(headers, self._standing.params.consensus, self._workers)
            if False in proven:
                return good + proven.index(False)
            good += len(headers)
            portion *= 2
        return good

    def add_body(self, entry: IndexEntry, block: Block) -> None:
        """Keep the body of a known header; RuleError (block-failed, operations-root, block-size). Twice is once."""
        if entry.flags & Flag.FAILED:
            raise RuleError("block-failed", "the block was found invalid before", block=entry.id.hex())
        if not entry.flags & Flag.BODY:
            block.check_root()
            block.check_size(self._standing.params.consensus)
            self.secure()
            self._standing.bodies.remember(block)
            self._keep_body(entry, block)

    def _keep_body(self, entry: IndexEntry, block: Block) -> None:
        standing, parent = self._standing, entry.header.previous
        changes: Changes = {layout.BODY + entry.id: encode_body(block.operations)}
        entry = self._index.flagged(entry, entry.flags | Flag.BODY, changes)
        chained = self._index.require(parent).flags & Flag.CHAINED
        leaves = self._chain_from(entry, changes) if chained else []
        alone = [leaf.id for leaf in leaves] == [entry.id]
        if alone and parent == standing.tip.id:
            self._loose = entry.id
        standing.write(changes, sync=self._loose is None)
        standing.candidates.drop(parent)  # a leaf no longer
        for leaf in leaves:
            standing.candidates.add(leaf)

    def secure(self) -> None:
        """To be called after activation: sync the last body, unless its block was connected."""
        if self._loose is None:
            return
        entry = self._index.require(self._loose)
        if entry.flags & Flag.BODY and not self._index.is_main(entry):
            body = encode_body(self._standing.bodies.get(entry).operations)
            self._standing.write({layout.BODY + entry.id: body, layout.HEADER + entry.id: entry.encode()})
        self._loose = None

    def _chain_from(self, entry: IndexEntry, changes: Changes) -> list[IndexEntry]:
        """Mark ``entry`` and every descendant that it completes as chained; returns the leaves of what it marked."""
        leaves = []
        waiting = [entry]
        while waiting:
            entry = waiting.pop()
            entry = self._index.flagged(entry, entry.flags | Flag.CHAINED, changes)
            ready = [child for child in self._index.children(entry.id) if child.flags & Flag.BODY]
            waiting += ready
            if not ready:
                leaves.append(entry)
        return leaves
