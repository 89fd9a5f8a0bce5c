"""The six operations: their fields, encodings and identities.

``opid`` is what people see (txid): it covers the network and the body, neither signature nor stamp, so that
nobody can change an operation's identity by stamping it again. ``wid`` covers every byte and serves roots
and inventories. Signatures are over the opid.
"""

from dataclasses import dataclass, field, replace
from typing import ClassVar, Final, TypeAlias

from meshchain.crypto.hashing import tagged_hash
from meshchain.ledger import codec, shape
from meshchain.ledger.entry import OWNER_SIZE, REG_SIZE, Record
from meshchain.ledger.errors import CodecError
from meshchain.ledger.names import check_name
from meshchain.ledger.params import Consensus
from meshchain.ledger.record import check_shape
from meshchain.ledger.stamps import Stamp

HASH_SIZE: Final = 32
SIGNATURE_SIZE: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class _Envelope:
    """What every kind carries besides its fields."""

    signature: bytes = b""
    stamp: Stamp | None = None
    _encoded: bytes | None = field(default=None, init=False, repr=False, compare=False)
    """Computed once: roots, identities and the store all ask for it."""
    _body: bytes | None = field(default=None, init=False, repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit(_Envelope):
    """Reserves a name without showing it; signed by nobody."""

    kind: ClassVar[str] = "commit"
    commitment: bytes

    def fields(self) -> shape.Table:
        return {"commitment": self.commitment}

    @classmethod
    def parse(cls, fields: shape.Table) -> "Commit":
        return cls(commitment=shape.raw(fields, "commitment", HASH_SIZE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reveal(_Envelope):
    """Registers the name that an earlier commit reserved."""

    kind: ClassVar[str] = "reveal"
    name: str
    salt: bytes
    owner: bytes
    born: int
    """Height on the wallet's grid; makes the commitments of a name's later lives differ."""
    record: Record = field(hash=False)

    def fields(self) -> shape.Table:
        return {
            "name": self.name,
            "salt": self.salt,
            "owner": self.owner,
            "born": self.born,
            "record": self.record,
        }

    @classmethod
    def parse(cls, fields: shape.Table) -> "Reveal":
        return cls(
            name=_name(fields),
            salt=shape.raw(fields, "salt", HASH_SIZE),
            owner=shape.raw(fields, "owner", OWNER_SIZE),
            born=shape.uint(fields, "born", shape.U32),
            record=shape.table(fields["record"], "record"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Update(_Envelope):
    """Replaces the record."""

    kind: ClassVar[str] = "update"
    name: str
    reg: bytes
    seq: int
    record: Record = field(hash=False)

    def fields(self) -> shape.Table:
        return {"name": self.name, "reg": self.reg, "seq": self.seq, "record": self.record}

    @classmethod
    def parse(cls, fields: shape.Table) -> "Update":
        name, reg, seq = _target(fields)
        return cls(name=name, reg=reg, seq=seq, record=shape.table(fields["record"], "record"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Renew(_Envelope):
    """Moves the expiry; the primary host's node key may sign it, so that a node keeps its name alive alone."""

    kind: ClassVar[str] = "renew"
    name: str
    reg: bytes
    expires: int
    """The expiry that this operation replaces: it is valid once."""

    def fields(self) -> shape.Table:
        return {"name": self.name, "reg": self.reg, "expires": self.expires}

    @classmethod
    def parse(cls, fields: shape.Table) -> "Renew":
        return cls(
            name=_name(fields),
            reg=shape.raw(fields, "reg", REG_SIZE),
            expires=shape.uint(fields, "expires", shape.U32),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer(_Envelope):
    """Gives the name to another owner key and empties the record."""

    kind: ClassVar[str] = "transfer"
    name: str
    reg: bytes
    seq: int
    new_owner: bytes

    def fields(self) -> shape.Table:
        return {"name": self.name, "reg": self.reg, "seq": self.seq, "new_owner": self.new_owner}

    @classmethod
    def parse(cls, fields: shape.Table) -> "Transfer":
        name, reg, seq = _target(fields)
        return cls(name=name, reg=reg, seq=seq, new_owner=shape.raw(fields, "new_owner", OWNER_SIZE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoke(_Envelope):
    """Bars the name and its keys until the entry is deleted."""

    kind: ClassVar[str] = "revoke"
    name: str
    reg: bytes
    seq: int

    def fields(self) -> shape.Table:
        return {"name": self.name, "reg": self.reg, "seq": self.seq}

    @classmethod
    def parse(cls, fields: shape.Table) -> "Revoke":
        name, reg, seq = _target(fields)
        return cls(name=name, reg=reg, seq=seq)


Operation: TypeAlias = Commit | Reveal | Update | Renew | Transfer | Revoke
NamedOperation: TypeAlias = Reveal | Update | Renew | Transfer | Revoke

_KINDS: Final[dict[str, type[Operation]]] = {
    cls.kind: cls for cls in (Commit, Reveal, Update, Renew, Transfer, Revoke)
}
_FIELDS: Final = {
    "commit": frozenset(("commitment",)),
    "reveal": frozenset(("name", "salt", "owner", "born", "record")),
    "update": frozenset(("name", "reg", "seq", "record")),
    "renew": frozenset(("name", "reg", "expires")),
    "transfer": frozenset(("name", "reg", "seq", "new_owner")),
    "revoke": frozenset(("name", "reg", "seq")),
}


def commitment(genesis: bytes, salt: bytes, owner: bytes, born: int, name: str) -> bytes:
    """H("commit", genesis ‖ salt ‖ owner ‖ born u32 ‖ name): hides the name, binds it to one owner."""
    return tagged_hash("commit", genesis, salt, owner, born.to_bytes(4, "big"), name.encode())


def name_of(operation: Operation) -> str | None:
    """The name an operation speaks of; None for a commit, which hides it."""
    return None if isinstance(operation, Commit) else operation.name


def body(operation: Operation) -> bytes:
    """The canonical encoding without signature and stamp: what opid, signature and stamp cover."""
    if operation._body is None:
        object.__setattr__(operation, "_body", codec.encode({"kind": operation.kind, **operation.fields()}))
        assert operation._body is not None
    return operation._body


def opid(operation: Operation, genesis: bytes) -> bytes:
    """H("op", genesis ‖ body): 32 bytes, the operation's identity and the digest its signature covers."""
    return tagged_hash("op", genesis, body(operation))


def wid(operation: Operation) -> bytes:
    """H("wop", full bytes): 32 bytes."""
    return wid_of(encode(operation))


def wid_of(encoded: bytes) -> bytes:
    """The wid of an operation's encoding, or of bytes that claim to be one."""
    return tagged_hash("wop", encoded)


def encode(operation: Operation) -> bytes:
    """All of it; unsigned and unstamped operations (drafts) leave those keys out."""
    if operation._encoded is None:
        object.__setattr__(operation, "_encoded", _encode(operation))
        assert operation._encoded is not None
    return operation._encoded


def _encode(operation: Operation) -> bytes:
    table: shape.Table = {"kind": operation.kind, **operation.fields()}
    if operation.signature:
        table["signature"] = operation.signature
    if operation.stamp is not None:
        table["stamp"] = operation.stamp.to_value()
    return codec.encode(table)


def decode(data: bytes, consensus: Consensus) -> Operation:
    """Decode an operation as blocks carry it: signed (but for a commit) and stamped.

    Raises CodecError for wrong bytes and shapes, RuleError for names and records against the rules.
    """
    operation = decode_draft(data, consensus)
    if operation.stamp is None:
        raise CodecError("field-set", f"{operation.kind}: stamp is missing")
    if not operation.signature and not isinstance(operation, Commit):
        raise CodecError("field-set", f"{operation.kind}: signature is missing")
    return operation


def decode_draft(data: bytes, consensus: Consensus) -> Operation:
    """As decode, but the signature or the stamp may be missing."""
    if len(data) > consensus.max_operation_size:
        raise CodecError("operation-size", f"an operation has at most {consensus.max_operation_size} bytes")
    fields = shape.table(codec.decode(data), "an operation")
    kind = shape.text(fields, "kind")
    if kind not in _KINDS:
        raise CodecError("operation-kind", f"no operation is called {kind[:20]!r}")
    outer = {"kind", "signature", "stamp"} if kind != Commit.kind else {"kind", "stamp"}
    inner = {key: value for key, value in fields.items() if key not in outer}
    shape.exact_keys(inner, _FIELDS[kind], kind)
    signature = shape.raw(fields, "signature", SIGNATURE_SIZE) if "signature" in fields else b""
    stamp = Stamp.from_value(fields["stamp"]) if "stamp" in fields else None
    operation = replace(_KINDS[kind].parse(inner), signature=signature, stamp=stamp)
    if isinstance(operation, Reveal | Update):
        check_shape(operation.record, consensus)
    object.__setattr__(operation, "_encoded", bytes(data))  # the codec takes canonical bytes only
    return operation


def _name(fields: shape.Table) -> str:
    name = shape.text(fields, "name")
    check_name(name)
    return name


def _target(fields: shape.Table) -> tuple[str, bytes, int]:
    return _name(fields), shape.raw(fields, "reg", REG_SIZE), shape.uint(fields, "seq", shape.U64)

