"""A name's past in JSON: its operations replayed into owner, record and expiry after each."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from meshchain.ledger import record_json
from meshchain.ledger.chain.view import ChainView, Located
from meshchain.ledger.entry import REG_SIZE, Record
from meshchain.ledger.operations import Operation, Renew, Reveal, Revoke, Transfer, Update, commitment
from meshchain.rpc import errors
from meshchain.rpc.json_text import Json
from meshchain.rpc.methods import shapes
from meshchain.rpc.schema import Schema

HISTORY_FORM: Final[Schema] = shapes.table(
    {
        "name": shapes.TEXT,
        "kind": {"type": "string", "enum": ["reveal", "update", "renew", "transfer", "revoke"]},
        "value": {**shapes.OBJECT, "description": "The record after the operation"},
        "txid": shapes.HASH,
        "address": {**shapes.OWNER, "description": "The owner key after it, under Namecoin's word"},
        "owner": shapes.OWNER,
        "height": shapes.HEIGHT,
        "time": {**shapes.INTEGER, "description": "Of the block, unix seconds"},
        "seq": shapes.SEQ,
        "reg": shapes.REG,
        "expires": {**shapes.HEIGHT, "description": "After it"},
        "expires_in": {**shapes.INTEGER, "description": "From the present tip"},
        "expired": shapes.BOOLEAN,
    }
)


@dataclass(slots=True)
class _Life:
    """One life of a name, as far as replayed."""

    owner: bytes
    record: Record
    reg: bytes
    seq: int
    expires: int


def history_forms(view: ChainView, name: str, breathe: Callable[[], None]) -> Iterator[dict[str, Json]]:
    """One form an operation, oldest first. The operations stand in valid blocks, so no rule is checked again."""
    life: _Life | None = None
    for located in view.history(name):
        breathe()
        header = view.header_at(located.height)
        block = None if header is None else view.block(header.id)
        if block is None:
            raise errors.absent("block-body-missing", f"block {located.height} is not stored", height=located.height)
        operation = block.operations[located.index]
        life = _after(view, life, operation, located.height)
        yield _form(view, name, life, operation, located, block.header.time)


def _after(view: ChainView, life: _Life | None, operation: Operation, height: int) -> _Life:
    if isinstance(operation, Reveal):
        known = commitment(view.genesis_id, operation.salt, operation.owner, operation.born, operation.name)
        expires = height + view.params.consensus.expiry
        return _Life(operation.owner, operation.record, known[:REG_SIZE], 0, expires)
    if life is None:
        raise errors.RpcError(errors.LOCAL_FAULT, "damaged", "a name's history does not begin with a reveal")
    if isinstance(operation, Update | Transfer | Revoke):
        life.seq = operation.seq
    if isinstance(operation, Update):
        life.record = operation.record
    elif isinstance(operation, Transfer):
        life.owner, life.record = operation.new_owner, {}
    elif isinstance(operation, Renew):
        life.expires = height + view.params.consensus.expiry
    return life


def _form(
    view: ChainView, name: str, life: _Life, operation: Operation, located: Located, time: int
) -> dict[str, Json]:
    return {
        "name": name,
        "kind": operation.kind,
        "value": record_json.to_json(life.record),
        "txid": located.opid.hex(),
        "address": life.owner.hex(),
        "owner": life.owner.hex(),
        "height": located.height,
        "time": time,
        "seq": life.seq,
        "reg": life.reg.hex(),
        "expires": life.expires,
        "expires_in": life.expires - view.height,
        "expired": life.expires <= view.height,
    }
