"""The way of every packet.

Theory of operation
-------------------
A *frame* comes from a link, and its receiver index says whose it is. The link session opens it, which proves the
neighbour, or it is dropped and counted. What was inside is one MESHP *packet* (or a piece of one, or a train with a
large one, or control messages for the neighbour machine).

A packet for this node goes to the part that its next header names. Any other is in *transit*: it goes to the next hop
of its destination if this node forwards at all, the ledger and the rules allow it, and its hop limit lasts; the next
hop's session seals it, and its link has it in its outbox. Who brought the packet is known, so everything a stranger
could abuse is limited by the *neighbour*: a guest may send what is its own, and only so much of it beyond us.

Nothing here waits, allocates more than the packet, or raises for what a frame holds. Sealing and opening are three
quarters of the time; the order of the checks is that of how often they decide.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, Protocol

from meshrouter.directory import Role
from meshrouter.env import Env
from meshrouter.forwarding.complaints import Complaints
from meshrouter.links.link import Link
from meshrouter.neighbours.neighbour import Inbound, Neighbour
from meshrouter.wire import frame as frames
from meshrouter.wire.beacon import TAKES_TRAINS
from meshrouter.wire.frame import (
    FIRST_CONTROL,
    FIRST_PACKET,
    FIRST_PIECE,
    FIRST_TRAIN,
    HEADER_SIZE,
    MAX_CARS,
    OVERHEAD,
    PACKET,
    PIECE,
    TAG_SIZE,
)
from meshrouter.wire.meshctl import ErrorCode
from meshrouter.wire.packet import MC_DATA, MESHCTL, PACKET_SIZE
from meshrouter.wire.train import MAX_TRAIN

MOST_LOSS: Final = 0.01
"""Of frames: a train of 45 is lost with any of them."""
_HOPS: Final = tuple(bytes((hops,)) for hops in range(256))
_CLEAR: Final = frozenset(frames.first_byte(kind) for kind in frames.CLEAR)
_MEMBER: Final = Role.MEMBER

Local = Callable[[bytes, Neighbour, float], None]
"""(MESHP packet for this node, who brought it, now)."""


class Machines(Protocol):
    """What the data plane needs of the machines around it."""

    def clear_frame(self, link: Link, address: bytes, data: bytes, now: float) -> None:
        """A frame that anybody can make: beacons, handshakes."""

    def unknown_index(self, link: Link, address: bytes, data: bytes, now: float) -> None:
        """A sealed frame for a session that is not (any more)."""

    def proved(self, inbound: Inbound, address: bytes, now: float) -> None:
        """A frame has opened under a session that is new, or of a neighbour that was not up before."""

    def control(self, inbound: Inbound, address: bytes, plaintext: bytes, now: float) -> None:
        """Messages of a neighbour for this node."""

    def train(self, inbound: Inbound, data: bytes, now: float) -> bytes | None:
        """A piece of a train; the whole packet once the last has come."""

    def piece(self, inbound: Inbound, plaintext: bytes, now: float) -> bytes | None:
        """A piece of a packet that was too large for the link; the packet once the last has come."""

    def cut(self, neighbour: Neighbour, packet: bytes) -> list[bytes] | None:
        """The plaintexts of PIECE frames; None if the link carries whole packets of 1280 bytes."""

    def group(self, packet: bytes, ingress: Neighbour, now: float) -> None:
        """A packet for a group."""

    def passing(self, packet: bytes, ingress: Neighbour, now: float) -> bytes | None:
        """MESHCTL in transit, its hop limit as it came: traceroute looks at it. None: it goes no further."""

    def misrouted(self, packet: bytes, ingress: Neighbour, now: float) -> None:
        """A neighbour believes that this node leads to the packet's destination, which it does not."""

    def same_link(self, ingress: Neighbour, egress: Neighbour, now: float) -> None:
        """A packet leaves by the link it came by: the two could talk directly."""

    def may_pass(self, packet: bytes, ingress: Neighbour | None, egress: Neighbour, now: float) -> ErrorCode | None:
        """Rules and quotas, asked only where there are any or a guest is involved."""


