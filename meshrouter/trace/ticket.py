"""The prober's signed wish: what makes a hop report, and to whom.

::

    0    nonce 16        secret until the probe leaves
    16   key 32          the prober's; reports go to its id and nowhere else
    48   target 14       id of the node at the other end
    62   height u32      of the prober's chain
    66   flags u8        1: the target is to send a probe back
    67   signature 64    over H("meshp-trace", genesis ‖ the 67 bytes before it)

A hop that answered whoever *seems* to ask would be a mirror: one packet with a forged source makes every hop of a path
send a report to a victim. With a ticket only the key that receives the reports can have asked for them, and the probe
that comes back from the target carries the same ticket, so that its hops need nothing else. Who sees a ticket can
repeat it; each node reports once per nonce and direction, and a ticket grows old with the chain.
"""

from dataclasses import dataclass
from struct import Struct
from typing import ClassVar, Final

from meshchain.crypto.hashing import tagged_hash
from meshrouter.env import Verify
from meshrouter.identity import Identity
from meshrouter.wire.check import id_of, need, need_size

_FIELDS: Final = Struct(">16s32s14sIB")
_TAG: Final = "meshp-trace"

NONCE_SIZE: Final = 16
REVERSE: Final = 1
"""Flag."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """131 bytes."""

    SIZE: ClassVar[int] = _FIELDS.size + 64

    nonce: bytes
    key: bytes
    target: bytes
    height: int
    flags: int
    signature: bytes

    @classmethod
    def make(cls, identity: Identity, genesis: bytes, nonce: bytes, target: bytes, height: int, flags: int) -> "Ticket":
        fields = _FIELDS.pack(nonce, identity.key, target, height, flags)
        return cls(nonce, identity.key, target, height, flags, identity.sign(tagged_hash(_TAG, genesis, fields)))

    @property
    def prober(self) -> bytes:
        """The id (14 bytes) that the reports go to."""
        return id_of(self.key)

    def encode(self) -> bytes:
        return self._fields() + self.signature

    @classmethod
    def decode(cls, data: bytes) -> "Ticket":
        """WireError: wire-size, wire-key (the key's id falls into eeee::/80), probe-flags."""
        need_size(data, cls.SIZE, "a ticket")
        nonce, key, target, height, flags = _FIELDS.unpack_from(data)
        id_of(key)
        need(not flags & ~REVERSE, "probe-flags", f"no ticket has flags {flags:#04x}")
        return cls(nonce, key, target, height, flags, data[_FIELDS.size :])

    def holds(self, genesis: bytes, verify: Verify) -> bool:
        """Whether the prober signed it on this network: one signature check, about 140 µs."""
        return verify(self.key, tagged_hash(_TAG, genesis, self._fields()), self.signature)

    def _fields(self) -> bytes:
        return _FIELDS.pack(self.nonce, self.key, self.target, self.height, self.flags)
