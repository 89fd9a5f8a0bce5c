"""How an operation looks in JSON: kind, ids, its own fields, signature, stamp."""

from typing import Final

from meshchain.ledger import operations, record_json
from meshchain.ledger.operations import Operation, Reveal, Update
from meshchain.rpc.json_text import Json
from meshchain.rpc.methods import shapes
from meshchain.rpc.schema import Schema

_STAMP: Final = shapes.table(
    {
        "anchor_height": shapes.HEIGHT,
        "anchor_hash": shapes.HEX,
        "bits": shapes.INTEGER,
        "nonces": shapes.listing({"type": "integer", "minimum": 0}),
    }
)

OPERATION_FORM: Final[Schema] = shapes.table(
    {
        "kind": {"type": "string", "enum": ["commit", "reveal", "update", "renew", "transfer", "revoke"]},
        "txid": shapes.HASH,
        "wid": {**shapes.HASH, "description": "Hash of every byte, stamp included"},
        "size": {**shapes.INTEGER, "description": "Bytes"},
        "signature": shapes.nullable(shapes.SIGNATURE),
        "stamp": shapes.nullable(_STAMP),
    },
    {
        "commitment": shapes.HASH,
        "name": shapes.TEXT,
        "salt": shapes.HASH,
        "owner": shapes.OWNER,
        "born": shapes.HEIGHT,
        "reg": shapes.REG,
        "seq": shapes.SEQ,
        "expires": shapes.HEIGHT,
        "new_owner": shapes.OWNER,
        "value": {**shapes.OBJECT, "description": "The record"},
    },
)


def operation_form(operation: Operation, genesis: bytes) -> dict[str, Json]:
    fields = {key: value for key, value in operation.fields().items() if key != "record"}
    form: dict[str, Json] = {
        "kind": operation.kind,
        "txid": operations.opid(operation, genesis).hex(),
        "wid": operations.wid(operation).hex(),
        "size": len(operations.encode(operation)),
        "signature": operation.signature.hex() or None,
        "stamp": _stamp(operation),
    }
    form |= {key: value.hex() if isinstance(value, bytes) else value for key, value in fields.items()}
    if isinstance(operation, Reveal | Update):
        form["value"] = record_json.to_json(operation.record)
    return form


def _stamp(operation: Operation) -> dict[str, Json] | None:
    stamp = operation.stamp
    if stamp is None:
        return None
    return {
        "anchor_height": stamp.anchor_height,
        "anchor_hash": stamp.anchor_hash.hex(),
        "bits": stamp.bits,
        "nonces": stamp.nonces,
    }
