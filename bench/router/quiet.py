"""What a node costs that has nothing to do, and what the router loses while its ledger is at work."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory

from bench.gossip.nodes import cpu_seconds
from bench.measure import Row, pss_bytes
from bench.router.clients import iperf_server, tcp_rate
from bench.router.networks import mesh
from tests.netns.host import Host, Lab
from tests.netns.nodes import MeshNode
from tests.waiting import eventually

_GREETED = 20.0
"""Seconds until handshakes, first routes and gossip's greetings are over."""


def idle(seconds: float) -> list[Row]:
    """Three nodes in a line, unregistered chain, nobody mines; the one in the middle is looked at."""
    with TemporaryDirectory() as folder, Lab() as lab:
        hosts = lab.line("a", "b", "c")
        devices = (("right",), ("left", "right"), ("left",))
        nodes = [
            MeshNode(host, Path(folder), "--mine", "off", *(w for device in own for w in ("--link", f"udp:{device}")))
            for host, own in zip(hosts, devices, strict=True)
        ]
        for node in nodes:
            node.wait()
        middle = nodes[1]
        eventually(lambda: middle.has_neighbours(2), "the line is joined")
        time.sleep(_GREETED)
        family = _family(middle.process.pid)
        before, began = sum(map(cpu_seconds, family)), time.monotonic()
        time.sleep(seconds)
        share = (sum(map(cpu_seconds, family)) - before) / (time.monotonic() - began)
        memory = sum(map(pss_bytes, family))
    cpu, size = f"{share:.2%} of a core over {seconds:.0f} s", f"{memory / 1e6:.0f} MB"
    return [
        Row("idle node: CPU of all its processes", cpu, "< 0.5 %", share < 0.005, {"share": share}),
        Row("its memory (PSS), ledger and router", size, "< 110 MB", memory < 110e6, {"bytes": float(memory)}),
    ]


def busy(seconds: float) -> list[Row]:
    """Forwarding in the middle of three, while the node in the middle connects blocks. The ends' ledgers stand still:
    they would connect the same blocks at the same time, but on machines of their own."""
    with TemporaryDirectory() as folder, mesh(Path(folder), "udp") as network:
        a, _, c = network.hosts
        far, middle = network.addresses[1], network.nodes[1]
        with iperf_server(c), _standing_still(network.nodes[0]), _standing_still(network.nodes[2]):
            pairs = [(tcp_rate(a, far, seconds / 2), _busily(middle, a, far, seconds / 2)) for _ in range(2)]
    alone, with_blocks = map(fmean, zip(*pairs, strict=True))
    share = with_blocks / alone
    text = f"{with_blocks / 1e6:,.0f} of {alone / 1e6:,.0f} Mbit/s = {share:.0%}"
    return [Row("forwarding while the same node connects blocks", text, "≥ 80 %", share >= 0.8, {"share": share})]


@contextmanager
def _standing_still(node: MeshNode) -> Iterator[None]:
    """Its ledger; the router is another process."""
    node.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        node.process.send_signal(signal.SIGCONT)


def _busily(node: MeshNode, client: Host, address: str, seconds: float) -> float:
    """The rate while the node connects blocks."""
    over = threading.Event()
    worker = threading.Thread(target=_connect_blocks, args=(node, over))
    worker.start()
    try:
        return tcp_rate(client, address, seconds)
    finally:
        over.set()
        worker.join()


def _connect_blocks(node: MeshNode, over: threading.Event) -> None:
    """Make and connect blocks, one after the other."""
    while not over.is_set():
        node.meshctl("rpc", "generate", "200")


def _family(pid: int) -> list[int]:
    """A process and all its descendants: the node, the launcher, the router."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(descendant for child in children for descendant in _family(int(child)))]
