"""Records: shape, hosts, claims, proofs; every rule with its code."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshchain.crypto.address import CLAIM_PREFIX, node_address
from meshchain.ledger import codec, record
from meshchain.ledger.entry import Record
from meshchain.ledger.errors import CodecError, RemoteError, RuleError
from tests.ledger.codec.values import VALUES
from tests.ledger.kit import Node, small_params

CONSENSUS = small_params().consensus
GENESIS, OWNER, NAME = b"\1" * 32, b"\2" * 33, "alice"
CLAIM = CLAIM_PREFIX + bytes(5) + b"\7"


def host(number: int = 1, label: str = "", **changes: codec.Value) -> Record:
    return {**Node(number).host(GENESIS, OWNER, NAME, label=label), **changes}


def code_of(shape: Record) -> str:
    with pytest.raises(RemoteError) as error:
        record.check_shape(shape, CONSENSUS)
    return error.value.code


GOOD: dict[str, Record] = {
    "empty": {},
    "no hosts": {"hosts": []},
    "a primary": {"hosts": [host()]},
    "a claim": {"hosts": [host(ip6=CLAIM)]},
    "the last claim": {"hosts": [host(ip6=CLAIM_PREFIX + b"\xff" * 6)]},
    "one key under several labels": {"hosts": [host(), host(label="www"), host(label="a-b")]},
    "several keys under one label": {"hosts": [host(1, "www"), host(2, "www")]},
    "eight hosts": {"hosts": [host(1, f"h{number}", proof=bytes(64)) for number in range(8)]},
    "no primary": {"hosts": [host(1, "www")]},
    "unknown keys": {"future": [1, {"a": b"b"}], "hosts": [host(extra={"x": None})]},
    "dns": {"dns": [["", "A", 300, "192.0.2.1"], ["_x._tcp", "SRV", 2**32 - 1, "0 0 1 ."], ["", "", 0, ""]]},
}


@pytest.mark.parametrize("shape", GOOD.values(), ids=GOOD.keys())
def test_records_that_are_allowed(shape: Record) -> None:
    record.check_shape(shape, CONSENSUS)
    assert codec.decode(codec.encode(shape)) == shape


BAD: list[tuple[str, Record, str]] = [
    ("too large", {"x": bytes(1531)}, "record-size"),
    ("hosts no array", {"hosts": {}}, "field-type"),
    ("a host no map", {"hosts": [1]}, "field-type"),
    ("nine hosts", {"hosts": [host(1, f"h{n}", proof=bytes(64)) for n in range(9)]}, "host-count"),
    ("two primaries", {"hosts": [host(1), host(2)]}, "host-primary"),
    ("a host twice", {"hosts": [host(1, "www"), host(1, "www")]}, "host-duplicate"),
    ("label no text", {"hosts": [host(label=b"a")]}, "field-text"),  # type: ignore[arg-type]
    ("a label with a dot", {"hosts": [host(1, "a.b")]}, "name-alphabet"),
    ("a label that is too long", {"hosts": [host(1, "a" * 64)]}, "name-length"),
    ("a short key", {"hosts": [host(key=b"\1" * 31)]}, "field-bytes"),
    ("a short address", {"hosts": [host(ip6=bytes(15))]}, "field-bytes"),
    ("a short proof", {"hosts": [host(proof=bytes(63))]}, "field-bytes"),
    ("a zone of 17 bits", {"hosts": [host(zone=2**16)]}, "field-uint"),
    ("a zone that is true", {"hosts": [host(zone=True)]}, "field-uint"),
    ("another key's address", {"hosts": [host(ip6=node_address(Node(2).key))]}, "host-address"),
    ("eeee:: itself", {"hosts": [host(ip6=CLAIM_PREFIX + bytes(6))]}, "host-address"),
    ("a claim by a second host", {"hosts": [host(1, "www", ip6=CLAIM)]}, "host-address"),
    ("an address of the world", {"hosts": [host(ip6=b"\x20\x01" + bytes(14))]}, "host-address"),
    ("dns no array", {"dns": {}}, "field-type"),
    ("a dns record no array", {"dns": ["A"]}, "field-type"),
    ("a dns record of three", {"dns": [["", "A", 1]]}, "dns-shape"),
    ("a ttl of 33 bits", {"dns": [["", "A", 2**32, ""]]}, "dns-shape"),
    ("a ttl that is false", {"dns": [["", "A", False, ""]]}, "dns-shape"),
    ("dns text that is bytes", {"dns": [["", "A", 1, b""]]}, "dns-shape"),
]


@pytest.mark.parametrize(("shape", "code"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_records_that_are_refused(shape: Record, code: str) -> None:
    assert code_of(shape) == code


@pytest.mark.parametrize("key", ["label", "key", "ip6", "zone", "proof"])
def test_every_field_of_a_host_is_needed(key: str) -> None:
    without = host()
    del without[key]
    assert code_of({"hosts": [without]}).startswith("field-")


def test_the_size_limit_is_exact() -> None:
    room = CONSENSUS.max_record_size - len(codec.encode({"x": bytes(1000)})) + 1000
    record.check_shape({"x": bytes(room)}, CONSENSUS)
    assert code_of({"x": bytes(room + 1)}) == "record-size"


def test_a_key_whose_derived_address_would_be_claimable_is_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """No such key is known (2^64 hashes); the rule must hold all the same."""
    monkeypatch.setattr(record, "node_address", lambda _key: None)
    assert code_of({"hosts": [host()]}) == "host-key"


# --- proofs ------------------------------------------------------------------------------------------------


def check_proofs(shape: Record, genesis: bytes = GENESIS, owner: bytes = OWNER, name: str = NAME) -> None:
    record.check_proofs(shape, genesis=genesis, owner=owner, name=name)


def test_a_proof_binds_key_owner_name_and_network() -> None:
    good: Record = {"hosts": [host(), host(2, "www")]}
    check_proofs(good)
    for other in ({"genesis": bytes(32)}, {"owner": bytes(33)}, {"name": "bob"}):
        with pytest.raises(RuleError) as error:
            check_proofs(good, **other)
        assert error.value.code == "host-proof"


def test_the_one_bad_proof_among_several_is_named() -> None:
    with pytest.raises(RuleError) as error:
        check_proofs({"hosts": [host(), host(2, "www", proof=bytes(64))]})
    assert error.value.detail == {"label": "www"}


def test_a_host_cannot_be_listed_with_anothers_proof() -> None:
    with pytest.raises(RuleError):
        check_proofs({"hosts": [host(key=Node(2).key)]})


@pytest.mark.parametrize("key", [bytes(32), b"\1" + bytes(31), b"\xff" * 32], ids=["order 4", "identity", "no point"])
def test_a_key_of_small_order_proves_nothing(key: bytes) -> None:
    """The identity's signature 0 ‖ 0 verifies under sloppy libraries."""
    for proof in (bytes(64), b"\1" + bytes(63)):
        with pytest.raises(RuleError):
            check_proofs({"hosts": [{**host(), "key": key, "proof": proof}]})


