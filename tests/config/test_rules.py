"""``[[rule]]`` in the file."""

from pathlib import Path

import pytest

from meshchain.config import Config, ConfigError, load
from meshchain.config.text import effective, example

TWO = """\
zone = 3

[[rule]]
action = "accept"
direction = "forward"
name = "*.alice"

[[rule]]
action = "drop"
direction = "accept"
protocol = "udp"
port = "8000-8099"
"""


def read(text: str, tmp_path: Path) -> Config:
    file = tmp_path / "node.toml"
    file.write_text(text)
    return load({"network": ["dev"]}, {}, file)


def problems(text: str, tmp_path: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(text, tmp_path)
    return [line.removeprefix(f"{tmp_path / 'node.toml'}") for line in caught.value.problems]


def test_rules_in_their_order(tmp_path: Path) -> None:
    config = read(TWO, tmp_path)
    assert list(map(str, config.rules)) == [
        "accept forward name *.alice",
        "drop accept protocol udp port 8000-8099",
    ]
    assert load({}, {}).rules == ()


def test_the_effective_configuration_keeps_them(tmp_path: Path) -> None:
    config = read(TWO, tmp_path)
    assert read(effective(config), tmp_path).rules == config.rules


def test_problems_name_rule_key_and_line(tmp_path: Path) -> None:
    assert problems(TWO.replace("8099", "99999").replace("*.alice", "!"), tmp_path) == [
        ":6: rule 1: name: it must be a name, with * and ? for what may vary",
        ':12: rule 2: port: it must be a port from 1 to 65535, or a range like "8000-8099"',
    ]
    assert problems('[[rule]]\n\n[[rule]]\naction = "drop"\ndirection = "accept"', tmp_path) == [
        ":1: rule 1: action: it must be accept or drop, and is missing"
    ]
    (unknown,) = problems(TWO + 'colour = "red"\n', tmp_path)
    assert unknown.startswith(":13: rule 2: colour: unknown key (known: action, direction")


def test_where_the_text_does_not_show_the_line(tmp_path: Path) -> None:
    assert problems('rule = [{action = "drop"}]', tmp_path) == [
        ": rule 1: direction: it must be forward or accept, and is missing"
    ]
    hidden = 'datadir = """\n[[rule]]\n"""\n[[rule]]\naction = "drop"\n'
    assert problems(hidden, tmp_path)[0].startswith(": rule 1: direction")


@pytest.mark.parametrize("text", ["rule = 1", 'rule = "drop"', "rule = [1]", '[rule]\naction = "drop"'])
def test_what_are_no_rules(text: str, tmp_path: Path) -> None:
    assert problems(text, tmp_path) == [": rule: rules are tables, each under a line [[rule]]"]


def test_not_more_than_a_packet_can_be_held_against(tmp_path: Path) -> None:
    rule = '[[rule]]\naction = "drop"\ndirection = "accept"\n'
    assert len(read(rule * 256, tmp_path).rules) == 256
    assert problems(rule * 257, tmp_path) == [": rule: 257 rules, at most 256 are taken"]


def test_the_example_explains_them_and_works_when_uncommented(tmp_path: Path) -> None:
    text = example(load({"network": ["dev"]}, {}).params)
    start = text.index("#[[rule]]")
    uncommented = text[:start] + text[start:].replace("#", "")
    (rule,) = read(uncommented, tmp_path).rules
    assert str(rule) == "drop accept name *.alice zone 0 protocol tcp port 8000-8099"
