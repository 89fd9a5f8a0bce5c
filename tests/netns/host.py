"""Hosts made of network namespaces: a kernel's whole network stack each, joined by virtual cables.

Needs root and iproute2 (``needs_root`` marks and skips). Every namespace has a name of its own, made of this process's
number and a counter, so that suites may run side by side. ``Lab`` removes all it made when its ``with`` ends, however
that ends: first the processes it started (they alone, by their handles), then the namespaces, with whose end the
kernel removes their devices. What an earlier run left because it was killed is removed by ``sweep``, which looks at
whether the process in the name lives.
"""

import itertools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

import pytest

TIMEOUT: Final = 60.0
"""Seconds for one command."""
_PREFIX: Final = "mc-"
_LOSS: Final = "loss"
_WHERE: Final = Path("/run/netns")
_FILES: Final = Path("/etc/netns")
"""What stands in a folder of a namespace's name here, ``ip netns exec`` shows to commands under /etc (ip-netns(8))."""
_NUMBERS: Final = itertools.count(1)


def _why_not() -> str | None:
    """Why this machine cannot make namespaces; None if it can."""
    if sys.platform != "linux":
        return "needs Linux"
    if os.geteuid() != 0:
        return "needs root: it makes network namespaces"
    if shutil.which("ip") is None:
        return "needs iproute2 (apt install iproute2)"
    if subprocess.run(["ip", "netns", "list"], capture_output=True, check=False).returncode != 0:
        return "this kernel or container has no network namespaces"
    probe = f"{_PREFIX}{os.getpid()}-probe"
    made = subprocess.run(["ip", "netns", "add", probe], capture_output=True, check=False).returncode == 0
    subprocess.run(["ip", "netns", "del", probe], capture_output=True, check=False)
    return None if made else "this container may not make network namespaces"


WHY_NOT: Final = _why_not()
needs_root = (pytest.mark.root, pytest.mark.skipif(WHY_NOT is not None, reason=WHY_NOT or ""))
"""``pytestmark = [*needs_root]`` for modules whose tests make namespaces."""


def needs_program(name: str) -> pytest.MarkDecorator:
    """Skip where a program is not installed."""
    missing = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is None
    return pytest.mark.skipif(missing, reason=f"needs {name}")


class CommandError(AssertionError):
    """A command in a namespace failed; says all it said."""


class Host:
    """One namespace. ``name``: short, for people; ``namespace``: as ``ip netns`` has it."""

    def __init__(self, name: str, namespace: str) -> None:
        self.name = name
        self.namespace = namespace
        self._processes: list[subprocess.Popen[bytes]] = []

    def command(self, *arguments: str) -> list[str]:
        """The command line that runs something here."""
        return ["ip", "netns", "exec", self.namespace, *arguments]

    def run(self, *arguments: str, check: bool = True, timeout: float = TIMEOUT, stdin: str | None = None) -> str:
        """Standard output of a command that ends. CommandError if it fails and ``check``."""
        done = subprocess.run(
            self.command(*arguments), capture_output=True, text=True, timeout=timeout, check=False, input=stdin
        )
        if check and done.returncode != 0:
            raise CommandError(f"{self.name}: {' '.join(arguments)}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def succeeds(self, *arguments: str, timeout: float = TIMEOUT) -> bool:
        """Whether a command exits with 0."""
        try:
            self.run(*arguments, timeout=timeout)
        except (CommandError, subprocess.TimeoutExpired):
            return False
        return True

    def start(
        self,
        *arguments: str,
        stdout: int | IO[bytes] = subprocess.DEVNULL,
        stderr: int | IO[bytes] | None = None,
        pass_fds: Sequence[int] = (),
    ) -> "subprocess.Popen[bytes]":
        """A process that the lab ends. ``ip netns exec`` becomes the command itself, so its number is the process's."""
        process = subprocess.Popen(self.command(*arguments), stdout=stdout, stderr=stderr, pass_fds=pass_fds)
        self._processes.append(process)
        return process

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Sockets and devices opened by this thread meanwhile are the namespace's."""
        with open("/proc/thread-self/ns/net", "rb") as own, (_WHERE / self.namespace).open("rb") as there:
            setns(there.fileno())
            try:
                yield
            finally:
                setns(own.fileno())

    def up(self, device: str) -> None:
        self.run("ip", "link", "set", device, "up")

    def down(self, device: str) -> None:
        self.run("ip", "link", "set", device, "down")

    def without_ip(self, *devices: str) -> None:
        """No IPv6 on these (of them that exist): the link-local address goes, and nothing else was there."""
        for device in devices:
            setting = Path(f"/proc/sys/net/ipv6/conf/{device}/disable_ipv6")
            self.run("sh", "-c", f"test ! -e {setting} || echo 1 > {setting}")

    def lose(self, device: str, *, percent: int) -> None:
        """Of what comes in there, by chance, and nobody is told (nftables; CommandError where the kernel has no netdev
        hooks). A second call adds to the first."""
        rule = "drop" if percent == 100 else f"numgen random mod 100 < {percent} drop"
        chain = f"chain from_{device} {{ type filter hook ingress device {device} priority 0; {rule}; }}"
        self.run("nft", "-f", "-", stdin=f"table netdev {_LOSS} {{\n{chain}\n}}\n")

    def lose_nothing(self) -> None:
        self.run("nft", "delete", "table", "netdev", _LOSS)

    def asks(self, nameserver: str) -> None:
        """Programs started from now on resolve names there (port 53)."""
        folder = _FILES / self.namespace
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "resolv.conf").write_text(f"nameserver {nameserver}\n")
        (folder / "nsswitch.conf").write_text("hosts: files dns\n")

    def stop(self) -> None:
        """End what was started here: politely, then not."""
        for process in self._processes:
            if process.poll() is None:
                process.terminate()
        for process in self._processes:
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()
        self._processes.clear()


