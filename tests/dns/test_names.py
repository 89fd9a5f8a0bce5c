"""Names before and after a name, against a search among all served ones of a small alphabet."""

from collections.abc import Iterator

import dns.name
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from meshchain.dns import names
from meshchain.dns.names import BadNameError, Name, after, before, first_below, order, size

APEX: Name = (b"mesh",)
BYTES = st.sampled_from(list(b"!*-09@[_`az{~"))
LABEL = st.one_of(st.lists(BYTES, min_size=1, max_size=3), st.lists(BYTES, min_size=62, max_size=63)).map(bytes)
ANY_LABEL = st.one_of(LABEL, st.binary(min_size=1, max_size=2).map(bytes.lower))


def fits(name: Name) -> bool:
    return size(name) <= names.MAX_NAME


def below_apex(label: st.SearchStrategy[bytes]) -> st.SearchStrategy[Name]:
    return st.lists(label, min_size=1, max_size=5).map(lambda labels: (*labels, *APEX)).filter(fits)


def neighbours(name: Name) -> Iterator[Name]:
    """Served names that could lie close."""
    for at in range(len(name) - 1):
        label, parent = name[at], name[at + 1 :]
        for end in (b"!", b"~", b""):
            for start in (label, label[:-1], label[:-1] + bytes((max(label[-1] - 1, 0),))):
                for below in ((), (b"~",), (b"~" * 63,)):
                    yield (*below, (start + end)[:63].lower(), *parent)


@given(below_apex(ANY_LABEL), below_apex(LABEL))
@example((b"\0", *APEX), (b"~", *APEX))
@example((b"~" * 63, *APEX), (b"a", *APEX))
@example((b"[", *APEX), (b"@~", *APEX))
def test_nothing_served_lies_between(name: Name, other: Name) -> None:
    low, high = before(name), after(name, APEX)
    assert fits(low)
    assert fits(high)
    assert order(low) < order(name)
    assert high == APEX or order(name) < order(high)
    for candidate in (other, *neighbours(name)):
        if not fits(candidate) or not names.is_served(candidate) or not all(candidate):
            continue
        inside = order(low) < order(candidate) and (high == APEX or order(candidate) < order(high))
        below_or_same = candidate[-len(name) :] == name
        assert not inside or below_or_same


@given(below_apex(LABEL), below_apex(LABEL))
def test_the_least_name_below(name: Name, other: Name) -> None:
    least = first_below(name, APEX)
    assert least == APEX or order(name) < order(least)
    assert not order(name) < order(other) < order(least)


@given(below_apex(ANY_LABEL), below_apex(ANY_LABEL))
def test_order_is_the_canonical_one(one: Name, other: Name) -> None:
    there = [dns.name.Name((*name, b"")) for name in (one, other)]
    assert (order(one) < order(other)) == (there[0] < there[1])


@given(below_apex(ANY_LABEL))
def test_wire_and_text_are_dnspythons(name: Name) -> None:
    there = dns.name.Name((*name, b""))
    assert names.encode(name) == there.to_wire()
    assert names.decode(names.encode(name), 0) == (name, size(name))
    assert dns.name.from_text(names.to_text(name)) == there


@pytest.mark.parametrize(
    "data", [b"", b"\x03ab", b"\x40" + bytes(70), b"\xc0\x00", b"\x3f" + bytes(63), (b"\x3f" + bytes(63)) * 4]
)
def test_what_is_no_name(data: bytes) -> None:
    with pytest.raises(BadNameError):
        names.decode(data, 0)


@pytest.mark.parametrize("text", ["a..b", "a" * 64, "a." * 130])
def test_texts_that_are_no_names(text: str) -> None:
    with pytest.raises(BadNameError):
        names.from_text(text)
