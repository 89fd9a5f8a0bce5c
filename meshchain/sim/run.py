"""One run of a simulated node: the parts of the real one, in one thread, with the world's clock, heap and streams.

Built like the real node: ``Keeper`` over chain, mempool and queue; ``Gossip`` over ``LedgerFacts``, with what the run
before has saved (``kept``); the mining policy's ``Outlook``; hands that hash (``hands``). Tasks that gossip hands to
the ledger are done one after the other, each when its virtual cost is paid.
"""

import random
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, TypeVar, TypeVarTuple

from meshchain.crypto import sign_ed25519
from meshchain.ledger.block import Block
from meshchain.ledger.chain.chain import Chain
from meshchain.ledger.errors import LocalError, RemoteError
from meshchain.ledger.keeper import Keeper
from meshchain.ledger.mempool import Dropped, Mempool, Pending
from meshchain.ledger.mining import Decision, Outlook
from meshchain.ledger.queue import Queue, Stamp
from meshchain.ledger.stamps import StampSearch
from meshchain.ledger.template import Template
from meshchain.p2p import kept, messages
from meshchain.p2p.actions import Action, Close, Dial, Do, Endpoint, Outcome, Peer, Send, Task
from meshchain.p2p.gossip import Own
from meshchain.p2p.messages import Goodbye
from meshchain.p2p.standing import PeerStanding, standing_of
from meshchain.p2p.transport import Established, TransportError
from meshchain.p2p.transport import Event as StreamEvent
from meshchain.p2p.work import perform
from meshchain.service.facts import LedgerFacts
from meshchain.sim.hands import Miner, Stamper
from meshchain.sim.heap import Event
from meshchain.sim.machine import Machine
from meshchain.sim.wire import Wire

R = TypeVar("R")
Args = TypeVarTuple("Args")

LEDGER_TICK: Final = 1.0
GOSSIP_TICK: Final = 0.5


