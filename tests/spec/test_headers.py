"""headers.json and difficulty.json."""

from dataclasses import replace
from typing import Any

import pytest

from meshchain.ledger import codec, compact, difficulty, params
from meshchain.ledger.errors import CodecError, RuleError
from meshchain.ledger.header import Header, genesis, operations_root
from meshchain.ledger.params import Consensus
from meshchain.ledger.pow import check_work, pow_hash
from tests.spec.reading import consensus_of, load, raw

HEADERS, DIFFICULTY = load("headers.json"), load("difficulty.json")
DEV = consensus_of("dev")
FIELDS = ("version", "height", "previous", "operations_root", "state_root", "time", "bits", "nonce")


@pytest.mark.parametrize("case", HEADERS["networks"], ids=lambda case: case["name"])
def test_networks(case: dict[str, Any]) -> None:
    network = params.load(case["name"])
    assert network.network_hash() == raw(case["network_hash"])
    header = genesis(network)
    assert (header.encode(), header.id) == (raw(case["genesis_header"]), raw(case["genesis_id"]))
    assert header.previous == raw(case["network_hash"])
    committed = codec.decode(raw(case["parameters"]))
    assert isinstance(committed, dict)
    for key, value in committed.items():
        known = getattr(network.consensus, key)
        assert value == (dict(known) if key == "stamp_bits" else known)


def test_networks_share_nothing() -> None:
    assert len({case["genesis_id"] for case in HEADERS["networks"]}) == 3


@pytest.mark.parametrize("case", HEADERS["headers"], ids=lambda case: str(case["height"]))
def test_headers_both_ways(case: dict[str, Any]) -> None:
    values: list[Any] = [raw(case[key]) if isinstance(case[key], str) else case[key] for key in FIELDS]
    header = Header(*values)
    assert header.encode() == raw(case["bytes"])
    assert Header.decode(raw(case["bytes"])) == header
    assert header.id == raw(case["id"])
    assert pow_hash(raw(case["bytes"]), DEV.pow_memory_kib) == raw(case["pow_hash"])
    assert case["meets"]
    check_work(header, DEV)


@pytest.mark.parametrize("case", HEADERS["without_work"], ids=lambda case: case["why"])
def test_headers_without_work(case: dict[str, Any]) -> None:
    with pytest.raises(RuleError) as caught:
        check_work(Header.decode(raw(case["bytes"])), DEV)
    assert caught.value.code == "pow"


@pytest.mark.parametrize("case", HEADERS["refused"], ids=lambda case: case["why"])
def test_refused_headers(case: dict[str, Any]) -> None:
    with pytest.raises(CodecError) as caught:
        Header.decode(raw(case["bytes"]))
    assert caught.value.code == case["code"]


def test_bits_targets_and_work() -> None:
    for case in HEADERS["bits"]:
        assert compact.to_target(case["bits"]) == int(case["target"], 16)
    for case in HEADERS["targets"]:
        assert compact.to_bits(int(case["target"], 16)) == case["bits"]
    for case in HEADERS["work"]:
        assert compact.work(case["bits"]) == int(case["work"], 16)


def test_operations_roots() -> None:
    for case in HEADERS["operations_roots"]:
        assert operations_root([raw(wid) for wid in case["wids"]]) == raw(case["root"])


def test_asert() -> None:
    for case in DIFFICULTY["asert"]:
        spacing, half_life, limit = case["spacing"], case["half_life"], case["pow_limit_bits"]
        result = difficulty.asert_bits(
            case["anchor_bits"],
            case["time_delta"],
            case["height_delta"],
            spacing=spacing,
            half_life=half_life,
            pow_limit_bits=limit,
        )
        assert result == case["bits"], case


@pytest.mark.parametrize("case", DIFFICULTY["chains"], ids=lambda case: case["why"])
def test_difficulty_of_chains(case: dict[str, Any]) -> None:
    consensus = _consensus(case)
    state = difficulty.at_genesis(consensus)
    for block in case["blocks"]:
        assert difficulty.next_bits(consensus, state, block["time"]) == block["bits"], block
        state = difficulty.advance(consensus, state, block["time"], block["bits"])
        assert state.anchor is not None
        assert (state.height, state.anchor.height) == (block["height"], block["anchor_height"])
        assert state.max_time == block["max_time"]


def test_the_chains_hold_what_they_are_for() -> None:
    anchors = [{block["anchor_height"] for block in case["blocks"]} for case in DIFFICULTY["chains"]]
    assert any(len(found) > 1 for found in anchors)
    limit = [all(b["bits"] == case["pow_limit_bits"] for b in case["blocks"]) for case in DIFFICULTY["chains"]]
    assert set(limit) == {True, False}


def _consensus(case: dict[str, Any]) -> Consensus:
    keys = ("spacing", "half_life", "retarget", "pow_limit_bits")
    return replace(DEV, **{key: case[key] for key in keys})
