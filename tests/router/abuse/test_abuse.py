"""A router that anybody may send anything to counts it, and nothing raises: chance decides what comes.

``fuzz/fuzz_router.py`` lets a fuzzer decide, who sees what each decision leads to.
"""

from random import Random

import pytest

from meshrouter.forwarding.plane import largest_packet
from meshrouter.wire import control, frame
from tests.router.abuse.actions import ACTIONS
from tests.router.abuse.world import PUPPET, VICTIM, World, ipv6

FEW = (0, 1, 2, 255)


class Chance:
    """Numbers and bytes as they come; half of the bytes are from a few values, which lengths and types like."""

    def __init__(self, seed: int) -> None:
        self._rng = Random(seed)

    def integer(self, least: int, most: int) -> int:
        return self._rng.randint(least, most)

    def octets(self, most: int) -> bytes:
        made = self._rng.randbytes(self._rng.randint(0, most))
        return bytes(self._rng.choice(FEW) for _ in made) if self._rng.random() < 0.5 else made


def abused(seed: int, actions: int) -> World:
    chance = Chance(seed)
    world = World(trains=seed % 2 == 0, shared=seed % 3 > 0, mtu=400 if seed % 5 == 0 else 1500)
    assert world.is_up
    for _ in range(actions):
        ACTIONS[chance.integer(0, len(ACTIONS) - 1)](world, chance)
        world.move()
    world.run(1.0)
    return world


def test_every_action_is_taken_notice_of() -> None:
    """Else they would prove nothing: here, over some seeds, rules of every part of the router have said no."""
    counted: set[str] = set()
    for seed in range(12):
        counted |= {rule.split("-")[0] for rule in abused(seed, 60).victim.env.counters}
    frames, packets = {"frame", "link", "wire", "control", "piece"}, {"packet", "forward", "end", "group", "trace"}
    assert frames | packets | {"route", "tun"} <= counted


def test_a_neighbour_that_says_it_takes_no_frames() -> None:
    """Sizes computed from what it says went below zero, and the next handshake between ends could not be written."""
    world = World(trains=True, shared=True, mtu=1500)
    hello = control.encode(control.Hello(seq=9, sent=1, mtu=0))
    world.sealed(frame.CONTROL, hello)
    assert [largest_packet(neighbour) for neighbour in world.victim.neighbours] == [100]
    world.victim.sessions.table.close_all(next(iter(world.victim.sessions.table.pairs.values())))
    world.victim.tun_packets([(None, ipv6(VICTIM, PUPPET, 58, bytes(8)))], world.now)
    world.run(1.0)
    assert world.victim.sessions.by_pair


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 400))
def test_nothing_raises(seed: int) -> None:
    abused(seed, 100)
