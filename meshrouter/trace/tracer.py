"""Ping and traceroute: the machine that the coordinator drives.

Theory of operation
-------------------
*Traceroute.* The prober makes a ticket, writes the first report itself (it is a hop like the others: its egress is the
first link), and sends one probe. Reports come back one by one and out of order; those whose nonce is unknown, whose
signature fails or that claim the end without being it are counted and forgotten. The target returns the probe; the
prober's own report on it closes the way back. A trace ends when both ways are whole, or when its time is up; ``path``
then says what the reports prove.

*Ping.* An echo inside the session of both ends (``echo`` says why): an IPv6 packet with next header MESHCTL that takes
the way of any packet from the TUN. What comes out of a session with that next header is handed to ``delivered``, and so
are the ICMPv6 errors that quote one.

Bounds: 64 pings and 16 traces under way, 256 signature checks a trace; echoes are answered 1,000 times a second.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from math import inf
from typing import Final

from meshrouter.directory import Directory
from meshrouter.env import Env
from meshrouter.errors import LocalError, WireError
from meshrouter.neighbours.neighbour import Neighbour
from meshrouter.trace.echoes import Echoes, PingResult, SendSealed
from meshrouter.trace.observe import AT_START
from meshrouter.trace.path import Hop, Path, assemble, follows
from meshrouter.trace.probe import Probe
from meshrouter.trace.report import FORWARD, REVERSE, Report, SignedReport
from meshrouter.trace.responder import Responder, RouteOf, SendPacket, read_probe
from meshrouter.trace.ticket import NONCE_SIZE, Ticket
from meshrouter.trace.ticket import REVERSE as WANTS_REVERSE
from meshrouter.wire.check import id_of
from meshrouter.wire.packet import MESHCTL, NEXT_HEADER_AT, PACKET_SIZE, Packet

_PROBE: Final = bytes((Probe.TYPE,))
MOST_TRACES: Final = 16
MOST_CHECKS: Final = 256
"""Signatures checked for one trace: both ways of 64 hops, twice."""


@dataclass(frozen=True, slots=True)
class TraceResult:
    """``reverse`` is None if no way back was asked for."""

    number: int
    target: bytes
    forward: Path
    reverse: Path | None
    round_trip: float | None
    """Seconds until the probe was back, reports not counted; None if it did not come back."""


@dataclass(slots=True)
class _Trace:
    number: int
    ticket: Ticket
    start: float
    deadline: float
    opening: Hop
    reports: tuple[list[Hop], list[Hop]] = field(default_factory=lambda: ([], []))
    """By direction."""
    over: dict[tuple[int, bytes], Hop] = field(default_factory=dict)
    """(direction, hash of a report) → the first report that was made over it."""
    checks: int = 0
    back: float | None = None

    def paths(self) -> tuple[Path, Path | None]:
        """The target's report closes the way there and is the first of the way back."""
        there, back = self.reports
        if self.ticket.target == self.ticket.prober:
            return Path((self.opening,), reached=True), None
        if not self.ticket.flags & WANTS_REVERSE:
            return assemble(self.opening, there), None
        turn = next((Hop(hop.report, 0, hop.after) for hop in there if hop.report.ends), None)
        return assemble(self.opening, there), assemble(turn, back)

    def is_whole(self) -> bool:
        """Whether nothing more can come; cheap, since it is asked with every report."""
        end = self._walk(self.opening, FORWARD)
        if end is None or not self.ticket.flags & WANTS_REVERSE:
            return end is not None
        return self._walk(Hop(end.report, 0, end.after), REVERSE) is not None

    def _walk(self, start: Hop, direction: int) -> Hop | None:
        """The end of a way, if each report is adjacent to the one that was made over it."""
        current: Hop | None = start
        while current is not None and (current is start or not current.report.ends):
            following = self.over.get((direction, current.digest))
            current = following if following is not None and follows(current, following) else None
        return current

    def result(self) -> TraceResult:
        trip = None if self.back is None else self.back - self.start
        return TraceResult(self.number, self.ticket.target, *self.paths(), trip)


