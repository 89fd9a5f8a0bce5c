"""Worlds for tests, many of one scenario.

A test that takes ``seed`` runs for the first few seeds, and for hundreds with ``-m slow`` (``SEEDS``, ``SLOW_SEEDS``).
The seed stands in the test's name, and the end of the world's log is printed with a failure.
``MESH_SIM_SEED=N pytest …`` runs only seed N, exactly as it was.
"""

import os
from collections.abc import Callable, Iterator
from typing import Final

import pytest

from meshchain.ledger.params import Params
from meshchain.sim import World
from meshchain.sim.carriage import Maker, quick

SEEDS: Final = 2
SLOW_SEEDS: Final = 150
WorldOf = Callable[..., World]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", list(_seeds()), ids=lambda seed: f"seed{seed}")


def _seeds() -> Iterator[object]:
    only = os.environ.get("MESH_SIM_SEED")
    if only:
        yield int(only)
        return
    yield from range(SEEDS)
    for seed in range(SEEDS, SEEDS + SLOW_SEEDS):
        yield pytest.param(seed, marks=pytest.mark.slow)


@pytest.fixture
def world_of(seed: int) -> Iterator[WorldOf]:
    """Makes the test's world, and prints its story at the end (which pytest shows where the test failed)."""
    made: list[World] = []

    def make(*, params: Params | None = None, carriage: Maker = quick) -> World:
        made.append(World(seed, params=params, carriage=carriage))
        return made[-1]

    yield make
    for world in made:
        print(f"\nrun it again: MESH_SIM_SEED={seed}\n{world.story()}")
