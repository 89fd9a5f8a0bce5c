"""New blocks from node to node, mostly without their operations.

Theory of operation
-------------------
*Out.* When the tip moves, ``announcer`` tells the peers: a CompactBlock (the header and 8 bytes an operation) to those
that asked for it, Headers to the others. Only connected blocks are announced, so whoever sends an invalid one
is at fault.

*In.* Three peers (``favourites``) are asked to send new blocks compactly. What they send passes three doors::

    CompactBlock --> on our tip? --CheckHeaders--> work? --Hunt--> every operation? --ConnectBlock--> connected
                       |                            |                 |
                       |                            '- no: 100 points '- no: ask who announced it (hunt)
                       '- unknown or other parent: announced() -> HeaderSync

Nothing is put together, let alone passed on, before the header's work is checked: otherwise a compact block would be
a way to make a node hash its mempool for nothing. A header that is in the tree already has passed. One check
for each peer is under way at a time; what else it sends meanwhile is only an announcement.

``in_hand`` says which blocks are being put together. BlockSync should leave those alone, and take any that is in hand
no longer and still missing. A block whose reconstruction fails is asked for whole from the same peer; BlockSync
accepts it (it is the announced next tip) and connects it.

Bounded: one compact block per peer under check, four hunts (each needs a header with valid work on our tip), in each
one announcement per favourite and 8 others.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from meshchain.ledger.chain.index import Flag
from meshchain.ledger.errors import HeldError, LocalError
from meshchain.ledger.header import Header
from meshchain.ledger.params import Params
from meshchain.p2p.actions import Action, Blame, CheckHeaders, ConnectBlock, Do, Outcome, Peer
from meshchain.p2p.facts import Facts
from meshchain.p2p.messages import BlockOperations, CompactBlock, GetBlockOperations, NotFound, SendCompact, Wanted
from meshchain.p2p.relay.announcer import Announcer
from meshchain.p2p.relay.favourites import Favourites
from meshchain.p2p.relay.hunt import Hunt, Stage, Wrongs

INVALID_POINTS: Final = 100
"""For a header without work, and for an invalid block with all its operations: its sender has never connected it."""
HUNTS: Final = 4

Announced: TypeAlias = Callable[[Peer, Header, float], list[Action]]


@dataclass(frozen=True, slots=True)
class _Check:
    task: CheckHeaders
    compact: CompactBlock


class BlockRelay:
    """``now`` is running time in seconds. ``rng`` should not be guessable: it makes the salts of short ids.

    ``announced``: HeaderSync.announced, or whatever takes a header that cannot be used here; its actions are
    returned with our own.
    """

    def __init__(
        self,
        params: Params,
        facts: Facts,
        rng: random.Random,
        *,
        announced: Announced,
    ) -> None:
        self._least_work = params.policy.minimum_chain_work
        self._facts = facts
        self._hand_on = announced
        self._announcer = Announcer(facts, rng)
        self._favourites = Favourites()
        self._wrongs = Wrongs()
        self._checks: dict[Peer, _Check] = {}
        self._hunts: dict[bytes, Hunt] = {}
        """By block id."""

    # --- peers -------------------------------------------------------------------------------------------

    def peer_ready(self, peer: Peer, now: float, *, outbound: bool = False) -> list[Action]:  # noqa: ARG002
        self._announcer.ready(peer)
        return self._favourites.ready(peer, outbound=outbound)

    def peer_gone(self, peer: Peer, now: float) -> list[Action]:
        self._announcer.gone(peer)
        self._checks.pop(peer, None)
        self._wrongs.forget(peer)
        actions = self._favourites.gone(peer)
        for hunt in self._hunts.values():
            actions += hunt.gone(peer, now)
        self._end_hunts()
        return actions

    def send_compact(self, peer: Peer, message: SendCompact, now: float) -> list[Action]:  # noqa: ARG002
        self._announcer.wants_compact(peer, compact=message.high_bandwidth)
        return []

    def knows(self, peer: Peer, block_id: bytes) -> None:
        """The peer has this block (it announced it by Headers): do not announce it to the peer."""
        self._announcer.has(peer, block_id)

    # --- a block comes in --------------------------------------------------------------------------------

    def in_hand(self, block_id: bytes) -> bool:
        """Whether the block is being put together here."""
        return block_id in self._hunts

    def owns(self, task: CheckHeaders | ConnectBlock) -> bool:
        """Whether the task is one of ours: its outcome belongs to ``header_checked`` or ``connected``."""
        if isinstance(task, CheckHeaders):
            check = self._checks.get(task.peer)
            return check is not None and check.task is task
        hunt = self._hunts.get(task.block_id)
        return hunt is not None and hunt.task is task

    def compact(self, peer: Peer, message: CompactBlock, now: float) -> list[Action]:
        """A block is announced. One that is not the next after our tip goes to ``announced``."""
        if peer not in self._announcer:
            return []
        header = message.header
        self._announcer.has(peer, header.id)
        known = self._facts.header(header.id)
        if known is not None and known.flags & (Flag.BODY | Flag.FAILED):
            return []
        tip = self._facts.tip()
        if header.previous != tip.id or (known is None and (peer in self._checks or tip.work < self._least_work)):
            return self._hand_on(peer, header, now)
        if known is not None:
            return self._hunt(peer, message, now)
        task = CheckHeaders(peer, (header,))
        self._checks[peer] = _Check(task, message)
        return [Do(task)]

    def header_checked(self, task: CheckHeaders, outcome: Outcome, now: float) -> list[Action]:
        """The header's work is known. To be called for tasks that ``owns`` knows; others are ignored."""
        if not self.owns(task):
            return []
        compact = self._checks.pop(task.peer).compact
        match outcome.error:
            case None:
                return self._hunt(task.peer, compact, now)
            case LocalError():
                return []
            case HeldError():
                return self._hand_on(task.peer, compact.header, now)
            case error:
                return [Blame(task.peer, INVALID_POINTS, f"a compact block with an invalid header: {error.code}")]

    def block_operations(self, peer: Peer, message: BlockOperations, now: float) -> list[Action]:
        """What we asked for; anything else is ignored."""
        hunt = self._hunts.get(message.block_id)
        actions = [] if hunt is None else hunt.answered(peer, message.raws, now)
        self._end_hunts()
        return actions

    def not_found(self, peer: Peer, message: NotFound, now: float) -> list[Action]:
        """Of blocks; the next who announced it is asked."""
        actions: list[Action] = []
        for block_id in message.ids if message.kind is Wanted.BLOCK else ():
            hunt = self._hunts.get(block_id)
            if hunt is not None and hunt.asked == peer and hunt.stage is not Stage.CONNECTING:
                actions += hunt.go_on(now)
        self._end_hunts()
        return actions

    def connected(self, task: ConnectBlock, outcome: Outcome, now: float) -> list[Action]:
        """What became of a block, whoever asked for it. Blames only for tasks that ``owns`` knows.

        To be called before ``tip_changed``.
        """
        ours = self.owns(task)
        hunt = self._hunts.get(task.block_id)
        if outcome.error is None:
            return self._delivered(task, hunt)
        if hunt is None:
            return []
        if not ours:  # the whole block that we asked for was no good
            actions = hunt.go_on(now) if hunt.asked == task.peer and hunt.stage is Stage.WHOLE else []
            self._end_hunts()
            return actions
        del self._hunts[task.block_id]
        if isinstance(outcome.error, LocalError | HeldError):
            return []
        return [Blame(task.peer, INVALID_POINTS, f"an invalid block: {outcome.error.code}")]

    # --- a block goes out --------------------------------------------------------------------------------

    def tip_changed(self, now: float) -> list[Action]:  # noqa: ARG002
        """Announce the new tip; hunts for blocks that do not build on it are over."""
        tip = self._facts.tip()
        for block_id in [key for key, hunt in self._hunts.items() if hunt.header.previous != tip.id]:
            del self._hunts[block_id]
        return self._announcer.announce()

    def operations_wanted(self, peer: Peer, message: GetBlockOperations, now: float) -> list[Action]:  # noqa: ARG002
        return self._announcer.answer(peer, message) if peer in self._announcer else []

    def tick(self, now: float) -> list[Action]:
        """Whoever does not answer is passed over; call it every second."""
        actions: list[Action] = []
        for hunt in self._hunts.values():
            if now >= hunt.deadline:
                actions += hunt.go_on(now)
        self._end_hunts()
        return actions

    # --- inside ------------------------------------------------------------------------------------------

    def _hunt(self, peer: Peer, compact: CompactBlock, now: float) -> list[Action]:
        header = compact.header
        if header.previous != self._facts.tip().id:  # the tip has moved meanwhile; the header is in the tree
            return []
        hunt = self._hunts.get(header.id)
        if hunt is None:
            if len(self._hunts) == HUNTS:
                del self._hunts[next(iter(self._hunts))]
            hunt = self._hunts[header.id] = Hunt(header, self._facts.pending, self._wrongs)
        actions = hunt.offered(peer, compact, now, favourite=peer in self._favourites)
        self._end_hunts()
        return actions

    def _delivered(self, task: ConnectBlock, hunt: Hunt | None) -> list[Action]:
        self._hunts.pop(task.block_id, None)
        self._announcer.has(task.peer, task.block_id)
        if hunt is not None and hunt.task is task:
            self._announcer.lacked(task.block_id, hunt.lacked)
        is_newest = task.block_id == self._facts.best_header().id  # while catching up nobody earns anything
        return self._favourites.delivered(task.peer) if is_newest else []

    def _end_hunts(self) -> None:
        for block_id in [key for key, hunt in self._hunts.items() if hunt.over]:
            del self._hunts[block_id]
