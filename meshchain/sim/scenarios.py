"""Worlds of usual shapes."""

from collections.abc import Sequence
from itertools import combinations, pairwise

from meshchain.sim.world import World


def numbered(world: World, count: int, prefix: str = "n") -> list[str]:
    """Add ``count`` nodes that mine; their names."""
    names = [f"{prefix}{number}" for number in range(count)]
    for name in names:
        world.add(name)
    return names


def line(world: World, count: int, *, latency: float = 0.02) -> list[str]:
    """Nodes of which each knows the next."""
    names = numbered(world, count)
    for a, b in pairwise(names):
        world.link(a, b, latency=latency)
    return names


def mesh(world: World, count: int, *, latency: float = 0.02, chords: Sequence[int] = (1, 3)) -> list[str]:
    """Nodes that can all reach each other; each knows those ``chords`` further on a ring, and hears of the others."""
    names = numbered(world, count)
    for a, b in combinations(names, 2):
        world.link(a, b, latency=latency, dial=False)
    for number, name in enumerate(names):
        for step in chords:
            other = names[(number + step) % count]
            if other != name:
                world.configure(name, other)
    return names


def halves(names: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """The first half and the rest."""
    middle = len(names) // 2
    return names[:middle], names[middle:]
