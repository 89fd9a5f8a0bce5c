"""Header sync: asks peers for headers, has them checked, and stores none without enough work behind it.

Theory of operation
-------------------
*Asking.* A peer's ``Version`` claims an amount of work. While some peer claims more than our best header has, one such
peer leads: it is asked for message after message (2,000 headers each) until one is not full. A second peer asked at
the same time would send the same megabytes. A leader that takes ``SLOW`` over a message loses the lead to the next
(its answer is still welcome); one that takes ``ANSWER_TIME`` loses the connection, unless it is the last we have.
With no leader, every peer is asked once from our best header's parent on, so that one on the same branch answers
with a header at least: from then on ``heads`` knows what it has. Then peers announce by themselves; ``RECHECK``
asks them again when nothing has happened for long, should an announcement have been lost.

::

    unasked --ask--> question out --answer--> batch at the ledger --full--> ask on
       ^                 |                           |
       |            no answer: Close          refused: Blame, or retry
       +-------------- not full: exhausted ----------+

*Worth storing.* A branch is stored at once if it forks from a block that has ``needed`` work: our tip's, less
that of 144 blocks like it (Bitcoin Core's margin). Nobody gets into our tree below that without paying what we
paid. Any other branch goes through ``presync`` first, which measures it with bounded memory and stores nothing. On
the first sync, while our own tip has next to no work, it is ``minimum_chain_work`` that counts. Where a network knows
of none, every branch is worth storing then; each header costs its sender the network's least work, and the ledger
hashes every one.

*Verdicts.* A header that breaks a rule: 100 points, for no honest node sends one. One on top of a block that is
invalid by our rules: 20, since it may be our rules that are old. More work claimed than shown: 50, and the claim
is forgotten. Too little work is no crime (the smaller half of a healed partition has it): the peer is left alone for
``LOW_WORK_REST``. Announcements that lead nowhere: 20 for every ten. A header ahead of the clock
is nobody's fault and is asked for again, at doubling distances up to 2 minutes; so is one that our own disk
could not take. A peer may reorganise between two messages: an answer that does not go on where we asked begins anew.

*Falling behind.* An outbound peer whose head has had less work than our tip for 20 minutes is asked once more and
dropped 2 minutes later, so that nobody holds one of our few slots with an old chain (an eclipse's tool); never the
last one. Inbound peers may be behind: they are here to fetch.

*Memory.* A message of up to 2,000 headers is held while the ledger checks it (about 1 MB decoded), one a peer and only
if it was asked for; not more than 8 inbound peers are asked at a time. Unasked, 8 headers are taken.
"""

import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final

from meshchain.ledger.chain.index import Flag, IndexEntry
from meshchain.ledger.compact import work as work_of
from meshchain.ledger.errors import HeldError, LocalError, RemoteError
from meshchain.ledger.header import Header
from meshchain.ledger.params import Params
from meshchain.p2p.actions import Action, Blame, CheckHeaders, CheckWork, Close, Do, Outcome, Peer, Send
from meshchain.p2p.facts import Facts
from meshchain.p2p.headersync.heads import Heads
from meshchain.p2p.headersync.locator import locator
from meshchain.p2p.headersync.peers import Batch, Late, PeerState, Question
from meshchain.p2p.headersync.presync import Phase, Presync
from meshchain.p2p.headersync.progress import Review, SyncProgress
from meshchain.p2p.messages import MAX_HEADERS, MAX_LOCATOR, GetHeaders, Headers, Version

MARGIN_BLOCKS: Final = 144
"""A branch may have this many of our tip's blocks less than our chain and still be stored unseen."""
MOST_ANNOUNCED: Final = 8
"""Headers in a message that nobody asked for (BIP 130's announcements, Bitcoin Core's limit)."""
INBOUND_AT_ONCE: Final = 8
SLOW: Final = 20.0
ANSWER_TIME: Final = 120.0
"""A full message is 248 kB: half a minute at 64 kbit/s, with others on the line."""
LOW_WORK_REST: Final = 600.0
RECHECK: Final = 600.0
LATE_AFTER: Final = 1200.0
LATE_ANSWER: Final = 120.0
_STRAYS: Final = 10


