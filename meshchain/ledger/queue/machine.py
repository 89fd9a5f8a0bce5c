"""The queue's state machine.

Theory of operation
-------------------
The queue holds *items*, each an operation this node promised to bring into the chain. ::

    queued --(commit in the chain)--> committed --> pending --> confirmed(n)     a reveal
    queued ---------------------------------------> pending --> confirmed(n)     all others
    any of these --> conflict-lost | expired | refused
    any of them  --> back, when a reorg takes away what led there

*States are judged, not kept.* At every tip each item that is not done is judged against the next block's state, the
index of confirmed operations and its siblings (``judging``). The same chain and the same items give the same
states, so a restart, a crash between the chain's write and ours, or a switch nobody reported needs no code of its
own. On disk stands what cannot be worked out again: the operation, who signed it, since when it is in the
mempool, nonces found for its stamp, and how it ended. An end stands as long as the block on which it was found is
on the active chain: a rival's name that later expires does not wake an old reveal, a reorg does.

*Withholding.* A commit is held back while its reveal's born lies ahead of the tip, a reveal until its commit is
depth deep; an operation is sent only while it is valid in the next block, and one a name at a time (``turns``).
A commit that a reorg took out, or that outlived its life unrevealed, is simply ready again.

*Stamps* (``stamping``) are asked for from the moment an operation is on its way. *Sending* is repeated at every
tip until a block holds the operation: a mempool forgets at a restart, and evicts.

*After confirmation* items are kept for a heal and dropped by rule (``retention``). *Renewals* of hosted names
join by themselves (``renewals``).

The node drives it
------------------
Everything happens on the thread that owns the chain; nothing here blocks or sleeps. About once a second, and after
every switch, the node calls ``tick`` and does what the actions say:

- ``Send``: give it to the mempool, then ``sent(opid)``, or ``refused(opid, error)`` with what the mempool raised
  (a refusal because it is there already counts as sent). Listed again until one of them was called, and at every tip.
- ``Stamp``: run one search at a time, ``action.search()``, on as many threads as the node has to spare. While a search
  runs compare actions by value: as long as an equal ``Stamp`` is among those of the latest tick, go on; otherwise
  (its anchor aged out or left the branch, the operation was confirmed elsewhere or ended) drop it and start the first
  one listed. Report with ``progressed(opid, search, rate)`` now and then, and finish with
  ``stamped(opid, search.stamp(action.anchor_height, action.anchor_hash))``. Neither is an error when it comes too
  late.
"""

import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from meshchain.ledger import operations
from meshchain.ledger.chain.chain import Switch
from meshchain.ledger.chain.nextblock import NextBlock
from meshchain.ledger.errors import RuleError
from meshchain.ledger.operations import Operation
from meshchain.ledger.params import Params
from meshchain.ledger.queue import court, retention
from meshchain.ledger.queue.actions import Action
from meshchain.ledger.queue.actions import Stamp as StampAction
from meshchain.ledger.queue.facts import Facts
from meshchain.ledger.queue.item import Item
from meshchain.ledger.queue.journal import Journal
from meshchain.ledger.queue.plans import Plans
from meshchain.ledger.queue.renewals import Renewals
from meshchain.ledger.queue.shelf import Shelf
from meshchain.ledger.queue.status import QueueStatus
from meshchain.ledger.queue.submission import Submission
from meshchain.ledger.queue.telling import progress_of, tell
from meshchain.ledger.stamps import Stamp, StampSearch
from meshchain.ledger.store import Store

_THERE_ALREADY: Final = frozenset(("already-confirmed", "stamp-not-better"))
_NEVER: Final = frozenset(("signature", "host-proof", "owner-key", "operation-size"))
"""Refusals that depend on the operation's bytes or on who owns the name: waiting does not help."""


