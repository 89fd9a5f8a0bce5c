"""Who is linked to whom: grids, lines, random trees, random maps, and maps of real meshes from a file.

A file is JSON: ``{"nodes": [{"id": …}], "links": [{"source": id, "target": id, "source_tq": q, "target_tq": q}]}``, as
meshnet-lab (MIT) keeps maps of Freifunk communities. Ids are compared as text; a node that only a link names is a node;
``source_tq`` is the share of frames that arrive from source to target, 1 if it is missing; a link with a 0 is dead, a
link to itself or one that was there before is passed over.
"""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import ceil, hypot, pi, sqrt
from pathlib import Path
from typing import Any, Final

NEIGHBOURS: Final = 6
"""Of a node of a random map, on average."""
MOST_NODES: Final = 10_000
_MOST_BYTES: Final = 64 << 20


class TopologyError(Exception):
    """A shape that cannot be made; the message says why."""


@dataclass(frozen=True, slots=True)
class Edge:
    """Nodes are numbered from 0. Qualities are shares of frames that arrive: at ``b`` from ``a``, and back."""

    a: int
    b: int
    there: float = 1.0
    back: float = 1.0


@dataclass(frozen=True, slots=True)
class Topology:
    nodes: int
    edges: tuple[Edge, ...]


def made(kind: str, count: int, seed: int) -> Topology:
    """``kind``: grid, line, tree or random. TopologyError."""
    if not 2 <= count <= MOST_NODES:
        raise TopologyError(f"a network has 2 to {MOST_NODES} nodes, not {count}")
    rng = random.Random(f"{seed}/topology")
    makers = {"grid": _grid, "line": _line, "tree": _tree, "random": _random}
    return Topology(count, tuple(makers[kind](count, rng)))


def _grid(count: int, _rng: random.Random) -> Iterator[Edge]:
    """As square as it gets, each node with up to four neighbours."""
    width = ceil(sqrt(count))
    for number in range(count):
        if (number + 1) % width and number + 1 < count:
            yield Edge(number, number + 1)
        if number + width < count:
            yield Edge(number, number + width)


def _line(count: int, _rng: random.Random) -> Iterator[Edge]:
    for number in range(count - 1):
        yield Edge(number, number + 1)


def _tree(count: int, rng: random.Random) -> Iterator[Edge]:
    """Each node hangs from one that was there before, whichever."""
    for number in range(1, count):
        yield Edge(rng.randrange(number), number)


def _random(count: int, rng: random.Random) -> Iterator[Edge]:
    """Points in a square, linked to those within a radius; parts that are cut off get the shortest link there is."""
    points = [(rng.random(), rng.random()) for _ in range(count)]
    radius = sqrt(NEIGHBOURS / (pi * count))
    part = list(range(count))
    far: list[tuple[float, int, int]] = []
    for a, b in combinations(range(count), 2):
        distance = hypot(points[a][0] - points[b][0], points[a][1] - points[b][1])
        if distance <= radius:
            _join(part, a, b)
            yield Edge(a, b)
        elif distance < 4 * radius:
            far.append((distance, a, b))
    yield from _bridges(part, far, count)


def _bridges(part: list[int], far: list[tuple[float, int, int]], count: int) -> Iterator[Edge]:
    for _, a, b in sorted(far):
        if _join(part, a, b):
            yield Edge(a, b)
    for number in range(1, count):  # farther away than anybody looks
        if _join(part, 0, number):
            yield Edge(0, number)


def _join(part: list[int], a: int, b: int) -> bool:
    """Whether the two were in different parts (union-find)."""
    root_a, root_b = _root(part, a), _root(part, b)
    part[root_a] = root_b
    return root_a != root_b


def _root(part: list[int], node: int) -> int:
    while part[node] != node:
        part[node] = node = part[part[node]]
    return node


# --- files ---------------------------------------------------------------------------------------------------


def read(path: Path) -> Topology:
    """TopologyError: the file cannot be read, or is no map."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise TopologyError(f"{path} has more than {_MOST_BYTES >> 20} MB")
        form = json.loads(path.read_bytes())
    except OSError as error:
        raise TopologyError(f"cannot read {path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise TopologyError(f"{path} is not JSON: {error}") from None
    try:
        return _parsed(form)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise TopologyError(f"{path} is not a map of nodes and links: {error!r}") from None


def _parsed(form: dict[str, Any]) -> Topology:
    numbers: dict[str, int] = {}
    for node in form["nodes"]:
        numbers.setdefault(str(node["id"]), len(numbers))
    edges: dict[tuple[int, int], Edge] = {}
    for link in form["links"]:
        a, b = (numbers.setdefault(str(link[end]), len(numbers)) for end in ("source", "target"))
        there, back = _quality(link, "source_tq"), _quality(link, "target_tq")
        if a != b and there and back:
            edges.setdefault((min(a, b), max(a, b)), Edge(a, b, there, back))
    if not 2 <= len(numbers) <= MOST_NODES:
        raise TopologyError(f"a network has 2 to {MOST_NODES} nodes, not {len(numbers)}")
    return Topology(len(numbers), tuple(edges.values()))


def _quality(link: dict[str, Any], key: str) -> float:
    quality = float(link.get(key, 1))
    if not 0 <= quality <= 1:
        raise ValueError(f"{key} is {quality}")
    return quality


# --- paths ---------------------------------------------------------------------------------------------------


class Graph:
    """Distances in hops. Only ``carriers`` lead to others; everybody is reached by its neighbours."""

    def __init__(self, topology: Topology, carriers: Sequence[bool]) -> None:
        self.beside: list[list[int]] = [[] for _ in range(topology.nodes)]
        for edge in topology.edges:
            self.beside[edge.a].append(edge.b)
            self.beside[edge.b].append(edge.a)
        self._carriers = carriers
        self._from: dict[int, dict[int, int]] = {}

    def distances(self, start: int) -> dict[int, int]:
        """Of all nodes that can be reached from ``start``, itself not among them."""
        known = self._from.get(start)
        if known is None:
            known = self._from[start] = self._walk(start)
        return known

    def _walk(self, start: int) -> dict[int, int]:
        found, front, distance = {start: 0}, [start], 0
        while front:
            distance += 1
            fresh: list[int] = []
            for node in front:
                if node == start or self._carriers[node]:
                    for other in self.beside[node]:
                        if other not in found:
                            found[other] = distance
                            fresh.append(other)
            front = fresh
        del found[start]
        return found
