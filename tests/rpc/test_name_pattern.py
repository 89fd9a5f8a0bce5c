"""Our regular expressions agree with Python's wherever both read a pattern, and cannot be made slow."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshchain.rpc.errors import RpcError
from meshchain.rpc.methods.name_pattern import MAX_PATTERN, NamePattern

ATOMS = st.sampled_from(["a", "b", "-", "0", ".", "^", "$", "[ab]", "[^a]", "[a-b0-9]", "[-a]", "[a-]", "[^b-]"])
PATTERNS = st.recursive(
    ATOMS | st.just(""),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map("|".join),
        st.tuples(inner, st.sampled_from(["", "*", "+", "?"])).map(lambda parts: f"({parts[0]}){parts[1]}"),
    ),
    max_leaves=8,
).filter(lambda pattern: len(pattern) <= MAX_PATTERN)


@given(PATTERNS, st.lists(st.text("ab-0z", max_size=8), min_size=1, max_size=5))
def test_agrees_with_python(pattern: str, names: list[str]) -> None:
    ours, theirs = NamePattern(pattern), re.compile(pattern)
    for name in names:
        assert ours.matches(name) == bool(theirs.search(name)), name


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("", ["", "a"], []),
        ("^al", ["alice", "al"], ["bal"]),
        ("ce$", ["alice", "ce"], ["cell"]),
        ("^(alice|bob)$", ["alice", "bob"], ["alices", "bo"]),
        ("^xn--", ["xn--abc"], ["axn--"]),
        ("[0-9]+-[a-f]*x", ["a1-x", "22-abx"], ["1-gx"]),
        ("a^b", [], ["ab", "a", "a^b"]),
    ],
)
def test_examples(pattern: str, matching: list[str], others: list[str]) -> None:
    compiled = NamePattern(pattern)
    assert all(map(compiled.matches, matching))
    assert not any(map(compiled.matches, others))


@pytest.mark.parametrize(
    "pattern",
    [
        "(",
        ")",
        "a)",
        "*",
        "+a",
        "a**",
        "a|*",
        "[",
        "[]",
        "[^]",
        "[a",
        "[A]",
        "[a-\U0010ffff]",
        "A",
        "\\d",
        "a{2}",
        "ü",
        "a" * 101,
    ],
)
def test_what_is_no_pattern(pattern: str) -> None:
    with pytest.raises(RpcError) as caught:
        NamePattern(pattern)
    assert (caught.value.code, caught.value.word) == (-5, "regexp")


@given(st.text("ab()[]|*+?^$.-", max_size=MAX_PATTERN))
def test_any_text_is_a_pattern_or_an_error(pattern: str) -> None:
    try:
        NamePattern(pattern).matches("ab-ab")
    except RpcError as error:
        word = error.word
    else:
        word = "regexp"
    assert word == "regexp"


@pytest.mark.parametrize(
    "pattern",
    ["(a+)+$", "(a|a)*b", "(a*)*c", "^" + "(" * 49 + ")" * 49, "a?" * 33 + "a" * 33, "(a|b)*a" + "(a|b)" * 18],
)
def test_patterns_that_ruin_backtracking_or_tables(pattern: str) -> None:
    """Each is milliseconds here; a backtracking engine would take longer than the machine lives."""
    started = time.process_time()
    compiled = NamePattern(pattern)
    for number in range(200):
        compiled.matches(f"{number:063b}".replace("0", "a").replace("1", "b")[:63])
    compiled.matches("a" * 63)
    assert time.process_time() - started < 10
