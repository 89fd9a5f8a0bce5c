"""Whole routers on virtual links, one clock: what a frame does between them is the real thing, time is not."""

import random
import struct
from collections.abc import Callable
from functools import partial
from itertools import pairwise

from meshrouter.directory import Binding, Directory, Role, Tip
from meshrouter.env import Env
from meshrouter.identity import Identity
from meshrouter.links.virtual import Bus, VirtualLink
from meshrouter.neighbours.neighbour import Neighbour
from meshrouter.offload.vnet import TunPacket
from meshrouter.policy.rule import Rule
from meshrouter.router import Router, RouterConfig

GENESIS = bytes(range(32))
START = 1000.0
UDP = 17


class Node:
    def __init__(self, world: "World", name: str, rules: tuple[Rule, ...] = ()) -> None:
        rng = random.Random(name)
        self.world = world
        self.name = name
        self.directory = Directory()
        self.directory.tip = Tip(10, synced=True)
        self.env = Env(identity=Identity.from_seed(rng.randbytes(32)), genesis=GENESIS, rng=rng)
        config = RouterConfig(has_tun=True, rules=rules, gossip_port=9337)
        self.router = Router(self.env, self.directory, config)
        self.links: list[VirtualLink] = []
        self.tun: list[TunPacket] = []
        """What has come out for the host."""

    @property
    def key(self) -> bytes:
        return self.env.identity.key

    @property
    def id(self) -> bytes:
        return self.env.identity.id

    @property
    def address(self) -> bytes:
        return self.env.identity.address

    def neighbour(self, other: "Node") -> Neighbour:
        return next(neighbour for neighbour in self.router.neighbours if neighbour.key == other.key)

    def dropped(self, rule: str) -> int:
        return self.env.counters[rule]

    def send(self, other: "Node", payload: bytes = b"hello", *, hops: int = 64, size: int = 0) -> None:
        """A datagram from this host to that one, through the mesh."""
        packet = datagram(self.address, other.address, payload.ljust(size, b"."), hops=hops)
        self.router.tun_packets([(None, packet)], self.world.now)

    def payloads(self) -> list[bytes]:
        """Of the datagrams that have come; and forget them."""
        taken, self.tun = self.tun, []
        return [tun.packet[48:] for tun in taken if tun.packet[6] == UDP]


class World:
    """``on_frame`` sees every frame on its way: (sender, frame) → what arrives."""

    def __init__(self, *names: str, roles: dict[str, Role] | None = None) -> None:
        self.now = START
        self.nodes = {name: Node(self, name) for name in names}
        self.on_frame: Callable[[VirtualLink, bytes], list[bytes]] = lambda _link, frame: [frame]
        self._numbers = 0
        for name in names:
            self.set_role(name, (roles or {}).get(name, Role.MEMBER))

    def __getitem__(self, name: str) -> Node:
        return self.nodes[name]

    def set_role(self, name: str, role: Role) -> None:
        """What everybody's ledger says of a node from now on."""
        key = self.nodes[name].key
        for node in self.nodes.values():
            node.directory.binding(key)
            told = Binding(key, role, None if role is Role.GUEST else name)
            node.router.at(self.now, partial(node.directory.told_binding, told))
            node.directory.take_questions()

    def join(self, *names: str, mtu: int = 1500, trains: bool = False, shared: bool = True) -> Bus:
        """Put nodes on one link."""
        bus = Bus(mtu=mtu, trains=trains, shared=shared, carry=self._carry)
        for name in names:
            self._numbers += 1
            link = bus.attach(self._numbers, f"to-{'-'.join(names)}")
            self.nodes[name].links.append(link)
            self.nodes[name].router.add_link(link, self.now)
        return bus

    def line(self, *names: str, mtu: int = 1500, trains: bool = False) -> None:
        for one, other in pairwise(names):
            self.join(one, other, mtu=mtu, trains=trains)

    def _carry(self, receiver: VirtualLink, source: bytes, frame: bytes) -> None:
        for each in self.on_frame(receiver, frame):
            receiver.arrive(source, each)

    def run(self, seconds: float) -> "World":
        """Let everything happen that is due until then."""
        end = self.now + seconds
        self._settle()
        while (due := min(node.router.deadline() for node in self.nodes.values())) <= end:
            self.now = max(self.now, due)
            for node in self.nodes.values():
                node.router.tick(self.now)
            self._settle()
        self.now = end
        return self

    def _settle(self) -> None:
        """Frames take no time."""
        while self._flush():
            for node in self.nodes.values():
                for link in node.links:
                    if got := link.receive():
                        node.router.link_frames(link, got, self.now)
                node.tun += node.router.take_tun()

    def _flush(self) -> bool:
        for node in self.nodes.values():
            node.tun += node.router.take_tun()
            for link in node.links:
                link.flush()
        return any(link.inbox for node in self.nodes.values() for link in node.links)


def datagram(source: bytes, destination: bytes, payload: bytes, *, hops: int = 64) -> bytes:
    """IPv6 and UDP; the checksum is nobody's business here."""
    udp = struct.pack(">HHHH", 5000, 5001, 8 + len(payload), 0) + payload
    return struct.pack(">IHBB", 6 << 28, len(udp), UDP, hops) + source + destination + udp
