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
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final

from meshchain.ledger import operations
from meshchain.ledger.chain.chain import Switch
from meshchain.ledger.chain.nextblock import NextBlock
from meshchain.ledger.errors import RuleError
from meshchain.ledger.operations import Operation
from meshchain.ledger.params import Params
from meshchain.ledger.queue import retention, stamping, stored
from meshchain.ledger.queue.actions import Action, Send
from meshchain.ledger.queue.actions import Stamp as StampAction
from meshchain.ledger.queue.facts import Facts
from meshchain.ledger.queue.item import Ended, Item, Phase, Verdict
from meshchain.ledger.queue.judging import judge
from meshchain.ledger.queue.renewals import Renewals
from meshchain.ledger.queue.shelf import Shelf
from meshchain.ledger.queue.status import QueueStatus, StampProgress
from meshchain.ledger.queue.submission import Submission, check_all
from meshchain.ledger.queue.telling import tell
from meshchain.ledger.queue.turns import put_in_turn, turn
from meshchain.ledger.stamps import Stamp, StampSearch
from meshchain.ledger.store import Store, layout

_STAMPS_AT_ONCE: Final = 16
_SENDS_AT_ONCE: Final = 64
"""Actions listed in one tick: the mempool checks eight hashes an operation, about 6 ms."""
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
        self._rng = rng
        self._renewals = Renewals(store, node_key, sign)
        self._shelf = Shelf()
        for item in sorted(_load(store, genesis_id, params), key=lambda item: item.order):
            self._shelf.put(item)
        self._next_order = 1 + max((item.order for item in self._shelf), default=-1)
        self._facts: Facts | None = None
        self._touched: set[bytes] = set()
        self._stamps: dict[bytes, StampAction] = {}
        self._sends: dict[bytes, Send] = {}
        self._unwritten: dict[bytes, bytes | None] = {}

    # --- promises ------------------------------------------------------------------------------------------

    def submit(self, drafts: Sequence[Operation], next_block: NextBlock, now: float) -> tuple[bytes, ...]:
        """Promise all of ``drafts`` (signed, stamps ignored) or none; their opids. On the disk when it returns.

        A draft that is known and has not ended is left as it is. Raises CodecError, or RuleError with the rule's code
        and queue-full, queue-name-full, signature-missing, commitment-missing, already-confirmed; StoreError (nothing
        is promised then).
        """
        facts = self._refresh(next_block)
        waiting = sum(item.alive for item in self._shelf)
        submission = Submission(self._shelf, facts, self._genesis, self._next_order, int(now), waiting)
        opids = check_all(submission, drafts)
        self._adopt(submission.items, facts, sync=True)
        return opids

    def _adopt(self, items: Sequence[Item], facts: Facts, *, sync: bool) -> None:
        rows = {layout.QUEUED + item.opid: stored.encode(item) for item in items}
        self._store.write({**self._unwritten, **rows}, sync=sync)
        self._unwritten.clear()
        for item in items:
            self._shelf.put(item)
        self._next_order += len(items)
        self._judge(items, facts)
        self._flush()

    # --- driven by the node --------------------------------------------------------------------------------

    def tick(self, next_block: NextBlock, now: float) -> list[Action]:
        """What to do now: Send before Stamp, the most useful first; see the theory of operation."""
        facts = self._refresh(next_block)
        self._renew(facts, now)
        self._flush()
        stamps = sorted(self._stamps.values(), key=self._urgency)[:_STAMPS_AT_ONCE]
        return [*list(self._sends.values())[:_SENDS_AT_ONCE], *stamps]

    def stamped(self, opid: bytes, stamp: Stamp, now: float) -> None:  # noqa: ARG002 - the seam's signature
        """Take a finished stamp; one that is no longer asked for, or no better than the present one, is left."""
        item, action = self._shelf.get(opid), self._stamps.get(opid)
        if item is None or action is None or not _answers(stamp, action):
            return
        item.operation = replace(item.operation, stamp=stamp)
        item.partial, item.progress = None, None
        item.sent_tip = None
        self._changed(item)

    def progressed(self, opid: bytes, search: StampSearch, rate: float) -> None:
        """Report a running search; ``rate`` in hashes per second (0: not known yet). Found nonces are kept."""
        item, action = self._shelf.get(opid), self._stamps.get(opid)
        if item is None or action is None or (search.challenge, search.bits) != (action.challenge, action.bits):
            return
        item.progress = _progress(search, rate)
        if item.partial is not None and tuple(search.found) != item.partial.found:
            item.partial = replace(item.partial, found=tuple(search.found), tried=search.tried)
            self._changed(item)

    def sent(self, opid: bytes, now: float) -> None:  # noqa: ARG002 - the seam's signature
        """The mempool has it."""
        item = self._shelf.get(opid)
        if item is None or not item.alive or self._facts is None:
            return
        if item.sent_at is None:
            item.sent_at = self._facts.tip_height
        item.refusal, item.sent_tip = None, self._facts.tip
        self._changed(item)

    def refused(self, opid: bytes, error: RuleError, now: float) -> None:
        """The mempool would not have it. Final if no later block can change that, else tried again at every tip."""
        item = self._shelf.get(opid)
        if item is None or not item.alive or self._facts is None:
            return
        if error.code in _THERE_ALREADY:
            self.sent(opid, now)
            return
        if error.code in _NEVER:
            item.ended = self._facts.ended("refused", error.code, error.message)
        elif error.code == "stamp-work":
            item.operation = replace(item.operation, stamp=None)
        item.refusal, item.sent_tip = error.message, self._facts.tip
        self._changed(item)

    def switched(self, switch: Switch, next_block: NextBlock, now: float) -> None:  # noqa: ARG002 - the seam's signature
        """The chain's tip moved. One not reported does no harm, but to what had ended and was confirmed after all."""
        for block in switch.connected:
            self._touched.update(operations.opid(operation, self._genesis) for operation in block.operations)
        self._refresh(next_block)
        self._flush()

    # --- told ----------------------------------------------------------------------------------------------

    def status(self, next_block: NextBlock) -> tuple[QueueStatus, ...]:
        """Every item in order of submission. After a restart the same as before, but for the progress of stamps."""
        facts = self._refresh(next_block)
        return tuple(tell(item, facts, self._shelf) for item in self._shelf)

    @property
    def waiting(self) -> int:
        """Operations that the next blocks would bring on: in the mempool, or waiting for a commit's depth."""
        alive = (item for item in self._shelf if item.alive)
        return sum(item.sent_at is not None or item.verdict.blocks_to_go is not None for item in alive)

    # --- judging -------------------------------------------------------------------------------------------

    def _refresh(self, next_block: NextBlock) -> Facts:
        """Facts of the present tip; everything is judged anew if it moved."""
        before = self._facts
        if before is not None and before.tip == next_block.parent.id:
            return before
        facts = self._facts = Facts(self._store, next_block)
        if before is not None and facts.is_main(before.tip_height, before.tip):
            stale = [item for item in self._shelf if self._may_change(item, facts)]
        else:
            stale = [item for item in self._shelf if item.ended is None or self._may_wake(item, item.ended, facts)]
        self._touched.clear()
        self._judge(stale, facts)
        for item in retention.dropped(self._shelf, facts):
            self._drop(item)
        return facts

    def _may_change(self, item: Item, facts: Facts) -> bool:
        """Whether blocks on top of the former tip can have changed the item's verdict."""
        if item.alive or item.opid in self._touched:
            return True
        outlived = facts.height > item.verdict.height + facts.consensus.commit_life
        return item.kind == "commit" and item.confirmed and outlived

    def _may_wake(self, item: Item, ended: Ended, facts: Facts) -> bool:
        return not facts.is_main(ended.height, ended.block) or facts.located(item.opid) is not None

    def _judge(self, items: Iterable[Item], facts: Facts) -> None:
        stale = {item.opid: item for item in items}
        names = {item.name for item in stale.values() if item.name is not None}
        for name in names:
            stale.update((item.opid, item) for item in self._shelf.named(name) if item.alive)
        for item in list(stale.values()):
            stale.update((commit.opid, commit) for commit in self._shelf.commits(item.commitment) if commit.alive)
        for item in sorted(stale.values(), key=turn):
            self._settle(item, judge(item, facts, self._shelf), facts)
        for name in names:
            put_in_turn(self._shelf.named(name))
        for item in stale.values():
            self._plan(item, facts)

    def _settle(self, item: Item, outcome: Verdict | Ended, facts: Facts) -> None:
        before = (item.ended, item.life_end, item.sent_at)
        if isinstance(outcome, Ended):
            item.ended = outcome
        else:
            woken = item.ended is not None
            item.ended, item.verdict = None, outcome
            if woken or outcome.phase is Phase.CONFIRMED:
                item.sent_at, item.partial, item.progress, item.refusal = None, None, None, None
        entry = None if item.name is None else facts.entry(item.name)
        if entry is not None and entry.reg == item.reg:
            item.life_end = facts.life_end(entry)
        if before != (item.ended, item.life_end, item.sent_at):
            self._note(item)

    # --- plans and writes ----------------------------------------------------------------------------------

    def _plan(self, item: Item, facts: Facts) -> None:
        """List what the item needs: a stamp, to be sent, both or nothing."""
        self._stamps.pop(item.opid, None)
        self._sends.pop(item.opid, None)
        action = stamping.needed(item, facts, self._rng)
        if action is not None:
            self._stamps[item.opid] = action
        ready = item.alive and item.verdict.phase is Phase.READY and item.sent_tip != facts.tip
        if ready and stamping.has_stamp(item, facts):
            self._sends[item.opid] = Send(item.opid, item.operation)

    def _urgency(self, action: StampAction) -> tuple[bool, bool, int]:
        """First what only its stamp holds back, then what is on its way, then better stamps for what was sent."""
        item = self._shelf.items[action.opid]
        assert self._facts is not None  # actions are planned on facts
        return stamping.has_stamp(item, self._facts), item.verdict.phase is not Phase.READY, item.order

    def _changed(self, item: Item) -> None:
        self._note(item)
        if self._facts is not None:
            self._plan(item, self._facts)
        self._flush()

    def _renew(self, facts: Facts, now: float) -> None:
        for renew in self._renewals.due(facts, self._shelf, self._genesis):
            submission = Submission(self._shelf, facts, self._genesis, self._next_order, int(now), 0)
            submission.take(renew)
            self._adopt(submission.items, facts, sync=False)

    def _drop(self, item: Item) -> None:
        self._shelf.drop(item)
        self._stamps.pop(item.opid, None)
        self._sends.pop(item.opid, None)
        self._unwritten[layout.QUEUED + item.opid] = None

    def _note(self, item: Item) -> None:
        self._unwritten[layout.QUEUED + item.opid] = stored.encode(item)

    def _flush(self) -> None:
        """Write what changed; not synced, since all of it can be worked out or done again."""
        if self._unwritten:
            self._store.write(self._unwritten, sync=False)
            self._unwritten.clear()


def _load(store: Store, genesis: bytes, params: Params) -> list[Item]:
    rows = store.items(layout.QUEUED)
    return [stored.decode(key[len(layout.QUEUED) :], data, genesis, params.consensus) for key, data in rows]


def _answers(stamp: Stamp, action: StampAction) -> bool:
    asked = (action.anchor_height, action.anchor_hash)
    return (stamp.anchor_height, stamp.anchor_hash) == asked and stamp.bits >= action.bits


def _progress(search: StampSearch, rate: float) -> StampProgress:
    known = rate > 0
    return StampProgress(
        bits=search.bits,
        rate=rate,
        percent=100 * search.progress(),
        expected_s=search.expected_remaining() / rate if known else None,
        bound95_s=search.bound95() / rate if known else None,
    )
