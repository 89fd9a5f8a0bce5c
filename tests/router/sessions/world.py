"""Ends on a virtual mesh: what they send arrives after a while, or not, or twice, or changed.

A ``Host`` is a Sessions machine with a TUN that keeps what is written to it; a ``World`` its clock, its routes (every
id is reached) and the ledger that all of them believe. A ``wire`` rule sees every packet on its way and says what
arrives: the attacker's place.
"""

import heapq
from collections.abc import Callable, Iterator
from functools import partial
from random import Random
from typing import Final

from meshchain.crypto.address import is_claimable
from meshrouter.directory import Binding, Directory, Role, Tip
from meshrouter.env import Env
from meshrouter.identity import Identity
from meshrouter.offload.split import finished
from meshrouter.offload.vnet import TunPacket, VnetHeader
from meshrouter.sessions.sessions import TAKES_TRAINS, Sessions
from meshrouter.wire import meshctl
from meshrouter.wire.meshctl import Error
from meshrouter.wire.nosession import NoSession
from meshrouter.wire.packet import DESTINATION, MESHCTL, MESHHS, MESHSEC, SOURCE
from tests.router.offload.packets import Segment

GENESIS: Final = bytes(range(32))
DELAY: Final = 0.02
MTU: Final = 1472
Rule = Callable[[bytes], list[bytes]]
"""A packet on its way → what arrives."""


class Host:
    """One node's end. ``told``: what the ledger's process answers; see ``World``."""

    def __init__(self, world: "World", name: str) -> None:
        self.world = world
        self.name = name
        self.identity = Identity.from_seed(Random(name).randbytes(32))
        self.tun: list[TunPacket] = []
        self.reachable = True
        self.mtu = MTU
        self.trains = False
        self.starts = 0
        self.start()

    def start(self) -> None:
        """Anew, as after a crash: keys and sessions are gone."""
        self.starts += 1
        self.directory = Directory()
        self.directory.tip = Tip(5, synced=True)
        self.env = Env(identity=self.identity, genesis=GENESIS, rng=Random(f"{self.name} {self.starts}"))
        self.counters = self.env.counters
        self.sessions = Sessions(
            self.env,
            self.directory,
            caps=TAKES_TRAINS,
            send_packet=lambda packet, now: self.world.carry(self, packet, now),
            deliver=self.tun.append,
            key_of=self.world.key_of,
            max_packet=lambda _: self.mtu,
            trains_to=lambda _: self.trains,
        )
        self.sessions.set_own_addresses((*self.world.claims_of(self.identity.key), self.address))
        self.directory.on_binding = lambda binding: self.sessions.binding_changed(binding.key, self.world.now)
        self.directory.on_holder = lambda address, _: self.sessions.binding_changed(address, self.world.now)

    @property
    def address(self) -> bytes:
        return self.identity.address

    @property
    def key(self) -> bytes:
        return self.identity.key

    @property
    def id(self) -> bytes:
        return self.identity.id

    def send(self, segment: Segment, gso: int = 0) -> None:
        """From a program on this machine."""
        self.send_packet(segment.packet(), segment.vnet(gso))

    def send_packet(self, packet: bytes, vnet: VnetHeader | None = None) -> None:
        self.sessions.outgoing(packet, vnet, self.world.now)

    def receive(self, packet: bytes) -> None:
        """As the data plane hands on what is for this node."""
        now = self.world.now
        if packet[6] == MESHSEC:
            self.sessions.meshsec(packet, now)
        elif packet[6] == MESHHS:
            self.sessions.handshake(packet, now)
        elif packet[6] == MESHCTL:
            message = meshctl.decode(packet[40:])
            if isinstance(message, NoSession):
                self.sessions.nosession(packet[SOURCE], message, now)
            elif isinstance(message, Error):
                self.sessions.error(packet[SOURCE], message, now)

    def got(self) -> list[bytes]:
        """Packets written to the TUN since the last time, complete, without the errors that were."""
        return [packet for packet in self._taken() if packet[6] != 58 or packet[40] >= 128]

    def complaints(self) -> list[tuple[int, int]]:
        """Type and code of the errors written to the TUN since the last time."""
        return [(packet[40], packet[41]) for packet in self._taken() if packet[6] == 58 and packet[40] < 128]

    def _taken(self) -> Iterator[bytes]:
        taken = list(self.tun)
        self.tun.clear()
        return (part for vnet, packet in taken for part in finished(packet, vnet))


