"""The tables of gossip.md say what the code and the vectors say."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import fields
from typing import Any, Final

import pytest

from docs.spec.making.gossip_messages import name_of
from meshchain.p2p import conduct, session
from meshchain.p2p.addresses import places
from meshchain.p2p.blocksync import sync as blocks
from meshchain.p2p.conduct import budgets
from meshchain.p2p.headersync import sync as headers
from meshchain.p2p.messages import LIMITS, MAX_BLOCKS, TYPES, block_operations
from meshchain.p2p.relay import announcer, hunt, operations, outbox, requests, verdict
from meshchain.p2p.relay import blocks as relay
from meshchain.p2p.serving import counter
from meshchain.p2p.slots import configured, door, duplicates, inbound, slots
from meshchain.p2p.transport import HANDSHAKE_TIME, frames, keyexchange
from tests.spec.reading import SPEC, VECTORS, consensus_of, load

TEXT: Final = (SPEC / "gossip.md").read_text(encoding="utf-8")
SOURCES: Final = SPEC.parents[1] / "meshchain"
MESH: Final = consensus_of("mesh")
CODEC_CODES: Final = frozenset(
    ("truncated", "trailing-bytes", "not-shortest", "indefinite-length", "type", "text-utf8", "field-type")
)
"""Raised by the codec's scalars and arrays, which are all that messages are made of."""


def _table(heading: str) -> list[list[str]]:
    after = TEXT.split(f"\n{heading}", 1)[1].splitlines()[2:]
    rows = []
    for line in after:
        if not line.startswith("|"):
            break
        rows.append([cell.strip().strip("`") for cell in line.strip("|").split("|")])
    return rows


def test_types_fields_and_sizes() -> None:
    rows = _table("| type | message | fields |")
    listed = {int(row[0], 16): row[1] for row in rows}
    assert listed == {kind: name_of(cls) for kind, cls in TYPES.items()}
    space = {"B": MESH.max_block_size, "N": block_operations(MESH)}
    for kind, _, _, size in rows:
        formula = size.replace(",", "").replace("·", "*")
        assert _value(ast.parse(formula, mode="eval").body, space) == LIMITS[int(kind, 16)].size(MESH), kind


def _value(node: ast.expr, space: dict[str, int]) -> int:
    if isinstance(node, ast.BinOp):
        left, right = _value(node.left, space), _value(node.right, space)
        return left * right if isinstance(node.op, ast.Mult) else left + right
    if isinstance(node, ast.Name):
        return space[node.id]
    assert isinstance(node, ast.Constant)
    assert isinstance(node.value, int)
    return node.value


CALLED: Final = {
    "block_id": "block",
    "short_ids": "short",
    "raw": "block",
    "raws": "array",
    "indexes": "positions",
    "addresses": "array",
}
"""Fields that the document does not call as the code does."""


@pytest.mark.parametrize("row", _table("| type | message | fields |"), ids=lambda row: row[1])
def test_fields_are_named_in_their_order(row: list[str]) -> None:
    words = iter(re.findall(r"[a-z_]+", row[2]))
    for field in fields(TYPES[int(row[0], 16)]):
        assert CALLED.get(field.name, field.name) in words, field.name  # words goes on behind the one found


def test_handshake_frames() -> None:
    rows = _table("| frame | from |")
    assert [int(row[3]) for row in rows] == list(keyexchange.MESSAGE_SIZES)
    assert keyexchange.PROLOGUE.decode() in TEXT
    assert f"MUST be over {HANDSHAKE_TIME:.0f} s" in TEXT
    assert (frames.MIN_SEALED, frames.MAX_SEALED, frames.MAX_PLAIN) == (17, 65535, 65519)
    assert "17 to 65,535 bytes" in TEXT
    assert "1 to 65,519" in TEXT
    assert (frames.REKEY_FRAMES, frames.REKEY_BYTES) == (2**16, 2**30)


def test_numbers_of_policy() -> None:
    rates = {row[0]: (row[1], row[2]) for row in _table("| budget | rate | burst |")}
    for name, rate in (
        ("messages of a peer", budgets.MESSAGES),
        ("operations of a peer whose signature is to be checked", budgets.SIGNATURES),
        ("operations of a peer whose stamp is to be checked", budgets.STAMPS),
        ("work for unproven operations of all peers", budgets.UNVERIFIED),
        ("handshakes begun by strangers", door.ALL),
        ("handshakes begun by one host", door.A_HOST),
        ("answers about the chain to a peer", counter.A_PEER),
        ("answers about the chain to all peers", counter.ALL),
    ):
        per_second, burst = rates[name]
        assert float(per_second.split()[0]) == rate.per_second
        assert float(burst.replace(",", "")) == rate.burst


