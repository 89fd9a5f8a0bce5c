"""How fast a node takes a chain from one peer, against connecting the same blocks with no network and no node around.

Both sides check headers and blocks with every stamp, on all cores, into LevelDB with the syncs that the ledger asks
for. The local side is the chain alone; the node has transport, gossip, mempool, queue and RPC on top, and shares the
machine with the node that serves it. Local runs before and after it show what else the machine was doing.
"""

import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench.gossip.chain import OPERATIONS_A_BLOCK, build_chain
from bench.gossip.network import NAME, write_network
from bench.gossip.nodes import cpu_seconds, meshd
from bench.measure import Row, pss_bytes, stopwatch
from meshchain.ledger.block import Block
from meshchain.ledger.chain.chain import Chain
from meshchain.ledger.params import Params
from meshchain.ledger.store.leveldb import LevelStore
from meshchain.ledger.workers import ThreadWorkers
from meshchain.node import LEDGER_FOLDER
from tests.node.running import Running
from tests.waiting import eventually, free_port

PATIENCE = 900.0
_LOOK_EVERY = 0.25
"""Seconds between questions to the node: each costs it a millisecond or two."""
_WEIGH_EVERY = 8
"""Looks from one reading of its memory to the next: the kernel holds it up for some milliseconds meanwhile."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Seconds and CPU seconds for all blocks; bytes of memory at the most."""

    wall: float
    cpu: float
    pss: int = 0


def syncing(blocks: int) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        file, datadir = Path(folder) / "network.json", Path(folder) / "serving"
        params = write_network(file)
        raw = build_chain(datadir / NAME / LEDGER_FOLDER, params, blocks)
        before = _connect(params, raw, Path(folder))
        synced = _sync(file, datadir, blocks, Path(folder))
        after = _connect(params, raw, Path(folder))
    return _rows(blocks, synced, before, after)


def _rows(blocks: int, synced: Taken, before: Taken, after: Taken) -> list[Row]:
    local, noise = (before.wall + after.wall) / 2, abs(before.wall - after.wall) / (before.wall + after.wall)
    share, cpu = local / synced.wall, synced.cpu / ((before.cpu + after.cpu) / 2)
    what = f"{blocks:,} blocks, {OPERATIONS_A_BLOCK * blocks:,} operations"
    speed = f"{blocks / synced.wall:.0f} of {blocks / local:.0f} blocks/s = {share:.0%} (local runs ± {noise:.0%})"
    times = {"sync_s": synced.wall, "local_before_s": before.wall, "local_after_s": after.wall, "share": share}
    costs = {"sync_cpu_s": synced.cpu, "local_cpu_s": (before.cpu + after.cpu) / 2}
    memory = {"bytes": float(synced.pss)}
    figure = f"{1000 * synced.cpu / blocks:.1f} ms a block, {cpu:.2f} times the local"
    return [
        Row(f"sync from one peer ({what})", speed, "≥ 80 % of local", share >= 0.8, times),
        Row("CPU of the syncing node", figure, "", None, costs),
        Row("its memory (PSS) at most", f"{synced.pss / 1e6:.0f} MB", "< 200 MB", synced.pss < 200e6, memory),
    ]


def _connect(params: Params, raw: list[bytes], scratch: Path) -> Taken:
    """The chain alone: headers, then blocks, decoded as they would come in."""
    headers = [Block.decode(data, params.consensus).header for data in raw]
    folder = scratch / "local"
    store = LevelStore(folder)
    with ThreadWorkers() as workers, stopwatch() as watch:
        chain = Chain(store, params, workers)
        chain.add_headers(headers, None)
        for data in raw:
            chain.add_block(Block.decode(data, params.consensus), None)
    assert chain.tip.id == headers[-1].id
    store.close()
    shutil.rmtree(folder)
    return Taken(watch.wall, watch.cpu)


def _sync(file: Path, datadir: Path, blocks: int, scratch: Path) -> Taken:
    """The node waits for its peer; from the moment it has found it until the last block is connected."""
    port = free_port()
    network = ("--network", str(file))
    with (
        meshd(scratch / "syncing", *network, "--peer", f"127.0.0.1:{port}", name=NAME) as node,
        meshd(datadir, *network, p2p=f"127.0.0.1:{port}", name=NAME) as server,
    ):
        assert server.call("getblockcount") == blocks
        eventually(lambda: bool(node.call("getpeerinfo")), "the node finds its peer")
        return _watch(node, blocks)


def _watch(node: Running, blocks: int) -> Taken:
    """Look at the node until it has all blocks."""
    pid = node.process.pid
    began, cpu, pss, looks = time.monotonic(), cpu_seconds(pid), 0, 0
    while (height := node.call("getblockcount")) < blocks:
        assert time.monotonic() < began + PATIENCE, f"stuck at block {height}: {node.log()}"
        looks += 1
        pss = pss if looks % _WEIGH_EVERY else max(pss, pss_bytes(pid))
        time.sleep(_LOOK_EVERY)
    return Taken(time.monotonic() - began, cpu_seconds(pid) - cpu, max(pss, pss_bytes(pid)))
