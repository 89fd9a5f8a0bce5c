"""codec.json, hashes.json, names.json."""

from typing import Any

import pytest

from docs.spec.making.values import form, value_of
from meshchain.crypto import ed25519_public_key
from meshchain.crypto.address import is_claimable, node_address
from meshchain.crypto.hashing import short_hash, tagged_hash
from meshchain.ledger import codec
from meshchain.ledger.errors import CodecError, RuleError
from meshchain.ledger.names import check_name
from tests.spec.reading import load, raw

CODEC, HASHES, NAMES = load("codec.json"), load("hashes.json"), load("names.json")


@pytest.mark.parametrize("case", CODEC["accepted"], ids=lambda case: case["cbor"][:24])
def test_values_and_bytes_are_one_to_one(case: dict[str, Any]) -> None:
    value = codec.decode(raw(case["cbor"]))
    assert form(value) == case["value"]
    assert codec.encode(value_of(case["value"])) == raw(case["cbor"])


@pytest.mark.parametrize("case", CODEC["refused"], ids=lambda case: case["why"])
def test_other_bytes_are_refused_by_their_rule(case: dict[str, Any]) -> None:
    with pytest.raises(CodecError) as caught:
        codec.decode(raw(case["cbor"]))
    assert caught.value.code == case["code"]


def test_tagged_hashes() -> None:
    for case in HASHES["tagged"]:
        assert tagged_hash(case["tag"], *map(raw, case["fields"])) == raw(case["hash"])


def test_short_hashes() -> None:
    for case in HASHES["short"]:
        assert short_hash(case["person"], raw(case["data"])) == raw(case["hash"])


@pytest.mark.parametrize("name", NAMES["valid"])
def test_valid_names(name: str) -> None:
    check_name(name)


@pytest.mark.parametrize("case", NAMES["invalid"], ids=lambda case: ascii(case["name"]))
def test_invalid_names(case: dict[str, Any]) -> None:
    with pytest.raises(RuleError) as caught:
        check_name(case["name"])
    assert caught.value.code == case["code"]


def test_node_addresses() -> None:
    for case in NAMES["node_addresses"]:
        assert ed25519_public_key(raw(case["seed"])) == raw(case["key"])
        assert node_address(raw(case["key"])) == raw(case["ip6"])


def test_claimable_addresses() -> None:
    assert {case["claimable"] for case in NAMES["claims"]} == {True, False}
    for case in NAMES["claims"]:
        assert is_claimable(raw(case["ip6"])) == case["claimable"]