class Plane:
    """``by_index``, ``next_hops``: kept by their machines, read here. ``local``: by next header."""

    def __init__(
        self,
        env: Env,
        machines: Machines,
        *,
        by_index: Mapping[int, Inbound],
        next_hops: Mapping[bytes, Neighbour],
        local: Mapping[int, Local],
    ) -> None:
        self.complaints = Complaints(env, self.send)
        self.forwards = False
        """Whether this node is a member: guests carry nobody's packets."""
        self.has_rules = False
        self.forwarded = 0
        self.delivered = 0
        self._machines = machines
        self._by_index = by_index
        self._next_hops = next_hops
        self._local = local
        self._own = env.identity.id
        self._counters = env.counters

    # --- in --------------------------------------------------------------------------------------------------

    def frames(self, link: Link, batch: Iterable[tuple[bytes, bytes]], now: float) -> None:
        """What a link has received: (link address of the sender, frame)."""
        by_index, take, drop = self._by_index, self.packet, self._counters.drop
        for address, data in batch:
            if len(data) < HEADER_SIZE:
                drop("frame-size")
                continue
            first = data[0]
            if first in _CLEAR:
                self._machines.clear_frame(link, address, data, now)
                continue
            inbound = by_index.get(int.from_bytes(data[4:8], "big"))
            if inbound is None:
                self._machines.unknown_index(link, address, data, now)
                continue
            if first == FIRST_PACKET:
                packet = inbound.session.open(data)
                if packet is None:
                    drop("link-sealed")
                    continue
                neighbour = inbound.neighbour
                if inbound.session is not neighbour.session or not neighbour.up:
                    self._machines.proved(inbound, address, now)
                    if not neighbour.up:
                        drop("link-stranger")
                        continue
                neighbour.heard = now
                neighbour.frames_in += 1
                neighbour.bytes_in += len(data)
                take(packet, neighbour, now)
            else:
                self._other_frame(inbound, address, first, data, now)

    def _other_frame(self, inbound: Inbound, address: bytes, first: int, data: bytes, now: float) -> None:
        """Control messages, trains and pieces."""
        if first == FIRST_TRAIN:
            opened = self._machines.train(inbound, data, now)
        elif first in (FIRST_CONTROL, FIRST_PIECE):
            opened = inbound.session.open(data)
            if opened is None:
                self._counters.drop("link-sealed")
        else:
            self._counters.drop("frame-type")
            return
        if opened is not None:
            self._other_opened(inbound, address, first, opened, now, len(data))

    def _other_opened(self, inbound: Inbound, address: bytes, first: int, opened: bytes, now: float, size: int) -> None:
        neighbour = inbound.neighbour
        if first == FIRST_CONTROL:
            self._machines.control(inbound, address, opened, now)
        elif inbound.session is not neighbour.session or not neighbour.up:
            self._machines.proved(inbound, address, now)
        if not neighbour.up:
            return
        neighbour.heard = now
        neighbour.frames_in += 1
        neighbour.bytes_in += size
        packet = self._machines.piece(inbound, opened, now) if first == FIRST_PIECE else opened
        if packet is not None and first != FIRST_CONTROL:
            self.packet(packet, neighbour, now)

    def packet(self, packet: bytes, ingress: Neighbour, now: float) -> None:
        """A packet that a neighbour has brought."""
        size = len(packet)
        if size < PACKET_SIZE or packet[0] >> 4 != 6:
            self._counters.drop("packet-header")
            return
        length = packet[4] << 8 | packet[5]
        if length != size - PACKET_SIZE and length:
            self._counters.drop("packet-size")
            return
        source = packet[10:24]
        if (ingress.role is not _MEMBER and source != ingress.id) or source == self._own:
            self._counters.drop("packet-source")
            return
        if packet[26:40] == self._own:
            self._deliver(packet, ingress, now)
        elif packet[6] == MC_DATA:
            self._machines.group(packet, ingress, now)
        else:
            self._pass_on(packet, ingress, now)

    def _deliver(self, packet: bytes, ingress: Neighbour, now: float) -> None:
        receiver = self._local.get(packet[6])
        if receiver is None:
            self._counters.drop("packet-next-header")
            return
        self.delivered += 1
        receiver(packet, ingress, now)

    # --- through ---------------------------------------------------------------------------------------------

    def _pass_on(self, packet: bytes, ingress: Neighbour, now: float) -> None:
        hops = packet[7]
        egress = self._next_hops.get(packet[26:40])
        refusal = self._refusal(packet, ingress, egress, hops, now)
        if refusal is not None:
            if refusal is ErrorCode.NO_ROUTE:
                self._machines.misrouted(packet, ingress, now)
            self.complaints.complain(packet, ingress, refusal, now)
            return
        assert egress is not None  # no route is a refusal
        onward = self._machines.passing(packet, ingress, now) if packet[6] == MESHCTL else packet
        if onward is None:
            return
        self.forwarded += 1
        if egress.link is ingress.link and egress.link.shared:
            self._machines.same_link(ingress, egress, now)
        self._out(b"".join((onward[:7], _HOPS[hops - 1], memoryview(onward)[8:])), ingress, egress, now)

    def _refusal(
        self, packet: bytes, ingress: Neighbour, egress: Neighbour | None, hops: int, now: float
    ) -> ErrorCode | None:
        if not self.forwards:
            return ErrorCode.GUEST
        if egress is None or egress is ingress:  # back to where it came from: that route is being changed
            return ErrorCode.NO_ROUTE
        if hops <= 1:
            return ErrorCode.TTL
        if self.has_rules or ingress.role is not _MEMBER or egress.role is not _MEMBER:
            return self._machines.may_pass(packet, ingress, egress, now)
        return None

    # --- out -------------------------------------------------------------------------------------------------

    def send(self, packet: bytes, now: float) -> bool:
        """A packet of this node's own; False if there is no route to its destination."""
        egress = self._next_hops.get(packet[26:40])
        if egress is None:
            return False
        self._out(packet, None, egress, now)
        return True

    def send_to(self, neighbour: Neighbour, packet: bytes, now: float) -> None:
        """To this neighbour, whatever the routes say (groups, and what a hop answers to its neighbour)."""
        self._out(packet, None, neighbour, now)

    def _out(self, packet: bytes, ingress: Neighbour | None, egress: Neighbour, now: float) -> None:
        link, session = egress.link, egress.session
        size = len(packet) + OVERHEAD
        if size <= link.mtu and size <= egress.mtu:
            link.outbox.append((egress.link_address, session.seal(PACKET, packet)))
            egress.frames_out += 1
        elif not self._out_large(packet, egress):
            self.complaints.complain(packet, ingress, ErrorCode.TOO_BIG, now, largest_packet(egress))
            return
        egress.bytes_out += size
        egress.sent = now

    def _out_large(self, packet: bytes, egress: Neighbour) -> bool:
        """As a train, or in pieces; False where neither may be."""
        link, session = egress.link, egress.session
        if takes_trains(egress):
            if len(packet) > largest_train(egress):
                return False
            cars = session.seal_cars(packet, min(link.mtu, egress.mtu) - HEADER_SIZE)
            egress.frames_out += len(cars)
            link.send_train(egress.link_address, cars)
            return True
        cut = self._machines.cut(egress, packet)
        if cut is None:
            return False
        egress.frames_out += len(cut)
        link.send_many(egress.link_address, [session.seal(PIECE, piece) for piece in cut])
        return True


def largest_packet(neighbour: Neighbour) -> int:
    """Bytes of the largest MESHP packet that one frame to the neighbour holds."""
    return min(neighbour.link.mtu, neighbour.mtu) - OVERHEAD


def takes_trains(neighbour: Neighbour) -> bool:
    """Whether super-packets may go to it whole: both ends can, and the link loses next to nothing."""
    return neighbour.link.trains and bool(neighbour.caps & TAKES_TRAINS) and neighbour.loss < MOST_LOSS


def largest_train(neighbour: Neighbour) -> int:
    """Bytes of the largest MESHP packet that may go to it as a train."""
    return min(MAX_TRAIN, MAX_CARS * (min(neighbour.link.mtu, neighbour.mtu) - HEADER_SIZE) - TAG_SIZE)
