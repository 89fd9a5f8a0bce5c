"""What an IXFR carries, applied to the old zone by the letter, is the new zone: no record too many, none too few.

The names are few and lie next to each other in several ways; what they say has hosts, aliases, cuts with glue, empty
non-terminals, nothing at all.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import dns.rdatatype
from hypothesis import example, given, settings
from hypothesis import strategies as st

from meshchain.dns import transfer
from meshchain.dns.signing import WINDOW
from meshchain.ledger.entry import NameEntry
from tests.dns.lab import Line
from tests.dns.zones import Rr, Versions, applied, entry, is_difference

NAMES = ["a", "a-b", "aa", "b", "b0", "c"]
LINES: list[Line] = [
    ("", "TXT", 60, '"one"'),
    ("", "TXT", 60, '"two"'),
    ("", "TXT", 30, '"three"'),
    ("", "MX", 60, "10 a.mesh."),
    ("x", "A", 60, "192.0.2.1"),
    ("x", "NS", 60, "x.a.mesh."),
    ("x.y", "A", 60, "192.0.2.2"),
    ("*", "TXT", 60, '"any"'),
    ("x", "DNAME", 60, "y.a.mesh."),
    ("", "NS", 60, "ns.a.mesh."),
    ("ns", "AAAA", 60, "2001:db8::1"),
    ("x", "DS", 60, "12345 13 2 " + "cd" * 32),
]
ENTRIES = st.none() | st.builds(
    lambda listed, host, revoked, expires: entry(*listed, host=host, revoked=revoked, expires=expires),
    st.lists(st.sampled_from(LINES), max_size=4),
    st.booleans(),
    st.sampled_from([False, False, False, True]),
    st.sampled_from([900, 901]),
)
CHANGES = st.lists(st.dictionaries(st.sampled_from(NAMES), ENTRIES, max_size=4), min_size=1, max_size=4)
NOTHING: dict[str, NameEntry | None] = {}
BESIDE = entry(("", "TXT", 60, '"one"'))


@settings(max_examples=150, deadline=None)
@given(CHANGES)
@example([NOTHING])
@example([{"a": BESIDE, "c": BESIDE}, {"b": BESIDE}, {"a": None, "b": None, "c": None}])
@example([{"a": BESIDE, "aa": entry(), "b": BESIDE, "b0": entry(revoked=True), "c": BESIDE}, {"b": None}])
@example([{"a": entry(*LINES[:2])}, {"a": entry(LINES[0], LINES[2])}])  # another TTL for what stays
@example([{"a": entry(*LINES[4:7])}, {"a": entry(LINES[4], LINES[6])}])
def test_the_old_zone_and_the_difference_are_the_new_zone(changes: list[dict[str, NameEntry | None]]) -> None:
    with TemporaryDirectory() as folder, patch.object(transfer, "_is_shorter", lambda *_: True):
        versions = Versions(Path(folder))
        for change in changes:
            versions.put(change)
        new = versions.zone()
        for at in range(len(changes)):
            answer = versions.answer(at + 1)
            assert is_difference(answer)
            assert applied(versions.zone(at), answer) == new


def kinds(answer: list[Rr]) -> list[tuple[str, str]]:
    return [(owner, dns.rdatatype.to_text(dns.rdatatype.RdataType(kind))) for owner, kind, _, _ in answer]


def many(tmp_path: Path) -> Versions:
    """Forty names, two of them silent."""
    versions = Versions(tmp_path)
    versions.put({f"n{at:02}": entry(("", "TXT", 60, '"here"'), host=True) for at in range(40)})
    versions.put({"n10": entry(), "n11": entry(revoked=True)})
    return versions


def test_a_changed_record_is_what_is_sent(tmp_path: Path) -> None:
    versions = many(tmp_path)
    two = (("", "TXT", 60, '"here"'), ("", "TXT", 60, '"and there"'))
    versions.put({"n20": entry(*two, host=True)})
    soa, signature = ("mesh.", "SOA"), ("mesh.", "RRSIG")
    txt, its = ("n20.mesh.", "TXT"), ("n20.mesh.", "RRSIG")
    assert kinds(versions.answer(3)) == [soa, soa, signature, its, soa, signature, txt, its, soa]


def test_a_new_name_is_linked_over_silent_ones(tmp_path: Path) -> None:
    versions = many(tmp_path)
    versions.put({"n11a": entry(("", "TXT", 60, '"new"'))})
    answer = versions.answer(3)
    touched = {owner for owner, kind in kinds(answer) if kind != "SOA"}
    assert touched == {"mesh.", "n09.mesh.", "n11a.mesh."}
    assert applied(versions.zone(-2), answer) == versions.zone()


def test_what_changes_nothing_in_dns_changes_the_serial_only(tmp_path: Path) -> None:
    versions = many(tmp_path)
    versions.put({"n20": entry(("", "TXT", 60, '"here"'), host=True, expires=2000), "n12": None})
    versions.put({"n12": entry(("", "TXT", 60, '"here"'), host=True)})
    assert {kind for _, kind in kinds(versions.answer(3))} == {"SOA", "RRSIG"}
    assert len(versions.answer(3)) == 6
    assert applied(versions.zone(-3), versions.answer(3)) == versions.zone(), "gone and come again"


def test_who_is_up_to_date_gets_one_record(tmp_path: Path) -> None:
    versions = many(tmp_path)
    for serial in (3, 4, 2**31 - 1, 2**31 + 2):
        assert kinds(versions.answer(serial)) == [("mesh.", "SOA")]


def test_who_cannot_be_helped_gets_the_zone(tmp_path: Path) -> None:
    versions = many(tmp_path)
    zone = versions.answer(None)
    for serial in (0, 2**31 + 3, 2**32 - 1):
        assert versions.answer(serial) == zone, "unknown"
    assert is_difference(versions.answer(2))
    for work, enough in ((9, False), (10, True)):  # n09 to n12, of which four have a record; two as they were, too
        with patch.object(transfer, "MOST_WORK", work):
            assert is_difference(versions.answer(2)) == enough, "to read"
    with patch.object(transfer, "MOST_DIFFERENCE", 500):
        assert versions.answer(2) == zone, "to keep"


def test_the_longer_of_the_two_is_not_sent(tmp_path: Path) -> None:
    versions = many(tmp_path)
    size = len(versions.answer(None))
    for at in range(0, 40, 4):
        versions.put({f"n{name:02}": entry(("", "TXT", 60, '"new"')) for name in range(at, at + 4)})
        answer = versions.answer(3)
        if not is_difference(answer):
            assert answer == versions.answer(None)
            break
        assert len(answer) <= size
    else:
        raise AssertionError("forty changed names were sent twice")
    assert at > 8


def test_a_version_keeps_the_signatures_of_its_week(tmp_path: Path) -> None:
    """Also where it is sent after the week has turned, before the next version is there."""
    versions = many(tmp_path)
    zone, answer = versions.zone(), versions.answer(2)
    versions.now += WINDOW
    assert versions.zone() == zone
    assert versions.answer(2) == answer
