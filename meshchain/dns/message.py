"""Writing answers: header, sections with compressed owners, OPT (RFC 1035 §4.1, RFC 6891 §6, RFC 8914)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from meshchain.dns.names import Name
from meshchain.dns.query import HEADER, MOST_SIZE, RD, Edns
from meshchain.dns.types import IN, OPT, Ede, RRset

_QR, _AA, _TC, _RA = 0x8000, 0x0400, 0x0200, 0x0080
_DO: Final = 0x8000
_POINTERS: Final = 0x4000
"""Offsets that a pointer can name."""
MOST_STREAM: Final = 65535


@dataclass(frozen=True, slots=True)
class Extended:
    """An extended error."""

    code: Ede
    text: str


@dataclass(slots=True, kw_only=True)
class Reply:
    """``question``: bytes to repeat. ``edns``: the client's, None for no OPT."""

    flags: int
    question: bytes
    rcode: int
    edns: Edns | None
    authoritative: bool = False
    recursion: bool = False
    answer: Sequence[RRset] = ()
    authority: Sequence[RRset] = ()
    additional: Sequence[RRset] = ()
    cookie: bytes = b""
    extended: Extended | None = None

    def encode(self, limit: int) -> bytes:
        """Without the two bytes of the id, which come before it; cut to nothing with TC where it is longer."""
        whole = self._encode((self.answer, self.authority, self.additional), 0)
        return whole if len(whole) + 2 <= limit else self.truncated()

    def truncated(self) -> bytes:
        return self._encode(((), (), ()), _TC)

    def _encode(self, sections: Sequence[Sequence[RRset]], bits: int) -> bytes:
        writer = Writer(self.question)
        counts = [writer.put(section) for section in sections]
        options = b"" if self.edns is None else self._opt(self.edns.do)
        counts[2] += bool(options)
        flags = _QR | bits | (self.flags & (RD | 0x7800)) | (self.rcode & 0xF)
        flags |= _AA * self.authoritative | _RA * self.recursion
        head = (flags, 1 if self.question else 0, *counts)
        return b"".join(number.to_bytes(2, "big") for number in head) + writer.body() + options

    def _opt(self, do: bool) -> bytes:
        options = b""
        if self.cookie:
            options += b"\0\x0a" + len(self.cookie).to_bytes(2, "big") + self.cookie
        if self.extended is not None:
            value = self.extended.code.to_bytes(2, "big") + self.extended.text.encode()
            options += b"\0\x0f" + len(value).to_bytes(2, "big") + value
        ttl = (self.rcode >> 4) << 24 | (_DO if do else 0)
        fixed = OPT.to_bytes(2, "big") + MOST_SIZE.to_bytes(2, "big") + ttl.to_bytes(4, "big")
        return b"\0" + fixed + len(options).to_bytes(2, "big") + options


class Writer:
    """Records one after another; names are compressed against the question's and earlier owners."""

    def __init__(self, question: bytes = b"") -> None:
        self._parts = [question]
        self._length = HEADER + len(question)
        self._offsets: dict[Name, int] = {}
        if question:
            self._note_question(question)

    @property
    def length(self) -> int:
        """Bytes of the message so far."""
        return self._length

    def put(self, rrsets: Iterable[RRset]) -> int:
        """How many records these were."""
        count = 0
        for rrset in rrsets:
            for rdata in rrset.rdatas:
                owner = self._name(rrset.owner)
                fixed = rrset.type.to_bytes(2, "big") + IN.to_bytes(2, "big") + rrset.ttl.to_bytes(4, "big")
                self._add(owner + fixed + len(rdata).to_bytes(2, "big") + rdata)
                count += 1
        return count

    def body(self) -> bytes:
        return b"".join(self._parts)

    def _add(self, data: bytes) -> None:
        self._parts.append(data)
        self._length += len(data)

    def _name(self, name: Name) -> bytes:
        written, at = b"", self._length
        for index in range(len(name)):
            rest = name[index:]
            known = self._offsets.get(rest)
            if known is not None:
                return written + (0xC000 | known).to_bytes(2, "big")
            if at + len(written) < _POINTERS:
                self._offsets[rest] = at + len(written)
            written += bytes((len(name[index]),)) + name[index]
        return written + b"\0"

    def _note_question(self, question: bytes) -> None:
        labels: list[tuple[int, bytes]] = []
        at = 0
        while length := question[at]:
            labels.append((HEADER + at, question[at + 1 : at + 1 + length].lower()))
            at += 1 + length
        for index, (offset, _) in enumerate(labels):
            self._offsets[tuple(label for _, label in labels[index:])] = offset
