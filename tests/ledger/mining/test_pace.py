"""Slices and pauses add up to the duty, on fast machines and slow ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshchain.ledger.mining import Pace


@given(hash_s=st.floats(0.0002, 0.02), duty=st.floats(0.01, 1))
def test_work_is_the_duty_of_the_whole_and_comes_in_short_slices(hash_s: float, duty: float) -> None:
    pace = Pace()
    worked = paused = 0.0
    for _ in range(200):
        tried = pace.slice()
        seconds = tried * hash_s
        assert seconds <= max(0.06, hash_s)
        pace.worked(tried, seconds)
        worked += seconds
        paused += pace.pause(seconds, duty)
    assert worked / (worked + paused) == pytest.approx(duty)
    assert pace.rate == pytest.approx(1 / hash_s)


def test_the_rate_follows_a_machine_that_slows_down() -> None:
    pace = Pace()
    for _ in range(50):
        pace.worked(30, 0.03)
    for _ in range(60):
        pace.worked(30, 0.3)
    assert pace.rate == pytest.approx(100, rel=0.05)


def test_a_slice_that_was_stopped_at_once_says_nothing() -> None:
    pace = Pace()
    pace.worked(0, 0.01)
    assert pace.rate == 0
    assert pace.slice() == 1


def test_no_duty_is_a_long_rest() -> None:
    assert Pace().pause(0.02, 0) == 60
    assert Pace().pause(0.02, 1) == 0
