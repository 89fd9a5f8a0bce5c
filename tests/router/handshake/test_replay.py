"""The replay window against a set that remembers everything."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshrouter.handshake import ReplayWindow

STEPS = st.lists(
    st.one_of(
        st.integers(-200, 200),
        st.sampled_from([-1025, -1024, -1023, -129, -128, -127, -64, -63, 63, 64, 65, 127, 128, 1023, 1024, 5000]),
    ),
    max_size=60,
)


class Remembers:
    def __init__(self, size: int) -> None:
        self.size, self.all = size, {-1}

    def fresh(self, counter: int) -> bool:
        return counter >= 0 and counter > max(self.all) - self.size and counter not in self.all


@pytest.mark.parametrize("size", [64, 128, 1024, 8192])
@given(steps=STEPS)
def test_every_counter_is_fresh_once_while_it_is_among_the_newest(size: int, steps: list[int]) -> None:
    window, model, at = ReplayWindow(size), Remembers(size), 0
    for step in steps:
        at += step
        assert window.fresh(at) == model.fresh(at)
        if window.fresh(at):
            window.seen(at)
            model.all.add(at)
            assert not window.fresh(at)
        assert window.greatest == max(model.all)


def test_asking_changes_nothing() -> None:
    window = ReplayWindow(64)
    assert all(window.fresh(1 << 40) for _ in range(3))
    assert window.fresh(0)
    assert window.greatest == -1


def test_a_window_has_exactly_its_size() -> None:
    for newest in range(1024, 1200):
        window = ReplayWindow(1024)
        window.seen(newest)
        assert window.fresh(newest - 1023)
        assert not window.fresh(newest - 1024)