SAID: Final = (
    f"{conduct.BAN_POINTS} points are a ban",
    f"and of the host for {conduct.BAN_TIME / 3600:.0f} h",
    f"up to {MAX_BLOCKS} blocks and {counter.MOST_HEADER_QUESTIONS} questions for headers",
    f"after 1 s, 2 s, … {configured.LAST_RETRY:.0f} s, but after {configured.LAST_RETRY_OF_KNOWN:.0f} s at most",
    f"At most {inbound.MOST_INBOUND} inbound connections, {inbound.MOST_A_HOST} of one host",
    f"A side that is not ready {session.GREETING_TIME:.0f} s after",
    f"does not answer for {session.PONG_TIME:.0f} s",
    f"If the first is silent for {duplicates.SILENCE:.0f} s, it is given up",
    f"announces new blocks: at most {headers.MOST_ANNOUNCED},",
    f"less {headers.MARGIN_BLOCKS} blocks of its difficulty",
    f"one that takes {headers.SLOW:.0f} s over a message loses the lead",
    f"one that takes {headers.ANSWER_TIME / 60:.0f} min the",
    f"less work than the tip for {headers.LATE_AFTER / 60:.0f} min is asked",
    f"left {headers.LATE_ANSWER / 60:.0f} min later",
    f"{MAX_BLOCKS} in flight each, {blocks.MOST_AT_ONCE} in all (and no more than {blocks.MOST_BYTES >> 20} MiB of",
    f"within a window of {blocks.WINDOW:,} blocks",
    f"one more for every {budgets.MESSAGE_BYTES >> 10} KiB",
    f"{places.FULL.new:,} of {places.FULL.size} for what was heard, {places.FULL.tried} of {places.FULL.size} for what",
    f"sends nothing for {blocks.HURRY:.0f} s while another could, or for {blocks.PATIENCE:.0f} s",
    f"after {blocks.SILENCE:.0f} s the connection",
    f"that peer has {blocks.LEAST_STALL:.0f} s",
    f"up to {blocks.MOST_STALL:.0f} s and shrinks",
    f"at a random moment within {outbox.TRICKLE:.0f} s",
    f"({outbox.KNOWN:,} wids); {outbox.WAITING:,} may wait",
    f"after {requests.TIMEOUT:.0f} s at the next",
    f"more than {announcer.BEHIND} blocks to fetch announces no tips",
    f"{hunt.OPERATIONS_TIME:.0f} s each",
    f"up to {announcer.PREFILL / 1024:.0f} KiB",
    f"down to {announcer.SERVED} below its tip",
    f"short ids sent before | {hunt.LIE_POINTS} |",
    f"second class) | {verdict.FORGED_POINTS} |",
    f"from the second on | {hunt.WRONG_POINTS} |",
    f"the block does not have | {announcer.BAD_INDEX_POINTS} |",
    f"none being overdue | {operations.UNREQUESTED_POINTS} |",
    f"CompactBlock with an invalid header | {relay.INVALID_POINTS} |",
)


@pytest.mark.parametrize("phrase", SAID)
def test_numbers_in_the_text(phrase: str) -> None:
    flat = " ".join(TEXT.split())
    assert phrase in flat


def test_ten_outbound_places() -> None:
    assert "Eight outbound and two block-only connections" in TEXT
    assert (slots.OUTBOUND, slots.BLOCK_ONLY, slots.ANCHORS) == (8, 2, 2)
    assert "A *feeler* tries one address every two minutes" in TEXT
    assert slots.FEELER_EVERY == 120


def test_a_third_connection_in_one_direction() -> None:
    assert "refuse a third connection with one key in one direction" in " ".join(TEXT.split())
    assert duplicates.MOST_A_DIRECTION == 2


# --- codes -----------------------------------------------------------------------------------------------------


def _raised(folder: str, names: set[str]) -> Iterator[str]:
    """First arguments of the errors that are made anywhere in a folder."""
    for path in (SOURCES / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in names:
                first = node.args[0]
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    yield first.value


def _listed(where: str) -> set[str]:
    return {row[0] for row in _table("| code | where |") if row[1] == where}


def test_every_code_of_messages_is_listed() -> None:
    raised = set(_raised("p2p/messages", {"CodecError"})) | CODEC_CODES | {"header-version"}
    assert _listed("message") == raised


def test_every_code_of_streams_is_listed() -> None:
    raised = set(_raised("p2p/transport", {"TransportError"})) | {"noise-key", "noise-tag"}
    taken = {"handshake-size", "frame-size"}  # handed on to the splitter
    assert _listed("stream") == raised | taken


def test_codes_of_transport_are_those_of_its_docstring() -> None:
    text = (SOURCES / "p2p/transport/errors.py").read_text(encoding="utf-8")
    assert _listed("stream") <= set(re.findall(r"[a-z]+(?:-[a-z]+)*", text))


def _codes_in(document: Any) -> Iterator[str]:  # noqa: ANN401 - what json.loads gives
    if isinstance(document, dict):
        for key, value in document.items():
            if key in ("code", "goodbye") and isinstance(value, str):
                yield value
            else:
                yield from _codes_in(value)
    elif isinstance(document, list):
        for item in document:
            yield from _codes_in(item)


def test_every_code_has_the_vector_it_says() -> None:
    found = defaultdict(set)
    for path in VECTORS.glob("gossip-*.json"):
        document = load(path.name)
        document.pop("messages", None)  # a Goodbye's code is a field like others
        for code in _codes_in(document):
            found[code].add(path.stem.removeprefix("gossip-"))
    named = defaultdict(set)
    for code, _, _, where in _table("| code | where |"):
        if not where.startswith("–"):
            named[code].add(where)
    assert {code: files for code, files in named.items() if files} == dict(found)


def test_codes_named_in_the_text_are_listed() -> None:
    listed = {row[0] for row in _table("| code | where |")}
    chapters = TEXT.split("## 12.", 1)[0]
    named = set(re.findall(r"\(`([a-z]+-[a-z-]+)`\)", chapters))
    assert named - listed <= {"wrong-protocol", "greeting-timeout", "ping-timeout", "headers-gap"}
