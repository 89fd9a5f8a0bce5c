"""A connection as one of its two nodes holds it."""

from dataclasses import dataclass
from typing import Protocol

from meshchain.p2p.actions import Endpoint, Peer
from meshchain.sim.carriage import Carriage


class Way(Protocol):
    """What carries the bytes: ``streams.Connection``, or a stream of packets through the mesh."""

    def send(self, side: int, data: bytes) -> None: ...

    def close(self, side: int) -> None:
        """This side hangs up."""


class Holder(Protocol):
    """The run of a node that holds wires."""

    @property
    def alive(self) -> bool:
        """False once the run is over: nothing reaches it any more."""

    def bytes_arrived(self, wire: "Wire", data: bytes) -> None: ...

    def wire_gone(self, wire: "Wire") -> None: ...


@dataclass(eq=False)
class Wire:
    """One end of a connection at a run."""

    run: Holder
    peer: Peer
    carriage: Carriage
    endpoint: Endpoint
    purpose: str
    inbound: bool
    side: int
    """0 dialled, 1 was dialled."""
    connection: Way | None = None
    proven: bool = False

    def arrived(self, data: bytes) -> None:
        if self.run.alive:
            self.run.bytes_arrived(self, data)

    def ended(self) -> None:
        if self.run.alive:
            self.run.wire_gone(self)

    def flush(self) -> None:
        output = self.carriage.take_output()
        if output and self.connection is not None:
            self.connection.send(self.side, output)

    def hang_up(self) -> None:
        if self.connection is not None:
            self.connection.close(self.side)
