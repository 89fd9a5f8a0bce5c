"""Cold start: all nodes at once, everybody reaches everybody within seconds; and one seed is one course."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from meshchain.sim.mesh import topology
from meshchain.sim.mesh.simulation import Plan, Simulation

GOAL = 4.0
"""Seconds: what the best of the published ones need for these sizes."""
_ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(("kind", "count"), [("grid", 16), ("line", 12), ("tree", 16), ("random", 16)])
def test_a_small_network_starts_at_once(kind: str, count: int) -> None:
    _starts(kind, count, 30)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "count"), [("grid", 49), ("line", 50), ("tree", 50)])
def test_fifty_nodes_start_within_four_seconds(kind: str, count: int) -> None:
    _starts(kind, count, 200)


def _starts(kind: str, count: int, probes: int) -> None:
    report = Simulation(Plan(topology=topology.made(kind, count, 1), seconds=6.0, seed=1, probes=probes)).run()
    assert report["cold_start_s"]["100"] is not None
    assert report["cold_start_s"]["100"] <= GOAL
    assert report["delivery"]["final"] == 1.0
    assert report["loops"] == 0
    assert report["stretch"]["max"] < 2


def play(seed: int) -> tuple[str, object]:
    """The fingerprint, and what of the report is no cost."""
    plan = Plan(topology=topology.made("random", 10, seed), seconds=3.0, seed=seed, guests=0.2, probes=20)
    simulation = Simulation(plan)
    report = simulation.run()
    del report["cpu_seconds"], report["max_rss_bytes"]
    return simulation.world.fingerprint, report


def elsewhere(seed: int, hash_seed: str) -> str:
    """The fingerprint of the same play in a process of its own."""
    code = f"from tests.sim.mesh.test_start import play; print(play({seed})[0])"
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=_ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_one_seed_one_course() -> None:
    assert play(3) == play(3)
    assert elsewhere(3, "7") == play(3)[0]


def test_another_seed_another_course() -> None:
    assert play(3)[0] != play(4)[0]
