"""Addresses of other nodes, as far as the sender has heard."""

from dataclasses import dataclass
from typing import ClassVar, Final

from meshchain.ledger.codec import Value
from meshchain.ledger.params import Consensus
from meshchain.ledger.shape import U16
from meshchain.p2p.messages.limits import MAX_ADDRESSES, Limit
from meshchain.p2p.messages.reader import Reader

_IP_SIZE: Final = 16
_KEY_SIZE: Final = 32
_GREATEST_ADDRESS: Final = 64
"""Bytes of an address with a key and the greatest numbers."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a node was reached, or said that it could be."""

    ip: bytes
    """16 bytes of IPv6; IPv4 mapped (RFC 4291 §2.5.5.2)."""
    port: int
    """1 to 65,535."""
    last_seen: int
    """Unix seconds by the clock of whoever says so."""
    key: bytes | None = None
    """Its node key, if known."""

    def values(self) -> list[Value]:
        return [self.ip, self.port, self.last_seen, self.key]

    @classmethod
    def read(cls, reader: Reader) -> "Address":
        reader.count("address", 4, 4)
        return cls(
            ip=reader.raw("ip", _IP_SIZE),
            port=reader.uint("port", U16, 1),
            last_seen=reader.uint("last seen"),
            key=reader.optional("key", _KEY_SIZE),
        )


@dataclass(frozen=True, slots=True)
class GetAddresses:
    TYPE: ClassVar[int] = 0x50
    LIMIT: ClassVar[Limit] = Limit(2)

    def values(self) -> list[Value]:
        return []

    @classmethod
    def read(cls, reader: Reader, _: Consensus) -> "GetAddresses":
        reader.count("get-addresses", 0, 0)
        return cls()


@dataclass(frozen=True, slots=True)
class Addresses:
    """An answer to GetAddresses, or a few that are new."""

    TYPE: ClassVar[int] = 0x51
    LIMIT: ClassVar[Limit] = Limit(5 + MAX_ADDRESSES * _GREATEST_ADDRESS)

    addresses: tuple[Address, ...]

    def values(self) -> list[Value]:
        return [[address.values() for address in self.addresses]]

    @classmethod
    def read(cls, reader: Reader, _: Consensus) -> "Addresses":
        reader.count("addresses", 1, 1)
        count = reader.count("addresses", 0, MAX_ADDRESSES)
        return cls(tuple(Address.read(reader) for _ in range(count)))
