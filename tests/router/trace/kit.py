"""Tracers on a small mesh."""

from collections.abc import Callable, Mapping
from functools import partial

from meshrouter.neighbours.neighbour import Neighbour
from meshrouter.trace.echoes import PingResult
from meshrouter.trace.path import Gap, Hop, Path
from meshrouter.trace.tracer import Tracer, TraceResult
from tests.router.net import Net, Place


class Traced:
    """Every node has a Tracer; ``results`` are those of all of them."""

    def __init__(self, *edges: str, seeds: Mapping[str, bytes] | None = None) -> None:
        self.net = Net(*edges, seeds=seeds)
        self.results: list[TraceResult | PingResult] = []
        self.tracers = {name: self.tracer(place, self.results.append) for name, place in self.net.places.items()}

    def tracer(self, place: Place, on_result: Callable[[TraceResult | PingResult], None]) -> Tracer:
        """A node's, in place of what it had."""
        tracer = Tracer(
            place.env, place.directory, send_packet=place.send_packet, send_sealed=place.send_sealed,
            route=place.route, on_result=on_result, version="0.1.0",
        )  # fmt: skip
        place.on_probe = partial(self._probe, tracer)
        place.arrived = lambda packet, ingress: tracer.arrived(packet, ingress, self.net.now)
        place.delivered = lambda packet: assert_taken(tracer.delivered(packet, self.net.now))
        return tracer

    def _probe(self, tracer: Tracer, packet: bytes, ingress: Neighbour) -> bytes | None:
        return tracer.transit(packet, ingress, self.net.now)

    def settle(self) -> None:
        """Until nothing is under way any more, time-outs included."""
        self.net.run()
        for tracer in self.tracers.values():
            while (deadline := tracer.deadline()) < 1e9:
                self.net.now = max(self.net.now, deadline)
                tracer.tick(self.net.now)

    def trace(self, start: str, end: str, *, reverse: bool = True) -> TraceResult:
        number = self.tracers[start].trace(self.net[end].id, self.net.now, reverse=reverse, timeout=3.0)
        self.settle()
        result = self.results.pop()
        assert isinstance(result, TraceResult)
        assert result.number == number
        return result

    def ping(self, start: str, end: str, seq: int = 1, size: int = 56) -> PingResult:
        source, target = (self.net[name].env.identity.address for name in (start, end))
        self.tracers[start].ping(source, target, self.net.now, seq=seq, size=size, timeout=2.0)
        self.settle()
        result = self.results.pop()
        assert isinstance(result, PingResult)
        return result

    def words(self, path: Path | None) -> str:
        """A path in one line: names of hops, reasons of gaps in brackets with the suspects' names."""
        assert path is not None
        names = {place.key: name for name, place in self.net.places.items()}
        return " ".join(_word(step, names) for step in path.steps)


def _word(step: Hop | Gap, names: dict[bytes, str]) -> str:
    if isinstance(step, Hop):
        return names.get(step.report.key, "?")
    return f"[{step.reason} {''.join(names.get(key, '?') for key in step.suspects)}]".replace(" ]", "]")


def assert_taken(taken: bool) -> None:
    assert taken
