"""The property: no loop at any instant, and in the end the best routes, whatever happens in between."""

import pytest

from meshrouter.routing.feasibility import Distance
from tests.router.routing.chaos import storm
from tests.router.routing.net import Net


def check(net: Net) -> None:
    assert net.loops == []
    assert net.checks > 300
    assert net.wrong() == []  # the slow model's metrics to the last unit: hysteresis ends when rivals stay better


@pytest.mark.parametrize("seed", range(12))
def test_storm(seed: int) -> None:
    check(storm(seed, events=20, most_nodes=14))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 140))
def test_many_storms(seed: int) -> None:
    check(storm(seed))


@pytest.mark.slow
def test_storms_show_loops_when_there_is_no_feasibility(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test above can fail: the same storms, and every offer feasible."""

    def anything(_offer: Distance, _bound: Distance | None) -> bool:
        return True

    monkeypatch.setattr("meshrouter.routing.table.is_feasible", anything)
    assert any(storm(seed, events=20, most_nodes=14).loops for seed in range(3))
