"""Meshes for tests to look at: nodes with names on hosts in a line, made once and shared where nobody breaks them.

What costs time is not what is tested: a name takes two blocks. So four nodes register theirs once a run, on one LAN
(``registered``), and every mesh begins with copies of their folders: the keys a … d, each bound to the name of its
letter, and a ledger that says so.
"""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from tests.netns.host import Host, Lab
from tests.netns.nodes import MeshNode
from tests.waiting import eventually

NAMES: Final = ("a", "b", "c", "d")


@dataclass(frozen=True, slots=True)
class Mesh:
    """Hosts and nodes by name. Nodes are ready: all know the routes to all."""

    lab: Lab
    hosts: Mapping[str, Host]
    nodes: Mapping[str, MeshNode]

    def of(self, *names: str) -> list[MeshNode]:
        return [self.nodes[name] for name in names]


def register_all(folder: Path) -> None:
    """Four nodes that are neighbours, each with a name of its own; their folders stay under ``folder``.

    They have no TUN: gossip goes by TCP to the addresses that their links run over.
    """
    with Lab() as lab:
        nodes = [MeshNode(host, folder, "--link", "udp:eth0", "--tun", "off") for host in lab.switch(*NAMES)]
        with ThreadPoolExecutor(len(nodes)) as pool:
            list(pool.map(MeshNode.wait, nodes))
            for node in nodes:
                eventually(partial(has_peers, node, len(nodes) - 1), "everybody is a peer")
            list(pool.map(MeshNode.register, nodes))
        for node in nodes:  # four miners: a name may have to be put into another block once more
            eventually(partial(knows_all, node), f"all names are in {node.name}'s ledger")
        eventually(lambda: len({node.call("getbestblockhash") for node in nodes}) == 1, "one ledger")
        for node in nodes:
            eventually(node.is_member, f"{node.name} is a member")
        for node in nodes:
            assert node.stop() == 0


def knows_all(node: MeshNode) -> bool:
    return sorted(each["name"] for each in node.call("name_scan")) == sorted(NAMES)


def has_peers(node: MeshNode, count: int) -> bool:
    return len({peer["key"] for peer in node.call("getpeerinfo") if peer["state"] == "ready"}) == count


@contextmanager
def mesh(lab: Lab, folder: Path, registered: Path, options: Mapping[str, Sequence[str]]) -> Iterator[Mesh]:
    """Start the nodes of ``options`` on the lab's hosts of these names, and end them."""
    nodes = {name: node_with_name(lab.hosts[name], folder, registered, *more) for name, more in options.items()}
    try:
        ready(*nodes.values())
        yield Mesh(lab, lab.hosts, nodes)
    finally:
        for node in nodes.values():
            node.end()


def node_with_name(host: Host, folder: Path, registered: Path, *options: str) -> MeshNode:
    """The node that holds the name of the host's letter. It is started."""
    shutil.copytree(registered / host.name, folder / host.name)
    return MeshNode(host, folder, *options)


def ready(*nodes: MeshNode) -> None:
    """All answer, and know the ways to all."""
    for node in nodes:
        node.wait()
    for node in nodes:
        others = [other for other in nodes if other is not node]
        eventually(partial(node.knows_names_of, *others), f"{node.name} knows the routes, and who is there")
        eventually(node.is_member, f"{node.name} is a member")


def line_options(kind: str, *names: str) -> dict[str, list[str]]:
    """Links of a line: ``left`` and ``right`` of all but the ends."""
    return {
        name: [
            *(("--link", f"{kind}:left") if number else ()),
            *(("--link", f"{kind}:right") if number < len(names) - 1 else ()),
        ]
        for number, name in enumerate(names)
    }
