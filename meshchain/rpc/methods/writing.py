"""Writing names, with Namecoin's names and argument order. The node holds no owner keys.

Each method builds the operation from its parameters and the tip. Without a signature it returns the unsigned
operation and the digest to sign; called again with the signature (and what ``options`` of the first answer
says, so that both calls build the same bytes) it queues the operation. The queue stamps and sends it.
"""

import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from meshchain.crypto import is_ecdsa_public_key
from meshchain.ledger import operations, record_json
from meshchain.ledger.entry import NameEntry, Record
from meshchain.ledger.operations import Commit, Operation, Renew, Reveal, Transfer, Update
from meshchain.rpc import errors
from meshchain.rpc.json_text import Json
from meshchain.rpc.methods import shapes
from meshchain.rpc.registry import Area, Call, Example, Param

AREA: Final = Area("writing names")

_DRAFT: Final = shapes.table(
    {
        "kind": shapes.TEXT,
        "operation": {**shapes.HEX, "description": "The unsigned operation"},
        "digest": {**shapes.HASH, "description": "What the owner key signs; also the txid"},
        "options": {**shapes.OBJECT, "description": "To be passed again together with the signature"},
    }
)
_DRAFT_OR_TXID: Final[Mapping[str, Json]] = {"anyOf": [shapes.HASH, _DRAFT]}
_VALUE: Final[Mapping[str, Json]] = {**shapes.OBJECT, "title": "a record"}
_KEY: Final = "02" + "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
_DRAFT_EXAMPLE: Final[dict[str, Json]] = {
    "kind": "update",
    "operation": "a4" + "00" * 60,
    "digest": "d1" * 32,
    "options": {"reg": "c0ffee00" * 4, "seq": 4},
}


@AREA.method(
    "name_new",
    params=(
        shapes.NAME_PARAM,
        Param(
            "options",
            shapes.options({"owner": shapes.OWNER, "salt": shapes.HASH, "born": shapes.HEIGHT}, "owner"),
            "owner: the key that will own the name; salt: 32 secret bytes (default random); born: default by the tip",
        ),
    ),
    result={"type": "array", "items": shapes.HASH, "minItems": 2, "maxItems": 2},
    result_name="[txid, salt]",
    access="cookie",
    synced=True,
    fails=(errors.BAD_VALUE, errors.REFUSED),
    examples=(Example("reserve a name", ["bob", {"owner": _KEY}], ["4d" * 32, "5a" * 32]),),
)
async def name_new(call: Call, name: str, options: Mapping[str, Json]) -> Json:
    """Queue the commit that reserves a name without showing it; keep the salt for name_firstupdate."""
    name, owner = shapes.name_of(name), _owner(options["owner"], "owner")
    taken = call.view.entry(name)
    if taken is not None:
        raise errors.RpcError(errors.REFUSED, "name-taken", f"{name} is registered", name=name, expires=taken.expires)
    salt = shapes.optional_raw(options, "salt") or secrets.token_bytes(32)
    born = shapes.optional_integer(options, "born")
    if born is None:
        born = _grid(call)[0]
    commit = Commit(commitment=operations.commitment(call.view.genesis_id, salt, owner, born, name))
    return [await _queue(call, commit), salt.hex()]


@AREA.method(
    "name_firstupdate",
    params=(
        shapes.NAME_PARAM,
        Param("salt", shapes.HASH, "The salt that name_new returned"),
        Param("txid", shapes.HASH, "The commit's txid, checked if given", None),
        Param("value", _VALUE, "The record", {}),
        Param(
            "options",
            shapes.options(
                {"owner": shapes.OWNER, "born": shapes.HEIGHT, "signature": shapes.SIGNATURE},
                "owner",
            ),
            "owner, as in name_new; born: default the one whose commitment is known; signature by the owner",
        ),
    ),
    result=_DRAFT_OR_TXID,
    access="cookie",
    synced=True,
    fails=(errors.BAD_VALUE, errors.REFUSED, errors.ABSENT),
    examples=(
        Example(
            "no commit was made with this salt",
            ["bob", "00" * 32, None, {}, {"owner": _KEY}],
            fails="commitment-missing",
        ),
    ),
)
async def name_firstupdate(
    call: Call, name: str, salt: str, txid: str | None, value: Mapping[str, Json], options: Mapping[str, Json]
) -> Json:
    """Reveal a reserved name and register it with its first record."""
    name, owner = shapes.name_of(name), _owner(options["owner"], "owner")
    born = shapes.optional_integer(options, "born")
    if born is None:
        born = _known_born(call, name, bytes.fromhex(salt), owner)
    reveal = Reveal(name=name, salt=bytes.fromhex(salt), owner=owner, born=born, record=_record(value))
    if txid is not None:
        _check_commit(call, reveal, txid.lower())
    return await _draft_or_queue(call, reveal, options, {"owner": owner.hex(), "born": born})


