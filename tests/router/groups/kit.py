"""Groups on a small mesh, and datagrams to send into them."""

from functools import partial

from meshrouter.groups.groups import Groups
from meshrouter.groups.message import BROADCAST
from meshrouter.neighbours.neighbour import Neighbour
from meshrouter.offload.checksum import with_checksum
from tests.router.net import Net, Place

GROUP = BROADCAST[:15] + b"\x42"


def datagram(source: bytes, group: bytes = BROADCAST, text: bytes = b"hello") -> bytes:
    """UDP 4000 → 5000 with a right checksum."""
    length = (8 + len(text)).to_bytes(2, "big")
    udp = (4000).to_bytes(2, "big") + (5000).to_bytes(2, "big") + length + bytes(2) + text
    head = bytes((0x60, 0, 0, 0)) + length + bytes((17, 1)) + source + group
    return with_checksum(head + udp, 17, 6)


class Grouped:
    """Every node is a member of the ledger at first; ``heard`` is what came to its TUN."""

    def __init__(self, *edges: str) -> None:
        self.net = Net(*edges)
        self.heard: dict[str, list[bytes]] = {name: [] for name in self.net.places}
        self.listeners: dict[str, set[bytes]] = {name: set() for name in self.net.places}
        self.claims: dict[str, bytes] = {}
        self.copies = 0
        for name in self.net.places:
            self.net.teach(name)
        self.groups = {name: self._groups(place) for name, place in self.net.places.items()}

    def _groups(self, place: Place, first_seq: int = 1 << 32) -> Groups:
        keys = {other.id: other.key for other in self.net.places.values()}
        groups = Groups(
            place.env,
            place.directory,
            key_of=keys.get,
            next_hop=lambda to: route.next_hop if (route := place.route(to)) else None,
            neighbours=place.neighbours.values,
            send=partial(self._send, place),
            deliver=lambda packet, key: self.heard[place.name].append(packet),
            is_member=lambda group: group in self.listeners[place.name],
            addresses=lambda: tuple(filter(None, (self.claims.get(place.name), place.env.identity.address))),
            first_seq=first_seq,
        )
        place.arrived = lambda packet, ingress: groups.received(packet, ingress, self.net.now)
        return groups

    def restart(self, name: str, first_seq: int) -> None:
        self.groups[name] = self._groups(self.net[name], first_seq)

    def _send(self, place: Place, neighbour: Neighbour, packet: bytes, now: float) -> None:
        self.copies += 1
        self.net.carry(place.name, neighbour, packet)

    def say(self, name: str, group: bytes = BROADCAST, text: bytes = b"hello", source: bytes | None = None) -> bytes:
        packet = datagram(source or self.net[name].env.identity.address, group, text)
        assert self.groups[name].outgoing(packet, self.net.now)
        self.net.run(until=1e9)
        return packet

    def counts(self) -> dict[str, int]:
        return {name: len(packets) for name, packets in self.heard.items()}

    def dropped(self, name: str, rule: str) -> int:
        return self.net[name].env.counters[f"group-{rule}"]
