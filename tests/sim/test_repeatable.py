"""One seed, one course of events: in this process, in another, with other hash seeds."""

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

from meshchain.sim import World, people, scenarios
from meshchain.sim.carriage import Maker, noise, quick

_ROOT = Path(__file__).parents[2]


def play(seed: int, carriage: Maker = quick) -> World:
    """A little of everything: a mesh, names, a cut, a node killed."""
    world = World(seed, carriage=carriage)
    names = scenarios.mesh(world, 6)
    world.at(20, lambda: world.partition(*scenarios.halves(names)))
    for name in (names[0], names[5]):
        world.at(25, partial(_register, world, name))
    world.at(60, lambda: world.kill(names[1]))
    world.at(70, lambda: world.restart(names[1]))
    world.at(120, world.heal)
    world.run(200)
    return world


def _register(world: World, name: str) -> None:
    people.register(world.nodes[name], "alice")


def elsewhere(seed: int, hash_seed: str) -> str:
    """The fingerprint of the same play in a process of its own."""
    code = f"from tests.sim.test_repeatable import play; print(play({seed}).fingerprint)"
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=_ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_a_seed_repeats_itself() -> None:
    first, second = play(3), play(3)
    assert first.log == second.log
    assert first.fingerprint == second.fingerprint
    assert any("mined" in note.what for note in first.log)


def test_a_seed_repeats_itself_through_the_real_transport() -> None:
    assert play(3, noise).fingerprint == play(3, noise).fingerprint


def test_a_seed_repeats_itself_in_other_processes() -> None:
    here = play(3).fingerprint
    assert [elsewhere(3, "1"), elsewhere(3, "2")] == [here, here]


def test_another_seed_is_another_course() -> None:
    assert play(3).fingerprint != play(4).fingerprint
