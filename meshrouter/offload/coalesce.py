"""Received segments of one flow become one packet for the TUN, which costs the kernel as much as one segment did.

Theory of operation
-------------------
What arrives in one batch is added in order; ``take`` gives what is to be written. A segment joins the *last* packet of
its flow if cutting the result again would give exactly the segments that came in: then nobody can tell the difference.
So, for TCP (as Linux's tcp_gro_receive, but for the window and urgent pointer, which there may get lost):

* same addresses, ports, first word (traffic class with its ECN bits, flow label) and hop limit;
* the next sequence number; same acknowledgement, header length, options, window;
* same flags, except that CWR may stand on the first, PSH and FIN on the last, and no others than ACK and ECE at all;
* some payload; not longer than the first one's; a shorter one, or one with PSH or FIN, is the last.

For UDP: same length; a shorter one is the last; at most 64. Kernels before 6.2 take no such packets: there nothing is
joined, and what was sent as one is cut.

Only segments with partial checksums join: those have travelled under a session's seal. A complete checksum would have
to be verified first, or damage done before the mesh would come out as valid. Whatever cannot join ends its flow's last
packet, so the order within a flow stays; between flows it need not. Everything else passes in its place.
"""

from struct import Struct
from typing import Final

from meshrouter.offload.checksum import pseudo_sum
from meshrouter.offload.inner import MOST_SEGMENTS, super_vnet
from meshrouter.offload.split import CWR, FIN, PSH, TCP_HEADER, UDP_HEADER, split
from meshrouter.offload.vnet import GSO_UDP_L4, IPV6_SIZE, TCP, TCP_PARTIAL, UDP, UDP_PARTIAL, TunPacket

MOST_BYTES: Final = 0xFFFF
"""After the IPv6 header."""
ACK: Final = 0x10
ECE: Final = 0x40
_JOINABLE: Final = ACK | ECE
_SEQUENCE: Final = Struct(">I")
_U16: Final = Struct(">H")


class _Run:
    """Segments that are to be one packet."""

    __slots__ = ("chunks", "end", "flags", "header", "likeness", "most", "next", "open", "protocol", "size", "vnet")

    def __init__(self, tun: TunPacket, protocol: int, header: int) -> None:
        packet = tun.packet
        self.chunks: list[bytes | memoryview] = [packet]
        self.protocol = protocol
        self.header = header
        self.vnet = tun.vnet
        self.size = len(packet) - IPV6_SIZE - header
        self.end = len(packet) - IPV6_SIZE
        self.next, self.flags, self.likeness, self.open = 0, 0, b"", self.size > 0
        self.most = MOST_SEGMENTS[protocol]

    def grow(self, packet: bytes, payload: int) -> None:
        self.chunks.append(memoryview(packet)[IPV6_SIZE + self.header :])
        self.end += payload
        self.next = (self.next + payload) & 0xFFFFFFFF
        self.open = payload == self.size and len(self.chunks) < self.most

    def fits(self, payload: int) -> bool:
        return 0 < payload <= self.size and self.end + payload <= MOST_BYTES

    def packet(self) -> TunPacket:
        first = self.chunks[0]
        if len(self.chunks) == 1:
            return TunPacket(self.vnet, bytes(first))
        vnet = super_vnet(self.protocol, self.header, self.end - self.header, self.size, self.flags)
        checksum = _U16.pack(pseudo_sum(bytes(first[8:40]), self.end, self.protocol))
        own = self._tcp_head(first, checksum) if self.protocol == TCP else self._udp_head(first, checksum)
        head = (first[:4], _U16.pack(self.end), first[6:IPV6_SIZE], own, first[IPV6_SIZE + self.header :])
        return TunPacket(vnet, b"".join((*head, *self.chunks[1:])))

    def _tcp_head(self, first: bytes | memoryview, checksum: bytes) -> bytes:
        options = first[58 : IPV6_SIZE + self.header]
        return b"".join((first[40:53], bytes((self.flags,)), first[54:56], checksum, options))

    def _udp_head(self, first: bytes | memoryview, checksum: bytes) -> bytes:
        return b"".join((first[40:44], _U16.pack(self.end), checksum))


