"""A node with 10^6 names: start, memory, disk, look-ups and proofs, measured on the real meshd."""

import json
import random
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from bench.ledger import bulk
from bench.measure import Row, durations, folder_bytes, percentile, pss_bytes, stopwatch
from meshchain.cli.scratch import free_ports
from meshchain.ledger.chain.chain import Chain
from meshchain.ledger.params import bundled_networks
from meshchain.ledger.proof import verify_proof
from meshchain.ledger.store.leveldb import LevelStore
from meshchain.ledger.store.memory import MemoryStore
from meshchain.ledger.workers import InlineWorkers
from tests.ledger.kit import Lab

NAMES = 1_000_000
CHECKED = 10_000
LOOKUPS = 20_000
PROOFS = 5_000
EXPIRES = 1000


def fast_path() -> Row:
    """The fast path makes the same state as real blocks do."""
    lab = Lab(bundled_networks()["dev"])
    owner = lab.owner()
    for first in range(0, CHECKED, 50):
        names = [f"name-{index}" for index in range(first, first + 50)]
        born = max(0, lab.height - lab.params.consensus.commit_life)
        lab.mine(*(lab.stamp(owner.commit(name, born)) for name in names))
        lab.mine(*(lab.stamp(owner.reveal(name, {"dns": [["", "TXT", 60, name]]}, born)) for name in names))
    fast = MemoryStore()
    root = bulk.write_names(fast, lab.chain.view().names())
    wrong = bulk.differences(fast, lab.chain.store)
    same = not wrong and root == lab.chain.tip.header.state_root
    figure = f"{CHECKED:,} names: " + ("equal to the state of real blocks" if same else f"DIFFERS under {wrong}")
    return Row("fast path of this benchmark", figure, "equal", same)


def million() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        datadir = Path(folder) / "dev"
        names = _build(datadir)
        rows = [_disk(datadir), *_proofs(datadir, names)]
        return rows + _node(Path(folder), names)


def _build(datadir: Path) -> list[str]:
    """Write the store; returns a sample of the names."""
    datadir.mkdir(parents=True)
    store = LevelStore(datadir / "ledger")
    chain = Chain(store, bundled_networks()["dev"], InlineWorkers())
    with stopwatch() as watch:
        root = bulk.write_names(store, bulk.random_entries(NAMES, 1, EXPIRES))
        names = [name for name, _ in bulk.random_entries(NAMES, 1, EXPIRES)]
        bulk.write_history(store, names, chain.genesis_id)
        bulk.cap(chain, root)
    print(f"built a state of {NAMES:,} names in {watch.wall:.0f} s", file=sys.stderr)
    store.compact()
    store.close()
    return random.Random(1).sample(names, LOOKUPS)


def _disk(datadir: Path) -> Row:
    size = folder_bytes(datadir / "ledger") / NAMES
    figure = f"{size:.0f} B a name (state, tree and indexes; blocks come on top)"
    return Row("disk after compaction", figure, "< 1 kB a name", size < 1000, {"bytes_per_name": size})


def _proofs(datadir: Path, names: list[str]) -> list[Row]:
    store = LevelStore(datadir / "ledger")
    view = Chain(store, bundled_networks()["dev"], InlineWorkers()).view()
    taken = durations([lambda name=name: view.prove(name) for name in names[:PROOFS]])  # type: ignore[misc]
    sizes = []
    for name in names[:500]:
        entry = verify_proof(proof := view.prove(name), view.tip.state_root, name)
        assert entry is not None
        sizes.append(len(proof) - len(entry.encode()))
    store.close()
    largest = max(sizes)
    median, p99 = percentile(taken, 0.5), percentile(taken, 0.99)
    return [
        Row("proof besides its entry", f"{largest} B at most", "< 1.2 kB", largest < 1200, {"bytes": largest}),
        Row(
            "making a proof",
            f"median {1e3 * median:.2f} ms, p99 {1e3 * p99:.2f} ms",
            "< 1 ms",
            median < 0.001,
            {"median_s": median, "p99_s": p99},
        ),
    ]


def _node(folder: Path, names: list[str]) -> list[Row]:
    [port] = free_ports(1)
    command = [sys.executable, "-m", "meshchain.cli.meshd", "--network", "dev", "--datadir", str(folder)]
    command += ["--mine", "off", "--p2p", "off", "--link", "none", "--tun", "off", "--dns", "off"]
    command += ["--rpc", f"127.0.0.1:{port}"]
    url = f"http://127.0.0.1:{port}/"
    began = time.perf_counter()
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as node:
        try:
            _wait(url, node)
            ready = time.perf_counter() - began
            for start in range(0, len(names), 100):
                _batch(url, names[start : start + 100])
            share = _within_a_millisecond(url)
            memory = pss_bytes(node.pid)
        finally:
            node.terminate()
    return [
        Row("start until RPC answers", f"{ready:.2f} s", "< 3 s", ready < 3, {"seconds": ready}),
        Row(
            "name_show inside the node",
            f"{share:.2%} of {len(names):,} within 1 ms",
            "p99 < 1 ms",
            share >= 0.99,
            {"share_within_1ms": share},
        ),
        Row("memory (PSS)", f"{memory / 1e6:.0f} MB", "< 300 MB", memory < 300e6, {"bytes": memory}),
    ]


def _wait(url: str, node: "subprocess.Popen[bytes]") -> None:
    while node.poll() is None:
        try:
            _batch(url, ["alice"])
        except OSError:
            time.sleep(0.01)
        else:
            return
    raise RuntimeError(f"meshd ended with exit code {node.returncode}")


def _batch(url: str, names: list[str]) -> None:
    calls = [{"jsonrpc": "2.0", "id": 1, "method": "name_show", "params": [name]} for name in names]
    request = urllib.request.Request(url, json.dumps(calls).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as reply:
        answers = json.load(reply)
    assert len(answers) == len(names)


def _within_a_millisecond(url: str) -> float:
    """From the node's own histogram: the share of name_show calls whose handler took at most 1 ms."""
    with urllib.request.urlopen(url + "metrics", timeout=30) as reply:
        text = reply.read().decode()
    counts = {}
    for bound, value in re.findall(r'call_seconds_bucket\{le="([^"]+)",method="name_show"\} (\S+)', text):
        counts[bound] = float(value)
    return counts["0.001"] / counts["+Inf"]
