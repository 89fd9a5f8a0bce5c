"""The kit that namespace tests stand on: what it makes works, and what it made is gone afterwards."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.netns.host import CommandError, Lab, needs_program, needs_root, sweep

pytestmark = [*needs_root]


def link_local(lab: Lab, name: str, device: str) -> str:
    return lab.hosts[name].run("sh", "-c", f"ip -6 -br addr show {device} | grep -o 'fe80::[0-9a-f:]*'").strip()


@needs_program("ping")
def test_neighbours_of_a_line_reach_each_other_at_once(lab: Lab) -> None:
    first, second, third = lab.line("a", "b", "c")
    assert first.succeeds("ping", "-c1", "-W2", f"{link_local(lab, 'b', 'left')}%right")
    assert third.succeeds("ping", "-c1", "-W2", f"{link_local(lab, 'b', 'right')}%left")
    second.down("left")
    assert "NO-CARRIER" in first.run("ip", "link", "show", "right")


@needs_program("ping")
def test_hosts_on_a_switch_share_a_lan(lab: Lab) -> None:
    hosts = lab.switch("a", "b", "c")
    for host in hosts[1:]:
        assert hosts[0].succeeds("ping", "-c1", "-W2", f"{link_local(lab, host.name, 'eth0')}%eth0")


def test_a_ring_closes(lab: Lab) -> None:
    hosts = lab.ring("a", "b", "c", "d")
    assert all(
        host.succeeds("ip", "link", "show", "left") and host.succeeds("ip", "link", "show", "right") for host in hosts
    )


def test_all_is_gone_after_a_failure_and_only_own_processes_end() -> None:
    bystander = subprocess.Popen(["sleep", "100"])
    try:
        lab = Lab()
        host = lab.host("a")
        process = host.start("sleep", "100")
        with pytest.raises(ZeroDivisionError), lab:
            raise ZeroDivisionError
        assert process.returncode is not None
        assert not Path("/run/netns", host.namespace).exists()
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_a_failing_command_says_what_it_said(lab: Lab) -> None:
    with pytest.raises(CommandError, match="nowhere"):
        lab.host("a").run("ip", "link", "show", "nowhere")


def test_sweep_removes_what_a_killed_run_left_and_nothing_else(lab: Lab) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    left = f"mc-{ended.pid}-1-left"
    subprocess.run(["ip", "netns", "add", left], check=True)
    living = lab.host("a").namespace
    sweep()
    assert not Path("/run/netns", left).exists()
    assert Path("/run/netns", living).exists()


def test_inside_opens_sockets_there_and_comes_back(lab: Lab) -> None:
    host = lab.host("a")
    before = os.stat("/proc/thread-self/ns/net").st_ino
    with host.inside():
        there = os.stat("/proc/thread-self/ns/net").st_ino
    assert there == Path("/run/netns", host.namespace).stat().st_ino != before
    assert os.stat("/proc/thread-self/ns/net").st_ino == before


def test_a_host_may_have_a_nameserver_of_its_own_and_it_goes_with_the_host(lab: Lab) -> None:
    one, other = lab.host("a"), lab.host("b")
    one.asks("192.0.2.53")
    assert one.run("cat", "/etc/resolv.conf") == "nameserver 192.0.2.53\n"
    assert "192.0.2.53" not in other.run("cat", "/etc/resolv.conf", check=False)
    lab.close()
    assert not Path("/etc/netns", one.namespace).exists()
