"""genesis.json and files of one's own: every field checked by name, every parameter part of the network's identity."""

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshchain.ledger.errors import LocalError
from meshchain.ledger.header import genesis
from meshchain.ledger.params import Consensus, Params, Policy, Ports, bundled_networks, load, parse
from tests.ledger.kit import CONSENSUS, POLICY

TABLE: dict[str, Any] = {"consensus": CONSENSUS, "policy": POLICY, "ports": {"rpc": 1, "dns": 2, "gossip": 3}}


def changed(section: str, field: str, value: object) -> dict[str, Any]:
    table = deepcopy(TABLE)
    table[section][field] = value
    return table


def message_of(table: object) -> str:
    with pytest.raises(LocalError) as error:
        parse("mine.json", table)
    assert error.value.code == "bad-network"
    return error.value.message


def test_the_bundled_networks_are_those_of_the_specification() -> None:
    networks = bundled_networks()
    assert list(networks) == ["mesh", "test", "dev"]
    mesh = networks["mesh"].consensus
    assert (mesh.spacing, mesh.half_life, mesh.pow_memory_kib) == (120, 7200, 1024)
    assert (mesh.commit_depth, mesh.commit_life, mesh.expiry, mesh.grace) == (3, 720, 262_800, 21_600)
    assert (mesh.max_block_size, mesh.max_operation_size, mesh.max_record_size) == (32_768, 2048, 1536)
    assert (mesh.stamp_grid, mesh.max_seq_step, mesh.stamp_short_name) == (720, 1000, 6)
    assert mesh.stamp_bits == {"reveal": 13, "renew": 11, "transfer": 9, "update": 9, "commit": 8, "revoke": 6}
    test, dev = networks["test"].consensus, networks["dev"].consensus
    assert test.stamp_bits == {kind: bits - 4 for kind, bits in mesh.stamp_bits.items()}
    assert (test.expiry, test.grace) == (7200, 720)
    assert (dev.commit_depth, dev.commit_life, dev.expiry, dev.grace, dev.stamp_grid) == (1, 100, 1000, 50, 20)
    assert (set(dev.stamp_bits.values()), dev.stamp_short_name, dev.retarget) == ({0}, 0, False)
    policy = networks["mesh"].policy
    assert (policy.settled_depth, policy.parking_min, policy.parking_max) == (12, 1800, 86_400)
    assert policy.parking_per_block == mesh.spacing // 4
    assert networks["dev"].policy.future_limit is None


def test_networks_have_ports_of_their_own() -> None:
    ports = [port for net in bundled_networks().values() for port in (net.ports.rpc, net.ports.dns, net.ports.gossip)]
    assert len(set(ports)) == 9


