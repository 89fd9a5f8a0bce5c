"""Without root: two nodes on this very machine, on a link of UDP over loopback that nobody else hears."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from socket import SocketKind

from examples.first_name.hosts import Host, Pair
from examples.first_name.ports import DNS, RPC, TCP, UDP, held, port_of


def pair(folder: Path, stack: ExitStack) -> Pair:
    """Both, whose programs ``stack`` ends."""
    with ExitStack() as sockets:
        of_alice, of_bob = _places(sockets), _places(sockets)
    alice = _host("alice", folder, of_alice, f"udp-listen:{of_alice['link']}")
    bob = _host("bob", folder, of_bob, f"udp:{of_alice['link']}")
    for host in (alice, bob):
        stack.callback(host.stop)
    return Pair(alice, bob, tun=False)


def _places(sockets: ExitStack) -> dict[str, str]:
    """HOST:PORT of what a node opens; they are free once ``sockets`` are closed."""
    wanted: dict[str, tuple[int, list[SocketKind]]] = {
        "rpc": (RPC, [TCP]),
        "dns": (DNS, [UDP, TCP]),
        "p2p": (0, [TCP]),
        "link": (0, [UDP]),
    }
    opened = {what: sockets.enter_context(held(usual, *kinds)) for what, (usual, kinds) in wanted.items()}
    return {what: f"127.0.0.1:{port_of(first)}" for what, (first, *_) in opened.items()}


def _host(name: str, folder: Path, places: Mapping[str, str], link: str) -> Host:
    own = folder / f"of-{name}"
    own.mkdir(exist_ok=True)
    options = ("--tun", "off", "--link", link, "--dns", places["dns"], "--p2p", places["p2p"])
    address, port = places["dns"].split(":")
    dig = (f"@{address}", "-p", port)
    return Host(name, own, places["rpc"], options, dig=dig, outside=dig)
