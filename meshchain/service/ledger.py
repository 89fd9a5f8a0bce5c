"""The ledger's service: lets one call at a time into the keeper (``meshchain.ledger.keeper``), in a thread, and
publishes the result.

The keeper is sans-IO and not thread-safe. Every change goes through ``_exclusive``: under one lock, in a worker
thread (argon2 and synced writes must not hold up the loop), followed by ``_publish``, which replaces the immutable
values that readers in other threads take: ``view``, ``pending``, ``statuses``. ``changed`` fires after
every publication.

A store that cannot be written (disk full) raises LocalError out of the call, an alarm stands, and nothing
accepted is lost: whoever called tries again.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar, TypeVarTuple

import structlog
import trio

from meshchain.ledger.block import Block
from meshchain.ledger.chain.chain import Chain, Switch
from meshchain.ledger.clock import Clock
from meshchain.ledger.errors import LocalError, RemoteError
from meshchain.ledger.keeper import Keeper
from meshchain.ledger.mempool import Dropped, Mempool, Pending
from meshchain.ledger.queue import Queue, Stamp
from meshchain.ledger.stamps import StampSearch
from meshchain.ledger.template import Template
from meshchain.p2p.actions import Outcome, Task
from meshchain.p2p.standing import PeerStanding
from meshchain.p2p.work import perform
from meshchain.service.alarms import Alarms

R = TypeVar("R")
Args = TypeVarTuple("Args")

_TURN = 0.1
"""Seconds that gossip's tasks hold the ledger at a time, if others wait for it."""
_REST = 0.05
"""Seconds from one tick to the next at least: blocks of a sync come faster than the queue needs to act on them."""


