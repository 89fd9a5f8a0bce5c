"""/metrics parses with Prometheus' own parser and says what RPC says."""

from prometheus_client.parser import text_string_to_metric_families

from meshchain.rpc.api import Alarm
from meshchain.rpc.methods import method_table
from meshchain.rpc.metrics import Metrics
from tests.rpc.ledger_node import LedgerNode


def samples(metrics: Metrics) -> dict[tuple[str, ...], float]:
    """(name, label values…) → value."""
    families = text_string_to_metric_families(metrics.exposition().decode("utf-8"))
    return {(s.name, *(s.labels[key] for key in sorted(s.labels))): s.value for f in families for s in f.samples}


def test_the_node_s_state(node: LedgerNode) -> None:
    node.synced = False
    node.standing = (Alarm(code="clock", message="wrong", since=0.0), Alarm(code="clock", message="again", since=1.0))
    found = samples(Metrics(node))
    assert found[("meshchain_chain_height",)] == 2
    assert found[("meshchain_chain_target_height",)] == 52
    assert found[("meshchain_chain_synced",)] == 0
    assert found[("meshchain_chain_work",)] == node.view().work
    assert found[("meshchain_mempool_operations",)] == 0
    assert found[("meshchain_queue_operations", "conflict-lost")] == 0
    assert found[("meshchain_alarm_age_seconds", "clock")] > 1e9
    assert found[("meshchain_build_info", "dev", "0.1.0")] == 1
    assert found[("process_resident_memory_bytes",)] > 0


def test_calls_are_counted(node: LedgerNode) -> None:
    metrics = Metrics(node)
    for method in method_table():
        metrics.observe(method.name, "ok", 0.002)
    metrics.observe("name_show", "-4", 0.001)
    found = samples(metrics)
    assert found[("meshchain_rpc_calls_total", "name_show", "ok")] == 1
    assert found[("meshchain_rpc_calls_total", "name_show", "-4")] == 1
    assert found[("meshchain_rpc_call_seconds_count", "name_show")] == 2


def test_two_nodes_in_a_process_do_not_collide(node: LedgerNode) -> None:
    first, second = Metrics(node), Metrics(node)
    first.observe("help", "ok", 0.0)
    assert ("meshchain_rpc_calls_total", "help", "ok") not in samples(second)