class World:
    """Time in seconds. ``ledger_delay``: until a question is answered; None: never."""

    def __init__(self, *names: str, seed: int = 1) -> None:
        self.now = 1000.0
        self.rng = Random(seed)
        self.rules: list[Rule] = []
        self.carried: list[bytes] = []
        """Every packet that was sent, in order."""
        self.ledger_delay: float | None = 0.1
        self.delay: Callable[[], float] = lambda: DELAY
        self.claims: dict[bytes, bytes | None] = {}
        self.roles: dict[bytes, Role] = {}
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._number = 0
        self.hosts: dict[bytes, Host] = {}
        for name in names:
            host = Host(self, name)
            self.hosts[host.id] = host

    def __getitem__(self, name: str) -> Host:
        return next(host for host in self.hosts.values() if host.name == name)

    # --- the ledger --------------------------------------------------------------------------------------------

    def key_of(self, identifier: bytes) -> bytes | None:
        host = self.hosts.get(identifier)
        return None if host is None else host.key

    def claims_of(self, key: bytes) -> list[bytes]:
        return [address for address, holder in self.claims.items() if holder == key]

    def claim(self, address: bytes, host: Host | None) -> None:
        """A block gives an address to a key (or takes it from all); every node is told at once."""
        assert is_claimable(address)
        self.claims[address] = None if host is None else host.key
        for one in self.hosts.values():
            one.directory.told_holder(address, self.claims[address])
            one.sessions.set_own_addresses((*self.claims_of(one.key), one.address))

    def give(self, key: bytes, role: Role) -> None:
        self.roles[key] = role
        for host in self.hosts.values():
            host.directory.told_binding(Binding(key, role))

    def _answer_questions(self) -> None:
        for host in self.hosts.values():
            for subject in host.directory.take_questions():
                if self.ledger_delay is not None:
                    self.at(self.now + self.ledger_delay, partial(self._tell, host, subject))

    def _tell(self, host: Host, subject: bytes) -> None:
        if len(subject) == 16:
            host.directory.told_holder(subject, self.claims.get(subject))
        else:
            host.directory.told_binding(Binding(subject, self.roles.get(subject, Role.GUEST)))

    # --- the mesh ----------------------------------------------------------------------------------------------

    def carry(self, host: Host, packet: bytes, now: float) -> bool:
        self.carried.append(packet)
        arriving = [packet]
        for rule in self.rules:
            arriving = [after for before in arriving for after in rule(before)]
        target = self.hosts.get(packet[DESTINATION])
        if not host.reachable or target is None:
            return False
        for one in arriving:
            self.at(now + self.delay(), partial(target.receive, one))
        return True

    def at(self, when: float, what: Callable[[], None]) -> None:
        self._number += 1
        heapq.heappush(self._events, (when, self._number, what))

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        self._answer_questions()
        while (when := self._next()) <= end:
            self.now = max(self.now, when)
            while self._events and self._events[0][0] <= self.now:
                heapq.heappop(self._events)[2]()
                self._answer_questions()
            for host in self.hosts.values():
                if host.sessions.deadline() <= self.now:
                    host.sessions.tick(self.now)
                    assert host.sessions.deadline() > self.now, "a tick leaves nothing due"
            self._answer_questions()
        self.now = end

    def _next(self) -> float:
        timers = [host.sessions.deadline() for host in self.hosts.values()]
        return min([*timers, *(event[0] for event in self._events[:1])])

    def connected(self) -> tuple[Host, Host]:
        """The first two hosts, after a packet each way."""
        one, other = list(self.hosts.values())[:2]
        for source, target in ((one, other), (other, one)):
            source.send(between(source, target))
            self.run(1.0)
            assert target.got() != []
        self.carried.clear()
        return one, other


def between(source: Host, target: Host, payload: bytes = b"hello", **fields: int | tuple[int, int]) -> Segment:
    """A TCP segment from one's address to the other's."""
    return Segment(payload, source=source.address, destination=target.address, **fields)  # type: ignore[arg-type]


def sealed(carried: list[bytes]) -> list[bytes]:
    """The packets of sessions among them."""
    return [packet for packet in carried if packet[6] == MESHSEC]


def handshakes(carried: list[bytes]) -> list[int]:
    """Types of the handshake messages among them."""
    return [packet[40] for packet in carried if packet[6] == MESHHS]
