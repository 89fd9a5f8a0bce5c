"""A network to which everything happens at once, and then nothing for a while."""

import random
from collections.abc import Callable

from meshrouter.directory import Role
from tests.router.routing.net import Net, Wire, random_graph

QUIET = 1000.0
"""Seconds: several refreshes, so that every route had the chance to be the best one."""


def _wire(rng: random.Random) -> Wire:
    """Costs less than twice each other: a direct link is always the best way then, and the slow model simple."""
    costs = rng.randint(96, 190), rng.randint(96, 190)
    return Wire(costs, loss=0.15, delay=(0.001, rng.choice((0.01, 0.1, 0.5))))


def _cut(net: Net, rng: random.Random) -> None:
    up = [pair for pair, wire in net.wires.items() if wire.up]
    if up:
        net.cut(*rng.choice(up), patience=2.0)


def _mend(net: Net, rng: random.Random) -> None:
    cut = [pair for pair, wire in net.wires.items() if not wire.up]
    if cut:
        net.mend(*rng.choice(cut))


def _recost(net: Net, rng: random.Random) -> None:
    pair = rng.choice(list(net.wires))
    if net.wires[pair].up:
        net.recost(*pair, (rng.randint(96, 190), rng.randint(96, 190)))


def _restart(net: Net, rng: random.Random) -> None:
    net.restart(rng.randrange(len(net.lives)), rng.choice((0.0, 1.0, 5.0)))


def _role(net: Net, rng: random.Random) -> None:
    net.become(rng.randrange(len(net.lives)), rng.choice((Role.GUEST, Role.MEMBER, Role.MEMBER, Role.BARRED)), 2.0)


WHAT: tuple[Callable[[Net, random.Random], None], ...] = (_cut, _cut, _mend, _mend, _recost, _restart, _role)


def storm(seed: int, *, events: int = 60, most_nodes: int = 24) -> Net:
    """12 nodes or more, 15 % of frames lost, late and out of order; a thing happens every half second on average."""
    rng = random.Random(seed)
    nodes = rng.randint(12, most_nodes)
    net = Net(nodes, seed)
    for first, second in random_graph(nodes, rng, more=nodes):
        net.connect(first, second, _wire(rng))
    net.run(2.0)
    for _ in range(events):
        rng.choice(WHAT)(net, rng)
        net.run(rng.expovariate(2.0))
        net.loops += [(net.now, -1, loop) for loop in net.all_loops()]
    _calm(net)
    return net


def _calm(net: Net) -> None:
    """No more frames are lost; what was decided before the calm is done. Restarts are over, sessions are made."""
    for wire in net.wires.values():
        wire.loss = 0.0
    net.run(10.0)
    for (first, second), wire in net.wires.items():
        if wire.up and (second not in net.lives[first].sides or first not in net.lives[second].sides):
            net.mend(first, second)
    net.hello = 10.0
    net.run(QUIET)
