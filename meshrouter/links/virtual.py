"""Links without a kernel: a bus that many attach to, or a wire between two, in memory.

What carries a frame is passed in (``Carry``): by default it is in the receiver's inbox at once; a simulation puts it
there later, or never. Nothing here knows a clock.
"""

from collections import deque
from collections.abc import Callable
from typing import Final, TypeAlias

from meshrouter.batch import BATCH
from meshrouter.links.link import EVERYBODY, Link, Medium

MOST_WAITING: Final = 4096
"""Frames in an inbox; what comes on top is lost, as in a socket buffer of some 4 MB."""


class VirtualLink(Link):
    """One node's end. ``address``: 6 bytes on a bus; EVERYBODY on a wire between two."""

    def __init__(self, bus: "Bus", number: int, name: str, address: bytes) -> None:
        super().__init__(
            number=number, name=name, medium=Medium.VIRTUAL, mtu=bus.mtu, shared=bus.shared, trains=bus.trains
        )
        self.bus = bus
        self.address = address
        self.inbox: deque[tuple[bytes, bytes]] = deque()
        self.lost = 0
        """Frames that found the inbox full."""

    def arrive(self, source: bytes, frame: bytes) -> None:
        """A frame is here. What finds the link down or its inbox full is gone."""
        if not self.up or len(self.inbox) >= MOST_WAITING:
            self.lost += 1
            return
        self.inbox.append((source, frame))

    def receive(self) -> list[tuple[bytes, bytes]]:
        """(link address of the sender, frame), oldest first, at most BATCH."""
        inbox = self.inbox
        return [inbox.popleft() for _ in range(min(BATCH, len(inbox)))]

    def flush(self) -> None:
        """Give the outbox to the bus."""
        outbox, self.outbox = self.outbox, []
        for destination, frame in outbox:
            assert isinstance(frame, bytes)  # send_train is not ours
            self.bus.send(self, destination, frame)


Carry: TypeAlias = Callable[[VirtualLink, bytes, bytes], None]
"""(receiver, link address of the sender, frame): sees to it that ``receiver.arrive(sender, frame)`` happens."""


class Bus:
    """A medium that everybody attached hears. ``mtu``: largest frame in bytes; a larger one is lost."""

    def __init__(
        self, *, mtu: int = 1500, shared: bool = True, trains: bool = False, carry: Carry = VirtualLink.arrive
    ) -> None:
        self.mtu = mtu
        self.shared = shared
        self.trains = trains
        self.carry = carry
        self.links: dict[bytes, VirtualLink] = {}
        self._attached = 0

    def attach(self, number: int, name: str = "virtual") -> VirtualLink:
        """A new end, with an address of its own; ``number`` as in Link."""
        self._attached += 1
        place = self._attached.to_bytes(6, "big")
        link = VirtualLink(self, number, name, place if self.shared else EVERYBODY)
        self.links[place] = link
        return link

    def detach(self, link: VirtualLink) -> None:
        """Pull the plug: it hears nothing more, and nobody hears it."""
        link.up = False
        self.links = {place: other for place, other in self.links.items() if other is not link}

    def send(self, sender: VirtualLink, destination: bytes, frame: bytes) -> None:
        """To one, or to all but the sender, in the order of their attachment. Unknown addresses hear nothing."""
        if not sender.up or len(frame) > self.mtu:
            return
        for receiver in self._receivers(sender, destination):
            self.carry(receiver, sender.address, frame)

    def _receivers(self, sender: VirtualLink, destination: bytes) -> list[VirtualLink]:
        if destination == EVERYBODY:
            return [link for link in self.links.values() if link is not sender]
        receiver = self.links.get(destination)
        return [] if receiver is None or receiver is sender else [receiver]


def wire(
    first: int, second: int, *, mtu: int = 1500, trains: bool = False, carry: Carry = VirtualLink.arrive
) -> tuple[VirtualLink, VirtualLink]:
    """Two ends of a wire that nobody else is on, with these link numbers."""
    bus = Bus(mtu=mtu, shared=False, trains=trains, carry=carry)
    return bus.attach(first, "virtual"), bus.attach(second, "virtual")
