"""What both arms of the store do alike: order, prefixes, batches, snapshots; against a sorted dict."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meshchain.ledger.store import Store
from meshchain.ledger.store.leveldb import LevelStore
from meshchain.ledger.store.memory import MemoryStore

Batch = Mapping[bytes, bytes | None]

FEW_BYTES = st.lists(st.sampled_from([b"\0", b"a", b"b", b"\xfe", b"\xff"]), max_size=3).map(b"".join)
KEYS = st.builds(lambda first, rest: first + rest, st.sampled_from([b"a", b"h", b"o"]), FEW_BYTES)
BATCHES = st.lists(st.dictionaries(KEYS, st.none() | st.binary(max_size=3), max_size=6), max_size=5)


def model_after(batches: list[Batch]) -> dict[bytes, bytes]:
    model: dict[bytes, bytes] = {}
    for batch in batches:
        for key, value in batch.items():
            if value is None:
                model.pop(key, None)
            else:
                model[key] = value
    return model


def model_items(model: dict[bytes, bytes], prefix: bytes, start: bytes, end: bytes) -> list[tuple[bytes, bytes]]:
    listed = {key: value for key, value in model.items() if key.startswith(prefix) and key >= prefix + start}
    return sorted((key, value) for key, value in listed.items() if not end or key < prefix + end)


@given(batches=BATCHES, prefix=KEYS, start=FEW_BYTES, end=FEW_BYTES)
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
def test_items_are_those_of_a_sorted_dict(batches: list[Batch], prefix: bytes, start: bytes, end: bytes) -> None:
    model = model_after(batches)
    expected = model_items(model, prefix, start, end)
    with TemporaryDirectory() as folder:
        stores: list[Store] = [MemoryStore(), LevelStore(Path(folder) / "l")]
        for store in stores:
            for batch in batches:
                store.write(batch, sync=False)
            assert list(store.items(prefix, start, end)) == expected
            assert list(store.items(prefix, start, end, reverse=True)) == expected[::-1]
            assert {key: store.get(key) for key in model} == model
            store.close()


def test_a_prefix_that_ends_in_ff_bounds_the_range(store: Store) -> None:
    """One block id or opid in 256 ends so; ranges under it must not run into its neighbours."""
    store.write({b"o\xff1": b"", b"o\xff2": b"", b"p": b"", b"q\xff": b""})
    assert [key for key, _ in store.items(b"o\xff")] == [b"o\xff1", b"o\xff2"]
    assert [key for key, _ in store.items(b"o\xff", reverse=True)] == [b"o\xff2", b"o\xff1"]


def test_absent_keys_are_none_and_empty_values_are_not(store: Store) -> None:
    store.write({b"a": b""})
    assert store.get(b"a") == b""
    assert store.get(b"b") is None
    store.write({b"a": None, b"never": None})
    assert store.get(b"a") is None


def test_a_snapshot_keeps_what_it_saw(store: Store) -> None:
    store.write({b"a1": b"old", b"a2": b"stays"})
    snapshot = store.snapshot()
    store.write({b"a1": b"new", b"a2": None, b"a3": b"later"})
    assert list(snapshot.items(b"a")) == [(b"a1", b"old"), (b"a2", b"stays")]
    assert (snapshot.get(b"a1"), snapshot.get(b"a3")) == (b"old", None)
    assert list(store.items(b"a")) == [(b"a1", b"new"), (b"a3", b"later")]


def test_a_range_under_way_sees_no_later_write(store: Store) -> None:
    store.write({b"a1": b"1", b"a2": b"2", b"a3": b"3"})
    rows = store.items(b"a")
    assert next(rows) == (b"a1", b"1")
    store.write({b"a2": None, b"a25": b"new", b"a3": b"changed"})
    assert list(rows) == [(b"a2", b"2"), (b"a3", b"3")]


@pytest.mark.parametrize("count", [0, 1, 1000])
def test_a_batch_is_applied_whole(store: Store, count: int) -> None:
    store.write({b"k%06d" % index: b"v" * 50 for index in range(count)})
    assert len(list(store.items(b"k"))) == count
