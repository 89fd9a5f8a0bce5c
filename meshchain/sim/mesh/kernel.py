"""What stands in for a node's kernel above the TUN: streams to and from ports, datagrams, errors of routers."""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Final

from meshchain.p2p.actions import Endpoint
from meshchain.sim.mesh import segments
from meshchain.sim.mesh.segments import ACK, RST, SYN, TCP, UDP, Segment, ipv6, read_tcp, read_udp, tcp, udp
from meshchain.sim.mesh.stream import Ear, State, Stream

FIRST_PORT: Final = 32_768
_PORTS: Final = 28_232
_QUOTE: Final = 48
"""Where an ICMPv6 error quotes the packet that it is about."""

Datagram = Callable[[bytes, bytes, int], None]
"""(source address, payload, hops that the packet had left)."""


@dataclass(frozen=True, slots=True)
class Ends:
    """Own port, and the other side's address and port: what tells the streams of one host from each other."""

    port: int
    address: bytes
    remote: int


class Kernel:
    """``address``: this host's; ``port``: where it takes streams. ``accept``: (who calls, stream) → who takes it, None:
    nobody. ``stir``: called when there is something in the outbox."""

    def __init__(
        self,
        address: bytes,
        port: int,
        accept: Callable[[Endpoint, Stream], Ear | None],
        *,
        now: Callable[[], float],
        stir: Callable[[], None],
    ) -> None:
        self.address = address
        self._port = port
        self._accept = accept
        self._now = now
        self._stir = stir
        self.outbox: list[bytes] = []
        """IPv6 packets for the TUN. Whoever owns the kernel empties it."""
        self.datagrams: dict[int, Datagram] = {}
        """By port."""
        self._streams: dict[Ends, Stream] = {}
        self._dialled = 0

    # --- for programs --------------------------------------------------------------------------------------

    def dial(self, endpoint: Endpoint, ear_of: Callable[[Stream], Ear]) -> Stream:
        """Call a port of another host."""
        while (ends := Ends(self._own_port(), endpoint.ip, endpoint.port)) in self._streams:
            pass
        stream = self._stream(ends, ear_of)
        stream.open(self._now())
        return stream

    def send(self, destination: bytes, port: int, payload: bytes, hop_limit: int) -> None:
        """A datagram, from the port of the same number."""
        self.outbox.append(ipv6(self.address, destination, UDP, udp(port, port, payload), hop_limit))
        self._stir()

    def halt(self) -> None:
        """The machine ends its programs: it resets their connections."""
        for stream in list(self._streams.values()):
            stream.abort()

    def _own_port(self) -> int:
        self._dialled += 1
        return FIRST_PORT + self._dialled % _PORTS

    def _stream(self, ends: Ends, ear_of: Callable[[Stream], Ear]) -> Stream:
        ear = _Later()
        stream = self._streams[ends] = Stream((ends.port, ends.remote), lambda segment: self._out(ends, segment), ear)
        ear.ear = ear_of(stream)
        return stream

    def _out(self, ends: Ends, segment: Segment) -> None:
        self.outbox.append(ipv6(self.address, ends.address, TCP, tcp(segment)))
        self._stir()

    # --- from the TUN --------------------------------------------------------------------------------------

    def take(self, packet: bytes) -> None:
        match packet[6]:
            case segments.TCP:
                self._take_segment(packet)
            case segments.UDP:
                found = read_udp(packet)
                if found is not None and found[1] in self.datagrams:
                    self.datagrams[found[1]](packet[8:24], found[2], packet[7])
            case segments.ICMPV6:
                self._take_error(packet)

    def _take_segment(self, packet: bytes) -> None:
        segment, source = read_tcp(packet), packet[8:24]
        if segment is None:
            return
        ends = Ends(segment.destination, source, segment.source)
        stream = self._streams.get(ends)
        if stream is None:
            stream = self._called(ends, segment)
        if stream is not None:
            stream.received(segment, self._now())
            self._forget(ends, stream)

    def _called(self, ends: Ends, segment: Segment) -> Stream | None:
        """A segment of no stream: a call that somebody takes, or something that is refused."""
        if segment.flags & (SYN | ACK) == SYN and ends.port == self._port:
            ear = _Later()
            stream = Stream((ends.port, ends.remote), lambda out: self._out(ends, out), ear)
            taker = self._accept(Endpoint(ends.address, ends.remote), stream)
            if taker is not None:
                ear.ear = taker
                self._streams[ends] = stream
                return stream
        if not segment.flags & RST:
            self._out(ends, Segment(ends.port, ends.remote, segment.acknowledged, segment.end, RST | ACK, 0))
        return None

    def _take_error(self, packet: bytes) -> None:
        """Unreachable (RFC 4443 §3.1), about a packet of ours."""
        quote = packet[_QUOTE:]
        if packet[40:41] != b"\1" or len(quote) < 44 or quote[6] != TCP:
            return
        source, remote = int.from_bytes(quote[40:42], "big"), int.from_bytes(quote[42:44], "big")
        ends = Ends(source, quote[24:40], remote)
        stream = self._streams.get(ends)
        if stream is not None:
            stream.refused()
            self._forget(ends, stream)

    def _forget(self, ends: Ends, stream: Stream) -> None:
        if stream.state is State.CLOSED:
            self._streams.pop(ends, None)

    # --- time ----------------------------------------------------------------------------------------------

    def deadline(self) -> float:
        return min((stream.deadline() for stream in self._streams.values()), default=inf)

    def tick(self) -> None:
        now = self._now()
        for ends, stream in list(self._streams.items()):
            if stream.deadline() <= now:
                stream.tick(now)
            self._forget(ends, stream)


class _Later:
    """An ear for a stream that has to exist before its owner does."""

    ear: Ear

    def opened(self) -> None:
        self.ear.opened()

    def arrived(self, data: bytes) -> None:
        self.ear.arrived(data)

    def ended(self) -> None:
        self.ear.ended()
