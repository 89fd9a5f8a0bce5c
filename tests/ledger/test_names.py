"""The letter-digit-hyphen rule, against every string of its edge cases."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshchain.ledger.errors import RuleError
from meshchain.ledger.names import check_name

LETTERS = set(string.ascii_lowercase + string.digits + "-")


@pytest.mark.parametrize(
    "name", ["a", "0", "alice", "a-b", "a--b", "xn--bcher-kva", "xn--a", "1-1", "a" * 63, "abc--d"]
)
def test_names_that_are_allowed(name: str) -> None:
    check_name(name)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", "name-length"),
        ("a" * 64, "name-length"),
        ("Alice", "name-alphabet"),
        ("a.b", "name-alphabet"),
        ("a_b", "name-alphabet"),
        ("bücher", "name-alphabet"),
        ("a b", "name-alphabet"),
        ("a\n", "name-alphabet"),
        ("a\0", "name-alphabet"),
        ("١", "name-alphabet"),  # a digit, but not one of ours
        ("K", "name-alphabet"),  # the Kelvin sign, which lower() makes a k
        ("-a", "name-edge-hyphen"),
        ("a-", "name-edge-hyphen"),
        ("-", "name-edge-hyphen"),
        ("ab--c", "name-double-hyphen"),
        ("XN--a", "name-alphabet"),
        ("xm--a", "name-double-hyphen"),
    ],
)
def test_names_that_are_refused(name: str, code: str) -> None:
    with pytest.raises(RuleError) as error:
        check_name(name)
    assert error.value.code == code


@given(st.text(max_size=70) | st.text("ax-n0", max_size=66))
def test_the_rule_in_other_words(name: str) -> None:
    allowed = (
        1 <= len(name) <= 63
        and set(name) <= LETTERS
        and not name.startswith("-")
        and not name.endswith("-")
        and (name[2:4] != "--" or name[:4] == "xn--")
    )
    try:
        check_name(name)
    except RuleError:
        assert not allowed
    else:
        assert allowed
