"""What the state holds of one name, and its encoding, which the state root commits to."""

from dataclasses import dataclass
from typing import Final, TypeAlias

from meshchain.ledger import codec, shape
from meshchain.ledger.codec import Value
from meshchain.ledger.errors import CodecError

Record: TypeAlias = dict[str, Value]
"""What a name says: ``hosts``, ``dns`` and unknown keys, as decoded from the ledger. Never mutated."""

OWNER_SIZE: Final = 33
REG_SIZE: Final = 16
_KEYS: Final = frozenset(("owner", "reg", "record", "address", "seq", "registered", "expires", "revoked"))


@dataclass(frozen=True, slots=True)
class NameEntry:
    """One name's entry. Heights are block heights; an absent name has no entry at all."""

    owner: bytes
    """33-byte compressed secp256k1 key."""
    reg: bytes
    """First 16 bytes of the commitment: the identity of this life of the name."""
    record: Record
    address: bytes | None
    """The granted claim in eeee::/80 (16 bytes), or None."""
    seq: int
    registered: int
    expires: int
    revoked: bool

    def encode(self) -> bytes:
        return codec.encode(
            {
                "owner": self.owner,
                "reg": self.reg,
                "record": self.record,
                "address": self.address,
                "seq": self.seq,
                "registered": self.registered,
                "expires": self.expires,
                "revoked": self.revoked,
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> "NameEntry":
        """Inverse of encode; CodecError for anything that encode does not produce."""
        fields = shape.table(codec.decode(data), "an entry")
        shape.exact_keys(fields, _KEYS, "an entry")
        address = fields["address"]
        if address is not None and not (isinstance(address, bytes) and len(address) == 16):
            raise CodecError("field-bytes", "address must be 16 bytes or null")
        return cls(
            owner=shape.raw(fields, "owner", OWNER_SIZE),
            reg=shape.raw(fields, "reg", REG_SIZE),
            record=shape.table(fields["record"], "a record"),
            address=address,
            seq=shape.uint(fields, "seq", shape.U64),
            registered=shape.uint(fields, "registered", shape.U32),
            expires=shape.uint(fields, "expires", shape.U32),
            revoked=shape.flag(fields, "revoked"),
        )

    def active(self, height: int) -> bool:
        """True before grace. By height, never by time: a miner's clock cannot expire a name."""
        return height < self.expires