# --- reading -----------------------------------------------------------------------------------------------


def test_the_primary_is_the_host_without_a_label_wherever_it_stands() -> None:
    shape: Record = {"hosts": [host(2, "www"), host(1, ip6=CLAIM), host(3, "b")]}
    assert record.primary_key(shape) == Node(1).key
    assert record.claim(shape) == CLAIM
    assert record.host_keys(shape) == {Node(1).key, Node(2).key, Node(3).key}
    assert record.primary({"hosts": [host(2, "www")]}) is None
    assert (record.primary_key({}), record.claim({}), record.host_keys({})) == (None, None, set())
    assert record.claim({"hosts": [host()]}) is None


HOSTISH = st.fixed_dictionaries(
    {},
    optional={
        "label": st.sampled_from(["", "www", "-"]) | VALUES,
        "key": st.sampled_from([Node(1).key, Node(2).key]) | VALUES,
        "ip6": st.sampled_from([CLAIM, node_address(Node(1).key)]) | VALUES,
        "zone": st.integers(0, 2**17) | VALUES,
        "proof": st.binary(min_size=64, max_size=64) | VALUES,
    },
)
RECORDISH = st.fixed_dictionaries(
    {}, optional={"hosts": st.lists(HOSTISH, max_size=3) | VALUES, "dns": VALUES, "x": VALUES}
)


@settings(max_examples=40)
@given(RECORDISH)
def test_any_record_is_refused_with_a_code_or_readable(shape: Record) -> None:
    try:
        record.check_shape(shape, CONSENSUS)
    except (CodecError, RuleError):
        return
    record.primary_key(shape)
    record.claim(shape)
    record.host_keys(shape)
    if record.hosts(shape):  # nobody can draw a signature
        with pytest.raises(RuleError):
            check_proofs(shape)


def test_consensus_parameters_rule_the_size() -> None:
    small = replace(CONSENSUS, max_record_size=300)
    with pytest.raises(RuleError):
        record.check_shape({"x": bytes(300)}, small)
