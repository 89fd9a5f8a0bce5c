"""With root: two hosts made of network namespaces, a kernel's whole network stack each, and a cable between them.

This machine's own network stays as it is: TUN devices, addresses, routes and packet filters are the namespaces'. The
cable carries no IP, so whatever bob learns comes over the mesh.

``ip netns exec`` shows its command /etc/netns/NAME/ in place of the files of that name in /etc: so programs there ask
their own node for names, whatever this machine's resolver is. All of it is removed at the end; what is left of a run
that was killed, by the next one.
"""

import os
import re
import shutil
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final

from examples.first_name.hosts import Host, Pair
from examples.first_name.ports import DNS, RPC, TCP, UDP, held, port_of
from examples.first_name.programs import SEARCH, installed

_PREFIX: Final = "meshrun-"
_NAMES: Final = Path("/run/netns")
_FILES: Final = Path("/etc/netns")
_CABLE: Final = "cable"
_PROXY: Final = "127.0.0.1:8336"
_DNS: Final = 53
_SETTINGS: Final = {
    "net/ipv4/ip_unprivileged_port_start": str(_DNS),  # the node has no rights any more when it opens its DNS server
    "net/ipv6/conf/all/disable_ipv6": "0",
    "net/ipv6/conf/default/disable_ipv6": "0",
}


class ImpossibleError(Exception):
    """This machine does not let us make such hosts; says why."""


def pair(folder: Path, stack: ExitStack) -> Pair:
    """Both hosts, which ``stack`` removes; ImpossibleError."""
    _check()
    sweep()
    names = {host: f"{_PREFIX}{os.getpid()}-{host}" for host in ("alice", "bob")}
    for name in names.values():
        stack.callback(_remove, name)
        _make(name)
    _ip("link", "add", _CABLE, "netns", names["alice"], "type", "veth", "peer", "name", _CABLE, "netns", names["bob"])
    for name in names.values():
        _ip("-n", name, "link", "set", _CABLE, "up")
    with held(RPC, TCP) as (rpc,), held(DNS, UDP, TCP) as dns:
        alice = _host("alice", names["alice"], folder, port_of(rpc))
        bob = _host("bob", names["bob"], folder, RPC)
        for host in (alice, bob):
            stack.callback(host.stop)
        alice.open_door({rpc: port_of(rpc), **dict.fromkeys(dns, _DNS)})
        alice.outside = ("@127.0.0.1", "-p", str(port_of(dns[0])))
    return Pair(alice, bob, tun=True)


def sweep() -> None:
    """Remove what runs have left that are no more."""
    for place in (_NAMES, _FILES):
        for each in place.iterdir() if place.is_dir() else ():
            found = re.fullmatch(rf"{_PREFIX}(\d+)-\w+", each.name)
            if found and not Path(f"/proc/{found[1]}").exists():
                _remove(each.name)


def _check() -> None:
    """What can be known before anything is made."""
    if sys.platform != "linux":
        raise ImpossibleError("that needs Linux")
    if os.geteuid() != 0:
        raise ImpossibleError("that needs root: `sudo make run`")
    if not installed("ip"):
        raise ImpossibleError("that needs the program ip: apt install iproute2")
    if not Path("/etc/resolv.conf").exists():
        raise ImpossibleError("/etc/resolv.conf is not there, in whose place the hosts' own would be shown")
    try:
        os.close(os.open("/dev/net/tun", os.O_RDWR))
    except OSError as error:
        raise ImpossibleError(f"/dev/net/tun cannot be opened: {error.strerror}") from None


def _make(name: str) -> None:
    """A namespace whose programs ask 127.0.0.1 for names. ImpossibleError."""
    _ip("netns", "add", name)
    _ip("-n", name, "link", "set", "lo", "up")
    for key, value in _SETTINGS.items():
        _ip("netns", "exec", name, "sh", "-c", f"echo {value} > /proc/sys/{key}")
    own = _FILES / name
    try:
        own.mkdir(parents=True)
        (own / "resolv.conf").write_text("nameserver 127.0.0.1\n")
        if Path("/etc/nsswitch.conf").exists():  # it may lead to a resolver of this machine, past resolv.conf
            (own / "nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files dns\n")
    except OSError as error:
        raise ImpossibleError(f"{own} cannot be written: {error.strerror}") from None


def _remove(name: str) -> None:
    """As far as it is there."""
    with suppress(ImpossibleError):
        _ip("netns", "del", name)
    shutil.rmtree(_FILES / name, ignore_errors=True)
    with suppress(OSError):
        _FILES.rmdir()  # unless somebody else has something there


def _host(host: str, name: str, folder: Path, rpc: int) -> Host:
    options = ("--link", f"ethernet:{_CABLE}", "--dns", f"127.0.0.1:{_DNS}", "--proxy", _PROXY)
    own = folder / f"of-{host}"
    own.mkdir(exist_ok=True)
    return Host(host, own, f"127.0.0.1:{rpc}", options, ("ip", "netns", "exec", name), proxy=_PROXY)


def _ip(*arguments: str) -> None:
    command = ["ip", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "PATH": SEARCH})
    if done.returncode != 0:
        raise ImpossibleError(f"`{' '.join(command)}` says: {done.stderr.strip()}")
