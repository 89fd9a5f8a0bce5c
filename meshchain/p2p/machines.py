"""The machines of gossip that know the ledger: which message, and which outcome of a task, goes to which of them.

Questions about the chain go to the counter of ``serving``, headers to ``HeaderSync``, bodies to ``BlockSync``,
operations and compact blocks to ``relay``. A task's outcome goes back to the machine that asked for it. Where one
learns what another needs to know, it is told here: they do not know each other.
"""

import random
from collections.abc import Sequence
from typing import Final

from meshchain.ledger.mempool import Pending
from meshchain.p2p import messages
from meshchain.p2p.actions import (
    Action,
    AdmitOperation,
    Blame,
    CheckHeaders,
    CheckWork,
    ConnectBlock,
    Outcome,
    Peer,
    Task,
)
from meshchain.p2p.blocksync import BlockSync
from meshchain.p2p.facts import Facts
from meshchain.p2p.headersync import HeaderSync
from meshchain.p2p.messages import Message, NotFound, Version, Wanted
from meshchain.p2p.relay import BlockRelay, OperationRelay
from meshchain.p2p.serving import Counter

FLOOD: Final = 5
"""Points for a message over a budget, or of a kind that the connection does not carry: twenty in a row are a ban."""


class Machines:
    """Times are running seconds."""

    def __init__(self, facts: Facts, rng: random.Random) -> None:
        params = facts.params
        self.counter = Counter(facts)
        self.header_sync = HeaderSync(params, facts, rng)
        self.block_sync = BlockSync(params, facts, rng, self.header_sync.heads)
        self.operations = OperationRelay(params, facts, rng)
        self.compact = BlockRelay(params, facts, rng, announced=self.header_sync.announced)
        self._facts = facts

    # --- peers and time --------------------------------------------------------------------------------------

    def peer_ready(self, peer: Peer, version: Version, now: float, *, inbound: bool) -> list[Action]:
        """A peer's greeting is over. Operations are another matter: not every connection carries them."""
        self.counter.opened(peer)
        actions = self.header_sync.peer_ready(peer, version, now, inbound=inbound)
        actions += self.block_sync.peer_ready(peer, now)
        return actions + self.compact.peer_ready(peer, now, outbound=not inbound)

    def peer_gone(self, peer: Peer, now: float) -> list[Action]:
        self.counter.gone(peer)
        actions = self.header_sync.peer_gone(peer, now)
        actions += self.block_sync.peer_gone(peer, now)
        actions += self.operations.peer_gone(peer, now)
        return actions + self.compact.peer_gone(peer, now)

    def tick(self, now: float) -> list[Action]:
        actions = self.header_sync.tick(now)
        actions += self.block_sync.tick(now)
        actions += self.operations.tick(now)
        actions += self.compact.tick(now)
        return actions + self.counter.tick(now)

    # --- messages --------------------------------------------------------------------------------------------

    def of_blocks(self, peer: Peer, message: Message, now: float) -> list[Action] | None:
        """Take a message that every connection carries; None for others."""
        match message:
            case messages.GetHeaders() | messages.GetBlocks():
                answers = self.counter.ask(peer, message, now)
                return [Blame(peer, FLOOD, "more questions open than it may have")] if answers is None else answers
            case messages.Headers():
                return self._take_headers(peer, message, now)
            case messages.BlockMessage():
                return self.block_sync.block(peer, message.raw, now)
            case NotFound(kind=Wanted.BLOCK):
                actions = self.block_sync.not_found(peer, message.ids, now)
                return actions + self.compact.not_found(peer, message, now)
        return self._of_compact_blocks(peer, message, now)

    def _take_headers(self, peer: Peer, message: messages.Headers, now: float) -> list[Action]:
        if message.headers:
            self.compact.knows(peer, message.headers[-1].id)
        return self.header_sync.headers(peer, message, now) + self.block_sync.best_header_changed(now)

    def _of_compact_blocks(self, peer: Peer, message: Message, now: float) -> list[Action] | None:
        match message:
            case messages.SendCompact():
                return self.compact.send_compact(peer, message, now)
            case messages.CompactBlock():
                return self.compact.compact(peer, message, now)
            case messages.GetBlockOperations():
                return self.compact.operations_wanted(peer, message, now)
            case messages.BlockOperations():
                return self.compact.block_operations(peer, message, now)
        return None

    def of_operations(self, peer: Peer, message: Message, now: float) -> list[Action] | None:
        """Take a message that connections for blocks only do not carry; None for others."""
        match message:
            case messages.Inventory():
                return self.operations.inventory(peer, message, now)
            case messages.GetOperations():
                return self.operations.wanted(peer, message, now)
            case messages.Operations():
                return self.operations.operations(peer, message, now)
            case NotFound():
                return self.operations.not_found(peer, message, now)
        return None

    # --- reports of the ledger -------------------------------------------------------------------------------

    def completed(self, task: Task, outcome: Outcome, now: float) -> list[Action]:
        """A task is done or was refused."""
        match task:
            case AdmitOperation():
                return self.operations.done(task, outcome, now)
            case ConnectBlock():
                return self.compact.connected(task, outcome, now) + self.block_sync.connected(task, outcome, now)
            case CheckHeaders() if self.compact.owns(task):
                return self._compact_checked(task, outcome, now)
            case CheckHeaders() | CheckWork():
                return self.header_sync.checked(task, outcome, now) + self.block_sync.best_header_changed(now)

    def _compact_checked(self, task: CheckHeaders, outcome: Outcome, now: float) -> list[Action]:
        """The header of a compact block: its body is put together there, so block download leaves it alone."""
        actions = self.compact.header_checked(task, outcome, now)
        for header in task.headers:
            entry = self._facts.header(header.id)
            if entry is not None:
                self.header_sync.heads.shown(task.peer, entry)
            if self.compact.in_hand(header.id):
                self.block_sync.elsewhere(header.id, now)
        return actions + self.block_sync.best_header_changed(now)

    def switched(self, now: float) -> list[Action]:
        """The active chain has another tip, whoever brought it."""
        actions = self.operations.tip_changed(now)
        actions += self.compact.tip_changed(now)
        return actions + self.block_sync.best_header_changed(now)

    def admitted(self, pendings: Sequence[Pending], now: float) -> list[Action]:
        """Operations are new in the mempool, whoever brought them."""
        return self.operations.admitted(pendings, now)
