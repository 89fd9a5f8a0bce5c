"""The keeper of one node's ledger: moves chain, mempool and queue together, and looks after time.

Theory of operation
-------------------
Chain, mempool and queue each know nothing of the other two. Whatever moves the chain's tip goes through
``follow``, which owes both of them the news: if a disk fails on the way, the debt is kept and paid by the next call,
so that no operation of a disconnected block is lost. ``tick``, once a second, lets parked rivals age, holds back
blocks of a clock that was wrong, and does what the queue asks for; what takes long, a stamp, is put out as
``stamp_job``. The wall clock is believed by the chain only after the first sync and while it is sane.

Not thread-safe and never waiting: the service calls it in a worker thread under a lock, a simulation in its one
thread.
"""

from collections.abc import Callable, Sequence

from meshchain.ledger import operations, template
from meshchain.ledger.block import Block
from meshchain.ledger.chain.chain import Chain, Switch
from meshchain.ledger.chain.index import IndexEntry
from meshchain.ledger.clock import Clock
from meshchain.ledger.errors import RuleError
from meshchain.ledger.header import Header
from meshchain.ledger.mempool import Dropped, Mempool
from meshchain.ledger.queue import Queue, Send, Stamp
from meshchain.ledger.stamps import StampSearch
from meshchain.ledger.template import Template


class Keeper:
    """``dropped``: told of every operation that the mempool gives up."""

    def __init__(
        self, chain: Chain, mempool: Mempool, queue: Queue, clock: Clock, dropped: Callable[[Dropped], None]
    ) -> None:
        self.chain = chain
        self.mempool = mempool
        self.queue = queue
        self.clock = clock
        self.first_synced = False
        """Set once no peer offers more; before that the clock is not trusted."""
        self.stamp_job: Stamp | None = None
        """The most urgent stamp that the queue asks for."""
        self.clock_confirmed = False
        """Whether the peers' clocks, three at least, agree with ours."""
        self._dropped = dropped
        self._owed: list[Switch] = []
        """What mempool and queue have not been told yet."""
        self._ticked = clock.running()

    def set_synced(self, synced: bool, *, with_peers: bool) -> None:
        """What gossip says of this node: nothing is missing; and whether a peer agrees, which settles blocks."""
        self.first_synced = self.first_synced or synced
        self.chain.settling = synced and with_peers

    # --- the chain -----------------------------------------------------------------------------------------

    def add_headers(self, headers: Sequence[Header]) -> list[IndexEntry]:
        """As Chain.add_headers."""
        return self.chain.add_headers(headers, self._trusted_now())

    def add_block(self, block: Block) -> Switch:
        """As Chain.add_block."""
        return self.follow(self.chain.add_block(block, self._trusted_now()))

    def accept(self, block_id: bytes) -> Switch:
        """As Chain.accept."""
        return self.follow(self.chain.accept(block_id))

    def follow(self, switch: Switch) -> Switch:
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
            self._dropped(dropped)
        self.queue.switched(switch, next_block, now)

    # --- operations ----------------------------------------------------------------------------------------

    def send(self, raw: bytes) -> bytes:
        """Admit a stamped operation; its opid. CodecError or RuleError."""
        operation = operations.decode(raw, self.chain.params.consensus)
        return self.mempool.add(operation, self.chain.next_block(), self.clock.now())

    def submit(self, drafts: Sequence[bytes]) -> tuple[bytes, ...]:
        """Queue all of the drafts or none; durable when it returns. CodecError or RuleError."""
        decoded = [operations.decode_draft(draft, self.chain.params.consensus) for draft in drafts]
        return self.queue.submit(decoded, self.chain.next_block(), self.clock.now())

    def build_template(self) -> Template:
        return template.build(self.chain, self.mempool.select(self.chain.next_block()), self.clock.now())

    def stamped(self, opid: bytes, search: StampSearch, job: Stamp) -> None:
        """Hand a finished stamp to the queue and let it go on at once."""
        self.queue.stamped(opid, search.stamp(job.anchor_height, job.anchor_hash), self.clock.now())
        self._advance_queue()

    # --- time ----------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Timers and the queue's next steps; call it every second and after every change."""
        running = self.clock.running()
        elapsed_ms = int(1000 * (running - self._ticked))
        self._ticked += elapsed_ms / 1000
        self.follow(self.chain.tick(elapsed_ms))
        self.follow(self._hold_future())
        self._advance_queue()

    def clock_is_sane(self) -> bool:
        """Not before genesis and not before what the chain has seen; anything where times have no limit (dev)."""
        if self.chain.params.policy.future_limit is None:
            return True
        now = self.clock.now()
        return now >= self.chain.genesis.time and now >= self.chain.next_block().median_time

    def clock_is_credible(self) -> bool:
        """The kernel calls the clock synchronised, or at least three peers agree with it."""
        return self.clock_confirmed or self.clock.synchronised()

    def _trusted_now(self) -> float | None:
        """The wall clock for the future check; None switches the check off."""
        return self.clock.now() if self.first_synced and self.clock_is_sane() else None

    def _hold_future(self) -> Switch:
        limit = self.chain.params.policy.future_limit
        if limit is None or not self.clock_is_credible():
            return self.chain.hold_future(None)
        return self.chain.hold_future(int(self.clock.now()) + limit)

    def _advance_queue(self) -> None:
        actions = self.queue.tick(self.chain.next_block(), self.clock.now())
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