class HeaderSync:
    def __init__(self, params: Params, facts: Facts, rng: random.Random) -> None:
        self._consensus = params.consensus
        self._policy = params.policy
        self._facts = facts
        self._rng = rng
        self.heads = Heads(facts)
        self._peers: dict[Peer, PeerState] = {}
        self._leader: Peer | None = None
        self._moved = 0.0
        """When the best header changed last, or everybody was asked."""
        self._review = Review(facts, self.heads)

    @property
    def status(self) -> SyncProgress:
        return self._review.progress

    def memory(self, peer: Peer) -> int:
        """Bytes kept for a peer from one of its messages to the next (presync)."""
        state = self._peers.get(peer)
        return 0 if state is None or state.presync is None else state.presync.size

    # --- events ------------------------------------------------------------------------------------------

    def peer_ready(self, peer: Peer, version: Version, now: float, *, inbound: bool = False) -> list[Action]:
        self._peers[peer] = PeerState(peer, inbound, version.work, version.height)
        return self._go_on(now)

    def peer_gone(self, peer: Peer, now: float) -> list[Action]:
        self._forget(peer)
        return self._go_on(now)

    def headers(self, peer: Peer, message: Headers, now: float) -> list[Action]:
        """An answer, or an announcement of up to 8 headers."""
        state = self._peers.get(peer)
        if state is None:
            return []
        question = state.question
        if question is not None and not question.is_answered_by(message.headers, self._facts.genesis_id):
            question = None  # it stays open
        else:
            state.question = None
        if any(header.previous != before.id for before, header in pairwise(message.headers)):
            actions = self._convict(state, "headers-gap: the headers do not follow each other")
        elif question is None:
            actions = self._unasked(state, message.headers, now)
        else:
            actions = self._answer(state, question, message.headers, now)
        return actions + self._go_on(now)

    def announced(self, peer: Peer, header: Header, now: float) -> list[Action]:
        """The peer has this block: it came with a compact block or the like."""
        state = self._peers.get(peer)
        return [] if state is None else self._unasked(state, (header,), now) + self._go_on(now)

    def checked(self, task: CheckHeaders | CheckWork, outcome: Outcome, now: float) -> list[Action]:
        """A task is done."""
        state = self._peers.get(task.peer)
        if state is None or state.batch is None:
            return self._go_on(now)
        batch, state.batch = state.batch, None
        if isinstance(task, CheckWork):
            actions = self._measured(state, batch, outcome, now)
        elif outcome.error is not None:
            actions = self._refused(state, batch, outcome.error, now)
        else:
            actions = self._stored(state, batch, now)
        return actions + self._go_on(now)

    def tick(self, now: float) -> list[Action]:
        actions: list[Action] = []
        if now - self._moved > RECHECK:
            self._recheck(now)
        for state in list(self._peers.values()):
            actions += self._hurry(state, now)
        return actions + self._go_on(now)

    # --- asking ------------------------------------------------------------------------------------------

    def _go_on(self, now: float) -> list[Action]:
        """Ask whoever is to be asked next."""
        actions: list[Action] = []
        leader = self._peers.get(self._leader) if self._leader is not None else None
        if leader is None or leader.free:
            leader = self._next_leader(now)
            self._leader = None if leader is None else leader.peer
            actions += [] if leader is None else self._ask(leader, now)
        if leader is None:
            for state in list(self._peers.values()):
                actions += self._probe(state, now)
        self._review.look(self._peers.values(), now)
        return actions

    def _next_leader(self, now: float) -> PeerState | None:
        best = self._facts.best_header().work
        more = [s for s in self._peers.values() if s.claims_over(best) and not s.probed and self._may_ask(s, now)]
        return min(more, key=lambda state: (state.inbound, state.peer), default=None)

    def _may_ask(self, state: PeerState, now: float) -> bool:
        if not state.free or now < state.ask_after or state.retry_at is not None:
            return False
        return not state.inbound or self._inbound_asked() < INBOUND_AT_ONCE

    def _inbound_asked(self) -> int:
        return sum(1 for state in self._peers.values() if state.inbound and (not state.free or state.presync))

    def _probe(self, state: PeerState, now: float) -> list[Action]:
        """Ask what the peer has: once, and for what it announced; not if by its own claim that is not worth storing."""
        if state.announced is not None and self._facts.header(state.announced) is not None:
            state.announced = None
        if (state.probed and state.announced is None) or not self._may_ask(state, now):
            return []
        if state.announced is None and state.claim_open and state.claimed_work < self._needed():
            state.probed = True
            return []
        return self._ask(state, now)

    def _ask(self, state: PeerState, now: float, start: IndexEntry | None = None) -> list[Action]:
        """Ask for what follows ``start``; our best header's parent if None."""
        if start is None:
            best = self._facts.best_header()
            start = self._facts.header(best.header.previous) or best
        return self._send(state, locator(self._facts, start), start.work, now)

    def _ask_presync(self, state: PeerState, presync: Presync, now: float) -> list[Action]:
        last = presync.last.id if presync.phase is Phase.MEASURE else presync.fetched
        ids = (last, *locator(self._facts, presync.fork)[: MAX_LOCATOR - 1])
        return self._send(state, ids, presync.last.work, now)

    def _send(self, state: PeerState, ids: tuple[bytes, ...], work: int, now: float) -> list[Action]:
        state.probed, state.retry_at, state.announced = True, None, None
        state.question = Question(now, work, ids)
        return [Send(state.peer, GetHeaders(ids))]

    # --- what a peer sends ---------------------------------------------------------------------------------

    def _answer(self, state: PeerState, question: Question, headers: Sequence[Header], now: float) -> list[Action]:
        full = len(headers) == MAX_HEADERS
        presync = state.presync
        if presync is not None and headers and headers[0].previous == _goes_on_at(presync):
            return self._presync(state, presync, Batch(headers, full, answer=True), now)
        if not headers:
            state.presync = None
            return self._exhausted(state, question.work)
        if presync is not None:  # the peer went over to another branch
            state.presync = None
            return self._stray(state) + self._ask(state, now)
        if self._facts.header(headers[0].previous) is None:
            return self._stray(state)
        return self._take(state, headers, full=full, answer=True, now=now)

    def _unasked(self, state: PeerState, headers: Sequence[Header], now: float) -> list[Action]:
        if len(headers) > MOST_ANNOUNCED:
            return [Blame(state.peer, 20, f"headers-unasked: {len(headers)} headers that nobody asked for")]
        if not headers:
            return []
        if self._facts.header(headers[-1].id) is None and (not state.free or state.presync is not None):
            state.announced = headers[-1].id
            return [] if self._facts.header(headers[0].previous) is not None else self._stray(state)
        if self._facts.header(headers[0].previous) is None:  # ask for what lies between, when it is this peer's turn
            state.announced = headers[-1].id
            return self._stray(state)
        return self._take(state, headers, full=False, answer=False, now=now)

    def _take(
        self, state: PeerState, headers: Sequence[Header], *, full: bool, answer: bool, now: float
    ) -> list[Action]:
        """Headers whose first one's parent is known: skip what is known, then check or presync the rest."""
        parent = self._facts.header(headers[0].previous)
        known = 0
        while known < len(headers) and (entry := self._facts.header(headers[known].id)) is not None:
            parent, known = entry, known + 1
        assert parent is not None
        if not parent.flags & Flag.FAILED:
            self.heads.shown(state.peer, parent)
        rest = headers[known:]
        if not rest:
            return self._known(state, parent, full=full, answer=answer, now=now)
        batch = Batch(rest, full, answer)
        needed = self._needed()
        if parent.work >= needed or parent.flags & Flag.FAILED:
            return self._check(state, batch)
        state.presync = Presync(self._consensus, self._facts, parent, needed, self._rng)
        if self._leader == state.peer:
            self._leader = None
        return self._presync(state, state.presync, batch, now)

    def _known(self, state: PeerState, last: IndexEntry, *, full: bool, answer: bool, now: float) -> list[Action]:
        if last.flags & Flag.FAILED:
            return [Blame(state.peer, 20, "block-failed: the peer is on a branch with an invalid block")]
        if not answer:
            return []
        return self._ask(state, now, last) if full else self._exhausted(state, last.work)

    def _check(self, state: PeerState, batch: Batch) -> list[Action]:
        state.batch = batch
        return [Do(CheckHeaders(state.peer, batch.headers))]

    def _presync(self, state: PeerState, presync: Presync, batch: Batch, now: float) -> list[Action]:
        """More of a branch that is measured, or fetched after that."""
        try:
            if presync.phase is Phase.MEASURE:
                return self._measure(state, presync, batch, now)
            ready = presync.fetch(batch.headers)
        except RemoteError as error:
            return self._convict(state, f"{error.code}: {error.message}")
        if ready:
            return self._check(state, Batch(ready, batch.full, batch.answer))
        if batch.full:
            return self._ask_presync(state, presync, now)
        state.presync = None
        return self._stray(state)

    def _measure(self, state: PeerState, presync: Presync, batch: Batch, now: float) -> list[Action]:
        sample = presync.measure(batch.headers)
        if not presync.enough and not batch.full:
            return self._too_little(state, presync, batch, now)
        state.batch = batch
        return [Do(CheckWork(state.peer, sample))]

    # --- what became of it ---------------------------------------------------------------------------------

    def _measured(self, state: PeerState, batch: Batch, outcome: Outcome, now: float) -> list[Action]:
        presync, result = state.presync, outcome.result
        if presync is None or not isinstance(result, list):
            state.presync = None
            state.retry(now)
            return []
        if not all(result):
            return self._convict(state, "pow: a header of the branch misses its target")
        if not presync.enough:
            return self._ask_presync(state, presync, now)
        if presync.count == len(batch.headers):  # all of them are at hand: no need to fetch them again
            state.presync = None
            return self._check(state, batch)
        presync.begin_fetch()
        return self._ask_presync(state, presync, now)

    def _stored(self, state: PeerState, batch: Batch, now: float) -> list[Action]:
        last = self._show_stored(state, batch, now)
        if last is None:
            return []
        state.progress()
        presync = state.presync
        if presync is not None and not presync.done:
            return self._ask_presync(state, presync, now)
        state.presync = None
        if not batch.answer:
            return []
        if batch.full:
            return self._ask(state, now, last)
        return self._exhausted(state, last.work)

    def _show_stored(self, state: PeerState, batch: Batch, now: float) -> IndexEntry | None:
        """The last header of the batch that got into the tree: what comes before a bad one does."""
        known = (self._facts.header(header.id) for header in reversed(batch.headers))
        stored = next((entry for entry in known if entry is not None), None)
        if stored is not None:
            self._moved = now
            self.heads.shown(state.peer, stored)
        return stored

    def _refused(self, state: PeerState, batch: Batch, error: RemoteError | LocalError, now: float) -> list[Action]:
        self._show_stored(state, batch, now)
        state.presync = None
        if isinstance(error, HeldError | LocalError) or error.code == "unknown-parent":
            state.retry(now)
            return []
        if error.code == "block-failed":
            return [Blame(state.peer, 20, f"block-failed: {error.message}")]
        return self._convict(state, f"{error.code}: {error.message}")

    def _exhausted(self, state: PeerState, work: int) -> list[Action]:
        """The peer has shown all it has, a branch of ``work``."""
        state.progress()
        if state.refuted(work):
            return [Blame(state.peer, 50, "false-claim: the peer claims more work than it has")]
        return []

    def _too_little(self, state: PeerState, presync: Presync, batch: Batch, now: float) -> list[Action]:
        state.presync = None
        if not batch.answer:
            return self._stray(state)
        state.ask_after = now + LOW_WORK_REST
        return self._exhausted(state, presync.last.work)

    def _stray(self, state: PeerState) -> list[Action]:
        state.strays += 1
        if state.strays % _STRAYS:
            return []
        return [Blame(state.peer, 20, f"headers-stray: {_STRAYS} messages of headers that lead nowhere")]

    def _convict(self, state: PeerState, reason: str) -> list[Action]:
        state.presync = None
        state.ask_after = float("inf")
        return [Blame(state.peer, 100, reason)]

    # --- time ----------------------------------------------------------------------------------------------

    def _hurry(self, state: PeerState, now: float) -> list[Action]:
        waited = 0.0 if state.question is None else now - state.question.at
        if waited > SLOW and self._leader == state.peer:
            self._leader = None
        if waited > ANSWER_TIME:
            return self._give_up(state, "headers-timeout", f"no headers within {ANSWER_TIME:.0f} s", now)
        if state.retry_at is not None and now >= state.retry_at and state.free:
            return self._ask(state, now)
        return [] if state.inbound else self._check_late(state, now)

    def _check_late(self, state: PeerState, now: float) -> list[Action]:
        tip, head = self._facts.tip().work, self.heads.get(state.peer)
        work, late = (0 if head is None or self.heads.is_failed(head) else head.work), state.late
        if work >= tip:
            state.late = None
        elif late is None or work >= late.mark:
            state.late = Late(tip, now + LATE_AFTER, asked=False)
        elif now >= late.until and not late.asked:
            state.late = Late(late.mark, now + LATE_ANSWER, asked=True)
            return self._ask(state, now) if state.free else []
        elif now >= late.until:
            return self._give_up(state, "behind", "the peer's chain has been lighter than ours for 20 minutes", now)
        return []

    def _give_up(self, state: PeerState, code: str, reason: str, now: float) -> list[Action]:
        """Close the connection, but for the last one: that gets the same time again."""
        if len(self._peers) > 1:
            self._forget(state.peer)
            return [Close(state.peer, code, reason)]
        state.late = None
        if state.question is not None:  # a second one on a slow line would only make it slower
            state.question = replace(state.question, at=now)
        return []

    def _recheck(self, now: float) -> None:
        self._moved = now
        for state in self._peers.values():
            state.probed = state.inbound

    def _needed(self) -> int:
        """Work that a branch must have to be stored without being measured first."""
        tip = self._facts.tip()
        return max(tip.work - MARGIN_BLOCKS * work_of(tip.header.bits), self._policy.minimum_chain_work)

    def _forget(self, peer: Peer) -> None:
        self._peers.pop(peer, None)
        self.heads.gone(peer)
        if self._leader == peer:
            self._leader = None


def _goes_on_at(presync: Presync) -> bytes:
    return presync.last.id if presync.phase is Phase.MEASURE else presync.fetched
