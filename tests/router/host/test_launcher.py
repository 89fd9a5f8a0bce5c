"""The launcher: starts routers, gives their channels away, keeps two rights and no more."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from meshrouter.errors import LocalError
from meshrouter.host import capabilities
from meshrouter.host.launcher import Launcher, start_launcher

ROUTER = """
import socket, sys, os, signal
channel = socket.socket(fileno=int(sys.argv[sys.argv.index("--fd") + 1]))
status = open("/proc/self/status").read().split("CapEff:")[1].split()[0]
channel.sendall(f"{status} {signal.getsignal(signal.SIGTERM) == signal.SIG_DFL}".encode())
if channel.recv(1) == b"x":
    os._exit(7)
"""
"""Stands for a router: says its rights, ends with its channel."""


def launcher(program: str = ROUTER) -> Launcher:
    return start_launcher([sys.executable, "-c", program])


def is_gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def test_a_router_is_started_and_ends_with_the_launcher() -> None:
    made = launcher()
    started = made.open_channel()
    assert started.last is None
    assert started.channel.recv(100).endswith(b"True")
    assert not is_gone(started.pid)
    started.channel.close()
    made.close()
    assert is_gone(started.pid)
    assert is_gone(made.pid)


def test_the_first_router_is_loading_before_anybody_asks_and_goes_if_nobody_does() -> None:
    made = launcher()
    children = Path(f"/proc/{made.pid}/task/{made.pid}/children")
    while not (begun := children.read_text().split()):
        pass
    asked = made.open_channel()
    assert [str(asked.pid)] == begun
    asked.channel.close()
    made.close()
    idle = launcher()
    idle.close()
    assert is_gone(idle.pid)


def test_a_router_that_dies_before_it_is_asked_for_is_replaced() -> None:
    made = launcher()
    children = Path(f"/proc/{made.pid}/task/{made.pid}/children")
    while not (begun := children.read_text().split()):
        pass
    os.kill(int(begun[0]), signal.SIGKILL)
    while begun[0] in children.read_text().split():
        pass
    started = made.open_channel()
    assert started.last == -signal.SIGKILL
    assert started.channel.recv(100).endswith(b"True")
    started.channel.close()
    made.close()


def test_the_next_router_comes_with_how_the_last_one_ended() -> None:
    made = launcher()
    first = made.open_channel()
    first.channel.recv(100)
    first.channel.sendall(b"x")
    assert first.channel.recv(1) == b""
    second = made.open_channel()
    assert second.last == 7
    os.kill(second.pid, signal.SIGKILL)
    while second.channel.recv(100):
        pass
    third = made.open_channel()
    assert third.last == -signal.SIGKILL
    for each in (first, second, third):
        each.channel.close()
    made.close()
    assert is_gone(third.pid)


def test_the_launcher_ignores_what_a_terminal_sends() -> None:
    made = launcher()
    made.open_channel().channel.close()  # it lives
    os.kill(made.pid, signal.SIGINT)
    os.kill(made.pid, signal.SIGTERM)
    made.open_channel().channel.close()
    made.close()


def test_a_router_that_cannot_be_started_is_said() -> None:
    made = start_launcher(["/nowhere/router"])
    with pytest.raises(LocalError, match="cannot start a router"):
        made.open_channel()
    made.close()


def test_a_lost_launcher_is_said() -> None:
    made = launcher()
    os.kill(made.pid, signal.SIGKILL)
    os.waitpid(made.pid, 0)
    with pytest.raises(LocalError, match="starts routers"):
        made.open_channel()
    made.close()


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: it gives rights up")
@pytest.mark.parametrize("user", [0, 65534])
def test_the_router_has_two_rights_and_the_node_none(user: int) -> None:
    """As root, and as a user whom a service manager gives the two rights and one more."""
    script = f"""
import json, os, subprocess
from meshrouter.host import capabilities
from meshrouter.host.launcher import drop_rights, start_launcher
if {user}:
    mask = 1 << capabilities.NET_ADMIN | 1 << capabilities.NET_RAW | 1 << capabilities.NET_BIND_SERVICE
    capabilities._prctl(8, 1)  # PR_SET_KEEPCAPS
    os.setresuid({user}, {user}, {user})
    capabilities._capset(effective=mask, permitted=mask, inheritable=mask)
launcher = start_launcher(["bash", "-c", 'grep CapEff /proc/self/status >&$2; read -u $2', "bash"])
drop_rights()
started = launcher.open_channel()
child = subprocess.run(["sh", "-c", "grep CapEff /proc/self/status"], capture_output=True, text=True).stdout
print(json.dumps([started.channel.recv(100).decode().split()[1], capabilities.effective(), child.split()[1]]))
started.channel.close()
launcher.close()
"""
    command = [sys.executable, "-c", script]
    said = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3])
    router, node, child = json.loads(said.stdout)
    assert int(router, 16) == sum(1 << each for each in capabilities.ROUTER)
    assert node == 0
    assert int(child, 16) == 0