class Running:
    """Run number ``number`` of ``node``; alive from its making to ``drop``."""

    def __init__(self, node: Machine, number: int) -> None:
        world = node.world
        params, self.costs = world.params, world.costs
        self.node = node
        self.alive = True
        self.rng = rng = random.Random(f"{world.seed}/{node.name}/{number}")
        self.chain = Chain(node.store, params, world.workers)
        mempool = Mempool(params, world.workers, self.chain.stamps_seen)
        queue = Queue(node.store, params, self.chain.genesis_id, node_key=node.key, sign=self._sign, rng=rng)
        self.keeper = Keeper(self.chain, mempool, queue, node.clock, self._dropped)
        self._publish()
        self.gossip = kept.recalled(
            node.store,
            facts=LedgerFacts(self),
            own=Own(key=node.key, agent="sim", listen_port=node.endpoint.port),
            rng=rng,
            wall=node.clock.now,
            configured=node.peers,
        )
        self.outlook = Outlook(params, node.clock.now(), rng, enabled=node.mines)
        self.miner = Miner(self, rng)
        self.stamper = Stamper(self)
        self.wires: dict[Peer, Wire] = {}
        self.standing = PeerStanding(searching=True)
        self._began = world.heap.now
        self._tasks: deque[Task] = deque()
        self._told = self.view.tip_id, self.pending
        """Tip and mempool that gossip knows of."""
        self._news: Event | None = None
        self.on_news: Callable[[], None] = lambda: None
        """Called when the ledger, or how it stands among its peers, may have changed."""
        self._parked: tuple[bytes, ...] = ()

    def begin(self) -> None:
        self._every(LEDGER_TICK, self._ledger_tick)
        self._every(GOSSIP_TICK, self._gossip_tick)
        self.later(kept.SAVE_EVERY, self._save_again)

    def drop(self) -> None:
        """The process is gone."""
        self.alive = False
        for wire in list(self.wires.values()):
            if wire.connection is not None:
                wire.connection.close(wire.side)

    def save(self) -> None:
        """Keep addresses, anchors and bans for the next run."""
        self.node.store.write(kept.rows(self.gossip))

    def _save_again(self) -> None:
        self.save()
        self.later(kept.SAVE_EVERY, self._save_again)

    # --- time ----------------------------------------------------------------------------------------------

    def later(self, seconds: float, action: Callable[[], None]) -> Event:
        """Plan something that is void once this run is over."""
        heap = self.node.world.heap
        return heap.at(heap.now + seconds, lambda: action() if self.alive else None)

    @property
    def now(self) -> float:
        return self.node.world.heap.now

    def _every(self, seconds: float, action: Callable[[], None]) -> None:
        """From a random moment on, so that not all nodes tick at once."""

        def again() -> None:
            action()
            self.later(seconds, again)

        self.later(seconds * self.rng.random(), again)

    def _ledger_tick(self) -> None:
        self._stand()
        self.change(self.keeper.tick)
        parked = tuple(branch.first for branch in self.chain.parked())
        if parked != self._parked:
            self._parked = parked
            self.node.note(f"parked branches: {len(parked)}")

    def _gossip_tick(self) -> None:
        self.carry_out(self.gossip.tick(self.now))

    def _stand(self) -> None:
        """Tell the ledger how this node stands among its peers."""
        standing = standing_of(
            self.gossip, self.chain.params, configured=bool(self.node.peers), started=self._began, now=self.now
        )
        self.standing = standing
        self.keeper.set_synced(standing.synced and not standing.searching, with_peers=standing.ready > 0)
        self.keeper.clock_confirmed = standing.clock == "agrees"

    # --- the ledger ----------------------------------------------------------------------------------------

    def change(self, function: Callable[[*Args], R], *args: *Args) -> R:
        """Call something that may change the ledger, and let everybody know."""
        try:
            return function(*args)
        finally:
            self._publish()
            if self._news is None:
                self._news = self.later(0, self._tell)

    def _publish(self) -> None:
        self.view = self.chain.view()
        self.best_header = self.chain.best_header
        self.pending: tuple[Pending, ...] = self.keeper.mempool.pending()
        self.statuses = self.keeper.queue.status(self.chain.next_block())

    def _tell(self) -> None:
        self._news = None
        (tip, pending), self._told = self._told, (self.view.tip_id, self.pending)
        if self.pending != pending:
            known = {item.wid for item in pending}
            fresh = [item for item in self.pending if item.wid not in known]
            self.carry_out(self.gossip.admitted(fresh, self.now))
        if self.view.tip_id != tip:
            self.node.note(f"tip {self.view.height} {self.view.tip_id.hex()[:12]}")
            self.carry_out(self.gossip.switched(self.now))
        self.stamper.look(self.keeper.stamp_job)
        self.miner.look()
        self.on_news()

    def _dropped(self, dropped: Dropped) -> None:
        self.node.note(f"dropped {dropped.opid.hex()[:12]}: {dropped.code}")

    def _sign(self, message: bytes) -> bytes:
        return sign_ed25519(self.node.seed, message)

    # --- for the hands -------------------------------------------------------------------------------------

    def decide(self) -> Decision:
        return self.outlook.decide(
            self.view,
            self.statuses,
            self.pending,
            self.standing.company,
            synced=self.keeper.first_synced,
            clock_credible=self.keeper.clock_is_credible(),
            now=self.node.clock.now(),
        )

    def build_template(self) -> Template:
        return self.change(self.keeper.build_template)

    def found_block(self, block: Block) -> None:
        self.node.note(f"mined {block.header.height} {block.header.id.hex()[:12]}")
        self.change(self.keeper.add_block, block)

    def found_stamp(self, job: Stamp, search: StampSearch) -> None:
        self.change(self.keeper.stamped, job.opid, search, job)

    # --- gossip --------------------------------------------------------------------------------------------

    def carry_out(self, actions: Sequence[Action]) -> None:
        for action in actions:
            match action:
                case Send(peer=peer, message=message):
                    self._send(peer, messages.encode(message))
                case Close(peer=peer, code=code, reason=reason):
                    self._close(peer, code, reason)
                case Dial():
                    self.node.world.dial(self.node.name, action)
                case Do(task=task):
                    self._queue_task(task)

    def _queue_task(self, task: Task) -> None:
        self._tasks.append(task)
        if len(self._tasks) == 1:
            self._begin_task()

    def _begin_task(self) -> None:
        self.later(self.costs.of(self._tasks[0]), self._finish_task)

    def _finish_task(self) -> None:
        task = self._tasks[0]
        try:
            outcome = Outcome(self.change(perform, self.keeper, task))
        except (RemoteError, LocalError) as error:
            outcome = Outcome(error=error)
        self.carry_out(self.gossip.completed(task, outcome, self.now))
        self._tasks.popleft()
        if self._tasks:
            self._begin_task()

    def _send(self, peer: Peer, data: bytes) -> None:
        wire = self.wires.get(peer)
        if wire is not None:
            wire.carriage.send(data)
            wire.flush()

    def _close(self, peer: Peer, code: str, reason: str) -> None:
        wire = self.wires.get(peer)
        if wire is not None:
            self.node.note(f"closes {peer}: {code}")
            self._send(peer, messages.encode(Goodbye.saying(code, reason)))
            self.later(0, lambda: self.wire_gone(wire))  # after the actions that came with it

    # --- connections, told by the world and by wires ---------------------------------------------------------

    def dial_failed(self, endpoint: Endpoint) -> None:
        self.gossip.dial_failed(endpoint, self.now)

    def wire_gone(self, wire: Wire, blame: str | None = None) -> None:
        """A connection is over, whoever ended it."""
        if self.wires.pop(wire.peer, None) is None:
            return
        wire.hang_up()
        if not wire.inbound and not wire.proven:
            self.gossip.dial_failed(wire.endpoint, self.now)
        self.carry_out(self.gossip.closed(wire.peer, self.now, blame=blame))

    def bytes_arrived(self, wire: Wire, data: bytes) -> None:
        if wire.peer not in self.wires:
            return
        self.node.world.witness(self.node.name, wire.peer, data)
        try:
            events = wire.carriage.receive(data, self.now)
        except TransportError as error:
            self.wire_gone(wire, error.message if error.proven else None)
            return
        wire.flush()  # a handshake answers by itself
        for event in events:
            self._take(wire, event)

    def _take(self, wire: Wire, event: StreamEvent) -> None:
        if wire.peer not in self.wires:
            return
        if isinstance(event, Established):
            wire.proven = True
            self.node.note(f"{wire.purpose} {wire.peer} is {event.remote_key.hex()[:12]}")
            actions = self.gossip.opened(
                wire.peer, event.remote_key, wire.endpoint, inbound=wire.inbound, purpose=wire.purpose, now=self.now
            )
        else:
            actions = self.gossip.received(wire.peer, event.message, self.now)
        self.carry_out(actions)