class Coalescer:
    """One batch at a time. ``udp``: whether the TUN takes GSO_UDP_L4; ``tcp``: whether TCP is joined too."""

    def __init__(self, *, udp: bool = False, tcp: bool = True) -> None:
        self._udp = udp
        self._tcp = tcp
        self._out: list[TunPacket | _Run] = []
        self._last: dict[bytes, _Run] = {}
        """Of every flow (addresses and ports, 36 bytes, protocol before), while it may grow."""

    def __bool__(self) -> bool:
        """Whether there is anything to take."""
        return bool(self._out)

    def add(self, tun: TunPacket) -> None:
        """The next packet of the batch, for the TUN."""
        vnet, packet = tun
        if vnet is TCP_PARTIAL and self._tcp:
            self._add_tcp(tun, packet)
        elif vnet is UDP_PARTIAL and self._udp:
            self._add_udp(tun, packet)
        elif vnet.gso_type == GSO_UDP_L4 and not self._udp:
            self._out += [TunPacket(UDP_PARTIAL, part) for part in split(packet, vnet)]
        else:
            self.pass_by(tun)

    def pass_by(self, tun: TunPacket) -> None:
        """The next packet, as it is: it joins nothing, and what follows in its flow stays behind it."""
        packet = tun.packet
        self._out.append(tun)
        self._last.pop(packet[6:7] + packet[8:44], None)

    def take(self) -> list[TunPacket]:
        """The batch, as it is to be written; empty from now on."""
        taken = [item.packet() if isinstance(item, _Run) else item for item in self._out]
        self._out.clear()
        self._last.clear()
        return taken

    def _add_tcp(self, tun: TunPacket, packet: bytes) -> None:
        header = (packet[52] >> 4) * 4
        payload = len(packet) - IPV6_SIZE - header
        if header < TCP_HEADER or payload < 0:
            self.pass_by(tun)
            return
        flags = packet[53]
        (sequence,) = _SEQUENCE.unpack_from(packet, 44)
        key = packet[6:7] + packet[8:44]
        # first word and hop limit; acknowledgement and header length; window; urgent pointer and options
        likeness = packet[:4] + packet[7:8] + packet[48:53] + packet[54:56] + packet[58 : IPV6_SIZE + header]
        run = self._last.get(key)
        if run is None or not self._joins_tcp(run, payload, sequence, flags, likeness):
            run = self._begin(tun, key, TCP, header)
            run.next, run.flags, run.likeness = (sequence + payload) & 0xFFFFFFFF, flags, likeness
            run.open = run.open and not flags & ~(_JOINABLE | CWR)
            return
        run.grow(packet, payload)
        run.flags |= flags
        run.open = run.open and not flags & (PSH | FIN)

    @staticmethod
    def _joins_tcp(run: _Run, payload: int, sequence: int, flags: int, likeness: bytes) -> bool:
        return (
            run.open
            and run.next == sequence
            and not (flags & ~(PSH | FIN)) ^ (run.flags & ~CWR)
            and run.likeness == likeness
            and run.fits(payload)
        )

    def _add_udp(self, tun: TunPacket, packet: bytes) -> None:
        payload = len(packet) - IPV6_SIZE - UDP_HEADER
        key = packet[6:7] + packet[8:44]
        likeness = packet[:4] + packet[7:8]
        run = self._last.get(key)
        length = packet[4:6]
        honest = packet[44:46] == length and int.from_bytes(length, "big") == len(packet) - IPV6_SIZE
        if honest and run is not None and run.open and run.likeness == likeness and run.fits(payload):
            run.grow(packet, payload)
        else:
            run = self._begin(tun, key, UDP, UDP_HEADER)
            run.likeness, run.open = likeness, run.open and honest

    def _begin(self, tun: TunPacket, key: bytes, protocol: int, header: int) -> _Run:
        run = self._last[key] = _Run(tun, protocol, header)
        self._out.append(run)
        return run