class Tracer:
    """``on_result`` is called once for every number that ``ping`` or ``trace`` returned, never from inside them."""

    def __init__(
        self,
        env: Env,
        directory: Directory,
        *,
        send_packet: SendPacket,
        send_sealed: SendSealed,
        route: RouteOf,
        on_result: Callable[[TraceResult | PingResult], None],
        version: str,
    ) -> None:
        self._env = env
        self._directory = directory
        self._route = route
        self._on_result = on_result
        self._responder = Responder(env, directory, send_packet, route, version)
        self._traces: dict[bytes, _Trace] = {}
        self._numbers = count(1)
        self._echoes = Echoes(env, send_sealed, on_result, self._numbers)

    # --- asked by this node ----------------------------------------------------------------------------------

    def ping(self, source: bytes, target: bytes, now: float, *, seq: int = 1, size: int = 56, timeout: float) -> int:
        """Echo between two addresses (16 bytes). LocalError: busy."""
        return self._echoes.ping(source, target, now, seq=seq, size=size, timeout=timeout)

    def trace(self, target: bytes, now: float, *, reverse: bool = True, timeout: float) -> int:
        """Ask every hop on the way to an id (14 bytes), and back. LocalError: busy, no-route."""
        if len(self._traces) >= MOST_TRACES:
            raise LocalError("busy", f"{MOST_TRACES} traceroutes are under way")
        if target != self._env.identity.id and self._route(target) is None:
            raise LocalError("no-route", "there is no route to it")
        nonce = self._env.rng.randbytes(NONCE_SIZE)
        flags, height = WANTS_REVERSE if reverse else 0, self._directory.tip.height
        ticket = Ticket.make(self._env.identity, self._env.genesis, nonce, target, height, flags)
        opening = self._responder.opening(nonce, target, now)
        trace = _Trace(next(self._numbers), ticket, now, now + timeout, Hop(opening, 0, 0.0))
        self._traces[nonce] = trace
        if target == self._env.identity.id:
            trace.deadline = now
        else:
            self._responder.send(target, Probe(FORWARD, opening.digest, ticket), now)
        return trace.number

    # --- from the data plane -----------------------------------------------------------------------------------

    def transit(self, packet: bytes, ingress: Neighbour, now: float, received: float | None = None) -> bytes | None:
        """A PROBE (``is_probe``) on its way through, hop limit as it came in: what is to be forwarded, if anything.

        ``received``: when its frame came, if that is known better than ``now``.
        """
        return self._responder.transit(packet, ingress, now, now if received is None else received)

    def arrived(self, packet: bytes, ingress: Neighbour, now: float, received: float | None = None) -> None:
        """A MESHCTL packet in clear for this node, of type PROBE or REPORT."""
        try:
            parsed = Packet.decode(packet)
            if packet[PACKET_SIZE:][:1] == bytes((SignedReport.TYPE,)):
                self._reported(parsed, now)
            elif parsed.source != self._env.identity.id:
                self._probed(packet, parsed, ingress, now, now if received is None else received)
        except WireError as error:
            self._env.counters.drop(f"trace-{error.code}")

    def delivered(self, packet: bytes, now: float) -> bool:
        """An IPv6 packet that came out of a session, or is meant for the TUN: whether it was one of ours."""
        return self._echoes.delivered(packet, now)

    # --- time ----------------------------------------------------------------------------------------------------

    def deadline(self) -> float:
        return min(self._echoes.deadline(), *(trace.deadline for trace in self._traces.values()), inf)

    def tick(self, now: float) -> None:
        self._echoes.tick(now)
        for nonce, trace in list(self._traces.items()):
            if trace.deadline <= now:
                del self._traces[nonce]
                self._on_result(trace.result())

    # -------------------------------------------------------------------------------------------------------------

    def _reported(self, packet: Packet, now: float) -> None:
        signed = SignedReport.decode(packet.payload[1:])
        trace = self._traces.get(signed.report.nonce)
        if trace is None or trace.checks >= MOST_CHECKS:
            self._env.counters.drop("trace-unasked")
            return
        trace.checks += 1
        if not signed.holds(self._env.verify):
            self._env.counters.drop("trace-signature")
            return
        self._keep(trace, signed.report, now)

    def _probed(self, raw: bytes, packet: Packet, ingress: Neighbour, now: float, received: float) -> None:
        """Somebody's probe ends here, or ours is back."""
        probe = read_probe(packet)
        if probe.direction == FORWARD:
            self._responder.arrived(raw, ingress, now, received)
            return
        trace = self._traces.get(probe.ticket.nonce)
        if trace is None or trace.ticket != probe.ticket or trace.back is not None:
            self._env.counters.drop("trace-unasked")
            return
        trace.back = received
        self._keep(trace, self._responder.closing(packet, probe, ingress, now, received), now)

    def _keep(self, trace: _Trace, report: Report, now: float) -> None:
        """A report that is authentic; whether it fits the others is for ``path``."""
        end = trace.ticket.prober if report.direction == REVERSE else trace.ticket.target
        if report.ends != (id_of(report.key) == end):
            self._env.counters.drop("trace-unfit")
            return
        self._directory.binding(report.key)  # asks for its name, so that it is there when the path is shown
        hop = Hop(report, AT_START - report.hop_limit, now - trace.start)
        trace.reports[report.direction].append(hop)
        trace.over.setdefault((report.direction, report.previous), hop)
        if trace.is_whole():
            trace.deadline = now


def is_probe(packet: bytes) -> bool:
    """Whether a MESHP packet in transit is one that ``Tracer.transit`` wants to see."""
    return packet[NEXT_HEADER_AT] == MESHCTL and packet[PACKET_SIZE : PACKET_SIZE + 1] == _PROBE
