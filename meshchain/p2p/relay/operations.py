"""Operations from mempool to mempool.

Theory of operation
-------------------
*Announcing.* What enters our mempool, from wherever, is announced to every ready peer that does not know it, by its
32-byte wid: up to 500 in an Inventory, sent at a random moment within 2 s (``outbox``). A new peer is told of the
whole mempool, most work per byte first. Peers that want blocks only are never made ready here: nothing
is announced to them, and what they send is ignored.

*Fetching.* An announced wid is asked for unless it is in the mempool, was confirmed in one of the last blocks, or was
refused at this tip (``refusals``). One peer at a time is asked for it (``requests``). What comes is judged by the
ledger: ``Do(AdmitOperation)``, then ``done``. ::

    Inventory --> wanted? --GetOperations--> Operations --AdmitOperation--> good: the mempool tells everybody
                    |                                                   \\-> held: it waits in the orphan pool
                    '-- known, confirmed, refused: nothing              '-> refused, forged: remembered

An operation that the mempool *holds* (a reveal ahead of its commit) is not announced; when its turn comes,
it is new in the mempool and comes back through ``admitted``.

*Blame* falls on what no honest node can have taken (``verdict``): such an operation costs its sender 25 points.
Everything else that proves useless makes us ask its sender for less. Operations that nobody asked for cost
10 points, unless they may be answers that we have stopped waiting for.

*A new tip* makes refusals void. After a reorganisation, peers are asked once more for what was refused on the
branch that was left.

Bounded for each peer: 2,000 known wids, 5,000 waiting to be announced, 2,000 offers, 100 in flight or being judged.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

from meshchain.ledger import operations
from meshchain.ledger.mempool import Pending
from meshchain.ledger.params import Params
from meshchain.ledger.recent import RecentSet
from meshchain.p2p.actions import Action, AdmitOperation, Blame, Do, Outcome, Peer, Send
from meshchain.p2p.facts import Facts
from meshchain.p2p.messages import (
    MAX_OPERATION_BYTES,
    MAX_OPERATIONS,
    GetOperations,
    Inventory,
    NotFound,
    Operations,
    Wanted,
)
from meshchain.p2p.relay.body import Body
from meshchain.p2p.relay.outbox import WAITING, Outbox
from meshchain.p2p.relay.refusals import Refusals
from meshchain.p2p.relay.requests import Requests
from meshchain.p2p.relay.verdict import FORGED_POINTS, Verdict, judge

UNREQUESTED_POINTS: Final = 10
_CONFIRMED: Final = 4096
"""Wids of the newest blocks' operations that are not fetched."""
_LOOK_BACK: Final = 8
"""Blocks whose operations are read when the tip moves."""