class Queue:
    """One node's promises, in ``store``. Opening raises StoreError "damaged".

    ``node_key`` (32-byte Ed25519) and ``sign`` (message → 64 bytes) are for renewals of names this node hosts.
    """

    def __init__(
        self,
        store: Store,
        params: Params,
        genesis_id: bytes,
        *,
        node_key: bytes,
        sign: Callable[[bytes], bytes],
        rng: random.Random,
    ) -> None:
        self._store = store
        self._genesis = genesis_id
        self._journal = Journal(store)
        self._plans = Plans(rng)
        self._renewals = Renewals(store, node_key, sign)
        self._shelf = Shelf()
        for item in self._journal.load(genesis_id, params.consensus):
            self._shelf.put(item)
        self._next_order = 1 + max((item.order for item in self._shelf), default=-1)
        self._facts: Facts | None = None
        self._touched: set[bytes] = set()
        self._told: tuple[QueueStatus, ...] | None = None

    # --- promises ------------------------------------------------------------------------------------------

    def submit(self, drafts: Sequence[Operation], next_block: NextBlock, now: float) -> tuple[bytes, ...]:
        """Promise all of ``drafts`` (signed, stamps ignored) or none; their opids. On the disk when it returns.

        A draft that is known and has not ended is left as it is. Raises CodecError, or RuleError with the rule's code
        and queue-full, queue-name-full, signature-missing, commitment-missing, already-confirmed; StoreError (nothing
        is promised then). ``now``: unix s.
        """
        facts = self._refresh(next_block)
        submission = self._submission(facts, now)
        opids = tuple(submission.take(draft) for draft in drafts)
        self._adopt(submission.items, facts, sync=True)
        return opids

    def _submission(self, facts: Facts, now: float) -> Submission:
        return Submission(self._shelf, facts, self._genesis, self._next_order, int(now))

    def _adopt(self, items: Sequence[Item], facts: Facts, *, sync: bool) -> None:
        self._journal.promise(items, sync=sync)
        for item in items:
            self._shelf.put(item)
        self._next_order += len(items)
        self._settle(items, facts)

    # --- driven by the node --------------------------------------------------------------------------------

    def tick(self, next_block: NextBlock, now: float) -> list[Action]:
        """What to do now: Send before Stamp, the most useful first; see the theory of operation."""
        facts = self._refresh(next_block)
        self._renew(facts, now)
        self._journal.flush()
        return self._plans.listed()

    def stamped(self, opid: bytes, stamp: Stamp, now: float) -> None:  # noqa: ARG002 - the seam's signature
        """Take a finished stamp; one that is no longer asked for, or no better than the present one, is left."""
        item, action = self._shelf.get(opid), self._plans.stamp(opid)
        if item is None or action is None or not _answers(stamp, action):
            return
        item.operation = replace(item.operation, stamp=stamp)
        item.partial, item.progress, item.sent_tip = None, None, None
        self._changed(item)

    def progressed(self, opid: bytes, search: StampSearch, rate: float) -> None:
        """Report a running search; ``rate`` in hashes per second (0: not known yet). Found nonces are kept."""
        item, action = self._shelf.get(opid), self._plans.stamp(opid)
        if item is None or action is None or (search.challenge, search.bits) != (action.challenge, action.bits):
            return
        item.progress, self._told = progress_of(search, rate), None
        if item.partial is not None and tuple(search.found) != item.partial.found:
            item.partial = replace(item.partial, found=tuple(search.found), tried=search.tried)
            self._changed(item)

    def sent(self, opid: bytes, now: float) -> None:  # noqa: ARG002 - the seam's signature
        """The mempool has it."""
        self._handed_over(opid, None)

    def refused(self, opid: bytes, error: RuleError, now: float) -> None:  # noqa: ARG002 - the seam's signature
        """The mempool would not have it. Final if no later block can change that, else tried again at every tip."""
        item = self._shelf.get(opid)
        if item is not None and item.alive and error.code in _NEVER:
            self._give_up(item, error)
        if item is not None and error.code == "stamp-work":
            item.operation = replace(item.operation, stamp=None)
        self._handed_over(opid, None if error.code in _THERE_ALREADY else error.message)

    def _give_up(self, item: Item, error: RuleError) -> None:
        assert self._facts is not None  # what was never ticked cannot have been sent
        item.ended = self._facts.ended("refused", error.code, error.message)
        self._changed(item)
        siblings = [] if item.name is None else self._shelf.named(item.name)
        self._settle(
            [other for other in (*siblings, *self._shelf.commits(item.commitment)) if other.alive], self._facts
        )

    def _handed_over(self, opid: bytes, refusal: str | None) -> None:
        item = self._shelf.get(opid)
        if item is None or self._facts is None or not item.alive:
            return
        if item.sent_at is None:
            item.sent_at = self._facts.tip_height
        item.refusal, item.sent_tip = refusal, self._facts.tip
        self._changed(item)

    def switched(self, switch: Switch, next_block: NextBlock, now: float) -> None:  # noqa: ARG002 - the seam's signature
        """The chain's tip moved. One not reported does no harm, but to what had ended and was confirmed after all."""
        if not len(self._shelf):  # nothing to judge: in a sync this is every block
            return
        for block in switch.connected:
            self._touched.update(operations.opid(operation, self._genesis) for operation in block.operations)
        self._refresh(next_block)
        self._journal.flush()

    # --- told ----------------------------------------------------------------------------------------------

    def status(self, next_block: NextBlock) -> tuple[QueueStatus, ...]:
        """Every item in order of submission. After a restart the same as before, but for the progress of stamps."""
        facts = self._refresh(next_block)
        if self._told is None:
            self._told = tuple(tell(item, facts, self._shelf) for item in self._shelf)
        return self._told

    @property
    def waiting(self) -> int:
        """Operations that the next blocks would bring on: in the mempool, or waiting for a commit's depth."""
        alive = (item for item in self._shelf if item.alive)
        return sum(item.sent_at is not None or item.verdict.blocks_to_go is not None for item in alive)

    # --- keeping up ----------------------------------------------------------------------------------------

    def _refresh(self, next_block: NextBlock) -> Facts:
        """Facts of the present tip; if it moved, what may have changed is judged anew."""
        before = self._facts
        if before is not None and before.tip == next_block.parent.id:
            return before
        facts = Facts(self._store, next_block)
        if before is not None and facts.is_main(before.tip_height, before.tip):
            stale = court.after_blocks(self._shelf, facts, self._touched)
        else:
            stale = court.after_reorg(self._shelf, facts)
        self._settle(stale, facts)
        for item in retention.dropped(self._shelf, facts):
            self._drop(item)
        self._touched.clear()
        self._facts = facts
        return facts

    def _settle(self, items: Sequence[Item], facts: Facts) -> None:
        for item in court.settle(items, self._shelf, facts, self._journal.note):
            self._plans.make(item, facts)
        self._told = None

    def _changed(self, item: Item) -> None:
        self._told = None
        self._journal.note(item)
        if self._facts is not None:
            self._plans.make(item, self._facts)
        self._journal.flush()

    def _drop(self, item: Item) -> None:
        self._shelf.drop(item)
        self._plans.drop(item)
        self._journal.forget(item)

    def _renew(self, facts: Facts, now: float) -> None:
        for renew in self._renewals.due(facts, self._shelf, self._genesis):
            submission = self._submission(facts, now)
            with suppress(RuleError):  # no room, or an operation queued before it ends this node's right to renew
                submission.take(renew)
            self._adopt(submission.items, facts, sync=False)


def _answers(stamp: Stamp, action: StampAction) -> bool:
    asked = (action.anchor_height, action.anchor_hash)
    return (stamp.anchor_height, stamp.anchor_hash) == asked and stamp.bits >= action.bits
