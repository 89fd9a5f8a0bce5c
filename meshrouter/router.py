"""The router: all machines of one node, joined.

Theory of operation
-------------------
Whoever drives it (a loop over sockets, or a simulation) reports frames of links, packets of the TUN, messages of the
node and the passing of time; each report may fill the outboxes of links (``Link.outbox``), the TUN's (``take_tun``) and
the node's (``take_node``). ``deadline`` says when ``tick`` is needed next; ask after every report.

::

            links                              TUN                 node
              |  frames                         |  packets          |  what the ledger says, questions
        forwarding.Plane <---- sessions.Sessions                directory, coordination
              |    \\__________ trace, groups ________|
        neighbours.Neighbours -- events --> routing.Routing -- next hops --> Plane

Machines never call each other; they are joined here and in ``coordination``. What routing wants to say to neighbours is
handed over after each report, in order, so that nothing is sent from within a machine that is in the middle of
something.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from meshrouter.coordination.junction import Junction
from meshrouter.coordination.ledger_news import LedgerNews
from meshrouter.coordination.seqnos import Granted
from meshrouter.directory import Directory
from meshrouter.env import Env
from meshrouter.errors import WireError
from meshrouter.forwarding.plane import Plane, largest_packet, takes_trains
from meshrouter.groups.groups import Groups, is_group
from meshrouter.links.link import Link
from meshrouter.neighbours.ground import NeighbourEvents, NeighbourQuestions
from meshrouter.neighbours.machine import Neighbours
from meshrouter.neighbours.neighbour import Neighbour
from meshrouter.offload.coalesce import Coalescer
from meshrouter.offload.gather import Batch, gathered
from meshrouter.offload.split import finished
from meshrouter.offload.trains import Trains
from meshrouter.offload.vnet import COMPLETE, TunPacket, VnetHeader
from meshrouter.policy.policy import Policy
from meshrouter.policy.quota import GuestQuotas
from meshrouter.policy.rule import Rule
from meshrouter.routing.route import Route
from meshrouter.routing.routing import Routing
from meshrouter.sessions.sessions import Sessions
from meshrouter.trace.echoes import PingResult
from meshrouter.trace.tracer import Tracer, TraceResult
from meshrouter.wire import meshctl
from meshrouter.wire.beacon import FORWARDS, HAS_TUN, TAKES_TRAINS
from meshrouter.wire.control import Hello, Message
from meshrouter.wire.nosession import NoSession
from meshrouter.wire.packet import MESHCTL, MESHHS, MESHSEC, PACKET_SIZE, SOURCE

VERSION: Final = "0.1.0"
_ICMPV6: Final = 58
_MOST_SEQNO: Final = (1 << 32) - 1
"""That leaves room for as many group packets after it; only a key's holder could push its own number further."""
_PINGS: Final = frozenset({MESHCTL, _ICMPV6})
"""Next headers under which an answer to a ping of ours can come: itself, or an error about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterConfig:
    gossip_port: int = 0
    """TCP port at which this node takes gossip, 0: none."""
    has_tun: bool = False
    tun_takes_udp: bool = False
    """Whether its kernel cuts UDP super-packets (Linux 6.2)."""
    first_seqno: int = 1
    """As ``coordination.seqnos``."""
    rules: tuple[Rule, ...] = ()


@dataclass(slots=True, kw_only=True)
class RouterEvents:
    """What the router tells whoever drives it, called inline."""

    neighbours: Callable[[], None] = lambda: None
    """Somebody has come or gone."""
    result: Callable[[TraceResult | PingResult], None] = lambda _result: None
    seqnos: Callable[[int], None] = lambda _above: None
    """Numbers above this one are wanted (``granted``)."""


class Router:
    """``is_member`` tells whether this host listens to a group (16 bytes). ``plane``: a simulation's looks on."""

    def __init__(
        self,
        env: Env,
        directory: Directory,
        config: RouterConfig,
        *,
        events: RouterEvents | None = None,
        is_member: Callable[[bytes], bool] = lambda _group: False,
        plane: type[Plane] = Plane,
    ) -> None:
        self.env = env
        self.directory = directory
        self._events = events or RouterEvents()
        self.now = 0.0
        """Of the report that is being worked off, or was last."""
        self._to_tun = Coalescer(udp=config.tun_takes_udp)
        self.seqnos = Granted(config.first_seqno, self._events.seqnos)
        caps = FORWARDS | TAKES_TRAINS | (HAS_TUN if config.has_tun else 0)
        self.trains = Trains(env.counters)
        self.quotas = GuestQuotas(env.counters)
        self.policy = Policy(env, directory, config.rules, self.key_of)
        self.routing = Routing(env, directory, zone=env.zone, caps=caps, seqnos=self.seqnos, on_route=self._on_route)
        self.neighbours = Neighbours(
            env,
            directory,
            own_caps=caps,
            gossip_port=config.gossip_port,
            on=NeighbourEvents(up=self._up, down=self._down, changed=self._changed, control=self._control),
            ask=NeighbourQuestions(
                has_route=self.routing.routes.__contains__,
                digest_for=self.routing.digest_for,
            ),
        )
        self.tracer = Tracer(
            env,
            directory,
            send_packet=self._send,
            send_sealed=self._send_sealed,
            route=self.routing.routes.get,
            on_result=lambda result: self._events.result(result),
            version=VERSION,
        )
        self.sessions = Sessions(
            env,
            directory,
            caps=caps,
            send_packet=self._send,
            deliver=self._deliver,
            key_of=self.key_of,
            max_packet=self._max_packet,
            trains_to=self._trains_to,
        )
        self.sessions.set_own_addresses((env.identity.address,))
        self.groups = Groups(
            env,
            directory,
            key_of=self.key_of,
            next_hop=self.routing.next_hops.get,
            neighbours=self.neighbours.__iter__,
            send=self._send_to,
            deliver=self._deliver_group,
            is_member=is_member,
            addresses=lambda: self.sessions.own_addresses,
            first_seq=min(config.first_seqno, _MOST_SEQNO) << 32,
        )
        self.junction = Junction(
            env,
            directory,
            neighbours=self.neighbours,
            routing=self.routing,
            trains=self.trains,
            groups=self.groups,
            tracer=self.tracer,
            rules=self.policy,
            quota=self.quotas,
        )
        self.plane = plane(
            env,
            self.junction,
            by_index=self.neighbours.by_index,
            next_hops=self.routing.next_hops,
            local={MESHSEC: self._meshsec, MESHHS: self._meshhs, MESHCTL: self._meshctl},
        )
        self.plane.has_rules = self.policy.has_forward
        self.news = LedgerNews(
            env,
            directory,
            neighbours=self.neighbours,
            routing=self.routing,
            sessions=self.sessions,
            plane=self.plane,
            policy=self.policy,
            quotas=self.quotas,
            now=lambda: self.now,
        )

    # --- reports -------------------------------------------------------------------------------------------

    def add_link(self, link: Link, now: float) -> None:
        self.now = now
        self.neighbours.add_link(link, now)
        self._settle(now)

    def remove_link(self, link: Link, now: float) -> None:
        self.now = now
        self.neighbours.remove_link(link, now)
        self._settle(now)

    def carrier(self, link: Link, now: float) -> None:
        """``link.up`` has changed."""
        self.now = now
        self.neighbours.carrier(link, now)
        self._settle(now)

    def link_frames(self, link: Link, batch: Iterable[tuple[bytes, bytes]], now: float) -> None:
        """(link address of the sender, frame), in the order in which they came."""
        self.now = now
        self.plane.frames(link, batch, now)
        self._settle(now)

    def tun_packets(self, batch: Batch, now: float) -> None:
        """IPv6 packets of this host."""
        self.now = now
        for vnet, packet in gathered(batch):
            if len(packet) < PACKET_SIZE or packet[0] >> 4 != 6:
                self.env.counters.drop("tun-packet")
            elif packet[24] == 0xFF:
                self._multicast(packet, vnet, now)
            else:
                if self.policy.has_accept:
                    self.policy.sent(packet, now)
                self.sessions.outgoing(packet, vnet, now)
        self._settle(now)

    def tick(self, now: float) -> None:
        self.now = now
        for machine in (self.neighbours, self.routing, self.sessions, self.tracer, self.trains):
            if machine.deadline() <= now:
                machine.tick(now)
        self._settle(now)

    def deadline(self) -> float:
        return min(
            self.neighbours.deadline(),
            self.routing.deadline(),
            self.sessions.deadline(),
            self.tracer.deadline(),
            self.trains.deadline(),
        )

    def close(self, now: float) -> None:
        """Say goodbye to all neighbours; the outboxes are to be sent once more."""
        self.now = now
        self.neighbours.close(now)

    def at(self, now: float, report: Callable[[], Any]) -> None:
        """Any other report (news of the ledger, a ping): ``report`` is called, and what follows from it is sent."""
        self.now = now
        report()
        self._settle(now)

    def take_tun(self) -> list[TunPacket]:
        """What is to be written to the TUN, segments of one flow as one."""
        return self._to_tun.take() if self._to_tun else []

    # --- neighbours and routes -----------------------------------------------------------------------------

    def _up(self, neighbour: Neighbour) -> None:
        neighbour.role = self.directory.role(neighbour.key)
        self.routing.up(neighbour, self.now)
        self._events.neighbours()

    def _down(self, neighbour: Neighbour, _reason: str) -> None:
        self.routing.down(neighbour, self.now)
        self.junction.gone(neighbour)
        self._events.neighbours()

    def _changed(self, neighbour: Neighbour) -> None:
        self.routing.changed(neighbour, self.now)

    def _control(self, neighbour: Neighbour, message: Message) -> None:
        if isinstance(message, Hello):
            self.routing.digest(neighbour, message.digest, message.count, self.now)
        else:
            self.routing.received(neighbour, message, self.now)

    def _on_route(self, destination: bytes, route: Route | None) -> None:
        """Nobody has to be told: the data plane reads the next hops themselves."""

    def _settle(self, now: float) -> None:
        """Hand over what routing has to say, the messages for one neighbour together."""
        outputs = self.routing.outputs
        while outputs:
            together: dict[Neighbour, list[Message]] = {}
            while outputs:
                neighbour, message = outputs.popleft()
                together.setdefault(neighbour, []).append(message)
            for neighbour, messages in together.items():
                self.neighbours.send_control(neighbour, messages, now)

    # --- packets -------------------------------------------------------------------------------------------

    def _send(self, packet: bytes, now: float) -> bool:
        return self.plane.send(packet, now)

    def _send_to(self, neighbour: Neighbour, packet: bytes, now: float) -> None:
        self.plane.send_to(neighbour, packet, now)

    def _send_sealed(self, packet: bytes, now: float) -> None:
        self.sessions.outgoing(packet, None, now)

    def _multicast(self, packet: bytes, vnet: VnetHeader | None, now: float) -> None:
        if not is_group(packet[24:40]):
            return
        try:
            singles = [packet] if vnet is None else finished(packet, vnet)
        except WireError as error:
            self.env.counters.drop(f"group-{error.code}")
            return
        for single in singles:
            self.groups.outgoing(single, now)

    def _meshsec(self, packet: bytes, _ingress: Neighbour, now: float) -> None:
        self.sessions.meshsec(packet, now)

    def _meshhs(self, packet: bytes, _ingress: Neighbour, now: float) -> None:
        self.sessions.handshake(packet, now)

    def _meshctl(self, packet: bytes, ingress: Neighbour, now: float) -> None:
        """Errors and lost sessions for the sessions, the rest for traceroute."""
        try:
            message = meshctl.decode(packet[PACKET_SIZE:])
        except WireError:
            self.tracer.arrived(packet, ingress, now)
            return
        if isinstance(message, meshctl.Error):
            self.sessions.error(packet[SOURCE], message, now)
        elif isinstance(message, NoSession):
            self.sessions.nosession(packet[SOURCE], message, now)

    def _deliver(self, tun: TunPacket) -> None:
        """Out of a session, for the TUN (or for a ping of ours)."""
        if tun.packet[6] in _PINGS and self.tracer.delivered(tun.packet, self.now):
            return
        if self.policy.has_accept and not self._is_accepted(tun.packet):
            return
        self._to_tun.add(tun)

    def _is_accepted(self, packet: bytes) -> bool:
        """By the rules about who sent it; what this router itself tells the host needs no rule."""
        pair = self.sessions.table.pairs.get(packet[24:40] + packet[8:24])
        return pair is None or self.policy.accepts(pair.key, packet, self.now)

    def _deliver_group(self, packet: bytes, origin: bytes) -> None:
        if not self.policy.has_accept or self.policy.accepts(origin, packet, self.now):
            self._to_tun.add(TunPacket(COMPLETE, packet))

    def key_of(self, destination: bytes) -> bytes | None:
        route = self.routing.routes.get(destination)
        return None if route is None else route.key

    def _max_packet(self, destination: bytes) -> int:
        """Bytes of the largest MESHP packet that the next hop takes as one; 0 without a route."""
        egress = self.routing.next_hops.get(destination)
        return 0 if egress is None else largest_packet(egress)

    def _trains_to(self, destination: bytes) -> bool:
        """Whether the next hop takes trains. One further on that does not says so (ERR, too big)."""
        egress = self.routing.next_hops.get(destination)
        return egress is not None and takes_trains(egress)