def other(value: Any) -> Any:  # noqa: ANN401
    """Another valid value for a consensus parameter."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, dict):
        return {kind: bits + (kind == "renew") for kind, bits in value.items()}
    return "207ffffe" if value == "207fffff" else value + "x"


@pytest.mark.parametrize("field", [field.name for field in fields(Consensus)])
def test_every_consensus_parameter_makes_another_network(field: str) -> None:
    one = parse("a", TABLE)
    two = parse("b", changed("consensus", field, other(CONSENSUS[field])))
    assert genesis(one).id != genesis(two).id


def test_policy_and_ports_do_not() -> None:
    two = parse("b", changed("policy", "settled_depth", 3))
    assert genesis(parse("a", TABLE)).id == genesis(two).id
    assert genesis(parse("a", changed("ports", "rpc", 9))).id == genesis(two).id


def test_the_order_in_the_file_does_not_matter() -> None:
    table = {name: dict(reversed(section.items())) for name, section in reversed(TABLE.items())}
    assert parse("b", table) == parse("a", TABLE)


SECTIONS = {"consensus": Consensus, "policy": Policy, "ports": Ports}
FIELDS = [(section, field.name) for section, cls in SECTIONS.items() for field in fields(cls)]


@pytest.mark.parametrize(("section", "field"), FIELDS)
def test_a_missing_field_is_named(section: str, field: str) -> None:
    table = deepcopy(TABLE)
    del table[section][field]
    assert message_of(table) == f"mine.json: {section}: missing {field}"


@pytest.mark.parametrize(("section", "field"), FIELDS)
@pytest.mark.parametrize("value", ["", "zz", [], {}, -1, 1.5, 2**70, float("nan"), ["a"], "0" * 8, [0, float("inf")]])
def test_a_bad_value_is_refused_with_the_fields_name(section: str, field: str, value: object) -> None:
    if (field, value) in [("name", "zz"), ("name", "0" * 8), ("pow_limit_bits", "0" * 8)]:
        return  # good, or well-formed at least
    assert field in message_of(changed(section, field, value))


@pytest.mark.parametrize("section", [*SECTIONS, None])
def test_unknown_fields_are_named(section: str | None) -> None:
    table = deepcopy(TABLE)
    (table if section is None else table[section])["surprise"] = 1
    assert message_of(table).endswith("unknown surprise")


@pytest.mark.parametrize("table", [None, [], 1, "x", {}, {"consensus": None, "policy": {}, "ports": {}}])
def test_what_is_no_network_is_refused(table: object) -> None:
    message_of(table)


RELATIONS: list[tuple[dict[str, object], str]] = [
    ({"commit_life": 2}, "commit_life"),
    ({"expiry": 39}, "4 times commit_life"),
    ({"max_operation_size": 3841}, "greatest size"),
    ({"pow_limit_bits": "20ffffff"}, "pow_limit_bits"),  # negative
    ({"pow_limit_bits": "207fff00"[:6] + "zz"}, "pow_limit_bits"),
    ({"pow_limit_bits": "21000100"}, "canonical"),
    ({"pow_limit_bits": "00000000"}, "positive"),
    ({"pow_limit_bits": "ff7fffff"}, "pow_limit_bits"),
    ({"expiry": 2**31, "grace": 2**31}, "expiry"),
]


@pytest.mark.parametrize(("values", "word"), RELATIONS)
def test_parameters_that_do_not_fit_each_other_are_refused(values: dict[str, object], word: str) -> None:
    table = deepcopy(TABLE)
    table["consensus"].update(values)
    assert word in message_of(table)


def test_a_network_file_is_loaded_by_path(tmp_path: Path) -> None:
    path = tmp_path / "own.json"
    path.write_text(json.dumps(TABLE))
    assert load(str(path)) == parse("", TABLE)
    assert load("dev").name == "dev"


def write(path: Path, data: bytes) -> None:
    path.write_bytes(data)


BAD_FILES: dict[str, Callable[[Path], object]] = {
    "absent": lambda path: None,
    "a folder": lambda path: path.mkdir(),
    "not JSON": lambda path: write(path, b"{"),
    "not UTF-8": lambda path: write(path, b"\xff"),
    "empty": lambda path: write(path, b""),
    "a number": lambda path: write(path, b"1"),
    "too deep": lambda path: write(path, b"[" * 100_000),
    "a huge number": lambda path: write(path, b"9" * 10_000),
}


@pytest.mark.parametrize("make", BAD_FILES.values(), ids=BAD_FILES.keys())
def test_a_bad_file_is_named(tmp_path: Path, make: Callable[[Path], object]) -> None:
    path = tmp_path / "own.json"
    make(path)
    with pytest.raises(LocalError, match=r"own\.json") as error:
        load(str(path))
    assert error.value.code == "bad-network"


def test_an_unknown_network_is_answered_with_the_known_ones() -> None:
    with pytest.raises(LocalError, match="mesh, test, dev"):
        load("mainnet")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)


@given(st.sampled_from(FIELDS), JSON)
def test_any_json_in_any_field_is_refused_or_harmless(place: tuple[str, str], value: object) -> None:
    try:
        params = parse("x", changed(*place, value))
    except LocalError:
        return
    assert isinstance(params, Params)
    assert len(genesis(params).id) == 32
