"""The router's data plane, looked at: loops, and how many of a node's bytes were probes.

A packet is known by its ends, its session and its counter, which no hop changes; so a node that sends the same packet
on a second time has a loop before it. The latest ``_GENERATION`` or two are remembered.
"""

from collections import Counter
from typing import Final

from meshrouter.forwarding.plane import Plane
from meshrouter.neighbours.neighbour import Neighbour
from meshrouter.wire.frame import OVERHEAD
from meshrouter.wire.packet import MESHHS, MESHSEC

_COUNTER_AT: Final = slice(40, 48)
_GENERATION: Final = 100_000
"""Packets sent."""


class Observer:
    """Of all nodes of a world."""

    def __init__(self) -> None:
        self.probed: dict[bytes, int] = {}
        """How often pairs are being probed, by the ids of both ends (28 bytes), either way round."""
        self.probe_size = 0
        """Bytes of a MESHSEC packet with a probe in it."""
        self.loops: list[tuple[bytes, bytes]] = []
        """(id of the node, the packet's head) of every packet that came back to a node that had sent it on."""
        self.probe_bytes: Counter[bytes] = Counter()
        """Of link frames, by the id of the node that has sent them."""
        self._seen: dict[bytes, None] = {}
        self._seen_before: dict[bytes, None] = {}

    def sends(self, node: bytes, packet: bytes) -> None:
        kind = packet[6]
        if kind == MESHSEC:
            self._look(node, packet)
            is_probe = len(packet) == self.probe_size and packet[10:24] + packet[26:40] in self.probed
        else:
            is_probe = kind == MESHHS and packet[10:24] + packet[26:40] in self.probed
        if is_probe:
            self.probe_bytes[node] += len(packet) + OVERHEAD

    def _look(self, node: bytes, packet: bytes) -> None:
        mark = node + packet[10:24] + packet[26:40] + packet[_COUNTER_AT]
        if mark in self._seen or mark in self._seen_before:
            self.loops.append((node, packet[:48]))
        self._seen[mark] = None
        if len(self._seen) >= _GENERATION:
            self._seen, self._seen_before = {}, self._seen


def watched(observer: Observer) -> type[Plane]:
    """A data plane that tells the observer of every packet before it leaves."""

    class Watched(Plane):
        def _out(self, packet: bytes, ingress: Neighbour | None, egress: Neighbour, now: float) -> None:
            observer.sends(self._own, packet)
            super()._out(packet, ingress, egress, now)

    return Watched
