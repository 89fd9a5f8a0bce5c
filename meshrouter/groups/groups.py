"""Packets for groups: signed by who sends them, handed on along the ways to the sender, backwards.

Theory of operation
-------------------
*Reverse-path forwarding.* Routes are trees towards each origin; followed the other way round they reach everybody. So a
packet is taken only from the neighbour that is one's own next hop *towards* its origin, and handed to all other
neighbours: each of them takes it from one neighbour. Routes can change between two packets, and then a packet may come
on two of them; a window of sequence numbers an origin lets it through once.

*Copies.* A link session has two ends and there is no key for a whole link, so every receiver gets a copy of its own,
sealed for it, whatever the link. A neighbour on two links gets one.

*Who hands on.* Members. A guest is a leaf: it gets copies, gives away only what it sent itself, and has a budget a
twentieth of a member's.

*Storms.* Budgets are the same everywhere, so what exceeds an origin's ends at its neighbours, who are the first to hold
it against its key (a stranger cannot: everything came through a link session). They are spent only by what is proven
to be the origin's. Before the proof, the neighbour that brings a packet pays for the check, and much for a forged one.

*Delivery.* The broadcast is for this host: its destination becomes the own address, so that any socket gets it, and the
sender's own host gets it too. Other groups are for members on this host, by MLD, and not for the sender: its kernel has
looped them already.

Of what an origin sent only the newest 512 numbers are told apart, of at most 4,096 origins. What is forgotten could be
repeated by whoever kept it: within budgets, from the right neighbour.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final

from meshchain.crypto.address import CLAIM_PREFIX, PREFIX
from meshrouter.directory import Directory, Role
from meshrouter.env import Env
from meshrouter.errors import WireError
from meshrouter.groups.budgets import MOST_ORIGINS, Budgets
from meshrouter.groups.message import (
    BROADCAST,
    GROUP_PREFIX,
    MOST_PACKET,
    NO_CLAIM,
    GroupData,
    Head,
    group_address,
    group_id,
)
from meshrouter.groups.readdress import with_destination
from meshrouter.handshake.replay import ReplayWindow
from meshrouter.neighbours.neighbour import Neighbour
from meshrouter.wire.packet import MC_DATA, OWN_HOP_LIMIT, Packet

WINDOW: Final = 512

KeyOf = Callable[[bytes], bytes | None]
NextHop = Callable[[bytes], Neighbour | None]


class Groups:
    """``neighbours`` lists every adjacency; ``send`` is over one of them, ``deliver`` to the TUN (IPv6, origin's key).

    ``is_member`` tells whether this host listens to a group (16 bytes); ``addresses`` are the own ones, claimed first.
    ``first_seq``: above all that this node ever used, as its routing seqno ‖ 32 zero bits is.
    """

    def __init__(
        self,
        env: Env,
        directory: Directory,
        *,
        key_of: KeyOf,
        next_hop: NextHop,
        neighbours: Callable[[], Iterable[Neighbour]],
        send: Callable[[Neighbour, bytes, float], None],
        deliver: Callable[[bytes, bytes], None],
        is_member: Callable[[bytes], bool],
        addresses: Callable[[], Sequence[bytes]],
        first_seq: int,
    ) -> None:
        self._env = env
        self._directory = directory
        self._key_of = key_of
        self._next_hop = next_hop
        self._neighbours = neighbours
        self._send = send
        self._deliver = deliver
        self._is_member = is_member
        self._addresses = addresses
        self._seq = first_seq
        self._budgets = Budgets()
        self._windows: OrderedDict[bytes, ReplayWindow] = OrderedDict()

    def outgoing(self, packet: bytes, now: float) -> bool:
        """An IPv6 packet of this host to ff18:eeee::/32, checksum complete. False: larger than MOST_PACKET."""
        if len(packet) > MOST_PACKET:
            return False
        me, size = self._env.identity, len(packet)
        source, group = packet[8:24], packet[24:40]
        role = self._directory.role(me.key)
        if source not in self._addresses() or not is_group(group):
            self._drop("source")
        elif not self._budgets.has(me.id, role, size, now):
            self._drop("own-budget")
        else:
            self._budgets.spend(me.id, role, size, now)
            self._seq += 1
            self._hand_out(self._signed(packet, group_id(group)), None, now)
            if group == BROADCAST:
                self._deliver(with_destination(packet, self._addresses()[0]), me.key)
        return True

    def received(self, packet: bytes, ingress: Neighbour, now: float) -> None:
        """A MESHP packet MC_DATA from a neighbour."""
        try:
            parsed = Packet.decode(packet)
            data = GroupData.decode(parsed.payload)
            key = self._accept(parsed, data, ingress, now)
        except WireError as error:
            self._env.counters.drop(error.code if error.code.startswith("group-") else f"group-{error.code}")
            return
        if self._directory.role(self._env.identity.key) == Role.MEMBER and parsed.hop_limit > 1:
            self._hand_out(replace(parsed, hop_limit=parsed.hop_limit - 1), ingress, now)
        self._take(parsed, data, key)

    # --- is it to be believed ------------------------------------------------------------------------------------

    def _accept(self, packet: Packet, data: GroupData, ingress: Neighbour, now: float) -> bytes:
        """The origin's key. WireError with the rule that keeps the packet out."""
        origin, group = packet.source, packet.destination
        _need(packet.destination_zone == packet.source_zone == self._env.zone, "zone")
        _need(is_group(group_address(group)), "prefix")
        _need(origin == ingress.id or self._directory.role(ingress.key) == Role.MEMBER, "guest-transit")
        hop, key = self._next_hop(origin), self._key_of(origin)
        _need(hop is not None and hop.key == ingress.key, "reverse-path")
        if key is None:
            raise WireError("group-key", "no announcement of the origin is known")
        role = self._directory.role(key)
        window = self._windows.get(origin)
        _need(role != Role.BARRED, "barred")
        _need(window is None or window.fresh(data.seq), "repeated")
        _need(self._budgets.has(origin, role, len(packet.payload), now), "budget")
        _need(self._budgets.may_check(ingress.key, now), "checks")
        if not data.holds(key, self._env.genesis, self._env.zone, group, self._env.verify):
            self._budgets.forged(ingress.key, now)
            raise WireError("group-signature", "the origin did not sign this")
        self._budgets.spend(origin, role, len(packet.payload), now)
        self._seen(origin, data.seq)
        return key

    def _seen(self, origin: bytes, seq: int) -> None:
        window = self._windows.setdefault(origin, ReplayWindow(WINDOW))
        window.seen(seq)
        self._windows.move_to_end(origin)
        if len(self._windows) > MOST_ORIGINS:
            self._windows.popitem(last=False)

    # --- on, and up ----------------------------------------------------------------------------------------------

    def _signed(self, packet: bytes, group: bytes) -> Packet:
        source = packet[8:24]
        claim = source[10:] if source.startswith(CLAIM_PREFIX) else NO_CLAIM
        head = Head(self._seq, claim, packet[6], packet[40:])
        word = int.from_bytes(packet[:4], "big")
        return Packet(
            next_header=MC_DATA,
            source=self._env.identity.id,
            destination=group,
            payload=GroupData.make(self._env.identity, self._env.genesis, self._env.zone, group, head).encode(),
            source_zone=self._env.zone,
            destination_zone=self._env.zone,
            hop_limit=OWN_HOP_LIMIT,
            traffic_class=word >> 20 & 0xFF,
            flow_label=word & 0xFFFFF,
        )

    def _hand_out(self, packet: Packet, ingress: Neighbour | None, now: float) -> None:
        """A copy to every neighbour but the one it came from and the origin, over its best link."""
        encoded = packet.encode()
        best: dict[bytes, Neighbour] = {}
        for neighbour in self._neighbours():
            known = best.get(neighbour.key)
            if known is None or neighbour.cost < known.cost:
                best[neighbour.key] = neighbour
        for neighbour in best.values():
            if neighbour.id != packet.source and (ingress is None or neighbour.key != ingress.key):
                self._send(neighbour, encoded, now)

    def _take(self, packet: Packet, data: GroupData, key: bytes) -> None:
        group = group_address(packet.destination)
        if group != BROADCAST and not self._is_member(group):
            return
        source = data.source(packet.source)
        if source != PREFIX + packet.source and self._directory.binding(key).address != source:
            self._drop("claim")
            return
        word = (6 << 28 | packet.traffic_class << 20 | packet.flow_label).to_bytes(4, "big")
        length = len(data.content).to_bytes(2, "big")
        inner = b"".join((word, length, bytes((data.next_header, packet.hop_limit)), source, group, data.content))
        own = self._addresses()[0]
        self._deliver(with_destination(inner, own) if group == BROADCAST else inner, key)

    def _drop(self, rule: str) -> None:
        self._env.counters.drop(f"group-{rule}")


def is_group(address: bytes) -> bool:
    """Whether a destination is one of ff18:eeee::/32."""
    return address.startswith(GROUP_PREFIX)


def _need(holds: bool, rule: str) -> None:
    if not holds:
        raise WireError(f"group-{rule}", "not taken")
