"""What a network does, measured by packets: who reaches whom and when, by how many hops, and what it costs.

Theory of operation
-------------------
A *probe* is a UDP datagram of the size of a ping, from one node's TUN to another's; it is late after ``PATIENCE``. A
*round* is up to 200 probes between pairs drawn anew, of those that the graph connects: none of them has a session yet,
as a rule, so a round measures routes and handshakes. Rounds come every 0.25 s at first, and every 5 s once one was
complete. The share of a round that arrived in time, by the time at which it was sent, is the curve. A cold start is
over when so many of one round have *arrived*: a probe that had to wait for its route counts from then.

*Hops* are told by the hop limit that a probe has left. *Loops* are seen by the observer of the data planes, in every
packet, not only in probes. *Control* is every byte that a node puts onto its links, gossip included, but for frames
with probes and with handshakes of pairs that are probed; it is measured in the second half of the run.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Any, Final

from meshchain.sim.mesh.node import MeshNode
from meshchain.sim.mesh.topology import Graph
from meshchain.sim.mesh.world import MeshWorld
from meshrouter.wire.packet import PACKET_SIZE
from meshrouter.wire.sec import SEC_OVERHEAD

PORT: Final = 7
"""echo (RFC 862)."""
PAYLOAD: Final = 56
PROBES: Final = 200
PATIENCE: Final = 1.0
HOPS: Final = 255
LEVELS: Final = (90.0, 99.5, 100.0)
"""Percent that must arrive for a start to count as over."""
_UDP_HEADER: Final = 8
_NUMBER: Final = 8
_PACES: Final = ((5.0, 0.25), (15.0, 0.5), (float("inf"), 1.0))
"""(until, seconds between rounds), as long as none was complete."""
_LATER: Final = 5.0
_TRIES: Final = 1000
_SESSION_TIME: Final = 10.0
"""Seconds after which handshakes of a pair that was probed are over."""


@dataclass(slots=True)
class Round:
    """``missing``: probes that have not arrived, by number; ``arrivals``: when the others did."""

    sent: float
    count: int
    missing: dict[int, tuple[int, int]] = field(default_factory=dict)
    arrivals: list[float] = field(default_factory=list)

    def reached(self, ratio: float) -> float | None:
        """When this share of it had arrived."""
        needed = ceil(ratio * self.count)
        return self.arrivals[needed - 1] if len(self.arrivals) >= needed else None


class Survey:
    """``seconds``: how long the run is; ``probes``: in a round. Begin before the world runs, ``report`` afterwards."""

    def __init__(
        self, world: MeshWorld, nodes: Sequence[MeshNode], graph: Graph, *, seconds: float, probes: int = PROBES
    ) -> None:
        self.rounds: list[Round] = []
        """Those that are over, in order."""
        self.stretches: list[float] = []
        self._world = world
        self._nodes = nodes
        self._graph = graph
        self._seconds = seconds
        self._probes = probes
        self._rng = random.Random(f"{world.seed}/survey")
        self._linked = [number for number, beside in enumerate(graph.beside) if beside]
        self._rounds: dict[int, Round] = {}
        self._sent = 0
        self._complete = False
        self._spent: list[tuple[int, int]] = []
        world.observer.probe_size = PACKET_SIZE + SEC_OVERHEAD + _UDP_HEADER + PAYLOAD

    def begin(self) -> None:
        if self._linked:
            self._world.at(_PACES[0][1], self._probe)
        self._world.at(self._seconds / 2, self._half)

    # --- probes --------------------------------------------------------------------------------------------

    def _probe(self) -> None:
        """One round, and the next one later; the last in time for its answers."""
        now = self._world.now
        current = Round(now, self._probes)
        for _ in range(self._probes):
            self._send(current, *self._pair())
        self._world.at(now + PATIENCE, lambda: self._judge(current))
        self._plan(now)

    def _plan(self, now: float) -> None:
        last = self._seconds - PATIENCE
        pace = next(pace for until, pace in _PACES if now < until)
        later = now + (_LATER if self._complete else pace)
        if later <= last:
            self._world.at(later, self._probe)
        elif now < last:
            self._world.at(last, self._probe)

    def _pair(self) -> tuple[int, int]:
        """Any that the graph connects, all alike unless they are rare."""
        for _ in range(_TRIES):
            a, b = self._rng.choice(self._linked), self._rng.choice(self._linked)
            if b in self._graph.distances(a):
                return a, b
        a = self._rng.choice(self._linked)
        return a, self._rng.choice(list(self._graph.distances(a)))

    def _send(self, current: Round, a: int, b: int) -> None:
        source, destination = self._nodes[a], self._nodes[b]
        self._sent += 1
        current.missing[self._sent] = a, b
        self._rounds[self._sent] = current
        if source.mesh is None:
            return
        self._mark(source.identity.id, destination.identity.id)
        payload = self._sent.to_bytes(_NUMBER, "big").ljust(PAYLOAD, b"\0")
        source.mesh.kernel.send(destination.address, PORT, payload, HOPS)
        if destination.mesh is not None:
            destination.mesh.kernel.datagrams[PORT] = self._arrived

    def _mark(self, a: bytes, b: bytes) -> None:
        probed = self._world.observer.probed
        for pair in (a + b, b + a):
            probed[pair] = probed.get(pair, 0) + 1
            self._world.at(self._world.now + _SESSION_TIME, lambda pair=pair: self._unmark(pair))  # type: ignore[misc]

    def _unmark(self, pair: bytes) -> None:
        probed = self._world.observer.probed
        probed[pair] -= 1
        if not probed[pair]:
            del probed[pair]

    def _arrived(self, _source: bytes, payload: bytes, left: int) -> None:
        number = int.from_bytes(payload[:_NUMBER], "big")
        current = self._rounds.get(number)
        if current is None:
            return
        a, b = current.missing.pop(number)
        del self._rounds[number]
        current.arrivals.append(self._world.now)
        if current.sent >= self._seconds / 2:
            self.stretches.append((HOPS - left + 1) / self._graph.distances(a)[b])

    def _judge(self, current: Round) -> None:
        for number in current.missing:
            del self._rounds[number]
        self._complete = not current.missing
        self.rounds.append(current)

    # --- bytes ---------------------------------------------------------------------------------------------

    def _half(self) -> None:
        self._spent = self._bytes()

    def _bytes(self) -> list[tuple[int, int]]:
        """Of each node: all, and those of probes."""
        probes = self._world.observer.probe_bytes
        return [(node.sent_bytes, probes[node.identity.id]) for node in self._nodes]

    # --- the report ----------------------------------------------------------------------------------------

    def report(self) -> dict[str, Any]:
        """The measured keys of the report; None where nothing was to be measured."""
        curve = [[part.sent, len(part.arrivals) / part.count] for part in self.rounds]
        return {
            "delivery": {"curve": curve, "final": curve[-1][1] if curve else None},
            "cold_start_s": {f"{level:g}": self._reached(level / 100) for level in LEVELS},
            "loops": len(self._world.observer.loops),
            "control_bytes_per_node_second": _spread(self._control()),
            "stretch": _spread(self.stretches),
        }

    def _reached(self, ratio: float) -> float | None:
        """When a round first had so much of it there."""
        return next((time for part in self.rounds if (time := part.reached(ratio)) is not None), None)

    def _control(self) -> list[float]:
        seconds = self._world.now - self._seconds / 2
        return [
            (sent - before - (probes - probes_before)) / seconds
            for (sent, probes), (before, probes_before) in zip(self._bytes(), self._spent, strict=bool(self._spent))
        ]


def _spread(values: Sequence[float]) -> dict[str, float | None]:
    """Mean, 95th percentile (nearest rank) and greatest."""
    if not values:
        return {"mean": None, "p95": None, "max": None}
    ordered = sorted(values)
    rank = -(-95 * len(ordered) // 100) - 1
    return {"mean": sum(ordered) / len(ordered), "p95": ordered[rank], "max": ordered[-1]}
