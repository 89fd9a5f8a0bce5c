"""Operations, entries and blocks as bytes: identities, exact field sets, and any bytes at all."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cbor2
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from meshchain.ledger import codec, operations
from meshchain.ledger.block import Block, decode_body, encode_body
from meshchain.ledger.entry import NameEntry
from meshchain.ledger.errors import CodecError, RemoteError, RuleError
from meshchain.ledger.header import genesis
from meshchain.ledger.operations import Commit, Operation
from meshchain.ledger.stamps import Stamp
from tests.ledger.codec.values import VALUES
from tests.ledger.kit import Node, Owner, small_params
from tests.ledger.model import rules as model

PARAMS = small_params()
CONSENSUS = PARAMS.consensus
GENESIS = genesis(PARAMS).id
ALICE = Owner(1, GENESIS)
REG = ALICE.reg("alice")
STAMP = Stamp(10, b"anchored", 3, tuple(range(2**64 - 8, 2**64)))

DRAFTS: dict[str, Operation] = {
    "commit": ALICE.commit("alice"),
    "reveal": ALICE.reveal("alice", {"hosts": [Node().host(GENESIS, ALICE.key, "alice")], "dns": []}),
    "update": ALICE.update("alice", REG, 2**64 - 1, {"x": [None, True, "text"]}),
    "renew": ALICE.renew("alice", REG, 2**32 - 1),
    "transfer": ALICE.transfer("alice", REG, 1, Owner(2, GENESIS).key),
    "revoke": ALICE.revoke("alice", REG, 1),
}
FULL: dict[str, Operation] = {kind: replace(draft, stamp=STAMP) for kind, draft in DRAFTS.items()}
KINDS = pytest.mark.parametrize("kind", FULL)


def code_of(decode: Callable[[bytes], object], data: bytes) -> str:
    with pytest.raises(RemoteError) as error:
        decode(data)
    return error.value.code


def decode(data: bytes) -> Operation:
    return operations.decode(data, CONSENSUS)


def table(kind: str) -> dict[str, Any]:
    decoded = codec.decode(operations.encode(FULL[kind]))
    assert isinstance(decoded, dict)
    return decoded


@KINDS
def test_an_operation_survives_its_encoding(kind: str) -> None:
    assert decode(operations.encode(FULL[kind])) == FULL[kind]
    for draft in (DRAFTS[kind], replace(DRAFTS[kind], signature=b"")):
        assert operations.decode_draft(operations.encode(draft), CONSENSUS) == draft


@KINDS
def test_identities_are_those_of_the_specification(kind: str) -> None:
    """Computed by the model from cbor2 and hashlib."""
    full = FULL[kind]
    assert operations.body(full) == model.body(full)
    assert operations.opid(full, GENESIS) == model.opid(GENESIS, full)
    assert operations.wid(full) == model.wid(full)


@KINDS
def test_stamp_and_signature_change_the_wid_only(kind: str) -> None:
    full = FULL[kind]
    again = replace(full, stamp=replace(STAMP, bits=4))
    assert operations.opid(again, GENESIS) == operations.opid(full, GENESIS)
    assert operations.wid(again) != operations.wid(full)
    assert operations.opid(full, bytes(32)) != operations.opid(full, GENESIS)
    if kind != "commit":
        forged = replace(full, signature=bytes(64))
        assert operations.opid(forged, GENESIS) == operations.opid(full, GENESIS)
        assert operations.wid(forged) != operations.wid(full)


def test_what_was_computed_once_does_not_stick_to_a_changed_copy() -> None:
    """Operations keep their encoding; ``replace`` must not."""
    first = ALICE.update("alice", REG, 1)
    operations.wid(replace(first, stamp=STAMP))
    operations.opid(first, GENESIS)
    second = replace(first, seq=2)
    assert operations.body(second) == model.body(second)
    assert operations.encode(second) != operations.encode(first)


@KINDS
def test_every_field_is_needed_and_no_other_is_allowed(kind: str) -> None:
    good = table(kind)
    for key in good:
        without = {other: value for other, value in good.items() if other != key}
        assert code_of(decode, codec.encode(without)) in ("field-set", "field-text")
    assert code_of(decode, codec.encode({**good, "more": 1})) == "field-set"


@KINDS
@pytest.mark.parametrize("value", [None, True, -1, 2**64 - 1, b"", b"\1" * 65, "", "text", [], {}, [1, 2, 3, 4]])
def test_every_field_has_its_type(kind: str, value: object) -> None:
    if value == -1:
        value = [-0]  # there are no negative numbers to send
    for key, good in table(kind).items():
        if key == "record" or type(value) is type(good):
            continue
        assert code_of(decode, codec.encode({**table(kind), key: value})), key  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("kind", "field", "value", "code"),
    [
        ("commit", "kind", "steal", "operation-kind"),
        ("commit", "commitment", b"\1" * 31, "field-bytes"),
        ("commit", "signature", b"\1" * 64, "field-set"),
        ("reveal", "name", "Alice", "name-alphabet"),
        ("reveal", "name", "", "name-length"),
        ("reveal", "salt", b"", "field-bytes"),
        ("reveal", "owner", b"\2" * 32, "field-bytes"),
        ("reveal", "born", 2**32, "field-uint"),
        ("reveal", "record", {"hosts": 1}, "field-type"),
        ("reveal", "signature", b"", "field-bytes"),
        ("update", "reg", b"\1" * 15, "field-bytes"),
        ("update", "record", {"x": b"\0" * 1600}, "record-size"),
        ("renew", "expires", 2**32, "field-uint"),
        ("renew", "expires", False, "field-uint"),
        ("transfer", "new_owner", b"\2" * 34, "field-bytes"),
        ("revoke", "signature", b"\1" * 63, "field-bytes"),
        ("revoke", "stamp", [1, b"anchored", 3, [0] * 7], "stamp-shape"),
        ("revoke", "stamp", None, "stamp-shape"),
    ],
)
def test_rules_of_fields_have_their_codes(kind: str, field: str, value: codec.Value, code: str) -> None:
    assert code_of(decode, codec.encode({**table(kind), field: value})) == code


def test_an_operation_has_at_most_2048_bytes() -> None:
    assert code_of(decode, bytes(2049)) == "operation-size"
    assert code_of(decode, bytes(2048)) != "operation-size"


def test_a_draft_is_no_operation() -> None:
    assert code_of(decode, operations.encode(DRAFTS["update"])) == "field-set"
    unsigned = replace(FULL["update"], signature=b"")
    assert code_of(decode, operations.encode(unsigned)) == "field-set"


def test_a_reveals_commitment_is_the_commits() -> None:
    reveal: Any = DRAFTS["reveal"]
    again = operations.commitment(GENESIS, reveal.salt, reveal.owner, reveal.born, reveal.name)
    assert DRAFTS["commit"] == Commit(commitment=again)


# --- entries -----------------------------------------------------------------------------------------------

ENTRY = NameEntry(ALICE.key, REG, {"x": 1}, b"\xee\xee" + bytes(13) + b"\1", 7, 10, 70, revoked=False)


def test_an_entry_survives_its_encoding() -> None:
    for entry in (ENTRY, replace(ENTRY, address=None, revoked=True, record={})):
        assert NameEntry.decode(entry.encode()) == entry
        assert cbor2.loads(entry.encode())["seq"] == 7


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("owner", bytes(32)),
        ("reg", bytes(15)),
        ("record", []),
        ("address", bytes(15)),
        ("address", ""),
        ("seq", True),
        ("registered", 2**32),
        ("expires", 2**32),
        ("revoked", 0),
        ("revoked", None),
        ("more", 1),
    ],
)
def test_a_bad_entry_is_refused(field: str, value: codec.Value) -> None:
    decoded = codec.decode(ENTRY.encode())
    assert isinstance(decoded, dict)
    assert code_of(NameEntry.decode, codec.encode({**decoded, field: value})).startswith("field-")


# --- blocks ------------------------------------------------------------------------------------------------


def block_decode(data: bytes) -> Block:
    return Block.decode(data, CONSENSUS)


def test_a_block_survives_its_encoding() -> None:
    block = Block(genesis(PARAMS), tuple(FULL.values()))
    assert block_decode(block.encode()) == block
    assert block_decode(Block(genesis(PARAMS), ()).encode()).operations == ()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "header-size"),
        (bytes(123), "header-size"),
        (bytes(125), "header-version"),
        (genesis(PARAMS).encode(), "truncated"),
        (genesis(PARAMS).encode() + b"\xa0", "field-type"),
        (genesis(PARAMS).encode() + b"\x81\x00", "field-bytes"),
        (genesis(PARAMS).encode() + b"\x81\x40", "truncated"),
        (genesis(PARAMS).encode() + b"\x80\x00", "trailing-bytes"),
        (genesis(PARAMS).encode() + b"\x9a\x00\x10\x00\x00", "truncated"),
        (bytes(4097), "block-size"),
    ],
)
def test_bad_blocks_are_refused(data: bytes, code: str) -> None:
    assert code_of(block_decode, data) == code


def test_a_draft_in_a_block_is_refused() -> None:
    with pytest.raises(CodecError):
        decode_body(encode_body([DRAFTS["update"]]), CONSENSUS)


# --- any bytes ---------------------------------------------------------------------------------------------

DECODERS: dict[str, Callable[[bytes], Any]] = {
    "operation": decode,
    "draft": lambda data: operations.decode_draft(data, CONSENSUS),
    "entry": NameEntry.decode,
    "block": block_decode,
    "body": lambda data: decode_body(data, CONSENSUS),
}
ENCODERS: dict[str, Callable[[Any], bytes]] = {
    "operation": operations.encode,
    "draft": operations.encode,
    "entry": NameEntry.encode,
    "block": Block.encode,
    "body": encode_body,
}


def check_any(what: str, data: bytes) -> None:
    """A typed error, or a value with exactly these bytes."""
    try:
        value = DECODERS[what](data)
    except (CodecError, RuleError):
        return
    assert ENCODERS[what](value) == data


@pytest.mark.parametrize("what", DECODERS)
@given(data=st.binary(max_size=200))
@example(data=operations.encode(FULL["reveal"]))
@example(data=ENTRY.encode())
def test_any_bytes(what: str, data: bytes) -> None:
    check_any(what, data)
    check_any(what, genesis(PARAMS).encode() + data)


@pytest.mark.parametrize("what", ["operation", "draft", "entry"])
@settings(max_examples=30)
@given(source=st.sampled_from([*map(table, FULL), codec.decode(ENTRY.encode())]), data=st.data())
def test_any_value_in_any_field(what: str, source: dict[str, codec.Value], data: st.DataObject) -> None:
    key = data.draw(st.sampled_from(sorted(source)))
    try:
        changed = codec.encode({**source, key: data.draw(VALUES)})
    except CodecError:
        return
    check_any(what, changed)


@given(st.sampled_from(list(FULL.values())), st.data())
def test_any_changed_byte_of_an_operation(operation: Operation, data: st.DataObject) -> None:
    raw = bytearray(operations.encode(operation))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    check_any("operation", bytes(raw))
    check_any("body", codec.encode([bytes(raw)]))
