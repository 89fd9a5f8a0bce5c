"""Without root: two nodes on this very machine, on a link of UDP over loopback that nobody else hears."""

import socket
from contextlib import ExitStack
from pathlib import Path

from examples.first_name.hosts import Host, Pair
from examples.first_name.ports import USUAL_DNS, USUAL_RPC, reserved


def pair(folder: Path, stack: ExitStack) -> Pair:
    """Both, whose programs ``stack`` ends."""
    with ExitStack() as sockets:
        usual = (USUAL_RPC, USUAL_DNS, 0, 0, 0, 0)
        tcp = [sockets.enter_context(reserved(port, socket.SOCK_STREAM)) for port in usual]
        rpc, dns, p2p, *others = (f"127.0.0.1:{each.getsockname()[1]}" for each in tcp)
        link = sockets.enter_context(reserved(0, socket.SOCK_DGRAM)).getsockname()[1]
    alice = _host("alice", folder, (rpc, dns, p2p), f"udp-listen:127.0.0.1:{link}")
    bob = _host("bob", folder, (others[0], others[1], others[2]), f"udp:127.0.0.1:{link}")
    for host in (alice, bob):
        stack.callback(host.stop)
    return Pair(alice, bob, tun=False)


def _host(name: str, folder: Path, places: tuple[str, str, str], link: str) -> Host:
    rpc, dns, p2p = places
    own = folder / f"of-{name}"
    own.mkdir(exist_ok=True)
    options = ("--tun", "off", "--link", link, "--dns", dns, "--p2p", p2p)
    address, port = dns.split(":")
    dig = (f"@{address}", "-p", port)
    return Host(name, own, rpc, options, dig=dig, outside=dig)
