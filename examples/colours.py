"""Six nodes on red, green, blue and purple links, and a message from the first to the last.

    anna ==red== bert --green-- carl --blue-- dora --purple-- fred
                                         \\--- emil ---/

How to use the router as a library: a node is an identity, a directory of what the ledger says, a ``Router``, and links.
Whoever drives it reports what comes (frames, packets, time) and carries away what goes (outboxes, the TUN's packets).
Red is real: anna and bert talk UDP over sockets on the loopback interface. The others are in memory.

Nobody is told any way. Nodes find each other on their links, prove their keys, learn the routes, and seal the message
from end to end; the nodes between cannot read it.
"""

import secrets
import select
import sys
import time
from collections.abc import Callable
from random import SystemRandom

from meshchain.sim.mesh.segments import UDP, ipv6, read_udp, udp
from meshrouter.directory import Binding, Directory, Role, Tip
from meshrouter.env import Env
from meshrouter.identity import Identity
from meshrouter.links.driven import DrivenLink
from meshrouter.links.udp_listen import UdpListen
from meshrouter.links.udp_peer import UdpPeer
from meshrouter.links.virtual import Bus, VirtualLink
from meshrouter.router import Router, RouterConfig

NAMES = ("anna", "bert", "carl", "dora", "emil", "fred")
COLOURS = {"green": ("bert", "carl"), "blue": ("carl", "dora", "emil"), "purple": ("dora", "emil", "fred")}
NETWORK = secrets.token_bytes(32)
"""Id of the ledger's first block: who has another one is not heard."""
PORT = 4000
PATIENCE = 20.0


class Node:
    """One host: a router, its links, and what has come out of its TUN."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.identity = Identity.from_seed(secrets.token_bytes(32))
        self.directory = Directory()
        self.directory.tip = Tip(height=1, synced=True)
        env = Env(identity=self.identity, genesis=NETWORK, rng=SystemRandom())
        self.router = Router(env, self.directory, RouterConfig(has_tun=True))
        self.links: list[VirtualLink | DrivenLink] = []
        self.inbox: list[tuple[bytes, str, int]] = []
        """(source address, message, hops it has come)."""

    def plug(self, link: VirtualLink | DrivenLink, now: float) -> None:
        self.links.append(link)
        self.router.add_link(link, now)

    def send(self, to: "Node", message: str, now: float) -> None:
        """As if a program of this host had sent a datagram to the other's address."""
        packet = ipv6(self.identity.address, to.identity.address, UDP, udp(PORT, PORT, message.encode()))
        self.router.tun_packets([(None, packet)], now)

    def turn(self, book: dict[bytes, Binding], now: float) -> bool:
        """Everything that can be done now, once; whether anything came."""
        for key in self.directory.take_questions():  # the ledger would answer; here it is a book with six keys
            self.router.at(now, lambda key=key: self.directory.told_binding(book[key]))  # type: ignore[misc]
        busy = False
        for link in self.links:
            frames = received(link)
            if frames:
                busy = True
                self.router.link_frames(link, frames, now)
        if self.router.deadline() <= now:
            self.router.tick(now)
        for link in self.links:
            link.flush()
        for _, packet in self.router.take_tun():
            self._take(packet)
        return busy

    def _take(self, packet: bytes) -> None:
        datagram = read_udp(packet)
        if packet[6] == UDP and datagram is not None:
            self.inbox.append((packet[8:24], datagram[2].decode(errors="replace"), 65 - packet[7]))

    def knows(self, other: "Node") -> bool:
        return other.identity.id in self.router.routing.routes


def received(link: VirtualLink | DrivenLink) -> list[tuple[bytes, bytes]]:
    """What a link has brought: from memory, or from its sockets as far as they are readable."""
    if isinstance(link, VirtualLink):
        return link.receive()
    readable, _, _ = select.select(link.sockets(), [], [], 0)
    return [frame for ready in readable for frame in link.receive(ready)]


class Network:
    """The six, joined by their colours."""

    def __init__(self) -> None:
        self.nodes = {name: Node(name) for name in NAMES}
        members = (Binding(node.identity.key, Role.MEMBER, name) for name, node in self.nodes.items())
        self.book = {binding.key: binding for binding in members}
        now = time.monotonic()
        self._red(self.nodes["anna"], self.nodes["bert"], now)
        for number, (colour, names) in enumerate(COLOURS.items(), start=2):
            bus = Bus()
            for name in names:
                self.nodes[name].plug(bus.attach(number, colour), now)

    def _red(self, caller: Node, listener: Node, now: float) -> None:
        """Two sockets on 127.0.0.1."""
        open_to_all = UdpListen(1, "red", ("127.0.0.1", 0), listener.router.env.counters)
        listener.plug(open_to_all, now)
        caller.plug(UdpPeer(1, "red", ("127.0.0.1", open_to_all.port), caller.router.env.counters), now)

    def run_until(self, condition: Callable[[], bool], what: str) -> None:
        """Drive all nodes until ``condition`` holds; SystemExit if that takes too long."""
        end = time.monotonic() + PATIENCE
        while not condition():
            now = time.monotonic()
            if now > end:
                raise SystemExit(f"no {what} within {PATIENCE:.0f} s")
            busy = [node.turn(self.book, now) for node in self.nodes.values()]
            if not any(busy):
                self._rest(now)

    def _rest(self, now: float) -> None:
        """Until a socket of red is readable or somebody's time has come."""
        sockets = [
            each
            for node in self.nodes.values()
            for link in node.links
            if isinstance(link, DrivenLink)
            for each in link.sockets()
        ]
        due = min(node.router.deadline() for node in self.nodes.values())
        select.select(sockets, [], [], min(max(0.0, due - now), 0.1))

    def close(self) -> None:
        for node in self.nodes.values():
            for link in node.links:
                if isinstance(link, DrivenLink):
                    link.close()


def exchange(network: Network, sender: Node, receiver: Node, message: str) -> None:
    sender.send(receiver, message, time.monotonic())
    network.run_until(lambda: bool(receiver.inbox), "message")
    _, text, hops = receiver.inbox.pop(0)
    print(f"{receiver.name} has got {text!r} from {sender.name} over {hops} links")


def main() -> int:
    network = Network()
    anna, fred = network.nodes["anna"], network.nodes["fred"]
    try:
        began = time.monotonic()
        network.run_until(lambda: anna.knows(fred) and fred.knows(anna), "routes")
        print(f"everybody is found after {time.monotonic() - began:.2f} s")
        for node in network.nodes.values():
            near = (f"{network.book[each.key].name} ({each.link.name})" for each in node.router.neighbours)
            print(f"  {node.name}: {', '.join(near)}")
        exchange(network, anna, fred, "hello from the red end")
        exchange(network, fred, anna, "and hello from the purple one")
    finally:
        network.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