class LedgerService:
    """Chain, mempool and queue of one node. Make it and use it inside trio."""

    def __init__(self, chain: Chain, mempool: Mempool, queue: Queue, clock: Clock, alarms: Alarms) -> None:
        self.chain = chain
        self.mempool = mempool
        self.queue = queue
        self.clock = clock
        self.alarms = alarms
        self.peers = PeerStanding()
        """Replaced by gossip."""
        self.changed = trio.Event()
        """Replaced after it fires; take it before looking at the state, then wait."""
        self.pending: tuple[Pending, ...] = ()
        self._keeper = Keeper(chain, mempool, queue, clock, self._dropped)
        self._lock = trio.Lock()
        self._log = structlog.get_logger("ledger")
        self._publish()

    @property
    def first_synced(self) -> bool:
        """Whether no peer has offered more at some time; before that the clock is not trusted."""
        return self._keeper.first_synced

    @property
    def synced(self) -> bool:
        """Whether names may be read from this ledger now: it was synced at some time, and no peer shows more."""
        return self._keeper.first_synced and self.peers.synced

    @property
    def stamp_job(self) -> Stamp | None:
        """The most urgent stamp that the queue asks for."""
        return self._keeper.stamp_job

    # --- what others call ----------------------------------------------------------------------------------

    async def add_block(self, block: Block) -> Switch:
        """RuleError, HeldError or LocalError as Chain.add_block."""
        return await self._exclusive(self._keeper.add_block, block)

    async def send(self, raw: bytes) -> bytes:
        """Admit a stamped operation; its opid. CodecError or RuleError."""
        return await self._exclusive(self._keeper.send, raw)

    async def submit(self, drafts: Sequence[bytes]) -> tuple[bytes, ...]:
        """Queue all of the drafts or none; durable when it returns. CodecError or RuleError."""
        return await self._exclusive(self._keeper.submit, drafts)

    async def build_template(self) -> Template:
        return await self._exclusive(self._keeper.build_template)

    async def accept(self, block_id: bytes) -> Switch:
        return await self._exclusive(self._keeper.accept, block_id)

    async def stamped(self, opid: bytes, search: StampSearch, job: Stamp) -> None:
        """Hand a finished stamp to the queue and let it go on at once."""
        await self._exclusive(self._keeper.stamped, opid, search, job)

    async def progressed(self, opid: bytes, search: StampSearch, rate: float) -> None:
        await self._exclusive(self.queue.progressed, opid, search, rate)

    async def perform(self, tasks: Sequence[Task]) -> list[Outcome]:
        """What gossip asks of the ledger, in this order; refusals and faults come back in the outcomes.

        Those of the first tasks, of one at least: as many as get done before others have waited ``_TURN``, or up to
        the first fault. Handing a call over to a thread and publishing cost as much as a small block.
        """
        outcomes: list[Outcome] = []
        try:
            await self._exclusive(self._perform, tasks, outcomes)
        except LocalError as error:
            if outcomes[-1].error is not error:  # what was done could not be read back and shown
                return [Outcome(error=error) for _ in outcomes]
        return outcomes

    def set_peers(self, peers: PeerStanding) -> None:
        """What gossip says of this node among its peers; blocks settle while a peer agrees that nothing is missing."""
        before = self.synced
        self.peers = peers
        self._keeper.set_synced(peers.synced and not peers.searching, with_peers=peers.ready > 0)
        self._keeper.clock_confirmed = peers.clock == "agrees"
        wrong = f"this clock is {peers.clock_offset or 0:.0f} s from the median of {peers.ready} peers; set it"
        self.alarms.set("clock-offset", wrong if peers.clock == "differs" else None)
        if self.synced != before:
            self._tell()

    def clock_is_credible(self) -> bool:
        return self._keeper.clock_is_credible()

    async def keep(self, rows: Mapping[bytes, bytes]) -> None:
        """Write something that is not the ledger's beside it. LocalError."""
        await self._exclusive(self.chain.store.write, rows)

    async def tick(self) -> None:
        """Timers and the queue's next steps; call it every second and after every change."""
        await self._exclusive(self._tick)

    async def run(self) -> None:
        """Tick for ever; a failing disk is an alarm and another try, not an end."""
        while True:
            changed = self.changed
            try:
                await self.tick()
            except LocalError as error:
                self._log.error("ledger cannot go on", code=error.code, error=error.message)
                await trio.sleep(5)
                continue
            await trio.sleep(_REST)
            with trio.move_on_after(1):
                await changed.wait()

    # --- in the worker thread, under the lock --------------------------------------------------------------

    async def _exclusive(self, function: Callable[[*Args], R], *args: *Args) -> R:
        async with self._lock:
            before = self.view, self.pending, self.statuses, self.stamp_job
            try:
                result = await trio.to_thread.run_sync(self._guarded, function, args)
            except LocalError as error:
                self.alarms.raise_("store", f"{error.code}: {error.message}")
                raise
            self.alarms.clear("store")
            if before != (self.view, self.pending, self.statuses, self.stamp_job):
                self._tell()
            return result

    def _tell(self) -> None:
        """Whoever waits for a change."""
        self.changed.set()
        self.changed = trio.Event()

    def _guarded(self, function: Callable[[*Args], R], args: tuple[*Args]) -> R:
        try:
            return function(*args)
        finally:
            self._publish()

    def _perform(self, tasks: Sequence[Task], outcomes: list[Outcome]) -> None:
        until = self.clock.running() + _TURN
        for task in tasks:
            try:
                outcomes.append(Outcome(perform(self._keeper, task)))
            except RemoteError as error:
                outcomes.append(Outcome(error=error))
            except LocalError as error:
                outcomes.append(Outcome(error=error))
                raise
            if self.clock.running() >= until:
                return

    def _publish(self) -> None:
        self.view = self.chain.view()
        pending = self.mempool.pending()
        if pending != self.pending:  # the same tuple as long as it holds the same: readers keep what they made of it
            self.pending = pending
        self.best_header = self.chain.best_header
        self.statuses = self.queue.status(self.chain.next_block())

    def _tick(self) -> None:
        self._keeper.tick()
        self._watch()

    def _dropped(self, dropped: Dropped) -> None:
        self._log.info("operation dropped", opid=dropped.opid.hex(), code=dropped.code, why=dropped.message)

    def _watch(self) -> None:
        parked = self.chain.parked()
        text = f"{len(parked)} heavier branch(es) held back; see `meshctl chain tips`" if parked else None
        self.alarms.set("parked-reorg", text)
        insane = "the clock is before the chain's time; no mining until it is set"
        self.alarms.set("clock", None if self._keeper.clock_is_sane() else insane)
