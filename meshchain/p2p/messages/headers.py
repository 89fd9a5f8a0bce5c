"""Headers: asked for from a fork point on, sent in chain order, and announced."""

from dataclasses import dataclass
from typing import ClassVar

from meshchain.ledger.codec import Value
from meshchain.ledger.header import Header
from meshchain.ledger.params import Consensus
from meshchain.p2p.messages.limits import ID_SIZE, MAX_HEADERS, MAX_LOCATOR, Limit
from meshchain.p2p.messages.reader import Reader


@dataclass(frozen=True, slots=True)
class GetHeaders:
    """The headers that follow the first block of ``locator`` on the other side's active chain."""

    TYPE: ClassVar[int] = 0x10
    LIMIT: ClassVar[Limit] = Limit(1063)

    locator: tuple[bytes, ...]
    """Block ids of the sender's chain, newest first, 1 to 32."""
    stop: bytes | None = None
    """The last one wanted; None: as many as a message holds."""

    def values(self) -> list[Value]:
        return [b"".join(self.locator), self.stop]

    @classmethod
    def read(cls, reader: Reader, _: Consensus) -> "GetHeaders":
        reader.count("get-headers", 2, 2)
        return cls(reader.parts("locator", ID_SIZE, 1, MAX_LOCATOR), reader.optional("stop", ID_SIZE))


@dataclass(frozen=True, slots=True)
class Headers:
    """Consecutive headers, oldest first; none: the sender knows no more. Also announces a new block."""

    TYPE: ClassVar[int] = 0x11
    LIMIT: ClassVar[Limit] = Limit(7 + MAX_HEADERS * Header.SIZE)

    headers: tuple[Header, ...]

    def values(self) -> list[Value]:
        return [b"".join(header.encode() for header in self.headers)]

    @classmethod
    def read(cls, reader: Reader, _: Consensus) -> "Headers":
        reader.count("headers", 1, 1)
        parts = reader.parts("headers", Header.SIZE, 0, MAX_HEADERS)
        return cls(tuple(map(Header.decode, parts)))
