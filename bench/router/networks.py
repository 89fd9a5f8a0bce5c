"""Ways to join the same three hosts: the kernel alone, Yggdrasil, this router, and the least that one could be."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.netns.host import Host, Lab
from tests.netns.nodes import MeshNode
from tests.waiting import eventually

NAMES = "abc"


@dataclass(frozen=True, slots=True)
class Network:
    """``addresses``: of the second and the third host, one and two hops from the first."""

    name: str
    hosts: list[Host]
    addresses: tuple[str, str]
    nodes: tuple[MeshNode, ...] = ()


@contextmanager
def kernel() -> Iterator[Network]:
    """Plain IPv6, forwarded in the middle: the limit of what anybody can do on these cables."""
    with Lab() as lab:
        a, b, c = _addressed_line(lab)
        b.run("sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/all/forwarding")
        a.run("ip", "-6", "route", "add", "default", "via", "1::b")
        c.run("ip", "-6", "route", "add", "default", "via", "2::b")
        yield Network("kernel", [a, b, c], ("1::b", "2::c"))


@contextmanager
def bare() -> Iterator[Network]:
    """Programs in Python that read, seal and write (``relay``): the limit of any router in Python."""
    with Lab() as lab:
        a, b, c = _addressed_line(lab)
        relay = sys.executable, "-m", "bench.router.relay"
        b.start(*relay, "middle", "1::b", "1::a", "2::b", "2::c", stderr=subprocess.DEVNULL)
        for host, own, other in ((a, "1::a", "1::b"), (c, "2::c", "2::b")):
            host.start(*relay, "end", "bare0", own, other, stderr=subprocess.DEVNULL)
            eventually(partial(host.succeeds, "ip", "link", "set", "bare0", "up"), "it has its TUN")
            host.run("ip", "-6", "address", "add", f"fd00::{host.name}/64", "dev", "bare0", "nodad")
        eventually(partial(a.succeeds, "ping", "-6", "-c1", "-W1", "fd00::c"), "it answers")
        yield Network("bare Python", [a, b, c], ("fd00::c", "fd00::c"))


def _addressed_line(lab: Lab) -> list[Host]:
    """Addresses on the cables, as the kernel needs them."""
    a, b, c = hosts = lab.line(*NAMES)
    for host, device, address in (
        (a, "right", "1::a"),
        (b, "left", "1::b"),
        (b, "right", "2::b"),
        (c, "left", "2::c"),
    ):
        host.run("ip", "-6", "address", "add", f"{address}/64", "dev", device, "nodad")
    return hosts


@contextmanager
def yggdrasil(folder: Path) -> Iterator[Network]:
    """Debian's, which finds its neighbours by multicast on each cable."""
    with Lab() as lab:
        hosts = lab.line(*NAMES)
        addresses = [_start_yggdrasil(host, folder / f"{host.name}.json") for host in hosts]
        for address in addresses[1:]:
            eventually(partial(hosts[0].succeeds, "ping", "-6", "-c1", "-W1", address), "yggdrasil answers")
        time.sleep(2)
        yield Network("yggdrasil", hosts, (addresses[1], addresses[2]))


def _start_yggdrasil(host: Host, file: Path) -> str:
    made = subprocess.run(["yggdrasil", "-genconf", "-json"], capture_output=True, text=True, check=True)
    config = json.loads(made.stdout)
    everywhere = {"Regex": "left|right", "Beacon": True, "Listen": True, "Port": 0, "Priority": 0}
    config |= {"IfName": "ygg0", "AdminListen": "none", "MulticastInterfaces": [everywhere]}
    file.write_text(json.dumps(config))
    host.start("yggdrasil", "-useconffile", str(file), stderr=subprocess.DEVNULL)
    told = subprocess.run(
        ["yggdrasil", "-useconffile", str(file), "-address"], capture_output=True, text=True, check=True
    )
    return told.stdout.strip()


@contextmanager
def mesh(folder: Path, kind: str) -> Iterator[Network]:
    """meshd on each host, names registered first. ``kind``: ``udp`` or ``ethernet``."""
    with Lab() as lab:
        hosts = lab.line(*NAMES)
        devices = (("right",), ("left", "right"), ("left",))
        nodes = [
            MeshNode(host, folder, *(word for device in own for word in ("--link", f"{kind}:{device}")))
            for host, own in zip(hosts, devices, strict=True)
        ]
        for node in nodes:
            node.wait()
        eventually(lambda: nodes[1].has_neighbours(2), "the line is joined")
        for node in nodes:
            node.register()
        for node in nodes:
            eventually(node.is_member, f"{node.name} forwards")
        eventually(lambda: nodes[0].knows_names_of(nodes[2]), "a route from end to end")
        yield Network(f"meshd {kind}", hosts, (nodes[1].address, nodes[2].address), tuple(nodes))
