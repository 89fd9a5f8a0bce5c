"""Gossip's connections as streams through the mesh: what joins a wire of a run to a stream of the node's kernel."""

from collections.abc import Callable

from meshchain.p2p.actions import Dial, Endpoint
from meshchain.sim.carriage import Maker
from meshchain.sim.mesh.kernel import Kernel
from meshchain.sim.mesh.stream import Stream
from meshchain.sim.run import Running
from meshchain.sim.wire import Wire

DIAL_TIME = 10.0
"""Seconds after which an attempt is given up, as in the node."""


class Line:
    """One end of a connection: a ``wire.Way`` on one side, a ``stream.Ear`` on the other."""

    def __init__(self, stream: Stream, now: Callable[[], float]) -> None:
        self._stream = stream
        self._now = now
        self.wire: Wire

    def send(self, side: int, data: bytes) -> None:  # noqa: ARG002 - there is only this side
        self._stream.send(data, self._now())

    def close(self, side: int) -> None:  # noqa: ARG002
        self._stream.finish(self._now())

    def opened(self) -> None:
        """What was said before is on its way already."""

    def arrived(self, data: bytes) -> None:
        self.wire.arrived(data)

    def ended(self) -> None:
        self.wire.ended()


class Calls:
    """Of one run. ``carriage``: what the streams carry; ``numbers``: the next connection's."""

    def __init__(self, run: Running, seed: bytes, carriage: Maker, number: Callable[[], int]) -> None:
        self._run = run
        self._seed = seed
        self._carriage = carriage
        self._number = number
        self.kernel: Kernel

    def dial(self, action: Dial) -> None:
        wire: Wire | None = None

        def made(stream: Stream) -> Line:
            nonlocal wire
            line, wire = self._joined(stream, action.endpoint, action.purpose, 0)
            return line

        self.kernel.dial(action.endpoint, made)
        assert wire is not None  # the kernel asks for it at once
        begun = wire
        begun.flush()
        self._run.later(DIAL_TIME, lambda: self._give_up(begun))

    def accept(self, endpoint: Endpoint, stream: Stream) -> Line:
        """Somebody calls us."""
        line, wire = self._joined(stream, endpoint, "inbound", 1)
        wire.flush()
        return line

    def _give_up(self, wire: Wire) -> None:
        """Nobody has answered."""
        if not wire.proven:
            self._run.wire_gone(wire)

    def _joined(self, stream: Stream, endpoint: Endpoint, purpose: str, side: int) -> tuple[Line, Wire]:
        run, peer = self._run, self._number()
        line = Line(stream, lambda: run.now)
        carriage = self._carriage(self._seed, side == 0, run.rng.randbytes, run.now)
        wire = run.wires[peer] = line.wire = Wire(
            run=run,
            peer=peer,
            carriage=carriage,
            endpoint=endpoint,
            purpose=purpose,
            inbound=side == 1,
            side=side,
            connection=line,
        )
        return line, wire