class OperationRelay:
    """``now`` is running time in seconds; ``rng`` decides moments and order, never validity.

    Every ``Do(AdmitOperation)`` must come back: through ``done``, or through ``dropped`` if its sender's budget did
    not allow it.
    """

    def __init__(self, params: Params, facts: Facts, rng: random.Random) -> None:
        self._consensus = params.consensus
        self._facts = facts
        self._rng = rng
        self._outboxes: dict[Peer, Outbox] = {}
        self._requests = Requests(rng)
        self._refusals = Refusals()
        self._confirmed = RecentSet(_CONFIRMED)
        self._tip = facts.tip()

    # --- peers -------------------------------------------------------------------------------------------

    def peer_ready(self, peer: Peer, now: float, *, outbound: bool = False) -> list[Action]:
        """A peer that takes part in relay; it is told of the mempool, little by little. ``outbound``: we dialled it."""
        self._requests.opened(peer, outbound=outbound)
        outbox = self._outboxes[peer] = Outbox(self._rng)
        ranked = sorted(self._facts.pending(), key=lambda pending: pending.rank_key, reverse=True)
        outbox.add((pending.wid for pending in ranked[:WAITING]), now)
        return []

    def peer_gone(self, peer: Peer, now: float) -> list[Action]:
        """Others are asked for what it owed."""
        self._outboxes.pop(peer, None)
        self._requests.closed(peer)
        return self._ask_all(now)

    def state_size(self) -> int:
        """Wids kept, for peers and of our own: bounded by constants times the number of peers."""
        own = len(self._requests) + len(self._refusals) + len(self._confirmed)
        return own + sum(map(len, self._outboxes.values()))

    # --- what peers say ----------------------------------------------------------------------------------

    def inventory(self, peer: Peer, message: Inventory, now: float) -> list[Action]:
        outbox = self._outboxes.get(peer)
        if outbox is None:
            return []
        for wid in message.wids:
            outbox.learn(wid)
            if self._wants(wid):
                self._requests.offered(peer, wid, now)
        return self._ask(peer, now)

    def wanted(self, peer: Peer, message: GetOperations, now: float) -> list[Action]:  # noqa: ARG002
        """Send what the mempool has of it, 64 KiB a message; say what it has not."""
        if peer not in self._outboxes:
            return []
        found = {wid: self._facts.pending_by_wid(wid) for wid in message.wids}
        raws = [operations.encode(pending.operation) for pending in found.values() if pending is not None]
        answers: list[Action] = [Send(peer, Operations(batch)) for batch in _batches(raws)]
        missing = tuple(wid for wid, pending in found.items() if pending is None)
        if missing:
            answers.append(Send(peer, NotFound(Wanted.OPERATION, missing)))
        return answers

    def operations(self, peer: Peer, message: Operations, now: float) -> list[Action]:
        outbox = self._outboxes.get(peer)
        if outbox is None:
            return []
        actions: list[Action] = []
        unrequested = False
        for raw in message.raws:
            wid = operations.wid_of(raw)
            outbox.learn(wid)
            if self._requests.arrived(peer, wid):
                actions.append(Do(AdmitOperation(peer, wid, raw)))
            else:
                unrequested |= not self._requests.forgives(peer)
        if unrequested:
            actions.append(Blame(peer, UNREQUESTED_POINTS, "operations that nobody asked for"))
        return actions + self._ask(peer, now)

    def not_found(self, peer: Peer, message: NotFound, now: float) -> list[Action]:
        """Of operations; NotFound of blocks is none of this machine's business and is ignored."""
        if message.kind is not Wanted.OPERATION:
            return []
        for wid in message.ids:
            self._requests.lacks(peer, wid)
        return self._ask_all(now)

    # --- what the ledger says ----------------------------------------------------------------------------

    def done(self, task: AdmitOperation, outcome: Outcome, now: float) -> list[Action]:
        """The mempool has judged an operation. A new one is announced by ``admitted``, not here."""
        verdict = judge(task.raw, outcome, self._consensus)
        self._requests.settled(task.wid)
        if verdict is Verdict.GOOD:
            self._requests.praise(task.peer)
        elif verdict is not Verdict.LOCAL:
            self._refusals.add(task.wid, task.peer, verdict)
        if verdict.useless:
            self._requests.strike(task.peer, now)
        blame: list[Action] = []
        if verdict is Verdict.FORGED and outcome.error is not None:
            blame.append(Blame(task.peer, FORGED_POINTS, f"an operation invalid anywhere: {outcome.error.code}"))
        return blame + self._ask(task.peer, now)

    def dropped(self, task: AdmitOperation, now: float) -> list[Action]:
        """It was not judged because a budget was spent: whoever offered it is asked again, this peer later and less."""
        self._requests.returned(task.wid)
        self._requests.strike(task.peer, now)
        return []

    def admitted(self, pendings: Sequence[Pending], now: float) -> list[Action]:
        """New in our mempool: from a peer, the queue, RPC, the orphan pool, or a block that was disconnected."""
        for pending in pendings:
            self._requests.settled(pending.wid)
        for outbox in self._outboxes.values():
            outbox.add((pending.wid for pending in pendings), now)
        return []

    def tip_changed(self, now: float) -> list[Action]:
        """Judge anew what was refused; forget what was confirmed."""
        tip = self._facts.tip()
        if tip.id == self._tip.id:
            return []
        reorganised = not self._facts.is_main(self._tip)
        if reorganised:
            self._confirmed = RecentSet(_CONFIRMED)
        for wid in self._newly_confirmed(reorganised=reorganised):
            self._confirmed.add(wid)
            self._requests.settled(wid)
        self._tip = tip
        for peer, wid in self._refusals.new_tip(reorganised=reorganised):
            if self._wants(wid):
                self._requests.offered(peer, wid, now)
        return self._ask_all(now)

    def tick(self, now: float) -> list[Action]:
        """Announcements that are due and questions that were not answered; call it at least every second."""
        actions: list[Action] = []
        for peer, outbox in self._outboxes.items():
            if batch := outbox.flush(now, self._is_pending):
                actions.append(Send(peer, Inventory(batch)))
        self._requests.expire(now)
        return actions + self._ask_all(now)

    # --- inside ------------------------------------------------------------------------------------------

    def _wants(self, wid: bytes) -> bool:
        return not (wid in self._refusals or wid in self._confirmed or self._is_pending(wid))

    def _is_pending(self, wid: bytes) -> bool:
        return self._facts.pending_by_wid(wid) is not None

    def _ask(self, peer: Peer, now: float) -> list[Action]:
        wids = self._requests.ask(peer, now)
        return [Send(peer, GetOperations(wids))] if wids else []

    def _ask_all(self, now: float) -> list[Action]:
        return [Send(peer, GetOperations(wids)) for peer, wids in self._requests.ask_all(now)]

    def _newly_confirmed(self, *, reorganised: bool) -> Iterator[bytes]:
        """Wids in the newest blocks of the active chain, back to the old tip where it still belongs to it."""
        for entry in islice(self._facts.ancestors(self._facts.tip()), _LOOK_BACK):
            if not entry.height or (entry.id == self._tip.id and not reorganised):
                return
            raw = self._facts.block_bytes(entry.id)
            if raw is not None:
                yield from Body.split(raw).wids


def _batches(raws: Iterable[bytes]) -> Iterator[tuple[bytes, ...]]:
    """At most 100 operations and 64 KiB each."""
    batch: list[bytes] = []
    size = 0
    for raw in raws:
        if batch and (len(batch) == MAX_OPERATIONS or size + len(raw) > MAX_OPERATION_BYTES):
            yield tuple(batch)
            batch, size = [], 0
        batch.append(raw)
        size += len(raw)
    if batch:
        yield tuple(batch)
