"""A simulated node with a router: what the real one is, in one thread.

Theory of operation
-------------------
The run of a node (``sim.run``: ledger, gossip) is joined by a *mesh*: this very router on virtual links, the ledger's
answers to its questions (``meshchain.mesh.watch``), and a kernel above its TUN, over which gossip's connections go.
Whatever comes, frames, a timer, a call of gossip's, is reported to the router; then ``_pump`` carries round what has
come of it until nothing moves: questions to the ledger and answers back, packets out of the TUN to the kernel, packets
of the kernel into it, frames to the links. After that one event on the heap stands for the next time that router or
kernel want to be woken. A node that nobody disturbs costs an event every few seconds.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf
from typing import Final, Protocol

from meshchain.ledger.chain.view import ChainView
from meshchain.ledger.store import layout
from meshchain.mesh.bindings import own_addresses
from meshchain.mesh.watch import Answer, Watch
from meshchain.p2p.actions import Dial, Endpoint
from meshchain.sim.carriage import Maker
from meshchain.sim.heap import Event
from meshchain.sim.machine import Surroundings
from meshchain.sim.mesh.calls import Calls
from meshchain.sim.mesh.ether import Ether, Owner
from meshchain.sim.mesh.kernel import Kernel
from meshchain.sim.node import SimNode
from meshchain.sim.run import Running
from meshrouter.coordination.seqnos import BLOCK
from meshrouter.directory import Binding, Directory, Tip
from meshrouter.env import Env, Verify
from meshrouter.forwarding.plane import Plane
from meshrouter.identity import Identity
from meshrouter.links.virtual import VirtualLink
from meshrouter.router import Router, RouterConfig, RouterEvents
from meshrouter.wire.beacon import HAS_TUN

_TUN_BATCH: Final = 64


class MeshSurroundings(Surroundings, Protocol):
    """A world with links for packets."""

    plane: type[Plane]
    carriage: Maker

    @property
    def verify(self) -> Verify: ...

    def find(self, view: ChainView, subject: bytes) -> Binding | bytes | None:
        """As ``watch.find``."""

    def new_peer(self) -> int:
        """A number for an end of a connection."""

    def new_link(self) -> int: ...


@dataclass(eq=False, kw_only=True)
class MeshNode(SimNode):
    """``surroundings``: the world, which is also ``world``."""

    surroundings: MeshSurroundings
    ethers: list[Ether] = field(default_factory=list)
    """What it is plugged into, whenever it runs."""
    mesh: "Mesh | None" = None
    sent_bytes: int = 0
    """Of link frames, over all runs."""
    sent_frames: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.identity = Identity.from_seed(self.seed)

    @property
    def address(self) -> bytes:
        return self.identity.address

    @property
    def on_mesh(self) -> "Mesh":
        """The present run's part in the mesh; an error while the node is down."""
        if self.mesh is None:
            raise RuntimeError(f"{self.name} is not running")
        return self.mesh

    @property
    def router(self) -> Router:
        return self.on_mesh.router

    def start(self) -> None:
        super().start()
        self.mesh = Mesh(self, self.run)
        self.mesh.begin()

    def stop(self) -> None:
        """End as after SIGTERM: neighbours hear a goodbye."""
        self.on_mesh.say_goodbye()
        super().stop()

    def _end(self, how: str) -> None:
        mesh, self.mesh = self.on_mesh, None
        super()._end(how)
        mesh.drop()


