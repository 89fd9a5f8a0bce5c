"""Shapes of networks, files with maps, and distances in them."""

import json
from pathlib import Path

import pytest

from meshchain.sim.mesh import topology
from meshchain.sim.mesh.topology import Edge, Graph, Topology, TopologyError, made, read


def parts(shape: Topology) -> int:
    graph = Graph(shape, [True] * shape.nodes)
    return shape.nodes - len(graph.distances(0))


@pytest.mark.parametrize("kind", ["grid", "line", "tree", "random"])
@pytest.mark.parametrize("count", [2, 3, 7, 50, 120])
def test_every_shape_is_connected_and_simple(kind: str, count: int) -> None:
    shape = made(kind, count, 1)
    pairs = [(min(edge.a, edge.b), max(edge.a, edge.b)) for edge in shape.edges]
    assert (shape.nodes, parts(shape)) == (count, 1)
    assert len(set(pairs)) == len(pairs)
    assert all(a != b for a, b in pairs)


def test_sizes() -> None:
    assert len(made("grid", 49, 1).edges) == 2 * 7 * 6
    assert len(made("line", 50, 1).edges) == len(made("tree", 50, 1).edges) == 49
    assert 4 < 2 * len(made("random", 350, 1).edges) / 350 < 7


def test_a_shape_is_its_seeds() -> None:
    assert made("random", 40, 1) == made("random", 40, 1)
    assert made("random", 40, 1) != made("random", 40, 2)
    assert made("tree", 40, 1) != made("tree", 40, 2)


@pytest.mark.parametrize("count", [-1, 0, 1, topology.MOST_NODES + 1])
def test_a_size_that_makes_no_network_is_refused(count: int) -> None:
    with pytest.raises(TopologyError, match="nodes"):
        made("line", count, 1)


def test_a_file_is_read_by_its_ids_as_text(tmp_path: Path) -> None:
    form = {
        "nodes": [{"id": 0}, {"id": "0"}, {"id": "far"}],
        "links": [
            {"source": 0, "target": "far", "source_tq": 0.5, "target_tq": 0.25},
            {"source": "far", "target": "0"},
            {"source": "far", "target": "late"},
            {"source": 0, "target": 0},
            {"source": 0, "target": "late", "source_tq": 0, "target_tq": 1},
        ],
    }
    assert _read(tmp_path, form) == Topology(3, (Edge(0, 1, 0.5, 0.25), Edge(1, 2)))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "not a map"),
        ('{"nodes": [], "links": []}', "2 to"),
        ('{"nodes": [{}, {}], "links": []}', "not a map"),
        ('{"nodes": [{"id": 1}, {"id": 2}], "links": [{"source": 1}]}', "not a map"),
        ('{"nodes": [{"id": 1}], "links": [{"source": 1, "target": 2, "source_tq": 7}]}', "not a map"),
        ('{"nodes": [{"id": 1}], "links": [{"source": 1, "target": 2, "source_tq": "x"}]}', "not a map"),
    ],
)
def test_what_is_no_map_is_refused(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "map.json"
    path.write_text(text)
    with pytest.raises(TopologyError, match=why):
        read(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(TopologyError, match="No such file"):
        read(tmp_path / "none.json")


def test_only_carriers_lead_on() -> None:
    """0 - 1 - 2 - 3, and 1 carries nothing."""
    graph = Graph(made("line", 4, 1), [True, False, True, True])
    assert graph.distances(0) == {1: 1}
    assert graph.distances(1) == {0: 1, 2: 1, 3: 2}
    assert graph.distances(3) == {2: 1, 1: 2}


def _read(folder: Path, form: object) -> Topology:
    path = folder / "map.json"
    path.write_text(json.dumps(form))
    return read(path)
