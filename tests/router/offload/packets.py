"""IPv6 packets, made and looked at the slow way: field by field, every checksum computed word by word."""

from dataclasses import dataclass, replace
from struct import pack, unpack_from

from hypothesis import strategies as st

from meshrouter.offload.vnet import GSO_ECN, GSO_TCPV6, GSO_UDP_L4, NEEDS_CSUM, VnetHeader

FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = (1 << bit for bit in range(8))


def slow_sum(data: bytes) -> int:
    """RFC 1071 §4.1, as it stands there; not complemented."""
    total = 0
    for at in range(0, len(data) - 1, 2):
        total += (data[at] << 8) + data[at + 1]
    if len(data) % 2:
        total += data[-1] << 8
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def pseudo_header(packet: bytes, protocol: int, start: int = 40) -> bytes:
    return packet[8:40] + pack(">IxxxB", len(packet) - start, protocol)


def verifies(packet: bytes, start: int = 40, protocol: int | None = None) -> bool:
    """Whether the transport checksum is whole and right."""
    kind = packet[6] if protocol is None else protocol
    return slow_sum(pseudo_header(packet, kind, start) + packet[start:]) == 0xFFFF


def slow_complete(packet: bytes, offset: int, start: int = 40) -> bytes:
    """What a network card does with a partial checksum: sum from the start over what stands there, complement."""
    checksum = 0xFFFF - slow_sum(packet[start:]) or 0xFFFF
    return packet[: start + offset] + pack(">H", checksum) + packet[start + offset + 2 :]


@dataclass(frozen=True)
class Segment:
    """What is in a TCP or UDP packet, and nothing of how it is written."""

    payload: bytes = b""
    protocol: int = 6
    source: bytes = bytes.fromhex("eeee1111111111111111111111111111")
    destination: bytes = bytes.fromhex("eeee2222222222222222222222222222")
    ports: tuple[int, int] = (1000, 80)
    sequence: int = 1
    acknowledged: int = 7
    flags: int = ACK
    window: int = 500
    urgent: int = 0
    options: bytes = b""
    traffic_class: int = 0
    label: int = 0
    hop_limit: int = 64

    def packet(self, extension: bytes = b"") -> bytes:
        """With a partial checksum. ``extension``: one IPv6 extension header, its next header field being set here."""
        if self.protocol == 17:
            head = pack(">HHHH", *self.ports, 8 + len(self.payload), 0)
        else:
            offset = (20 + len(self.options)) // 4 << 4
            head = pack(">HHII", *self.ports, self.sequence, self.acknowledged)
            head += pack(">BBHHH", offset, self.flags, self.window, 0, self.urgent) + self.options
        between = bytes((self.protocol,)) + extension[1:] if extension else b""
        length = len(between) + len(head) + len(self.payload)
        word = 6 << 28 | self.traffic_class << 20 | self.label
        first = extension[0] if extension else self.protocol
        whole = pack(">IHBB", word, length, first, self.hop_limit) + self.source + self.destination + between
        start, at = len(whole), 6 if self.protocol == 17 else 16
        whole += head + self.payload
        partial = slow_sum(pseudo_header(whole, self.protocol, start)) % 0xFFFF
        return whole[: start + at] + pack(">H", partial) + whole[start + at + 2 :]

    def vnet(self, gso_size: int = 0, start: int = 40) -> VnetHeader:
        """As the kernel would say it."""
        offset = 6 if self.protocol == 17 else 16
        if not gso_size:
            return VnetHeader(NEEDS_CSUM, 0, 0, 0, start, offset)
        kind = GSO_UDP_L4 if self.protocol == 17 else GSO_TCPV6 | (GSO_ECN if self.flags & CWR else 0)
        header = 8 if self.protocol == 17 else 20 + len(self.options)
        return VnetHeader(NEEDS_CSUM, kind, start + header, gso_size, start, offset)

    def segments(self, size: int) -> list["Segment"]:
        """The obvious way to cut it."""
        parts = [self.payload[at : at + size] for at in range(0, len(self.payload), size)] or [b""]
        if self.protocol == 17:
            return [replace(self, payload=part) for part in parts]
        cut = []
        for number, part in enumerate(parts):
            flags = self.flags
            if number < len(parts) - 1:
                flags &= ~(FIN | PSH)
            if number > 0:
                flags &= ~CWR
            sequence = (self.sequence + number * size) % 2**32
            cut.append(replace(self, payload=part, flags=flags, sequence=sequence))
        return cut


def read(packet: bytes, start: int = 40) -> Segment:
    """The reverse of ``packet``, of one without a regard for its checksum."""
    word, _, protocol, hops = unpack_from(">IHBB", packet)
    common = Segment(
        source=packet[8:24],
        destination=packet[24:40],
        ports=unpack_from(">HH", packet, start),
        traffic_class=word >> 20 & 0xFF,
        label=word & 0xFFFFF,
        hop_limit=hops,
    )
    if protocol == 17:
        return replace(common, protocol=17, payload=packet[start + 8 :], flags=ACK)
    sequence, acknowledged, offset, flags, window, _, urgent = unpack_from(">IIBBHHH", packet, start + 4)
    end = start + (offset >> 4) * 4
    return replace(
        common,
        sequence=sequence,
        acknowledged=acknowledged,
        flags=flags,
        window=window,
        urgent=urgent,
        options=packet[start + 20 : end],
        payload=packet[end:],
    )


@st.composite
def segments(draw: st.DrawFn, flags: st.SearchStrategy[int] | None = None, most: int = 300) -> Segment:
    """Either protocol, any fields."""
    u16, u32 = st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF)
    protocol = draw(st.sampled_from((6, 17)))
    common = Segment(
        payload=draw(st.binary(max_size=most)),
        protocol=protocol,
        source=b"\xee\xee" + draw(st.binary(min_size=14, max_size=14)),
        destination=b"\xee\xee" + draw(st.binary(min_size=14, max_size=14)),
        ports=draw(st.tuples(u16, u16)),
        traffic_class=draw(st.integers(0, 0xFF)),
        label=draw(st.integers(0, 0xFFFFF)),
        hop_limit=draw(st.integers(1, 255)),
    )
    if protocol == 17:
        return common
    options = draw(st.integers(0, 10)) * 4
    return replace(
        common,
        sequence=draw(u32),
        acknowledged=draw(u32),
        flags=draw(st.integers(0, 0xFF) if flags is None else flags),
        window=draw(u16),
        urgent=draw(u16),
        options=draw(st.binary(min_size=options, max_size=options)),
    )
