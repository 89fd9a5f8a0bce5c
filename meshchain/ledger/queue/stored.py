"""The form of an item on disk: a canonical map under layout.QUEUED + opid.

Everything else of an item follows from this and the chain. ``version`` is the first thing looked at, so that a
later program can change the rest.
"""

from typing import Final

from meshchain.ledger import codec, operations, shape
from meshchain.ledger.codec import Value
from meshchain.ledger.entry import OWNER_SIZE
from meshchain.ledger.errors import RemoteError, StoreError
from meshchain.ledger.operations import Commit
from meshchain.ledger.params import Consensus
from meshchain.ledger.queue.item import Ended, Item, Partial
from meshchain.ledger.queue.status import FinalState
from meshchain.ledger.record import KEY_SIZE
from meshchain.ledger.stamps import PUZZLES

VERSION: Final = 1
_KEYS: Final = frozenset(
    (
        "version",
        "operation",
        "order",
        "added",
        "signer",
        "base_seq",
        "life_end",
        "sent_at",
        "refusal",
        "partial",
        "ended",
    )
)
_FINAL: Final[dict[str, FinalState]] = {"conflict-lost": "conflict-lost", "expired": "expired", "refused": "refused"}
_ANCHOR_HASH: Final = 8
_BLOCK_ID: Final = 32


def encode(item: Item) -> bytes:
    """At most an operation and about 500 bytes."""
    return codec.encode(
        {
            "version": VERSION,
            "operation": operations.encode(item.operation),
            "order": item.order,
            "added": item.added,
            "signer": item.signer,
            "base_seq": item.base_seq,
            "life_end": item.life_end,
            "sent_at": item.sent_at,
            "refusal": item.refusal,
            "partial": None if item.partial is None else _partial_value(item.partial),
            "ended": None if item.ended is None else _ended_value(item.ended),
        }
    )


def decode(opid: bytes, data: bytes, genesis: bytes, consensus: Consensus) -> Item:
    """Inverse of encode; StoreError "damaged" for anything that encode does not produce for this opid."""
    try:
        return _decode(opid, data, genesis, consensus)
    except RemoteError as error:
        raise StoreError("damaged", f"queued operation {opid.hex()} is damaged: {error}") from error


def _decode(opid: bytes, data: bytes, genesis: bytes, consensus: Consensus) -> Item:
    fields = shape.table(codec.decode(data), "a queued operation")
    if shape.uint(fields, "version", shape.U32) != VERSION:
        raise StoreError("damaged", f"queued operation {opid.hex()} was written by a later version")
    shape.exact_keys(fields, _KEYS, "a queued operation")
    operation = operations.decode_draft(_raw(fields["operation"], "operation"), consensus)
    if operations.opid(operation, genesis) != opid:
        raise StoreError("damaged", f"under the key of queued operation {opid.hex()} stands another one")
    signer = _raw(fields["signer"], "signer")
    if (len(signer) not in (OWNER_SIZE, KEY_SIZE)) != isinstance(operation, Commit):
        raise StoreError("damaged", f"queued operation {opid.hex()} names no signer")
    sent_at = None if fields["sent_at"] is None else shape.uint(fields, "sent_at", shape.U32)
    return Item(
        opid=opid,
        operation=operation,
        genesis=genesis,
        order=shape.uint(fields, "order", shape.U64),
        added=shape.uint(fields, "added", shape.U64),
        signer=signer,
        base_seq=shape.uint(fields, "base_seq", shape.U64),
        life_end=shape.uint(fields, "life_end", shape.U64),
        sent_at=sent_at,
        refusal=None if fields["refusal"] is None else shape.text(fields, "refusal"),
        partial=None if fields["partial"] is None else _partial(shape.table(fields["partial"], "partial")),
        ended=None if fields["ended"] is None else _ended(shape.table(fields["ended"], "ended")),
    )


def _raw(value: Value, what: str) -> bytes:
    if not isinstance(value, bytes):
        raise StoreError("damaged", f"{what} of a queued operation is no byte string")
    return value


def _partial_value(partial: Partial) -> Value:
    return {
        "anchor_height": partial.anchor_height,
        "anchor_hash": partial.anchor_hash,
        "bits": partial.bits,
        "start": partial.start,
        "found": list(partial.found),
        "tried": partial.tried,
    }


def _partial(fields: shape.Table) -> Partial:
    shape.exact_keys(fields, frozenset(Partial.__dataclass_fields__), "partial")
    return Partial(
        anchor_height=shape.uint(fields, "anchor_height", shape.U32),
        anchor_hash=shape.raw(fields, "anchor_hash", _ANCHOR_HASH),
        bits=shape.uint(fields, "bits", 64),
        start=shape.uint(fields, "start", shape.U64),
        found=_found(shape.array(fields.get("found"), "found")),
        tried=shape.uint(fields, "tried", shape.U64),
    )


def _found(listed: list[Value]) -> tuple[int | None, ...]:
    found = tuple(n for n in listed if n is None or (isinstance(n, int) and not isinstance(n, bool)))
    if len(listed) != PUZZLES or len(found) != PUZZLES:
        raise StoreError("damaged", f"a stamp in the making lists {PUZZLES} nonces or nulls")
    return found


def _ended_value(ended: Ended) -> Value:
    return {
        "state": ended.state,
        "code": ended.code,
        "message": ended.message,
        "winner": ended.winner,
        "height": ended.height,
        "block": ended.block,
    }


def _ended(fields: shape.Table) -> Ended:
    shape.exact_keys(fields, frozenset(Ended.__dataclass_fields__), "ended")
    state = _FINAL.get(shape.text(fields, "state"))
    if state is None:
        raise StoreError("damaged", "a queued operation ended in an unknown state")
    return Ended(
        state=state,
        code=shape.text(fields, "code"),
        message=shape.text(fields, "message"),
        winner=None if fields["winner"] is None else shape.raw(fields, "winner", operations.HASH_SIZE),
        height=shape.uint(fields, "height", shape.U32),
        block=shape.raw(fields, "block", _BLOCK_ID),
    )
