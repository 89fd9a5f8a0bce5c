"""Records survive the way through JSON, and whatever JSON is no record says where."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshchain.ledger import record_json
from meshchain.ledger.codec import Value
from meshchain.ledger.entry import Record
from meshchain.ledger.errors import CodecError

KEYS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6) | st.sampled_from(["$bytes", "$", "$$bytes"])
VALUES: st.SearchStrategy[Value] = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2**64 - 1) | st.binary(max_size=8) | KEYS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
HOSTS = st.builds(
    lambda known, more: {**more, **known},
    st.fixed_dictionaries(
        {
            "label": st.text("abc-", max_size=4),
            "key": st.binary(min_size=32, max_size=32),
            "ip6": st.binary(min_size=16, max_size=16),
            "zone": st.integers(0, 65535),
            "proof": st.binary(min_size=64, max_size=64),
        }
    ),
    st.dictionaries(KEYS, VALUES, max_size=2),
)
RECORDS = st.builds(
    lambda known, more: {**more, **known},
    st.fixed_dictionaries({}, optional={"hosts": st.lists(HOSTS, max_size=3)}),
    st.dictionaries(KEYS.filter(lambda key: key != "hosts"), VALUES, max_size=3),
)


@given(RECORDS)
def test_a_record_comes_back_from_json(record: Record) -> None:
    text = json.dumps(record_json.to_json(record))
    assert record_json.from_json(json.loads(text)) == record


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | KEYS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.just("hosts"), inner, max_size=3),
        max_leaves=10,
    )
)
def test_any_json_is_a_record_or_a_codec_error(document: object) -> None:
    try:
        record = record_json.from_json(document)
    except CodecError as error:
        code = error.code
    else:
        code = "record-json"
        assert record_json.from_json(record_json.to_json(record)) == record
    assert code == "record-json"


def test_the_written_form() -> None:
    record: Record = {
        "hosts": [
            {"label": "", "key": b"\xab" * 32, "ip6": b"\xee\xee" + bytes(13) + b"\x01", "zone": 7, "proof": b""}
        ],
        "dns": [["www", "A", 60, "192.0.2.1"]],
        "blob": b"\x00\xff",
        "$x": {"$bytes": "ab"},
    }
    assert record_json.to_json(record) == {
        "hosts": [{"label": "", "key": "ab" * 32, "ip6": "eeee::1", "zone": 7, "proof": ""}],
        "dns": [["www", "A", 60, "192.0.2.1"]],
        "blob": {"$bytes": "00ff"},
        "$$x": {"$$bytes": "ab"},
    }


@pytest.mark.parametrize(
    ("document", "where"),
    [
        ([], "value"),
        ("text", "value"),
        ({"hosts": {}}, "hosts"),
        ({"hosts": ["a"]}, "hosts[0]"),
        ({"hosts": [{"key": "xyz"}]}, "hosts[0].key"),
        ({"hosts": [{"key": "ab cd"}]}, "hosts[0].key"),
        ({"hosts": [{}, {"proof": 1}]}, "hosts[1].proof"),
        ({"hosts": [{"ip6": "eeee::1%eth0"}]}, "hosts[0].ip6"),
        ({"hosts": [{"ip6": "1.2.3.4"}]}, "hosts[0].ip6"),
        ({"a": [1, {"b": 1.5}]}, "a[1].b"),
        ({"a": {"$bytes": "0"}}, "a"),
        ({"$a": 1}, "value"),
    ],
)
def test_what_is_no_record_says_where(document: object, where: str) -> None:
    with pytest.raises(CodecError) as caught:
        record_json.from_json(document)
    assert caught.value.detail["where"] == where
