"""The tables of ledger.md say what genesis.json, the code and the vectors say."""

import ast
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from meshchain.ledger import codec, operations
from meshchain.ledger.entry import Record
from meshchain.ledger.operations import Commit, Operation, Renew, Reveal, Revoke, Transfer, Update
from meshchain.ledger.stamps import Stamp
from tests.spec.reading import SPEC, VECTORS, load, raw

ROOT: Final = SPEC.parents[1]
LEDGER: Final = ROOT / "meshchain" / "ledger"
TEXT: Final = (SPEC / "ledger.md").read_text(encoding="utf-8")
GOSSIP: Final = (SPEC / "gossip.md").read_text(encoding="utf-8")
NETWORKS: Final = ("mesh", "test", "dev")
ERRORS: Final = {"RuleError", "CodecError", "ProofError", "HeldError"}
ELSEWHERE: Final = {"mempool", "queue", "mining", "store", "template.py", "record_json.py"}
"""Parts of the ledger whose codes are a node's own affair."""


HANDED_ON: Final = ("name-length", "name-alphabet", "name-edge-hyphen", "name-double-hyphen")
"""Codes of other rules that a proof is refused with."""


def _table(heading: str, document: str = TEXT) -> list[list[str]]:
    """The rows below the head that begins with these cells."""
    after = document.split(f"\n{heading}", 1)[1].splitlines()[2:]
    rows = []
    for line in after:
        if not line.startswith("|"):
            break
        rows.append([cell.strip().strip("`") for cell in line.strip("|").split("|")])
    assert rows
    return rows


def _flat(table: dict[str, Any]) -> dict[str, str]:
    cells: dict[str, str] = {}
    for key, value in table.items():
        if isinstance(value, dict):
            cells |= {f"{key}.{inner}": _cell(number) for inner, number in value.items()}
        else:
            cells[key] = _cell(value)
    return cells


