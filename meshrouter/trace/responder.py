"""What a node does with the probes of others: report, and pass on.

Theory of operation
-------------------
A probe is a packet like any other: it waits in the same queues and takes the next hop that routing has for its
destination, so what is reported is what data meets. On its way through, before it is forwarded, a node

1. writes a report: the link it came on, the link and next hop it leaves by, what else there was to choose from;
2. signs it over the hash of the report before it, which the probe carries;
3. sends it to the prober, and nobody else (``ticket`` says why that is safe);
4. puts the hash of its own report into the probe and lets it go.

Where anything keeps it from reporting (the budget is spent, it has reported already), it lets the probe go as it came:
silence is visible to the prober as a gap, and honest. A probe whose ticket is forged, or too old, goes no further.

The target's one report closes the way there and opens the way back: its egress is the first link of the probe that it
returns with the same ticket.

Bounds: 20 reports a second, of which one neighbour's probes get at most 10, and signatures are checked within the same
budget; 4,096 nonces remembered. A hop sends 313 bytes for 313 bytes; the target sends a probe besides, to the key that
signed for it.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from meshrouter.directory import Directory
from meshrouter.env import Env
from meshrouter.errors import WireError
from meshrouter.neighbours.neighbour import Neighbour
from meshrouter.tokens import Bucket
from meshrouter.trace.observe import AT_START, HOPS, Moment, RouteView, Self, observe
from meshrouter.trace.probe import Probe
from meshrouter.trace.report import FORWARD, REVERSE, VERSION_SIZE, Report
from meshrouter.trace.ticket import REVERSE as WANTS_REVERSE
from meshrouter.wire import meshctl
from meshrouter.wire.control.message import Message
from meshrouter.wire.packet import MESHCTL, Packet

PER_SECOND: Final = 20.0
PER_NEIGHBOUR: Final = 10.0
MOST_NONCES: Final = 4096
"""Three minutes of a full budget."""
MOST_NEIGHBOURS: Final = 256
OLDEST: Final = 60
"""Blocks that a ticket may be behind the own tip, as with announcements."""

SendPacket = Callable[[bytes, float], bool]
"""(MESHP packet of this node's own, now) → whether there was a route."""
RouteOf = Callable[[bytes], RouteView | None]
"""By id, 14 bytes."""


class Responder:
    def __init__(self, env: Env, directory: Directory, send_packet: SendPacket, route: RouteOf, version: str) -> None:
        """ValueError for a version that reports have no room for."""
        if len(version) > VERSION_SIZE:
            raise ValueError(f"the version {version!r} has more than {VERSION_SIZE} characters")
        self._env = env
        self._directory = directory
        self._send = send_packet
        self._route = route
        self._version = version
        self._budget = Bucket(PER_SECOND, PER_SECOND)
        self._shares: OrderedDict[bytes, Bucket] = OrderedDict()
        self._reported: OrderedDict[tuple[bytes, int], None] = OrderedDict()

    def transit(self, packet: bytes, ingress: Neighbour, now: float, received: float) -> bytes | None:
        """A PROBE for another node: the packet to be forwarded in its place; None if it goes no further."""
        try:
            parsed, probe = _read(packet)
        except WireError as error:
            self._env.counters.drop(f"trace-{error.code}")
            return packet
        if not self._may_report(probe, ingress, now):
            return packet
        if not self._is_wanted(probe):
            return None
        route = self._route(parsed.destination)
        report = self._report(parsed, probe, ingress, route, received, now)
        self.send(probe.ticket.prober, report.signed_by(self._env.identity), now)
        return replace(parsed, payload=meshctl.encode(replace(probe, previous=report.digest))).encode()

    def arrived(self, packet: bytes, ingress: Neighbour, now: float, received: float) -> None:
        """A forward PROBE for this node: close the way there, open the way back."""
        try:
            parsed, probe = _read(packet)
        except WireError as error:
            self._env.counters.drop(f"trace-{error.code}")
            return
        if not self._may_report(probe, ingress, now) or not self._is_wanted(probe):
            return
        back = probe.ticket.flags & WANTS_REVERSE
        route = self._route(parsed.source) if back else None
        report = self._report(parsed, probe, ingress, route, received, now)
        self.send(probe.ticket.prober, report.signed_by(self._env.identity), now)
        if back:
            self.send(parsed.source, Probe(REVERSE, report.digest, probe.ticket), now)

    def opening(self, nonce: bytes, target: bytes, now: float) -> Report:
        """The report of this node on a probe that it makes itself."""
        moment = Moment(
            nonce=nonce, direction=FORWARD, previous=bytes(32), hop_limit=AT_START, ingress=None,
            route=self._route(target), ends=False, received=now, sent=now,
        )  # fmt: skip
        return observe(self._self(), moment)

    def closing(self, packet: Packet, probe: Probe, ingress: Neighbour, now: float, received: float) -> Report:
        """The report of this node on the probe that has come back to it."""
        return self._report(packet, probe, ingress, None, received, now)

    def send(self, to: bytes, message: Message, now: float) -> bool:
        """A MESHCTL packet of this node's own to an id. Whether there was a route."""
        packet = Packet(
            next_header=MESHCTL,
            source=self._env.identity.id,
            destination=to,
            payload=meshctl.encode(message),
            source_zone=self._env.zone,
            destination_zone=self._env.zone,
            hop_limit=HOPS,
        )
        return self._send(packet.encode(), now)

    def _report(
        self, packet: Packet, probe: Probe, ingress: Neighbour, route: RouteView | None, received: float, now: float
    ) -> Report:
        moment = Moment(
            nonce=probe.ticket.nonce,
            direction=probe.direction,
            previous=probe.previous,
            hop_limit=packet.hop_limit,
            ingress=ingress,
            route=route,
            ends=packet.destination == self._env.identity.id,
            received=received,
            sent=now,
        )
        return observe(self._self(), moment)

    def _self(self) -> Self:
        me = self._env.identity
        return Self(key=me.key, height=self._directory.tip.height, zone=self._env.zone, version=self._version)

    def _may_report(self, probe: Probe, ingress: Neighbour, now: float) -> bool:
        """Once per nonce and direction, within both budgets."""
        known = probe.ticket.nonce, probe.direction
        share = self._shares.setdefault(ingress.key, Bucket(PER_NEIGHBOUR, PER_NEIGHBOUR))
        self._shares.move_to_end(ingress.key)
        if known in self._reported:
            self._env.counters.drop("trace-repeated")
            return False
        if not (share.has(1, now) and self._budget.spend(1, now)):
            self._env.counters.drop("trace-budget")
            return False
        share.spend(1, now)
        self._reported[known] = None
        for table, most in ((self._reported, MOST_NONCES), (self._shares, MOST_NEIGHBOURS)):
            if len(table) > most:
                table.popitem(last=False)
        return True

    def _is_wanted(self, probe: Probe) -> bool:
        """The prober signed for it, not long ago."""
        tip = self._directory.tip
        if tip.synced and probe.ticket.height < tip.height - OLDEST:
            self._env.counters.drop("trace-height")
            return False
        if not probe.ticket.holds(self._env.genesis, self._env.verify):
            self._env.counters.drop("trace-ticket")
            return False
        return True


def read_probe(packet: Packet) -> Probe:
    """WireError: probe-ends (the packet's ends are not those that the ticket was signed for), or the decoders'."""
    probe = Probe.decode(packet.payload[1:])
    if (packet.source, packet.destination) != probe.ends:
        raise WireError("probe-ends", "a probe travels between the ends that its ticket names")
    return probe


def _read(packet: bytes) -> tuple[Packet, Probe]:
    parsed = Packet.decode(packet)
    return parsed, read_probe(parsed)
