"""operations.json: every kind from its fields to its bytes, commitments, and what the decoder refuses."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Final, TypeVar

from docs.spec.making.records import Machine
from docs.spec.making.stamping import stamped
from docs.spec.making.values import GENESIS, Document, Json, form, secret
from meshchain.crypto import ecdsa_public_key, sign_ecdsa, sign_ed25519
from meshchain.ledger import codec, operations
from meshchain.ledger.codec import Value
from meshchain.ledger.entry import Record
from meshchain.ledger.operations import Commit, Operation, Renew, Reveal, Revoke, Transfer, Update

Op = TypeVar("Op", bound=Operation)
ALICE, BOB = secret("owner alice"), secret("owner bob")
SALT: Final = secret("salt of alice")
BORN: Final = 720
COMMITMENT: Final = operations.commitment(GENESIS, SALT, ecdsa_public_key(ALICE), BORN, "alice")
REG: Final = COMMITMENT[:16]
ANCHOR: Final = 1440, secret("anchor block id")
BITS: Final = 4
MEMORY_KIB: Final = 1024


def document() -> Document:
    return {
        "genesis": GENESIS.hex(),
        "anchor_id": ANCHOR[1].hex(),
        "commitments": [_commitment("alice", BORN), _commitment("alice", 1440), _commitment("a" * 63, 2**32 - 1)],
        "operations": [_shown(*signed) for signed in signed_operations()],
        "refused": [{"why": why, "code": code, "bytes": data.hex()} for why, code, data in _refused()],
    }


@cache
def signed_operations() -> tuple[tuple[Operation, str, bytes], ...]:
    """Signed and stamped; each with the curve of its signature and the private key, both empty for a commit."""
    return tuple((_stamped(operation), curve, private) for operation, curve, private in _signed())


def _signed() -> Iterator[tuple[Operation, str, bytes]]:
    node, key, new_owner = Machine(1), ecdsa_public_key(ALICE), ecdsa_public_key(BOB)
    record: Record = {"hosts": [node.host()], "dns": [["www", "A", 300, "192.0.2.1"]]}
    renew = Renew(name="alice", reg=REG, expires=264_961)
    yield Commit(commitment=COMMITMENT), "", b""
    for op in (
        Reveal(name="alice", salt=SALT, owner=key, born=BORN, record=record),
        Update(name="alice", reg=REG, seq=1, record={"hosts": [node.host(), Machine(2).host("www")]}),
        renew,
        Transfer(name="alice", reg=REG, seq=1000, new_owner=new_owner),
        Revoke(name="alice", reg=REG, seq=2**64 - 1),
    ):
        yield owner_signed(op), "ecdsa", ALICE
    by_node = replace(renew, signature=sign_ed25519(node.seed, operations.opid(renew, GENESIS)))
    yield by_node, "ed25519", node.seed


def owner_signed(operation: Op, genesis: bytes = GENESIS, private: bytes = ALICE) -> Op:
    return replace(operation, signature=sign_ecdsa(private, operations.opid(operation, genesis)))


def _stamped(operation: Op) -> Op:
    return stamped(operation, *ANCHOR, BITS, MEMORY_KIB)


def _commitment(name: str, born: int) -> Json:
    owner = ecdsa_public_key(ALICE)
    made = operations.commitment(GENESIS, SALT, owner, born, name)
    return {
        "salt": SALT.hex(),
        "owner": owner.hex(),
        "born": born,
        "name": name,
        "commitment": made.hex(),
        "reg": made[:16].hex(),
    }


def _shown(operation: Operation, curve: str, private: bytes) -> Json:
    assert operation.stamp is not None
    return {
        "kind": operation.kind,
        "fields": form(operation.fields()),
        "body": operations.body(operation).hex(),
        "opid": operations.opid(operation, GENESIS).hex(),
        "signed_with": curve,
        "private": private.hex(),
        "signature": operation.signature.hex(),
        "stamp": form(operation.stamp.to_value()),
        "bytes": operations.encode(operation).hex(),
        "wid": operations.wid(operation).hex(),
    }


def _refused() -> Iterator[tuple[str, str, bytes]]:
    commit, reveal, update, renew, transfer, revoke, _ = (
        codec.decode(operations.encode(operation)) for operation, _, _ in signed_operations()
    )
    signature, stamp = _item(reveal, "signature"), _item(reveal, "stamp")
    yield "not a map", "field-type", codec.encode([1])
    yield "kind missing", "field-text", _with(commit, kind=None)
    yield "unknown kind", "operation-kind", _with(commit, kind="claim")
    yield "kind in upper case", "operation-kind", _with(commit, kind="Commit")
    yield "a commit with a signature", "field-set", _with(commit, signature=signature)
    yield "a commit without its stamp", "field-set", _with(commit, stamp=None)
    yield "a reveal without its stamp", "field-set", _with(reveal, stamp=None)
    yield "a reveal without its signature", "field-set", _with(reveal, signature=None)
    yield "a field missing", "field-set", _with(reveal, born=None)
    yield "an unknown field", "field-set", _with(update, note="x")
    yield "another kind's field", "field-set", _with(renew, seq=1)
    yield "commitment of 31 bytes", "field-bytes", _with(commit, commitment=bytes(31))
    yield "commitment as text", "field-bytes", _with(commit, commitment="0" * 32)
    yield "signature of 63 bytes", "field-bytes", _with(update, signature=bytes(63))
    yield "signature of 0 bytes", "field-bytes", _with(update, signature=b"")
    yield "salt of 33 bytes", "field-bytes", _with(reveal, salt=bytes(33))
    yield "owner of 32 bytes", "field-bytes", _with(reveal, owner=bytes(32))
    yield "reg of 32 bytes", "field-bytes", _with(update, reg=COMMITMENT)
    yield "new owner of 65 bytes", "field-bytes", _with(transfer, new_owner=bytes(65))
    yield "born is 2^32", "field-uint", _with(reveal, born=2**32)
    yield "expires is 2^32", "field-uint", _with(renew, expires=2**32)
    yield "seq is text", "field-uint", _with(revoke, seq="1")
    yield "seq is true", "field-uint", _with(revoke, seq=True)
    yield "name is bytes", "field-text", _with(revoke, name=b"alice")
    yield "name is empty", "name-length", _with(revoke, name="")
    yield "name with a dot", "name-alphabet", _with(revoke, name="alice.mesh")
    yield "record is an array", "field-type", _with(update, record=[])
    yield "record of 1,537 bytes", "record-size", _with(update, record={"x": "y" * 1531})
    yield "2,049 bytes", "operation-size", _of_size(update, 2049)
    for why, changed in _bad_stamps(stamp):
        yield f"stamp: {why}", "stamp-shape", _with(reveal, stamp=changed)
    yield from _bad_bytes(commit)


def _bad_stamps(stamp: Value) -> Iterator[tuple[str, Value]]:
    assert isinstance(stamp, list)
    height, anchor, bits, nonces = stamp
    assert isinstance(nonces, list)
    yield "three items", [height, anchor, bits]
    yield "a map", {"nonces": nonces}
    yield "height is 2^32", [2**32, anchor, bits, nonces]
    yield "anchor hash of 7 bytes", [height, bytes(7), bits, nonces]
    yield "bits is text", [height, anchor, "4", nonces]
    yield "bits is true", [height, anchor, True, nonces]
    yield "seven nonces", [height, anchor, bits, nonces[:7]]
    yield "nine nonces", [height, anchor, bits, [*nonces, 0]]
    yield "a nonce is bytes", [height, anchor, bits, [*nonces[:7], bytes(8)]]


def _bad_bytes(commit: Value) -> Iterator[tuple[str, str, bytes]]:
    good = codec.encode(commit)
    yield "a byte follows", "trailing-bytes", good + b"\0"
    yield "the last byte is missing", "truncated", good[:-1]
    yield "keys in another order", "map-order", _reversed_keys(commit)
    yield "empty", "truncated", b""


def _item(value: Value, key: str) -> Value:
    assert isinstance(value, dict)
    return value[key]


def _with(value: Value, **changes: Value) -> bytes:
    """Encoded with fields replaced; None takes a field out."""
    assert isinstance(value, dict)
    changed = value | changes
    return codec.encode({key: item for key, item in changed.items() if item is not None})


def _of_size(value: Value, size: int) -> bytes:
    """Encoded to exactly ``size`` bytes; the record, which fills it, is against the rules by itself."""

    def encoded(fill: int) -> bytes:
        return _with(value, record={"x": "y" * fill})

    return encoded(size - len(encoded(1000)) + 1000)


def _reversed_keys(value: Value) -> bytes:
    assert isinstance(value, dict)
    pairs = [codec.encode(key) + codec.encode(item) for key, item in value.items()]
    return bytes((0xA0 | len(pairs),)) + b"".join(reversed(pairs))