class Lab:
    """Makes hosts and cables, and takes all of it away again."""

    def __init__(self) -> None:
        sweep()
        self._number = next(_NUMBERS)
        self.hosts: dict[str, Host] = {}

    def host(self, name: str, *, ipv6: bool = True) -> Host:
        """A new one, with loopback up. Duplicate detection is off: link-local addresses can be used at once."""
        namespace = f"{_PREFIX}{os.getpid()}-{self._number}-{name}"
        _ip("netns", "add", namespace)
        host = self.hosts[name] = Host(name, namespace)
        settings = {"accept_dad": "0", "disable_ipv6": "0" if ipv6 else "1"}
        for key, value in settings.items():
            for scope in ("all", "default"):
                host.run("sh", "-c", f"echo {value} > /proc/sys/net/ipv6/conf/{scope}/{key}")
        host.up("lo")
        return host

    def cable(self, left: Host, right: Host, left_device: str, right_device: str, *, mtu: int = 1500) -> None:
        """A veth pair between two hosts, up at both ends, without addresses but the link-local ones."""
        ends = ("peer", "name", right_device, "netns", right.namespace)
        _ip("link", "add", left_device, "netns", left.namespace, "type", "veth", *ends)
        for host, device in ((left, left_device), (right, right_device)):
            host.run("ip", "link", "set", device, "mtu", str(mtu), "up")

    def line(self, *names: str) -> list[Host]:
        """Hosts in a row; ``right`` of each is joined with ``left`` of the next."""
        hosts = [self.host(name) for name in names]
        for one, other in itertools.pairwise(hosts):
            self.cable(one, other, "right", "left")
        return hosts

    def ring(self, *names: str) -> list[Host]:
        """A line whose ends are joined too: four make a square."""
        hosts = self.line(*names)
        self.cable(hosts[-1], hosts[0], "right", "left")
        return hosts

    def switch(self, *names: str) -> list[Host]:
        """Hosts on one LAN: ``eth0`` of each is plugged into a bridge, which is a namespace of its own."""
        middle = self.host("switch" + "".join(names))
        middle.run("ip", "link", "add", "bridge", "type", "bridge", "mcast_snooping", "0")
        middle.up("bridge")
        hosts = [self.host(name) for name in names]
        for number, host in enumerate(hosts):
            self.cable(middle, host, f"port{number}", "eth0")
            middle.run("ip", "link", "set", f"port{number}", "master", "bridge")
        return hosts

    def close(self) -> None:
        """Every step is tried, whatever became of the one before; the first trouble is raised at the end."""
        troubles: list[Exception] = []
        for host in self.hosts.values():
            for step in (host.stop, partial(_remove, host.namespace)):
                try:
                    step()
                except (OSError, CommandError) as error:
                    troubles.append(error)
        self.hosts.clear()
        if troubles:
            raise troubles[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def sweep() -> None:
    """Remove namespaces of test runs that are no more. Their processes ended with their sockets, or are not ours."""
    if not _WHERE.is_dir():
        return
    for each in _WHERE.iterdir():
        found = re.fullmatch(rf"{_PREFIX}(\d+)-.*", each.name)
        if found and not Path(f"/proc/{found[1]}").exists():
            with suppress(CommandError):
                _remove(each.name)


def _remove(namespace: str) -> None:
    """The namespace, and what its programs saw under /etc."""
    shutil.rmtree(_FILES / namespace, ignore_errors=True)
    with suppress(OSError):  # others' are there, or there is none
        _FILES.rmdir()
    _ip("netns", "del", namespace)


def setns(file: int) -> None:
    """Move this thread into a network namespace (setns(2)); Python has it from 3.12 on."""
    import ctypes

    if ctypes.CDLL(None, use_errno=True).setns(file, 0x40000000) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def _ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, timeout=TIMEOUT, check=False)
    if done.returncode != 0:
        raise CommandError(f"ip {' '.join(arguments)}: {done.stderr}")