def _cell(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


@pytest.mark.parametrize(("column", "network"), [*enumerate(NETWORKS, 1)])
def test_parameters_are_those_of_genesis_json(column: int, network: str) -> None:
    sections = json.loads((ROOT / "genesis.json").read_text(encoding="utf-8"))[network]
    consensus = {row[0]: row[column] for row in _table("| consensus | mesh |")}
    assert consensus == _flat(sections["consensus"])
    policy = {row[0]: row[column] for row in _table("| policy and ports | mesh |")}
    assert policy == _flat(sections["policy"]) | _flat(sections["ports"])


def test_genesis_ids() -> None:
    listed = {row[0]: row[1] for row in _table("| | genesis id |")}
    assert listed == {case["name"]: case["genesis_id"] for case in load("headers.json")["networks"]}


def test_order_of_the_committed_parameters() -> None:
    committed = codec.decode(raw(load("headers.json")["networks"][0]["parameters"]))
    assert isinstance(committed, dict)
    chapter = TEXT.split("exactly these keys, here in encoded order:\n", 1)[1].split("Policy and ports", 1)[0]
    named = list(dict.fromkeys(re.findall(r"`(\w+)`", chapter)))
    assert named == list(committed)


# --- tags ------------------------------------------------------------------------------------------------------


def _calls(path: Path, names: set[str]) -> Iterator[tuple[str, str]]:
    """(function, first argument) of the calls in a file whose first argument is a literal string."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
            continue
        function = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if function in names and isinstance(node.args[0].value, str):
            yield function, node.args[0].value


def test_every_tag_is_listed() -> None:
    files = [*(ROOT / "meshchain").rglob("*.py"), *(ROOT / "wallet").rglob("*.py")]
    used = {tag for path in files for _, tag in _calls(path, {"tagged_hash", "_scalar"})}
    listed = {row[0] for row in _table("| tag | fields |")}
    gossip = {row[0] for row in _table("| tag | fields |", GOSSIP)}
    assert not listed & gossip
    assert listed | gossip == used
    assert {case["tag"] for case in load("hashes.json")["tagged"]} == listed - {"wallet-file"}


# --- operations ------------------------------------------------------------------------------------------------


def test_keys_of_operations_in_encoded_order() -> None:
    listed = {row[0]: re.findall(r"\w+", row[1]) for row in _table("| kind | keys |")}
    shown = {}
    for case in load("operations.json")["operations"]:
        value = codec.decode(raw(case["bytes"]))
        assert isinstance(value, dict)
        shown[case["kind"]] = list(value)
    assert listed == shown


def _extreme(most: bool) -> Iterator[Operation]:
    """Every kind at its least or greatest."""
    name, u32, u64 = ("a" * 63, 2**32 - 1, 2**64 - 1) if most else ("a", 0, 0)
    record: Record = {"x": "y" * 1530} if most else {}
    reg, owner, signature = bytes(16), bytes(33), bytes(64)
    stamp = Stamp(u32, bytes(8), 64 if most else 0, (u64,) * 8)
    yield Commit(commitment=bytes(32), stamp=stamp)
    for operation in (
        Reveal(name=name, salt=bytes(32), owner=owner, born=u32, record=record),
        Update(name=name, reg=reg, seq=u64, record=record),
        Renew(name=name, reg=reg, expires=u32),
        Transfer(name=name, reg=reg, seq=u64, new_owner=owner),
        Revoke(name=name, reg=reg, seq=u64),
    ):
        yield replace(operation, signature=signature, stamp=stamp)


def test_sizes_of_operations() -> None:
    listed = {row[0]: row[2].replace(",", "") for row in _table("| kind | keys |")}
    least, greatest = (
        {operation.kind: len(operations.encode(operation)) for operation in _extreme(most)} for most in (False, True)
    )
    assert listed == {kind: f"{least[kind]} / {greatest[kind]}" for kind in least}


def test_fields_of_entries_in_encoded_order() -> None:
    value = codec.decode(raw(load("tree.json")["entries"][0]["entry"]))
    assert isinstance(value, dict)
    assert [row[0] for row in _table(["| key | type | meaning |", "|---|---|---|\n| `reg`"][0])] == list(value)


# --- codes -----------------------------------------------------------------------------------------------------


def _consensus_files() -> Iterator[Path]:
    for path in LEDGER.rglob("*.py"):
        if path.relative_to(LEDGER).parts[0] not in ELSEWHERE:
            yield path


def _codes_in(document: object) -> Iterator[str]:
    if isinstance(document, dict):
        if isinstance(document.get("code"), str):
            yield document["code"]
        yield from _codes_within(document.values())
    elif isinstance(document, list):
        yield from _codes_within(document)


def _codes_within(items: Iterable[object]) -> Iterator[str]:
    for item in items:
        yield from _codes_in(item)


def test_every_code_is_listed_with_its_kind() -> None:
    raised = defaultdict(set)
    for path in _consensus_files():
        for function, code in _calls(path, ERRORS):
            raised[code].add(function.removesuffix("Error").lower())
    for code in HANDED_ON:
        raised[code].add("proof")
    assert {row[0]: set(row[1].split(", ")) for row in _table("| code | kind |")} == dict(raised)


def test_every_code_has_the_vectors_it_says() -> None:
    found = defaultdict(set)
    for path in VECTORS.iterdir():
        if not path.name.startswith(("gossip-", "meshp-")):  # their codes are in the tables of their own documents
            for code in _codes_in(load(path.name)):
                found[code].add(path.stem)
    for code, _, _, where in _table("| code | kind |"):
        named = set() if where.startswith("–") else set(re.sub(r" \(.*\)", "", where).split(", "))
        hidden = {"tree"} if where.endswith("(as the proof's `entry`)") else set()
        assert named - hidden == found[code], code
        assert named or where.startswith("– "), code
    assert set(found) <= {row[0] for row in _table("| code | kind |")}


def test_codes_named_in_the_text_exist() -> None:
    listed = {row[0] for row in _table("| code | kind |")}
    chapters = TEXT.split("## 19.", 1)[0]
    named = set(re.findall(r"\(`([a-z]+-[a-z-]+)`\)", chapters))
    assert named
    assert named <= listed
