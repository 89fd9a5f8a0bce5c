"""Rules as the operator writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshrouter.policy.rule import Rule, RuleError

LEAST: dict[str, object] = {"action": "drop", "direction": "accept"}


def test_everything_in_one_rule() -> None:
    form = {**LEAST, "name": "*.Alice.mesh", "zone": 3, "protocol": "tcp", "port": "8000-8099"}
    rule = Rule.from_form(form)
    assert (rule.name, rule.zone, rule.protocol, rule.ports) == ("*.alice", 3, 6, (8000, 8099))
    assert str(rule) == "drop accept name *.alice zone 3 protocol tcp port 8000-8099"
    assert Rule.from_form(rule.to_form()) == rule


def test_the_least() -> None:
    assert str(Rule.from_form({"action": "accept", "direction": "forward"})) == "accept forward"


@pytest.mark.parametrize(
    ("form", "key", "message"),
    [
        ({}, "action", "missing"),
        ({"action": "drop"}, "direction", "missing"),
        ({**LEAST, "action": "reject"}, "action", "accept or drop"),
        ({**LEAST, "direction": "in"}, "direction", "forward or accept"),
        ({**LEAST, "names": "bob"}, "names", "unknown"),
        ({**LEAST, "name": 5}, "name", "a name"),
        ({**LEAST, "name": ""}, "name", "a name"),
        ({**LEAST, "name": "[a-z]"}, "name", "a name"),
        ({**LEAST, "zone": -1}, "zone", "0 to 65535"),
        ({**LEAST, "zone": True}, "zone", "0 to 65535"),
        ({**LEAST, "protocol": "sctp"}, "protocol", "tcp, udp, icmp"),
        ({**LEAST, "protocol": 256}, "protocol", "0 to 255"),
        ({**LEAST, "protocol": "tcp", "port": 0}, "port", "1 to 65535"),
        ({**LEAST, "protocol": "tcp", "port": 65536}, "port", "1 to 65535"),
        ({**LEAST, "protocol": "tcp", "port": "9-8"}, "port", "range"),
        ({**LEAST, "protocol": "tcp", "port": "8-9-10"}, "port", "range"),
        ({**LEAST, "protocol": "tcp", "port": "8-x"}, "port", "range"),
        ({**LEAST, "protocol": "tcp", "port": [80]}, "port", "range"),
        ({**LEAST, "protocol": "tcp", "port": True}, "port", "range"),
        ({**LEAST, "port": 80}, "port", "tcp or udp"),
        ({**LEAST, "protocol": "icmp", "port": 80}, "port", "tcp or udp"),
        ({**LEAST, "direction": "forward", "protocol": "tcp"}, "protocol", "sealed"),
    ],
)
def test_refusals_name_the_key(form: dict[str, object], key: str, message: str) -> None:
    with pytest.raises(RuleError, match=message) as refused:
        Rule.from_form(form)
    assert refused.value.key == key


VALUES = st.none() | st.integers() | st.booleans() | st.text(max_size=8) | st.lists(st.integers(), max_size=2)


@given(st.dictionaries(st.sampled_from(("name", "zone", "protocol", "port")), VALUES))
def test_any_table_is_a_rule_or_an_error(form: dict[str, object]) -> None:
    try:
        rule = Rule.from_form({**LEAST, **form})
    except RuleError:
        return
    assert Rule.from_form(rule.to_form()) == rule
