"""One simulated node: the parts of the real one, in one thread, with the world's clock, heap and streams.

Theory of operation
-------------------
What a node *is* (name, key, address, configured peers, store) outlives its runs; a *run* (``Running``) is everything a
process has in memory. ``kill`` drops the run between two events, as ``kill -9`` does; whatever it had planned is void,
for every event of a run asks first whether that run is still the node's. ``start`` builds the next run on the
store that is left. (The store keeps unsynced writes: what a power cut loses is the matter of the store's own tests.)

A run is built like the real node: ``Keeper`` over chain, mempool and queue; ``Gossip`` over ``LedgerFacts``; the mining
policy's ``Outlook``; hands that hash (``hands``). Tasks that gossip hands to the ledger are done one after the other,
each when its virtual cost is paid.
"""

import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeVar, TypeVarTuple

from meshchain.crypto import ed25519_public_key, sign_ed25519
from meshchain.crypto.address import node_address
from meshchain.ledger import operations
from meshchain.ledger.block import Block
from meshchain.ledger.chain.chain import Chain
from meshchain.ledger.errors import LocalError, RemoteError
from meshchain.ledger.keeper import Keeper
from meshchain.ledger.mempool import Dropped, Mempool, Pending
from meshchain.ledger.mining import Decision, Outlook
from meshchain.ledger.operations import Operation
from meshchain.ledger.queue import Queue, QueueStatus, Stamp
from meshchain.ledger.stamps import StampSearch
from meshchain.ledger.store.memory import MemoryStore
from meshchain.ledger.template import Template
from meshchain.p2p import messages
from meshchain.p2p.actions import Action, Close, Dial, Do, Endpoint, Outcome, Peer, Send, Task
from meshchain.p2p.addresses import AddressBook
from meshchain.p2p.conduct import Scores
from meshchain.p2p.gossip import Gossip, Own
from meshchain.p2p.messages import Goodbye
from meshchain.p2p.slots import Slots
from meshchain.p2p.standing import PeerStanding, standing_of
from meshchain.p2p.transport import Established, TransportError
from meshchain.p2p.transport import Event as StreamEvent
from meshchain.p2p.work import perform
from meshchain.service.facts import LedgerFacts
from meshchain.sim.carriage import Carriage
from meshchain.sim.clock import VirtualClock
from meshchain.sim.hands import Miner, Stamper
from meshchain.sim.heap import Event
from meshchain.sim.streams import Connection

if TYPE_CHECKING:
    from meshchain.sim.world import World

R = TypeVar("R")
Args = TypeVarTuple("Args")

LEDGER_TICK: Final = 1.0
GOSSIP_TICK: Final = 0.5


@dataclass(eq=False, kw_only=True)
class SimNode:
    """A node of ``world``. ``seed``: of its Ed25519 key; ``peers``: configured ones."""

    world: "World"
    name: str
    seed: bytes
    endpoint: Endpoint
    mines: bool = True
    peers: list[Endpoint] = field(default_factory=list)
    store: MemoryStore = field(default_factory=MemoryStore)
    runs: int = 0
    """How often it was started."""
    running: "Running | None" = None

    def __post_init__(self) -> None:
        self.key = ed25519_public_key(self.seed)
        self.clock = VirtualClock(self.world.heap, self.world.epoch)

    @property
    def run(self) -> "Running":
        """The present run; an error while the node is down."""
        if self.running is None:
            raise RuntimeError(f"{self.name} is not running")
        return self.running

    def start(self) -> None:
        """Begin a run on what the store holds."""
        if self.running is not None:
            raise RuntimeError(f"{self.name} is running")
        self.runs += 1
        self.running = Running(self)
        self.world.note(self.name, f"starts at height {self.height}")
        self.running.begin()

    def kill(self) -> None:
        """Drop everything that is not in the store, without a word; the machine resets the connections."""
        run, self.running = self.run, None
        run.drop()
        self.world.note(self.name, "killed")

    # --- what people see ---------------------------------------------------------------------------------

    @property
    def height(self) -> int:
        return self.run.keeper.chain.tip.height

    @property
    def tip_id(self) -> bytes:
        return self.run.keeper.chain.tip.id

    def owner_of(self, name: str) -> bytes | None:
        """Owner key of a name as this node sees it."""
        entry = self.run.keeper.chain.state.entry(name)
        return None if entry is None else entry.owner

    def submit(self, *drafts: Operation) -> tuple[bytes, ...]:
        """Queue drafts, as a wallet does through RPC; their opids."""
        return self.run.change(self.run.keeper.submit, [operations.encode(draft) for draft in drafts])

    def status(self, opid: bytes) -> QueueStatus:
        """What the queue says of an operation; KeyError for one it does not hold."""
        found = [status for status in self.run.statuses if status.opid == opid]
        if not found:
            raise KeyError(opid.hex())
        return found[0]


