from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshchain.ledger import params
from meshchain.ledger.chaintime import check_future, check_time, median_time_past
from meshchain.ledger.errors import HeldError, RuleError

POLICY = params.load("mesh").policy


@pytest.mark.parametrize(
    ("times", "median"),
    [
        ([100], 100),
        ([100, 200], 200),
        ([300, 100, 200], 200),
        ([1, 2, 3, 4], 3),
        (list(range(10)), 5),
        (list(range(11)), 5),
        ([9] * 6 + [0] * 5, 9),
        ([9] * 5 + [0] * 6, 0),
        ([10**9] * 50 + list(range(11)), 5),
    ],
)
def test_median(times: list[int], median: int) -> None:
    assert median_time_past(times) == median


def test_median_of_nothing() -> None:
    with pytest.raises(ValueError, match="genesis"):
        median_time_past([])


@given(
    st.lists(st.integers(1000, 2000), min_size=6, max_size=6), st.lists(st.integers(0, 2**64), min_size=5, max_size=5)
)
def test_five_wrong_clocks_of_eleven_do_not_move_the_median_out(right: list[int], wrong: list[int]) -> None:
    assert min(right) <= median_time_past(right + wrong) <= max(right)


def test_time_must_exceed_the_median() -> None:
    check_time(101, 100)
    for time in (100, 99, 0):
        with pytest.raises(RuleError) as caught:
            check_time(time, 100)
        assert caught.value.code == "time-too-old"
        assert caught.value.detail == {"time": time, "earliest": 101}


def test_future_is_held_until_it_comes() -> None:
    now = 1_800_000_000.5
    check_future(1_800_000_600, now, POLICY)
    with pytest.raises(HeldError) as caught:
        check_future(1_800_000_601, now, POLICY)
    assert caught.value.code == "time-too-new"
    later = caught.value.detail["acceptable_from"]
    assert isinstance(later, int)
    assert now < later
    check_future(1_800_000_601, later, POLICY)


def test_no_limit_no_check() -> None:
    check_future(2**64 - 1, 0.0, replace(POLICY, future_limit=None))
