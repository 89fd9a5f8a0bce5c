"""records.json, operations.json, stamps.json."""

from typing import Any

import pytest

from docs.spec.making.values import form, value_of
from meshchain.crypto import (
    argon2id,
    ecdsa_public_key,
    ed25519_public_key,
    sign_ecdsa,
    sign_ed25519,
    verify_ecdsa,
    verify_ed25519,
)
from meshchain.ledger import codec, operations, record, stamps
from meshchain.ledger.entry import Record
from meshchain.ledger.errors import RemoteError, RuleError
from meshchain.ledger.stamps import Stamp
from meshchain.ledger.workers import InlineWorkers
from tests.spec.reading import consensus_of, load, raw

RECORDS, OPERATIONS, STAMPS = load("records.json"), load("operations.json"), load("stamps.json")
MESH = consensus_of("mesh")


def _check_record(encoded: bytes) -> Record:
    """The record, decoded and checked as an update's would be."""
    value = codec.decode(encoded)
    if not isinstance(value, dict):
        operations.decode_draft(codec.encode(_update(value)), MESH)  # refused there
        raise AssertionError("a record is a map")
    record.check_shape(value, MESH)
    genesis, owner = raw(RECORDS["genesis"]), raw(RECORDS["owner"])
    record.check_proofs(value, genesis=genesis, owner=owner, name=RECORDS["name"])
    return value


def _update(value: codec.Value) -> codec.Value:
    return {"kind": "update", "name": "alice", "reg": bytes(16), "seq": 1, "record": value}


@pytest.mark.parametrize("case", RECORDS["valid"], ids=lambda case: case["why"])
def test_valid_records(case: dict[str, Any]) -> None:
    value = _check_record(raw(case["cbor"]))
    assert form(value) == case["record"]
    assert codec.encode(value_of(case["record"])) == raw(case["cbor"])
    key, claim = record.primary_key(value), record.claim(value)
    assert (key and key.hex(), claim and claim.hex()) == (case["primary"], case["claim"])


@pytest.mark.parametrize("case", RECORDS["invalid"], ids=lambda case: case["why"])
def test_invalid_records(case: dict[str, Any]) -> None:
    assert codec.encode(value_of(case["record"])) == raw(case["cbor"])
    with pytest.raises(RemoteError) as caught:
        _check_record(raw(case["cbor"]))
    assert caught.value.code == case["code"]


def test_commitments() -> None:
    for case in OPERATIONS["commitments"]:
        fields = raw(case["salt"]), raw(case["owner"]), case["born"], case["name"]
        made = operations.commitment(raw(OPERATIONS["genesis"]), *fields)
        assert made == raw(case["commitment"])
        assert made[:16] == raw(case["reg"])


@pytest.mark.parametrize("case", OPERATIONS["operations"], ids=lambda case: case["kind"] + "-" + case["signed_with"])
def test_operations_both_ways(case: dict[str, Any]) -> None:
    genesis = raw(OPERATIONS["genesis"])
    operation = operations.decode(raw(case["bytes"]), MESH)
    assert operation.kind == case["kind"]
    assert form(operation.fields()) == case["fields"]
    assert operation.stamp == Stamp.from_value(value_of(case["stamp"]))
    assert operations.opid(operation, genesis) == raw(case["opid"])
    assert operations.wid(operation) == raw(case["wid"])
    table: dict[str, codec.Value] = {"kind": case["kind"]}
    fields = value_of(case["fields"])
    assert isinstance(fields, dict)
    table |= fields
    assert codec.encode(table) == raw(case["body"]) == operations.body(operation)
    signature = {"signature": raw(case["signature"])} if case["signature"] else {}
    assert codec.encode(table | signature | {"stamp": value_of(case["stamp"])}) == raw(case["bytes"])


@pytest.mark.parametrize("case", OPERATIONS["operations"], ids=lambda case: case["kind"] + "-" + case["signed_with"])
def test_signatures_of_operations(case: dict[str, Any]) -> None:
    private, digest, signature = raw(case["private"]), raw(case["opid"]), raw(case["signature"])
    if case["signed_with"] == "ecdsa":
        assert sign_ecdsa(private, digest) == signature
        assert verify_ecdsa(ecdsa_public_key(private), digest, signature)
    elif case["signed_with"] == "ed25519":
        assert sign_ed25519(private, digest) == signature
        assert verify_ed25519(ed25519_public_key(private), digest, signature)
    else:
        assert (case["kind"], signature) == ("commit", b"")


@pytest.mark.parametrize("case", OPERATIONS["refused"], ids=lambda case: case["why"])
def test_refused_operations(case: dict[str, Any]) -> None:
    with pytest.raises(RemoteError) as caught:
        operations.decode(raw(case["bytes"]), MESH)
    assert caught.value.code == case["code"]


def test_anchors() -> None:
    for case in STAMPS["anchors"]:
        assert list(stamps.anchor_heights(consensus_of(case["network"]), case["height"])) == case["anchors"]


def test_minimum_bits() -> None:
    for case in STAMPS["minimum_bits"]:
        assert stamps.minimum_bits(consensus_of(case["network"]), case["kind"], case["name"]) == case["bits"]


@pytest.mark.parametrize("case", STAMPS["valid"], ids=lambda case: case["kind"])
def test_stamps_hash_by_hash(case: dict[str, Any]) -> None:
    salt, memory = raw(STAMPS["salt"]), STAMPS["memory_kib"]
    challenge = _challenge(case, case)
    assert challenge == raw(case["challenge"])
    for index, (nonce, expected) in enumerate(zip(case["nonces"], case["hashes"], strict=True)):
        digest = argon2id(challenge + bytes((index,)) + nonce.to_bytes(8, "big"), salt, memory_kib=memory)
        assert digest == raw(expected)
        assert int.from_bytes(digest, "big") >> (256 - case["bits"]) == 0
    stamps.check_work(_stamp(case), challenge, memory, InlineWorkers())


@pytest.mark.parametrize("case", STAMPS["invalid"], ids=lambda case: case["why"])
def test_false_stamps(case: dict[str, Any]) -> None:
    reveal = STAMPS["valid"][1]
    with pytest.raises(RuleError) as caught:
        stamps.check_work(_stamp(case), _challenge(reveal, case), STAMPS["memory_kib"], InlineWorkers())
    assert (caught.value.code, caught.value.detail["index"]) == (case["code"], case["index"])


def _stamp(case: dict[str, Any]) -> Stamp:
    return Stamp(case["anchor_height"], raw(case["anchor_hash"]), case["bits"], tuple(case["nonces"]))


def _challenge(operation: dict[str, Any], stamp: dict[str, Any]) -> bytes:
    body, signature = raw(operation["body"]), raw(operation["signature"])
    return stamps.challenge(stamp["anchor_height"], raw(stamp["anchor_hash"]), body, signature)
