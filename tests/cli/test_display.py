import pytest

from meshchain.cli import display
from meshchain.cli.commands.names import parse_span
from meshchain.cli.commands.queue import queue_text
from meshchain.cli.commands.rpc import read_argument
from meshchain.ledger.params import bundled_networks


def test_tables_are_aligned_and_have_no_trailing_space() -> None:
    assert display.table(("a", "long"), [("xyz", 1), ("", "")]) == "a    long\nxyz  1\n"


def test_fields_leave_out_none_and_align_long_values() -> None:
    assert display.fields([("a", 1), ("long", "x\ny"), ("gone", None)]) == "a     1\nlong  x\n      y"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-5, "0 s"), (119.9, "119 s"), (120, "2 min"), (7200, "2 h 0 min"), (90_061, "25 h 1 min"), (200_000, "2 days")],
)
def test_spans(seconds: float, text: str) -> None:
    assert display.span(seconds) == text


def test_dates_never_fail() -> None:
    assert display.date(1_790_000_000) == "2026-09-21"
    assert display.date(-1) == "1970-01-01"
    assert display.moment(2**64) == "9999-12-31 23:59"


def test_deadlines_have_a_date_where_blocks_have_a_pace() -> None:
    networks = bundled_networks()
    assert display.deadline(5, networks["dev"]) == "in 5 blocks"
    assert display.deadline(-5, networks["dev"]) == "5 blocks ago"
    assert display.deadline(10**15, networks["mesh"]) == "in 1000000000000000 blocks, about 9999-12-31"


@pytest.mark.parametrize(
    ("text", "seconds"), [("30d", 2_592_000), ("90m", 5400), ("1y", 31_536_000), ("2w", 1_209_600)]
)
def test_parse_span(text: str, seconds: int) -> None:
    assert parse_span(text) == seconds


@pytest.mark.parametrize("text", ["", "30", "d", "-1d", "1.5d", "30D", "٣d", "1234567d"])
def test_bad_spans(text: str) -> None:
    with pytest.raises(Exception, match="no span like 30d"):
        parse_span(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5), ('"5"', "5"), ("true", True), ("null", None), ("[1]", [1]), ('{"a":1}', {"a": 1}),
        ("alice", "alice"), ("", ""), ("NaN", "NaN"), ("-Infinity", "-Infinity"), ("01", "01"), ("-1", -1),
        ("[" * 100_000, "[" * 100_000), ("1" * 5000, "1" * 5000),
    ],
)  # fmt: skip
def test_rpc_arguments_are_json_or_themselves(text: str, value: object) -> None:
    assert read_argument(text) == value


def test_the_queue_shows_progress_and_reasons() -> None:
    item = {
        "txid": "ab" * 32, "kind": "reveal", "name": "alice", "state": "committed", "confirmations": 0,
        "reason": "waits for depth", "next_change": "in 2 blocks", "blocks_to_go": 2, "winner": None,
        "stamp": {"bits": 13, "rate": 210.4, "percent": 41.6, "expected_s": 180.0, "bound95_s": 400.0},
    }  # fmt: skip
    text = queue_text([item, {**item, "kind": "commit", "name": None, "state": "confirmed", "stamp": None}])
    assert text.startswith("reveal alice.mesh: committed\n")
    assert "42 % of 13 bits, 210.4 hashes/s, about 3 min left, 95 % within 6 min" in text
    assert "commit: confirmed(0)" in text
    assert queue_text([]) == "the queue is empty"