@dataclass(eq=False)
class Wire:
    """One end of a connection at a run."""

    run: "Running"
    peer: Peer
    carriage: Carriage
    endpoint: Endpoint
    purpose: str
    inbound: bool
    side: int
    """0 dialled, 1 was dialled."""
    connection: Connection | None = None
    proven: bool = False

    def arrived(self, data: bytes) -> None:
        if self.run.alive:
            self.run.bytes_arrived(self, data)

    def ended(self) -> None:
        if self.run.alive:
            self.run.wire_gone(self)

    def flush(self) -> None:
        output = self.carriage.take_output()
        if output and self.connection is not None:
            self.connection.pipes[self.side].send(output)

    def hang_up(self) -> None:
        if self.connection is not None:
            self.connection.close(self.side)


class Running:
    """One run of a node."""

    def __init__(self, node: SimNode) -> None:
        world = node.world
        params, self.costs = world.params, world.costs
        self.node = node
        self.rng = rng = random.Random(f"{world.seed}/{node.name}/{node.runs}")
        self.chain = Chain(node.store, params, world.workers)
        mempool = Mempool(params, world.workers, self.chain.stamps_seen)
        queue = Queue(node.store, params, self.chain.genesis_id, node_key=node.key, sign=self._sign, rng=rng)
        self.keeper = Keeper(self.chain, mempool, queue, node.clock, self._dropped)
        self._publish()
        book = AddressBook(rng.randbytes(32), rng)
        self.gossip = Gossip(
            facts=LedgerFacts(self),
            own=Own(key=node.key, agent="sim", listen_port=node.endpoint.port),
            rng=rng,
            wall=node.clock.now,
            book=book,
            slots=Slots(book, rng, own_key=node.key, configured=node.peers),
            scores=Scores(),
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
        self._parked: tuple[bytes, ...] = ()

    @property
    def alive(self) -> bool:
        return self.node.running is self

    def begin(self) -> None:
        self._every(LEDGER_TICK, self._ledger_tick)
        self._every(GOSSIP_TICK, self._gossip_tick)

    def drop(self) -> None:
        """The process is gone."""
        for wire in list(self.wires.values()):
            if wire.connection is not None:
                wire.connection.close(wire.side)

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
            self.node.world.note(self.node.name, f"parked branches: {len(parked)}")

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
            self.node.world.note(self.node.name, f"tip {self.view.height} {self.view.tip_id.hex()[:12]}")
            self.carry_out(self.gossip.switched(self.now))
        self.stamper.look(self.keeper.stamp_job)
        self.miner.look()

    def _dropped(self, dropped: Dropped) -> None:
        self.node.world.note(self.node.name, f"dropped {dropped.opid.hex()[:12]}: {dropped.code}")

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
        self.node.world.note(self.node.name, f"mined {block.header.height} {block.header.id.hex()[:12]}")
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
                    self.node.world.dial(self.node, action)
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
            self.node.world.note(self.node.name, f"closes {peer}: {code}")
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
            self.node.world.note(self.node.name, f"{wire.purpose} {wire.peer} is {event.remote_key.hex()[:12]}")
            actions = self.gossip.opened(
                wire.peer, event.remote_key, wire.endpoint, inbound=wire.inbound, purpose=wire.purpose, now=self.now
            )
        else:
            actions = self.gossip.received(wire.peer, event.message, self.now)
        self.carry_out(actions)


def make_seed(rng: random.Random) -> bytes:
    """An Ed25519 seed whose mesh address is not among the claimed ones."""
    while node_address(ed25519_public_key(seed := rng.randbytes(32))) is None:
        pass
    return seed
