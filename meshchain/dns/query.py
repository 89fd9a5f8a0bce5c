"""Reading a packet that should be a question (RFC 1035 §4.1, RFC 6891, RFC 8906 §8)."""

from dataclasses import dataclass
from typing import Final

from meshchain.dns.names import BadNameError, Name, decode
from meshchain.dns.types import IN, OPT, SOA, Rcode

HEADER: Final = 12
PLAIN_SIZE: Final = 512
"""Bytes of a UDP answer to who does not speak EDNS."""
MOST_SIZE: Final = 1232
"""Bytes of any UDP answer: what no path fragments (DNS flag day 2020)."""
RD: Final = 0x0100
_COOKIE: Final = 10
_DO: Final = 0x8000
_MOST_ADDITIONAL: Final = 4


class Unanswerable(Exception):  # noqa: N818 - not a fault of this program
    """Bytes that get no answer: an answer themselves, or no header."""


class Malformed(Exception):  # noqa: N818 - the sender's
    """``rcode``: FORMERR, NOTIMP; ``question``: its bytes, where they could be read."""

    def __init__(self, rcode: Rcode, question: bytes = b"") -> None:
        super().__init__(rcode.name)
        self.rcode = rcode
        self.question = question


@dataclass(frozen=True, slots=True)
class Edns:
    version: int
    size: int
    """Bytes of UDP that the client takes."""
    do: bool
    cookie: bytes
    """8, or 16 to 40 bytes; b"" without."""


@dataclass(frozen=True, slots=True)
class Query:
    flags: int
    question: bytes
    """As asked, with the case of its letters."""
    name: Name
    type: int
    klass: int
    edns: Edns | None
    serial: int | None
    """Of the SOA that an IXFR brings."""

    @property
    def do(self) -> bool:
        return self.edns is not None and self.edns.do

    @property
    def udp_size(self) -> int:
        return PLAIN_SIZE if self.edns is None else min(max(self.edns.size, PLAIN_SIZE), MOST_SIZE)


def parse(packet: bytes) -> Query:
    """Unanswerable or Malformed for what is no question of one name."""
    if len(packet) < HEADER or packet[2] & 0x80:
        raise Unanswerable
    if packet[2] & 0x78:
        raise Malformed(Rcode.NOTIMP)
    questions, answers, authority, additional = (int.from_bytes(packet[at : at + 2], "big") for at in (4, 6, 8, 10))
    if questions != 1 or answers or authority > 1 or additional > _MOST_ADDITIONAL:
        raise Malformed(Rcode.FORMERR)
    try:
        name, at = decode(packet, HEADER)
    except BadNameError:
        raise Malformed(Rcode.FORMERR) from None
    question = packet[HEADER : at + 4]
    if at + 4 > len(packet):
        raise Malformed(Rcode.FORMERR)
    reader = _Reader(packet, at + 4, question)
    serial = reader.authority() if authority else None
    edns = reader.additional(additional)
    reader.end()
    kind, klass = int.from_bytes(question[-4:-2], "big"), int.from_bytes(question[-2:], "big")
    return Query(int.from_bytes(packet[2:4], "big"), question, name, kind, klass, edns, serial)


class _Reader:
    """The records after the question."""

    def __init__(self, packet: bytes, at: int, question: bytes) -> None:
        self._packet = packet
        self._at = at
        self._question = question

    def authority(self) -> int | None:
        """The serial of an SOA."""
        _, kind, _, _, rdata = self._record()
        return int.from_bytes(rdata[-20:-16], "big") if kind == SOA and len(rdata) >= 22 else None

    def additional(self, count: int) -> Edns | None:
        found: Edns | None = None
        for _ in range(count):
            root, kind, klass, ttl, rdata = self._record()
            if kind == OPT:
                if found is not None or not root:
                    raise self._bad()
                found = Edns((ttl >> 16) & 0xFF, klass, bool(ttl & _DO), self._cookie(rdata))
        return found

    def end(self) -> None:
        if self._at != len(self._packet):
            raise self._bad()

    def _cookie(self, rdata: bytes) -> bytes:
        at, cookie = 0, b""
        while at < len(rdata):
            code, length = int.from_bytes(rdata[at : at + 2], "big"), int.from_bytes(rdata[at + 2 : at + 4], "big")
            value = rdata[at + 4 : at + 4 + length]
            if at + 4 > len(rdata) or len(value) != length:
                raise self._bad()
            if code == _COOKIE and not cookie:
                if length != 8 and not 16 <= length <= 40:
                    raise self._bad()
                cookie = value
            at += 4 + length
        return cookie

    def _record(self) -> tuple[bool, int, int, int, bytes]:
        """(owner is the root, type, class, ttl, rdata)."""
        root = self._skip_name()
        fixed = self._take(10)
        length = int.from_bytes(fixed[8:], "big")
        kind, klass, ttl = (int.from_bytes(part, "big") for part in (fixed[:2], fixed[2:4], fixed[4:8]))
        return root, kind, klass, ttl, self._take(length)

    def _skip_name(self) -> bool:
        begin = self._at
        while True:
            length = self._take(1)[0]
            if length >= 0xC0:
                self._take(1)
                return False
            if length > 63:
                raise self._bad()
            if length == 0:
                return self._at == begin + 1
            self._take(length)

    def _take(self, count: int) -> bytes:
        taken = self._packet[self._at : self._at + count]
        if len(taken) < count:
            raise self._bad()
        self._at += count
        return taken

    def _bad(self) -> Malformed:
        return Malformed(Rcode.FORMERR, self._question)


def is_internet(query: Query) -> bool:
    return query.klass == IN