@AREA.method(
    "name_update",
    params=(
        shapes.NAME_PARAM,
        Param("value", _VALUE, "The new record; without it (and without new_owner) the name is renewed", None),
        Param(
            "options",
            shapes.options(
                {
                    "signature": shapes.SIGNATURE,
                    "seq": shapes.SEQ,
                    "reg": shapes.REG,
                    "expires": shapes.HEIGHT,
                    "new_owner": shapes.OWNER,
                }
            ),
            "signature by the owner; new_owner: transfer the name; seq, reg, expires: default from tip and mempool",
            {},
        ),
    ),
    result=_DRAFT_OR_TXID,
    access="cookie",
    synced=True,
    fails=(errors.BAD_VALUE, errors.REFUSED, errors.ABSENT),
    examples=(
        Example("an update to sign", ["alice", {"dns": [["", "TXT", 300, "hi"]]}], _DRAFT_EXAMPLE),
        Example("a renewal to sign", ["alice"], {**_DRAFT_EXAMPLE, "kind": "renew"}),
        Example("a transfer to sign", ["alice", None, {"new_owner": _KEY}], {**_DRAFT_EXAMPLE, "kind": "transfer"}),
        Example("a free name", ["a-0", {}], fails="name-not-found"),
    ),
)
async def name_update(call: Call, name: str, value: Mapping[str, Json] | None, options: Mapping[str, Json]) -> Json:
    """Replace a name's record, transfer it (new_owner) or renew it (neither)."""
    name = shapes.name_of(name)
    entry = call.view.entry(name)
    if entry is None:
        raise errors.absent("name-not-found", f"{name}.mesh is not registered", name=name, height=call.view.height)
    if value is not None and "new_owner" in options:
        raise errors.bad_value("value-and-new-owner", "a transfer empties the record; set it in a second operation")
    operation, again = _change(call, name, entry, value, options)
    return await _draft_or_queue(call, operation, options, again)


def _change(
    call: Call, name: str, entry: NameEntry, value: Mapping[str, Json] | None, options: Mapping[str, Json]
) -> tuple[Operation, dict[str, Json]]:
    """The operation, and the options that make a second call build the same one."""
    reg = shapes.optional_raw(options, "reg") or entry.reg
    if value is None and "new_owner" not in options:
        given = shapes.optional_integer(options, "expires")
        expires = entry.expires if given is None else given
        return Renew(name=name, reg=reg, expires=expires), {"reg": reg.hex(), "expires": expires}
    given = shapes.optional_integer(options, "seq")
    seq = _next_seq(call, name, entry) if given is None else given
    again: dict[str, Json] = {"reg": reg.hex(), "seq": seq}
    if value is not None:
        return Update(name=name, reg=reg, seq=seq, record=_record(value)), again
    new_owner = _owner(options["new_owner"], "new_owner")
    again["new_owner"] = new_owner.hex()
    return Transfer(name=name, reg=reg, seq=seq, new_owner=new_owner), again


def _next_seq(call: Call, name: str, entry: NameEntry) -> int:
    """One more than the entry's and than those of its operations that wait in the mempool."""
    waiting = [
        op.seq
        for op in (item.operation for item in call.node.pending())
        if isinstance(op, Update | Transfer | operations.Revoke) and op.name == name and op.reg == entry.reg
    ]
    return max([entry.seq, *waiting]) + 1


def _grid(call: Call) -> list[int]:
    """Grid values of ``born`` that a living commitment may have, the one for a new commit first."""
    life = call.view.params.consensus.commit_life
    newest = life * max(0, call.view.height // life - 1)
    return [born for born in (newest, newest - life, newest - 2 * life, newest + life) if born >= 0]


def _known_born(call: Call, name: str, salt: bytes, owner: bytes) -> int:
    for born in _grid(call):
        if call.view.commitment(operations.commitment(call.view.genesis_id, salt, owner, born, name)):
            return born
    message = "no commitment for this name, salt and owner is in the index; wait for the commit, or pass born"
    raise errors.absent("commitment-missing", message, name=name, height=call.view.height)


def _check_commit(call: Call, reveal: Reveal, txid: str) -> None:
    genesis = call.view.genesis_id
    known = operations.commitment(genesis, reveal.salt, reveal.owner, reveal.born, reveal.name)
    expected = operations.opid(Commit(commitment=known), genesis).hex()
    if expected != txid:
        raise errors.bad_value(
            "txid-mismatch", "txid is not the commit of this name, salt, owner and born", txid=expected
        )


async def _draft_or_queue(
    call: Call, operation: Operation, options: Mapping[str, Json], again: Mapping[str, Json]
) -> Json:
    signature = shapes.optional_raw(options, "signature")
    if signature is not None:
        return await _queue(call, operation, signature)
    encoded = operations.encode(operation)
    operations.decode_draft(encoded, call.view.params.consensus)  # refuse a bad record before anybody signs it
    return {
        "kind": operation.kind,
        "operation": encoded.hex(),
        "digest": operations.opid(operation, call.view.genesis_id).hex(),
        "options": again,
    }


async def _queue(call: Call, operation: Operation, signature: bytes = b"") -> str:
    draft = operations.encode(replace(operation, signature=signature) if signature else operation)
    (opid,) = await call.node.queue_operations([draft])
    return opid.hex()


def _owner(value: Json, member: str) -> bytes:
    key = shapes.raw(value)
    if not is_ecdsa_public_key(key):
        raise errors.bad_value("owner-key", f"{member} is no compressed secp256k1 key", **{member: key.hex()})
    return key


def _record(value: Mapping[str, Json]) -> Record:
    return record_json.from_json(value)
