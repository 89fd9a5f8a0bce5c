"""What strangers make the server remember is bounded, and does not displace what is in use."""

from pathlib import Path

import dns.message
import pytest

from meshchain.dns import engine as engine_module
from meshchain.dns.generations import Generations
from tests.dns.lab import engine
from tests.rpc.ledger_node import LedgerNode


def test_a_memory_forgets_what_is_not_asked_for() -> None:
    memory: Generations[int, int] = Generations(100)
    memory.put(-1, 7)
    for key in range(1000):
        memory.put(key, key)
        assert memory.get(-1, 0) == 7, "asked for all the time"
        assert len(memory) <= 101
    assert memory.get(5, 0) == 0
    assert memory.get(999, 0) == 999
    memory.clear()
    assert len(memory) == 0


def test_random_names(node: LedgerNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for bound in ("MOST_ANSWERS", "MOST_SIGNED"):
        monkeypatch.setattr(engine_module, bound, 64)
    server = engine(node, tmp_path)
    known = dns.message.make_query("alice.mesh", "AAAA").to_wire()
    for at in range(500):
        asked = dns.message.make_query(f"r{at}.mesh", "A", use_edns=0, want_dnssec=at % 5 == 0).to_wire()
        assert server.udp(asked, "127.0.0.1")
        assert server.udp(known, "127.0.0.1")
        assert len(server.hot) <= 32
    assert server.hot.get(known[2:])
    assert len(server._short) <= 65
    assert len(server._long) <= 65
