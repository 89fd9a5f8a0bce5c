"""What ``meshsim`` runs: a network of a shape, started at once, surveyed for some time, and the report of it."""

import random
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from meshchain.sim.mesh.survey import PROBES, Survey
from meshchain.sim.mesh.topology import Graph, Topology
from meshchain.sim.mesh.world import MeshWorld

_SLICE: Final = 0.25
"""Virtual seconds between two looks at progress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    topology: Topology
    seconds: float
    seed: int
    guests: float = 0.0
    """Share of the nodes that own no name."""
    probes: int = PROBES
    """In a round."""
    lossy: bool = False
    """Whether the qualities of links become loss."""


class Simulation:
    """``progress``: called with the virtual seconds that have passed."""

    def __init__(self, plan: Plan, progress: Callable[[float], None] = lambda _now: None) -> None:
        self.plan = plan
        self._progress = progress
        self._began = time.process_time()
        self.world = world = MeshWorld(plan.seed)
        topology = plan.topology
        names = [f"n{number}" for number in range(topology.nodes)]
        rng = random.Random(f"{plan.seed}/guests")
        guests = dict.fromkeys(rng.sample(range(topology.nodes), round(plan.guests * topology.nodes)))
        self.nodes = world.found(names, [names[number] for number in guests])
        for edge in topology.edges:
            ether = world.ether(names[edge.a], names[edge.b], shared=False)
            if plan.lossy:
                ether.loss_to = {names[edge.b]: 1 - edge.there, names[edge.a]: 1 - edge.back}
        graph = Graph(topology, [number not in guests for number in range(topology.nodes)])
        self.survey = Survey(world, self.nodes, graph, seconds=plan.seconds, probes=plan.probes)

    def run(self) -> dict[str, Any]:
        """To its end; the report."""
        self.survey.begin()
        self.world.start()
        while self.world.now < self.plan.seconds:
            self.world.run(min(_SLICE, self.plan.seconds - self.world.now))
            self._progress(self.world.now)
        return self.report()

    def report(self) -> dict[str, Any]:
        """Sizes, what the survey has measured, and what that has cost."""
        plan = self.plan
        return {
            "nodes": plan.topology.nodes,
            "links": len(plan.topology.edges),
            "seconds": plan.seconds,
            "seed": plan.seed,
            **self.survey.report(),
            "cpu_seconds": round(time.process_time() - self._began, 3),
            "max_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        }
