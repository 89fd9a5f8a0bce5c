"""CPU time of an answer that nothing is remembered of: read from the store, signed, written."""

import time
from pathlib import Path

import dns.message

from bench.measure import percentile
from meshchain.dns.engine import Engine
from meshchain.dns.history import Snapshot
from meshchain.dns.serial import ZoneVersion
from meshchain.dns.signing import Signer, load_or_create
from meshchain.ledger.chain.chain import Chain
from meshchain.ledger.params import bundled_networks
from meshchain.ledger.store.leveldb import LevelStore
from meshchain.ledger.workers import InlineWorkers


def first_answers(datadir: Path, names: list[str]) -> tuple[float, float]:
    """Median and p99 (s of this thread) over the names' AAAA with DNSSEC, each asked once."""
    store = LevelStore(datadir / "dev" / "ledger")
    try:
        view = Chain(store, bundled_networks()["dev"], InlineWorkers()).view()
        signer = Signer(load_or_create(datadir / "dev"), time.time)
        version = ZoneVersion(1, signer.window, view.tip.state_root, signer.key.tag)
        snapshot = Snapshot(view, version, synced=True, progress="")
        server = Engine(signer, snapshot, secret=bytes(32), now=time.time, steady=time.monotonic)
        questions = [dns.message.make_query(f"{name}.mesh", "AAAA", want_dnssec=True).to_wire() for name in names]
        taken = sorted(_cpu(server, question) for question in questions)
    finally:
        store.close()
    return percentile(taken, 0.5), percentile(taken, 0.99)


def _cpu(server: Engine, question: bytes) -> float:
    began = time.thread_time()
    answer = server.udp(question, "127.0.0.1")
    spent = time.thread_time() - began
    if answer is None or not answer[7]:
        raise SystemExit("a name of the zone has no answer")
    return spent