class Mesh:
    """A run's router, kernel and links."""

    def __init__(self, node: MeshNode, run: Running) -> None:
        world = self._world = node.surroundings
        self._node = node
        self._run = run
        rng = random.Random(f"{world.seed}/{node.name}/{node.runs}/router")
        env = Env(identity=node.identity, genesis=run.chain.genesis_id, rng=rng, verify=world.verify)
        self.directory = Directory()
        port = node.endpoint.port
        self.router = Router(
            env,
            self.directory,
            RouterConfig(gossip_port=port, has_tun=True, tun_takes_udp=True, first_seqno=self._reserve(0)),
            events=RouterEvents(neighbours=self._crowd_moves, seqnos=self._grant),
            plane=world.plane,
        )
        self._calls = Calls(run, node.seed, world.carriage, world.new_peer)
        self.kernel = self._calls.kernel = Kernel(
            node.address, port, self._calls.accept, now=lambda: run.now, stir=self._stirred
        )
        self._watch = Watch(world.find)
        self._tip = b""
        self._synced = False
        self.links: list[VirtualLink] = []
        self._crowd_moved = False
        self._pumping = self._planned = False
        self._alarm: Event | None = None

    def begin(self) -> None:
        self._run.on_news = self._ledger_moved
        self._follow_ledger()
        for ether in self._node.ethers:
            self.plug(ether)
        self._pump()

    def drop(self) -> None:
        """The process is gone. Its links hear nothing more."""
        for link in self.links:
            link.bus.detach(link)

    def say_goodbye(self) -> None:
        self.router.close(self._run.now)
        self._flush()

    # --- reports -------------------------------------------------------------------------------------------

    def plug(self, ether: Ether) -> VirtualLink:
        """Another link, while running."""
        number = self._world.new_link()
        link = ether.attach(number, f"virtual:{number}", Owner(self._node.name, self._frames, self._carrier))
        self.links.append(link)
        self.router.add_link(link, self._run.now)
        self._pump()
        return link

    def unplug(self, ether: Ether, link: VirtualLink) -> None:
        """That link is no more."""
        ether.detach(link)
        self.links.remove(link)
        self.router.remove_link(link, self._run.now)
        self._pump()

    def dial(self, action: Dial) -> None:
        self._calls.dial(action)

    def _stirred(self) -> None:
        """A program of this node sends: at this time still, together with whatever else it sends now."""
        if not self._pumping and not self._planned:
            self._planned = True
            self._run.later(0, self._pump)

    def _frames(self, link: VirtualLink) -> None:
        if not self._run.alive:
            return
        world, name = self._world, self._node.name
        while batch := link.receive():
            for _, frame in batch:
                world.witness(name, link.number, frame)
            self.router.link_frames(link, batch, self._run.now)
        self._pump()

    def _carrier(self, link: VirtualLink) -> None:
        if self._run.alive:
            self.router.carrier(link, self._run.now)
            self._pump()

    def _wake(self) -> None:
        self._alarm = None
        now = self._run.now
        if self.router.deadline() <= now:
            self.router.tick(now)
        if self.kernel.deadline() <= now:
            self.kernel.tick()
        self._pump()

    # --- carrying round --------------------------------------------------------------------------------------

    def _pump(self) -> None:
        if self._pumping:
            return
        self._pumping, self._planned = True, False
        try:
            while self._round():
                pass
        finally:
            self._pumping = False
        self._flush()
        self._set_alarm()

    def _round(self) -> bool:
        """Whether anything moved but frames."""
        moved = self._answer()
        packets, self.kernel.outbox = self.kernel.outbox, []
        for start in range(0, len(packets), _TUN_BATCH):
            self.router.tun_packets([(None, packet) for packet in packets[start : start + _TUN_BATCH]], self._run.now)
        arrived = self.router.take_tun()
        for _, packet in arrived:
            self.kernel.take(packet)
        if self._crowd_moved:
            self._crowd_moved = moved = False
            self._tell_gossip()
        return bool(moved or packets or arrived)

    def _flush(self) -> None:
        node = self._node
        for link in self.links:
            if link.outbox:
                node.sent_frames += len(link.outbox)
                node.sent_bytes += sum(len(frame) for _, frame in link.outbox if isinstance(frame, bytes))
                link.flush()

    def _set_alarm(self) -> None:
        """One event, at the earliest time that anybody wants; one that comes too early is no harm."""
        due = min(self.router.deadline(), self.kernel.deadline())
        if self._alarm is not None:
            if self._alarm.time <= due:
                return
            self._alarm.cancel()
        self._alarm = None if due == inf else self._run.later(due - self._run.now, self._wake)

    # --- ledger and gossip -----------------------------------------------------------------------------------

    def _answer(self) -> bool:
        subjects = self.directory.take_questions()
        if subjects:
            self._tell(self._watch.ask(self._run.view, subjects))
        self._watch.forget(self.directory.take_forgotten())
        return bool(subjects)

    def _tell(self, answers: list[Answer]) -> None:
        now = self._run.now
        for subject, answer in answers:
            if isinstance(answer, Binding):
                self.router.at(now, lambda answer=answer: self.directory.told_binding(answer))  # type: ignore[misc]
            else:
                self.router.at(now, lambda s=subject, a=answer: self.directory.told_holder(s, a))  # type: ignore[misc]

    def _ledger_moved(self) -> None:
        self._follow_ledger()
        self._pump()

    def _follow_ledger(self) -> None:
        """As the service of the real node: after every tip, and when the node has caught up."""
        run, now = self._run, self._run.now
        view, synced = run.view, run.keeper.first_synced and run.standing.synced
        if (view.tip_id, synced) == (self._tip, self._synced):
            return
        self._tip, self._synced = view.tip_id, synced
        self.router.at(now, lambda: self.router.news.tip(Tip(view.height, synced)))
        self.router.at(now, lambda: self.router.news.own_claims(own_addresses(view, self._node.key)))
        self._tell(self._watch.moved(view))

    def _crowd_moves(self) -> None:
        self._crowd_moved = True

    def _tell_gossip(self) -> None:
        """Neighbours are peers, at their mesh addresses."""
        listed = {
            Endpoint(neighbour.address, neighbour.gossip_port): neighbour.key
            for neighbour in self.router.neighbours
            if neighbour.gossip_port and neighbour.caps & HAS_TUN
        }
        self._run.gossip.slots.set_neighbours(listed)

    # --- sequence numbers ------------------------------------------------------------------------------------

    def _reserve(self, above: int) -> int:
        """As the service of the real node."""
        stored = self._node.store.get(layout.SEQNO)
        first = max(int.from_bytes(stored, "big") if stored else 1, above + 1)
        self._node.store.write({layout.SEQNO: (first + BLOCK).to_bytes(8, "big")})
        return first

    def _grant(self, above: int) -> None:
        self._run.later(0, self._granted(above))

    def _granted(self, above: int) -> Callable[[], None]:
        return lambda: self.router.seqnos.granted(self._reserve(above))
