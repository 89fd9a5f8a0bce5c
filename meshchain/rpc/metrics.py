"""``GET /metrics``: the node's state read at scrape time, and counts of RPC calls, in Prometheus' text format.

A registry of our own: nothing that another library registers globally appears, and several nodes in one
process do not collide. Labels take values from fixed sets only, so no caller can grow the number of series.
"""

import time
from collections import Counter as Tally
from collections.abc import Iterable, Iterator
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector

from meshchain import __version__
from meshchain.rpc.api import NodeApi

QUEUE_STATES: Final = ("queued", "committed", "pending", "confirmed", "conflict-lost", "expired", "refused")
_BUCKETS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1, 5, 30)


class Metrics:
    """One server's metrics; ``observe`` is for the dispatcher."""

    CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4

    def __init__(self, node: NodeApi) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_NodeCollector(node))
        ProcessCollector(registry=self._registry)
        self._known: dict[tuple[str, str], tuple[Counter, Histogram]] = {}
        self._calls = Counter("meshchain_rpc_calls", "JSON-RPC calls", ("method", "outcome"), registry=self._registry)
        self._seconds = Histogram(
            "meshchain_rpc_call_seconds", "Time in the handler", ("method",), registry=self._registry, buckets=_BUCKETS
        )

    def observe(self, method: str, outcome: str, seconds: float) -> None:
        series = self._known.get((method, outcome))
        if series is None:
            series = self._known[method, outcome] = self._calls.labels(method, outcome), self._seconds.labels(method)
        series[0].inc()
        series[1].observe(seconds)

    def exposition(self) -> bytes:
        return generate_latest(self._registry)


class _NodeCollector(Collector):
    def __init__(self, node: NodeApi) -> None:
        self._node = node

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily(
            "meshchain_build", "Version and network", {"version": __version__, "network": self._node.params.name}
        )
        yield from self._chain()
        yield from self._pools()
        yield from self._mining()
        yield from self._alarms()

    def _chain(self) -> Iterable[Metric]:
        view, sync = self._node.view(), self._node.sync()
        target = sync.height if sync.target is None else sync.target
        yield _gauge("chain_height", "Height of the tip", view.height)
        yield _gauge("chain_target_height", "Height of the best chain known", target)
        yield _gauge("chain_synced", "1 once synced", sync.synced)
        yield _gauge("chain_tip_time_seconds", "Time in the tip's header", view.tip.time)
        yield _gauge("chain_work", "Total work of the chain in expected hashes", view.work)
        yield _gauge("start_time_seconds", "When the node started", self._node.started)
        yield _gauge("peers", "Connected peers", len(self._node.peers()))

    def _pools(self) -> Iterable[Metric]:
        pending = self._node.pending()
        yield _gauge("mempool_operations", "Operations in the mempool", len(pending))
        yield _gauge("mempool_bytes", "Their size", sum(item.size for item in pending))
        states = Tally(item.state for item in self._node.queue())
        family = GaugeMetricFamily("meshchain_queue_operations", "Operations of this node's queue", labels=("state",))
        for state in QUEUE_STATES:
            family.add_metric((state,), states[state])
        yield family

    def _mining(self) -> Iterable[Metric]:
        mining = self._node.mining()
        yield _gauge("mining_active", "1 while hashing", mining.active)
        yield _gauge("mining_hashes_per_second", "Measured proof-of-work rate", mining.hash_rate)
        yield _gauge("mining_duty", "Share of time spent hashing", mining.duty)

    def _alarms(self) -> Iterable[Metric]:
        family = GaugeMetricFamily("meshchain_alarm_age_seconds", "Standing alarms", labels=("code",))
        for code, since in {alarm.code: alarm.since for alarm in self._node.alarms()}.items():
            family.add_metric((code,), max(0.0, time.time() - since))
        yield family


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"meshchain_{name}", text, value=value)
