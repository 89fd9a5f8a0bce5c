"""Who should be a neighbour, and who will no longer be one."""

from dataclasses import dataclass
from struct import Struct
from typing import ClassVar, Final

from meshrouter.wire.check import id_of, need, need_size

MAX_LINK_ADDRESS: Final = 32
"""Bytes of the longest link address: a MAC has 6, an IPv6 address with scope and port 22."""
_REDIRECT: Final = Struct(">14s32sB")

CLOSING: Final = 1
"""The node ends."""
REPLACED: Final = 2
"""There is a newer session, or a better link."""
BARRED: Final = 3
"""The ledger lists the key as revoked."""
FULL: Final = 4
"""No room, or no quota, for this neighbour."""
SILENT: Final = 5
"""Nothing was heard from it, probes and all; it may hear us still."""


@dataclass(frozen=True, slots=True)
class Redirect:
    """47 bytes and the address: this node is on the link on which this message came; talk to it directly."""

    TYPE: ClassVar[int] = 6

    id: bytes
    key: bytes
    address: bytes
    """Its link address, as the sender sees it: at most 32 bytes."""

    def encode(self) -> bytes:
        return _REDIRECT.pack(self.id, self.key, len(self.address)) + self.address

    @classmethod
    def decode(cls, body: bytes) -> "Redirect":
        """WireError: wire-size, redirect-address, wire-key, redirect-id (the id is not the key's)."""
        need(len(body) >= _REDIRECT.size, "wire-size", f"a REDIRECT of {len(body)} bytes")
        origin, key, size = _REDIRECT.unpack_from(body)
        need(size <= MAX_LINK_ADDRESS, "redirect-address", f"a link address of {size} bytes")
        need_size(body, _REDIRECT.size + size, f"a REDIRECT with an address of {size} bytes")
        need(id_of(key) == origin, "redirect-id", f"{origin.hex()} is not the id of key {key.hex()}")
        return cls(origin, key, body[_REDIRECT.size :])


@dataclass(frozen=True, slots=True)
class Bye:
    """1 byte: the session ends now. A reason that is not listed above is none the worse."""

    TYPE: ClassVar[int] = 8
    SIZE: ClassVar[int] = 1

    reason: int

    def encode(self) -> bytes:
        return bytes((self.reason,))

    @classmethod
    def decode(cls, body: bytes) -> "Bye":
        """WireError (wire-size)."""
        need_size(body, cls.SIZE, "a BYE")
        return cls(body[0])
