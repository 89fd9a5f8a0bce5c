"""A second implementation, written from ledger.md alone (``second/``), agrees with the vectors.

It shares nothing with the first but the two signature checks: if it can follow the chain and refuses what must
be refused, then the document says enough.
"""

from collections.abc import Callable
from typing import Any

import pytest

from docs.spec.making.values import form
from tests.spec.reading import load, raw
from tests.spec.second import headers, rules, values
from tests.spec.second.node import Node
from tests.spec.second.values import InvalidError

CHAIN = load("chain.json")
MESH = {"max_operation_size": 2048, "max_record_size": 1536}


def _check_held(node: Node, step: dict[str, Any]) -> None:
    tip = node.tip
    assert (tip.height, tip.id.hex(), tip.state_root.hex()) == (step["height"], step["tip"], step["state_root"])
    assert node.work(tip.id) == step["work"]
    state = node.states[tip.id]
    assert {name: values.encode(entry).hex() for name, entry in state.entries.items()} == step["entries"]
    commitments = {c.hex(): {"height": height, "used": used} for c, (height, used) in state.commitments.items()}
    assert commitments == step["commitments"]


def test_it_follows_the_chain_and_refuses_what_it_must() -> None:
    node = Node(CHAIN["parameters"])
    assert node.genesis == raw(CHAIN["genesis_id"])
    for step in CHAIN["steps"]:
        for header in step["headers"]:
            node.take_header(raw(header))
        node.take_block(raw(step["block"]))
        _check_held(node, step)
        for case in step.get("refused", ()):
            for block in case["blocks"]:
                _refuse(node, raw(block), case["why"])
        _check_held(node, step)


def _refuse(node: Node, block: bytes, why: str) -> None:
    try:
        node.take_block(block)
    except InvalidError:
        return
    pytest.fail(f"taken: {why}")


@pytest.mark.parametrize(
    ("broken", "codes"),
    [
        ("check_stamp", {"stamp-anchor", "stamp-anchor-fork", "stamp-bits", "stamp-work"}),
        ("verify_ecdsa", {"signature"}),
        ("verify_ed25519", {"host-proof"}),
    ],
)
def test_without_a_check_it_would_be_fooled(monkeypatch: pytest.MonkeyPatch, broken: str, codes: set[str]) -> None:
    """The bad blocks are good but for what they are there for, so an implementation that forgets it is found out."""
    cases = [(step, case) for step in CHAIN["steps"] for case in step.get("refused", ()) if case["code"] in codes]
    assert {case["code"] for _, case in cases} == codes
    for until, case in cases:
        node = Node(CHAIN["parameters"])
        for step in CHAIN["steps"][: CHAIN["steps"].index(until) + 1]:
            node.take_block(raw(step["block"]))
        with monkeypatch.context() as patch:
            patch.setattr(rules, broken, lambda *_: True)
            node.take_block(raw(case["blocks"][0]))
        assert node.tip.data == raw(case["blocks"][0])[:124], case["why"]


def test_encodings() -> None:
    cases = load("codec.json")
    for case in cases["accepted"]:
        assert form(values.decode(raw(case["cbor"]))) == case["value"]
    for case in cases["refused"]:
        with pytest.raises(InvalidError):
            values.decode(raw(case["cbor"]))


def test_names() -> None:
    names = load("names.json")
    for name in names["valid"]:
        rules.check_name(name)
    for case in names["invalid"]:
        with pytest.raises(InvalidError):
            rules.check_name(case["name"])


@pytest.mark.parametrize(("file", "key"), [("operations.json", "operations"), ("records.json", "valid")])
def test_operations_and_records_are_taken(file: str, key: str) -> None:
    read = _reader(file)
    for case in load(file)[key]:
        assert read(case) == raw(case.get("bytes") or case["cbor"])


@pytest.mark.parametrize(("file", "key"), [("operations.json", "refused"), ("records.json", "invalid")])
def test_operations_and_records_are_refused(file: str, key: str) -> None:
    read = _reader(file)
    for case in load(file)[key]:
        if case["code"] != "host-proof":  # judged when an operation is applied
            with pytest.raises(InvalidError):
                read(case)


def _reader(file: str) -> Callable[[dict[str, Any]], bytes]:
    return _read_operation if file == "operations.json" else _read_record


def _read_operation(case: dict[str, Any]) -> bytes:
    return values.encode(rules.parse(MESH, raw(case["bytes"])))


def _read_record(case: dict[str, Any]) -> bytes:
    record = values.decode(raw(case["cbor"]))
    rules.check_record(MESH, record)
    return values.encode(record)


def test_difficulty() -> None:
    cases = load("difficulty.json")
    for case in cases["asert"]:
        p = case | {"pow_limit_bits": f"{case['pow_limit_bits']:08x}"}
        assert headers.asert(p, case["anchor_bits"], case["time_delta"], case["height_delta"]) == case["bits"]
    for case in cases["chains"]:
        p = case | {"pow_limit_bits": f"{case['pow_limit_bits']:08x}"}
        chain = [_head(0, 0, 0)]
        for block in case["blocks"]:
            assert headers.expected_bits(p, chain, block["time"]) == block["bits"]
            chain.append(_head(block["height"], block["time"], block["bits"]))


def _head(height: int, time: int, bits: int) -> headers.Head:
    packed = height.to_bytes(4, "big") + bytes(96) + time.to_bytes(8, "big") + bits.to_bytes(4, "big")
    return headers.Head(b"\0\0\0\1" + packed + bytes(8))


def test_bits() -> None:
    cases = load("headers.json")
    for case in cases["bits"]:
        assert headers.target(case["bits"]) == int(case["target"], 16)
    for case in cases["targets"]:
        assert headers.compact(int(case["target"], 16)) == case["bits"]
    for case in cases["work"]:
        assert headers.work(case["bits"]) == int(case["work"], 16)
