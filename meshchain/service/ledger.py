"""The ledger's owner: lets one call at a time into chain, mempool and queue, in a thread, and publishes the result.

The three are sans-IO and not thread-safe. Every change goes through ``_exclusive``: under one lock, in a worker
thread (argon2 and synced writes must not hold up the loop), followed by ``_publish``, which replaces the immutable
values that readers in other threads take: ``view``, ``pending``, ``statuses``. ``changed`` fires after
every publication.

A store that cannot be written (disk full) raises LocalError out of the call, an alarm stands, and nothing
accepted is lost: whoever called tries again.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar, TypeVarTuple

import structlog
import trio

from meshchain.ledger import operations, template
from meshchain.ledger.block import Block
from meshchain.ledger.chain.chain import Chain, Switch
from meshchain.ledger.errors import LocalError, RuleError
from meshchain.ledger.mempool import Mempool
from meshchain.ledger.queue import Queue, Send, Stamp
from meshchain.ledger.stamps import StampSearch
from meshchain.ledger.template import Template
from meshchain.service.alarms import Alarms
from meshchain.service.clock import Clock

R = TypeVar("R")
Args = TypeVarTuple("Args")


class LedgerService:
    """Chain, mempool and queue of one node. Make it and use it inside trio."""

    def __init__(self, chain: Chain, mempool: Mempool, queue: Queue, clock: Clock, alarms: Alarms) -> None:
        self.chain = chain
        self.mempool = mempool
        self.queue = queue
        self.clock = clock
        self.alarms = alarms
        self.first_synced = False
        """Set by the node once no peer offers more; before that the clock is not trusted."""
        self.changed = trio.Event()
        """Replaced after it fires; take it before looking at the state, then wait."""
        self.stamp_job: Stamp | None = None
        """The most urgent stamp that the queue asks for."""
        self._owed: list[Switch] = []
        """What mempool and queue have not been told yet."""
        self._lock = trio.Lock()
        self._log = structlog.get_logger("ledger")
        self._ticked = clock.running()
        self._publish()

    # --- what others call ----------------------------------------------------------------------------------

    async def add_block(self, block: Block) -> Switch:
        """RuleError, HeldError or LocalError as Chain.add_block."""
        return await self._exclusive(self._add_block, block)

    async def send(self, raw: bytes) -> bytes:
        """Admit a stamped operation; its opid. CodecError or RuleError."""
        return await self._exclusive(self._send, raw)

    async def submit(self, drafts: Sequence[bytes]) -> tuple[bytes, ...]:
        """Queue all of the drafts or none; durable when it returns. CodecError or RuleError."""
        return await self._exclusive(self._submit, drafts)

    async def build_template(self) -> Template:
        return await self._exclusive(self._build_template)

    async def accept(self, block_id: bytes) -> Switch:
        return await self._exclusive(self._accept, block_id)

    async def stamped(self, opid: bytes, search: StampSearch, job: Stamp) -> None:
        """Hand a finished stamp to the queue and let it go on at once."""
        await self._exclusive(self._stamped, opid, search, job)

    async def progressed(self, opid: bytes, search: StampSearch, rate: float) -> None:
        await self._exclusive(self.queue.progressed, opid, search, rate)

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
                self.changed.set()
                self.changed = trio.Event()
            return result

    def _guarded(self, function: Callable[[*Args], R], args: tuple[*Args]) -> R:
        try:
            return function(*args)
        finally:
            self._publish()

    def _publish(self) -> None:
        self.view = self.chain.view()
        self.pending = self.mempool.pending()
        self.statuses = self.queue.status(self.chain.next_block())

    def _add_block(self, block: Block) -> Switch:
        return self._follow(self.chain.add_block(block, self._trusted_now()))

    def _accept(self, block_id: bytes) -> Switch:
        return self._follow(self.chain.accept(block_id))

    def _follow(self, switch: Switch) -> Switch:
        """Bring mempool and queue behind the chain; what a failing disk cut short is made up for by the next call."""
        if switch.connected or switch.disconnected:
            self._owed.append(switch)
        while self._owed:
            self._bring_behind(self._owed[0])
            del self._owed[0]
        return switch

    def _bring_behind(self, switch: Switch) -> None:
        next_block, now = self.chain.next_block(), self.clock.now()
        for dropped in self.mempool.switched(switch, next_block, now):
            self._log.info("operation dropped", opid=dropped.opid.hex(), code=dropped.code, why=dropped.message)
        self.queue.switched(switch, next_block, now)

    def _send(self, raw: bytes) -> bytes:
        operation = operations.decode(raw, self.chain.params.consensus)
        return self.mempool.add(operation, self.chain.next_block(), self.clock.now())

    def _submit(self, drafts: Sequence[bytes]) -> tuple[bytes, ...]:
        decoded = [operations.decode_draft(draft, self.chain.params.consensus) for draft in drafts]
        return self.queue.submit(decoded, self.chain.next_block(), self.clock.now())

    def _build_template(self) -> Template:
        return template.build(self.chain, self.mempool.select(self.chain.next_block()), self.clock.now())

    def _stamped(self, opid: bytes, search: StampSearch, job: Stamp) -> None:
        self.queue.stamped(opid, search.stamp(job.anchor_height, job.anchor_hash), self.clock.now())
        self._advance_queue()

    def _tick(self) -> None:
        running = self.clock.running()
        elapsed_ms = int(1000 * (running - self._ticked))
        self._ticked += elapsed_ms / 1000
        self._follow(self.chain.tick(elapsed_ms))
        self._follow(self._hold_future())
        self._watch()
        self._advance_queue()

    def _advance_queue(self) -> None:
        next_block, now = self.chain.next_block(), self.clock.now()
        actions = self.queue.tick(next_block, now)
        for action in actions:
            if isinstance(action, Send):
                self._send_own(action)
        self.stamp_job = next((action for action in actions if isinstance(action, Stamp)), None)

    def _send_own(self, action: Send) -> None:
        now = self.clock.now()
        try:
            self.mempool.add(action.operation, self.chain.next_block(), now)
        except RuleError as error:
            self.queue.refused(action.opid, error, now)
        else:
            self.queue.sent(action.opid, now)

    # --- the clock -----------------------------------------------------------------------------------------

    def clock_is_sane(self) -> bool:
        """Not before genesis and not before what the chain has seen; anything where times have no limit (dev)."""
        if self.chain.params.policy.future_limit is None:
            return True
        now = self.clock.now()
        return now >= self.chain.genesis.time and now >= self.view.median_time()

    def _trusted_now(self) -> float | None:
        """The wall clock for the future check; None switches the check off."""
        return self.clock.now() if self.first_synced and self.clock_is_sane() else None

    def _hold_future(self) -> Switch:
        limit = self.chain.params.policy.future_limit
        if limit is None or not self.clock.synchronised():
            return self.chain.hold_future(None)
        return self.chain.hold_future(int(self.clock.now()) + limit)

    def _watch(self) -> None:
        parked = self.chain.parked()
        text = f"{len(parked)} heavier branch(es) held back; see `meshctl chain tips`" if parked else None
        self.alarms.set("parked-reorg", text)
        insane = "the clock is before the chain's time; no mining until it is set"
        self.alarms.set("clock", None if self.clock_is_sane() else insane)
