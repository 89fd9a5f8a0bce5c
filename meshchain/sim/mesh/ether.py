"""What a simulated link is made of: late, as fast as it is, losing some frames, cut, or unplugged.

``cut`` lets frames vanish and tells nobody, as a radio in a tunnel; ``unplug`` takes the carrier, which every end
notices. Each receiver hears at the link's rate, as behind a switch; what would wait longer than ``QUEUE`` is lost.
"""

import random
from collections import deque
from collections.abc import Callable
from typing import Final

from meshchain.sim.heap import Heap
from meshrouter.links.virtual import Bus, VirtualLink

QUEUE: Final = 0.5
"""Seconds that a frame may wait for its turn."""


class Ether:
    """One link of the world. ``latency`` in s one way, ``rate`` in bytes/s (None: any), ``loss``: share of frames."""

    def __init__(
        self,
        heap: Heap,
        rng: random.Random,
        *,
        latency: float,
        rate: float | None = None,
        loss: float = 0.0,
        shared: bool = True,
        mtu: int = 1500,
        trains: bool = False,
    ) -> None:
        self._heap = heap
        self._rng = rng
        self.latency = latency
        self.rate = rate
        self.loss = loss
        self.loss_to: dict[str, float] = {}
        """By name of the receiver, for those that hear worse or better than the others."""
        self.up = True
        self.frames = 0
        self.lost = 0
        self._bus = Bus(mtu=mtu, shared=shared, trains=trains, carry=self._carry)
        self._ports: dict[VirtualLink, Port] = {}

    def attach(self, number: int, name: str, owner: "Owner") -> VirtualLink:
        """A new end; ``owner`` is told when something has come, and when the carrier does."""
        link = self._bus.attach(number, name)
        self._ports[link] = Port(owner)
        return link

    def detach(self, link: VirtualLink) -> None:
        self._bus.detach(link)
        self._ports.pop(link, None)

    @property
    def ends(self) -> list[VirtualLink]:
        return list(self._ports)

    # --- trouble -------------------------------------------------------------------------------------------

    def cut(self) -> None:
        """From now on nothing arrives; nobody is told."""
        self.up = False

    def mend(self) -> None:
        self.up = True

    def unplug(self) -> None:
        """All ends lose their carrier."""
        self.up = False
        self._carrier(False)

    def plug(self) -> None:
        self.up = True
        self._carrier(True)

    def _carrier(self, up: bool) -> None:
        for link, port in list(self._ports.items()):
            link.up = up
            port.owner.carrier(link)

    # --- frames --------------------------------------------------------------------------------------------

    def _carry(self, receiver: VirtualLink, source: bytes, frame: bytes) -> None:
        port = self._ports.get(receiver)
        self.frames += 1
        if port is None or not self.up or self._is_lost(port.owner.name):
            self.lost += 1
            return
        at = self._heap.now
        if self.rate is not None:
            if port.free - at > QUEUE:
                self.lost += 1
                return
            at = port.free = max(port.free, at) + len(frame) / self.rate
        due = at + self.latency
        port.under_way.append((due, source, frame))
        if due != port.planned:
            port.planned = due
            self._heap.at(due, lambda: self._arrive(receiver, port))

    def _is_lost(self, receiver: str) -> bool:
        loss = self.loss_to.get(receiver, self.loss)
        return loss > 0 and self._rng.random() < loss

    def _arrive(self, receiver: VirtualLink, port: "Port") -> None:
        """Whatever is due by now; the link may have been cut meanwhile."""
        now, way = self._heap.now, port.under_way
        while way and way[0][0] <= now:
            _, source, frame = way.popleft()
            if self.up:
                receiver.arrive(source, frame)
        if receiver.inbox:
            port.owner.frames(receiver)


class Owner:
    """The node whose an end is."""

    def __init__(
        self, name: str, frames: Callable[[VirtualLink], None], carrier: Callable[[VirtualLink], None]
    ) -> None:
        self.name = name
        self.frames = frames
        self.carrier = carrier


class Port:
    """What is under way to one end."""

    def __init__(self, owner: Owner) -> None:
        self.owner = owner
        self.under_way: deque[tuple[float, bytes, bytes]] = deque()
        self.planned = -1.0
        """When the latest of it is due."""
        self.free = 0.0
        """When the wire to it is."""
