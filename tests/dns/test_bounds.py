"""What strangers make the server remember is bounded, and does not displace what is in use."""

import gc
import tracemalloc
from pathlib import Path

import dns.message
import pytest

from meshchain.dns import engine as engine_module
from meshchain.dns import signing
from meshchain.dns.generations import Generations
from meshchain.dns.records import name_zone
from meshchain.dns.trees import MESH, weight
from meshchain.dns.types import AAAA, RRset
from meshchain.ledger.codec import Value
from meshchain.ledger.entry import NameEntry
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


def test_the_heavy_count_for_more_also_when_they_come_back() -> None:
    memory: Generations[int, int] = Generations(100, weigh=lambda value: value)
    for key in range(1000):
        memory.put(key, 10)
        memory.get(key - 7, 0)
        assert len(memory) <= 11
    memory.put(0, 1000)
    assert memory.get(0, 0) == 1000, "the last one is there, whatever it weighs"
    memory.put(1, 10)
    memory.put(2, 1000)
    memory.put(3, 10)
    assert len(memory) <= 3


LARGE: dict[str, list[Value]] = {
    "usual": [["", "TXT", 60, "hello"]],
    "many labels": [[".".join(letter * 110)[:230].rstrip("."), "TXT", 60, "a"] for letter in "abcdef"],
    "many records": [[one + two, "A", 60, "192.0.2.1"] for one in "abcdefghi" for two in "abcdefghij"],
    "many in one set": [["", "A", 60, f"192.0.2.{last}"] for last in range(90)],
    "long rdata": [["", "TXT", 60, letter * 250] for letter in "abcde"],
}


@pytest.mark.parametrize("shape", LARGE)
def test_a_reading_takes_no_more_than_it_weighs(shape: str) -> None:
    entry = NameEntry(bytes(33), bytes(16), {"dns": LARGE[shape]}, None, 0, 1, 100, revoked=False)
    name_zone("alice", entry, 120)  # what is made once stays out of the figure
    tracemalloc.start()
    try:
        zone = name_zone("alice", entry, 120)
        gc.collect()
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert zone.nodes
    assert taken <= weight(zone)


def test_signatures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing, "MOST_SIGNATURES", 8)
    signer = signing.Signer(signing.load_or_create(tmp_path), lambda: 0.0)
    for at in range(50):
        signer.rrsig(RRset((b"alice", b"mesh"), AAAA, 120, (bytes(15) + bytes((at,)),)), (b"alice", b"mesh"), MESH)
        assert len(signer._known) <= 9


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
