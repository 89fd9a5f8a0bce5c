"""Maps of real community meshes: everybody whom the graph connects reaches everybody."""

import os
from pathlib import Path

import pytest

from meshchain.sim.mesh import topology
from meshchain.sim.mesh.simulation import Plan, Simulation

MAPS = Path(os.environ.get("MESH_TEST_VECTORS", Path(__file__).parents[4] / "shared/vectors")) / "topologies"
NAMES = ("leipzig", "bielefeld", "cologne-bonn-area", "berlin", "aachen")


def of(name: str) -> topology.Topology:
    path = MAPS / f"freifunk-{name}.json"
    if not path.is_file():
        pytest.skip(f"no {path}: set MESH_TEST_VECTORS to the folder with the public test data")
    return topology.read(path)


@pytest.mark.parametrize(
    ("name", "nodes"), [("leipzig", 210), ("bielefeld", 246), ("cologne-bonn-area", 279), ("aachen", 1972)]
)
def test_a_map_is_read(name: str, nodes: int) -> None:
    read = of(name)
    assert read.nodes == nodes
    assert all(0 < edge.there <= 1 and 0 < edge.back <= 1 and edge.a != edge.b for edge in read.edges)
    assert len({(min(edge.a, edge.b), max(edge.a, edge.b)) for edge in read.edges}) == len(read.edges)


def test_berlin_repeats_ids_and_leaves_a_node_out_of_its_list() -> None:
    """976 entries, 760 ids as text, and one more that only links name."""
    assert of("berlin").nodes == 761


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES[:3])
def test_all_connected_pairs_of_a_map_reach_each_other(name: str) -> None:
    report = Simulation(Plan(topology=of(name), seconds=30.0, seed=1)).run()
    assert report["delivery"]["final"] == 1.0
    assert report["cold_start_s"]["100"] is not None
    assert report["loops"] == 0
    assert report["stretch"]["p95"] <= 1.7


@pytest.mark.slow
def test_a_lossy_map_still_carries_most() -> None:
    """Link qualities become loss, and no link repeats anything: a handshake and a probe within 1 s are three ways over
    links of which many lose a third."""
    report = Simulation(Plan(topology=of("leipzig"), seconds=12.0, seed=1, lossy=True)).run()
    latest = [ratio for time, ratio in report["delivery"]["curve"] if time > 6]
    assert sum(latest) / len(latest) > 0.3
    assert report["loops"] == 0
