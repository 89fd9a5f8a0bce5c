import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshchain.ledger.entry import Record
from meshchain.rpc.client.errors import WrongUse
from wallet import dns_records
from wallet.errors import RefusalError


@pytest.mark.parametrize(
    ("label", "kind", "value", "stored"),
    [
        ("", "A", "192.0.2.1", ("", "A", 300, "192.0.2.1")),
        ("@", "aaaa", "2001:DB8::0:1", ("", "AAAA", 300, "2001:db8::1")),
        ("WWW", "CNAME", "alice.example.", ("www", "CNAME", 300, "alice.example.")),
        ("", "MX", "10 mail", ("", "MX", 300, "10 mail")),  # relative to alice.mesh, as in a zone file
        ("_443._tcp", "TLSA", "3 1 1 " + "AB" * 32, ("_443._tcp", "TLSA", 300, "3 1 1 " + "ab" * 32)),
        ("bücher", "A", "192.0.2.1", ("xn--bcher-kva", "A", 300, "192.0.2.1")),
        ("", "TXT", "hello world", ("", "TXT", 300, '"hello world"')),
        ("", "TXT", '"one" "two"', ("", "TXT", 300, '"one" "two"')),
        ("", "TXT", 'say "hi"\\', ("", "TXT", 300, '"say \\"hi\\"\\\\"')),
        ("", "TYPE65280", r"\# 2 abcd", ("", "TYPE65280", 300, r"\# 2 abcd")),
        ("*", "TXT", "", ("*", "TXT", 300, '""')),
    ],
)
def test_good_values_are_stored_in_one_form(label: str, kind: str, value: str, stored: dns_records.Entry) -> None:
    assert dns_records.parse("alice", label, kind, 300, value) == stored
    assert dns_records.parse("alice", stored[0], stored[1], 300, stored[3]) == stored


def test_a_long_text_is_cut_into_character_strings() -> None:
    text = dns_records.parse("alice", "", "TXT", 1, "x" * 300)[3]
    assert text == f'"{"x" * 255}" "{"x" * 45}"'


@pytest.mark.parametrize(
    ("kind", "value", "field", "message"),
    [
        ("A", "192.0.2", "address", r"A value: field 1 \(address\), '192\.0\.2'"),
        ("MX", "ten mail", "preference", r"field 1 \(preference\), 'ten': expecting an integer"),
        ("MX", "10", "exchange", r"field 2 \(exchange\) is missing"),
        ("SRV", "1 2 70000 x.", "port", r"field 3 \(port\), '70000': 70000 is not an unsigned 16-bit"),
        ("TLSA", "3 1 1 zz", "cert", r"field 4 \(cert\), 'zz'"),
        ("AAAA", "::1 more", None, "field 2, 'more'"),
        ("A", "", "address", "is missing"),
    ],
)
def test_the_offending_field_is_named(kind: str, value: str, field: str | None, message: str) -> None:
    with pytest.raises(WrongUse, match=message) as caught:
        dns_records.parse("alice", "", kind, 300, value)
    assert (caught.value.code, caught.value.data["field"]) == ("dns-value", field)


@pytest.mark.parametrize(
    ("label", "kind", "ttl", "code"),
    [
        ("", "NOPE", 1, "dns-type"),
        ("", "ANY", 1, "dns-type"),
        ("", "rrsig", 1, "dns-type"),
        ("", "A", -1, "dns-ttl"),
        ("", "A", 2**31, "dns-ttl"),
        ("a..b", "A", 1, "dns-label"),
        ("www.", "A", 1, "dns-label"),
        ("x" * 64, "A", 1, "dns-label"),
        (".".join(["x" * 60] * 4), "A", 1, "dns-label"),
    ],
)
def test_bad_labels_types_and_ttls(label: str, kind: str, ttl: int, code: str) -> None:
    with pytest.raises(WrongUse) as caught:
        dns_records.parse("alice", label, kind, ttl, "192.0.2.1")
    assert caught.value.code == code


def test_put_replaces_keeps_and_drops() -> None:
    one, two = ("", "A", 1, "192.0.2.1"), ("", "A", 2, "192.0.2.2")
    record: Record = {"later": 7, "hosts": []}
    both = dns_records.put(dns_records.put(record, one, keep=False), two, keep=True)
    assert dns_records.entries(both) == [one, two]
    assert both["later"] == 7
    assert dns_records.entries(dns_records.put(both, one, keep=False)) == [one]
    assert dns_records.entries(dns_records.drop(both, "", "A", "192.0.2.1")) == [two]
    assert "dns" not in dns_records.drop(both, "", "A", None)
    assert "dns" not in record, "records are never mutated"
    with pytest.raises(RefusalError, match="there are: @ A") as caught:
        dns_records.drop(both, "www", "A", None)
    assert caught.value.code == "dns-not-found"


def test_the_same_text_twice_only_moves_the_ttl() -> None:
    record = dns_records.put({"dns": [["", "A", 1, "192.0.2.1"]]}, ("", "A", 9, "192.0.2.1"), keep=True)
    assert dns_records.entries(record) == [("", "A", 9, "192.0.2.1")]


def test_a_cname_stands_alone() -> None:
    alias = ("www", "CNAME", 1, "x.")
    with pytest.raises(WrongUse, match="the name itself cannot be a CNAME"):
        dns_records.put({}, ("", "CNAME", 1, "x."), keep=False)
    with pytest.raises(RefusalError, match="also has A"):
        dns_records.put({"dns": [["www", "A", 1, "192.0.2.1"]]}, alias, keep=False)
    with pytest.raises(RefusalError, match="also has AAAA"):
        dns_records.put({"hosts": [{"label": "www"}]}, alias, keep=False)
    with pytest.raises(RefusalError, match="also has CNAME"):
        dns_records.put({"dns": [list(alias)]}, ("www", "A", 1, "192.0.2.1"), keep=False)
    assert dns_records.entries(dns_records.put({"dns": [list(alias)]}, alias, keep=False)) == [alias]


_KINDS = st.sampled_from(["A", "AAAA", "MX", "TXT", "SRV", "CAA", "TLSA", "SVCB", "LOC", "NAPTR", "SSHFP", "TYPE300"])


@given(st.text(max_size=20), _KINDS | st.text(max_size=12), st.integers(), st.text(max_size=60))
def test_any_text_is_an_entry_or_wrong_use(label: str, kind: str, ttl: int, text: str) -> None:
    try:
        entry = dns_records.parse("alice", label, kind, ttl, text)
    except WrongUse:
        return
    assert dns_records.parse("alice", *entry) == entry
