"""What breaks on running hosts, and mends itself. a – b – c by Ethernet; every test leaves a whole line behind."""

import os
import random
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from meshchain.rpc.client.errors import ClientError
from meshrouter.host.launcher import NICE
from tests.netns.host import CommandError, Lab, needs_program, needs_root
from tests.netns.meshes import Mesh, line_options, mesh, ready
from tests.netns.nodes import MeshNode
from tests.netns.traffic import connected, echo_server, echoed, pinging, read_exactly
from tests.waiting import PATIENCE, eventually

pytestmark = [*needs_root, needs_program("ping"), needs_program("nft")]

SOME = b"x" * 20_000


@pytest.fixture(scope="module")
def whole(registered: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesh]:
    with Lab() as lab:
        lab.line("a", "b", "c")
        with mesh(lab, tmp_path_factory.mktemp("faults"), registered, line_options("ethernet", "a", "b", "c")) as made:
            yield made


@pytest.fixture
def line3(whole: Mesh) -> Iterator[Mesh]:
    yield whole
    a, _, c = whole.of("a", "b", "c")
    ready(*whole.nodes.values())
    eventually(partial(a.pings, c.address), "the line is whole again")
    for node in whole.nodes.values():
        assert "loop-fault" not in node.call("mesh_status")["counters"]


def links(node: MeshNode) -> dict[str, int]:
    """Name → MTU, of those that are up."""
    return {link["name"]: link["mtu"] for link in node.call("mesh_status")["links"] if link["up"]}


def test_an_interface_goes_and_comes_back(line3: Mesh) -> None:
    a, b = line3.of("a", "b")
    a.host.run("ip", "link", "del", "right")
    eventually(lambda: a.neighbours() == 0 and b.neighbours() == 1, "both ends know")
    (off,) = a.call("mesh_status")["off"]
    assert off == {
        "part": "ethernet:right",
        "reason": "there is no interface right now; the link begins when it appears",
    }
    line3.lab.cable(a.host, b.host, "right", "left")
    eventually(lambda: a.neighbours() == 1 and a.call("mesh_status")["off"] == [], "the link is there again")


@pytest.mark.parametrize(("mtu", "largest"), [(9000, 1392), (1320, 1280), (1280, 1280)])
def test_the_mtu_of_a_link_changes(line3: Mesh, mtu: int, largest: int) -> None:
    """The least that IPv6 asks for always passes, in pieces where it must. The kernel remembers a small path for ten
    minutes, so that one is the last."""
    a, b, c = line3.of("a", "b", "c")
    ends = ((a, "right"), (b, "left"))
    data = random.Random(6).randbytes(300_000)
    try:
        with echo_server(c.host, 22), connected(a.host, c.address, 22) as stream:
            for node, device in ends:
                node.host.run("ip", "link", "set", device, "mtu", str(mtu))
            for node, device in ends:
                eventually(lambda node=node, device=device: links(node)[f"ethernet:{device}"] == mtu, "it is known")  # type: ignore[misc]
            assert echoed(stream, data) == data
        assert a.pings(c.address, "-M", "do", "-s", str(largest - 48))
        eventually(partial(a.pings, c.address, "-s", "3000"), "a packet that is too large tells the size")
    finally:
        for node, device in ends:
            node.host.run("ip", "link", "set", device, "mtu", "1500")


def test_a_killed_router_comes_back_and_tun_and_connections_stay(line3: Mesh, tmp_path: Path) -> None:
    a, c = line3.of("a", "c")
    device = a.host.run("ip", "-o", "link", "show", "mesh0").split(":")[0]
    with echo_server(c.host, 22), connected(a.host, c.address, 22) as stream:
        with pinging(a.host, c.address, tmp_path) as ping:
            ping.goes_on()
            before = a.router_pid()
            os.kill(before, signal.SIGKILL)
            eventually(lambda: a.router_pid() not in (0, before), "another router")
            assert a.host.run("ip", "-o", "link", "show", "mesh0").split(":")[0] == device
            assert "eeee::/16 dev mesh0" in a.host.run("ip", "-6", "route")
            ping.goes_on()
        assert echoed(stream, b"the same connection") == b"the same connection"
    eventually(lambda: a.ctl_json("status")["node"]["warnings"] == [], "no alarm is left")


def test_packets_come_before_other_work_and_blocks_after_it(line3: Mesh) -> None:
    (a,) = line3.of("a")
    router, ledger, ours = (os.getpriority(os.PRIO_PROCESS, pid) for pid in (a.router_pid(), a.process.pid, 0))
    assert router == NICE < ours < ledger


def test_a_killed_node_leaves_the_tun_to_the_next(line3: Mesh) -> None:
    a, c = line3.of("a", "c")
    device = a.host.run("ip", "-o", "link", "show", "mesh0").split(":")[0]
    router = a.router_pid()
    with echo_server(c.host, 22), connected(a.host, c.address, 22) as stream:
        a.kill()
        eventually(lambda: not Path(f"/proc/{router}").exists(), "its router ends")
        assert a.host.run("ip", "-o", "link", "show", "mesh0").split(":")[0] == device
        a.start()
        assert echoed(stream, b"the same connection") == b"the same connection"


def test_a_deleted_tun_is_made_again(line3: Mesh) -> None:
    a, c = line3.of("a", "c")
    a.host.run("ip", "link", "del", "mesh0")
    eventually(partial(a.pings, c.address), "there is a TUN again")
    eventually(lambda: a.call("mesh_status")["off"] == [], "the alarm is over")


def test_a_neighbour_that_restarts_in_a_loop_is_no_burden(line3: Mesh) -> None:
    a, b, c = line3.of("a", "b", "c")
    router = b.router_pid()
    for _ in range(3):
        c.kill()
        c.start()
        eventually(lambda: any(each["name"] == "c" for each in b.call("mesh_neighbours")), "it is back")
        assert a.pings(b.address)
    assert b.router_pid() == router


@contextmanager
def losing(mesh: Mesh) -> Iterator[None]:
    """30 % of all frames between a and b are lost, both ways."""
    ends = ((mesh.hosts["a"], "right"), (mesh.hosts["b"], "left"))
    try:
        for host, device in ends:
            host.lose(device, percent=30)
    except CommandError as error:
        pytest.skip(f"this kernel loses nothing on request: {error}")
    try:
        yield
    finally:
        for host, _ in ends:
            host.lose_nothing()


def test_thirty_percent_of_loss(line3: Mesh, tmp_path: Path) -> None:
    """Half of the pings come back, and nobody is given up. What a stream has left is over soon after the loss: how
    long it takes under it is TCP's affair, whose waits double with every loss."""
    a, c = line3.of("a", "c")
    up = a.call("mesh_neighbours")[0]["up_s"]
    with echo_server(c.host, 22), connected(a.host, c.address, 22) as stream:
        with losing(line3):
            sending = threading.Thread(target=stream.sendall, args=(SOME,), daemon=True)
            sending.start()
            with pinging(a.host, c.address, tmp_path) as ping:
                ping.goes_on(2)
            assert ping.longest_gap() < 2
        assert read_exactly(stream, len(SOME)) == SOME
        sending.join(PATIENCE)
    assert a.call("mesh_neighbours")[0]["up_s"] > up, "the neighbour was not given up"


@pytest.mark.slow
def test_loss_is_measured_and_costs(line3: Mesh) -> None:
    """Sixteen HELLOs are a minute."""
    (a,) = line3.of("a")
    with losing(line3):
        eventually(lambda: 0.2 < a.call("mesh_neighbours")[0]["loss"] < 0.8, "it is measured", patience=120)
        eventually(lambda: a.call("mesh_neighbours")[0]["cost"] > 130, "it costs", patience=120)


@pytest.mark.slow
def test_a_node_that_was_suspended_goes_on(line3: Mesh, tmp_path: Path) -> None:
    a, b, c = line3.of("a", "b", "c")
    processes = [b.process.pid, b.router_pid()]
    with pinging(a.host, c.address, tmp_path) as ping:
        for pid in processes:
            os.kill(pid, signal.SIGSTOP)
        eventually(lambda: a.neighbours() == 0, "its neighbours notice")
        c.host.run("sleep", "20")
        for pid in processes:
            os.kill(pid, signal.SIGCONT)
        ping.goes_on()


def test_a_name_of_the_tun_that_is_taken_is_an_alarm_until_it_is_free(
    lab: Lab, registered: Path, tmp_path: Path
) -> None:
    host, other = lab.host("a"), lab.host("b")
    lab.cable(host, other, "mesh0", "end")
    node = MeshNode(host, tmp_path, "--link", "none").wait()
    (off,) = eventually(lambda: node.call("mesh_status")["off"], "it says what is off")
    assert off["part"] == "tun-name"
    assert "there is an interface mesh0 already, and it is no TUN; give --tun NAME" in off["reason"]
    assert node.call("mesh_status")["tun"] is None
    host.run("ip", "link", "del", "mesh0")
    eventually(lambda: has_tun(node), "the TUN is made")
    eventually(partial(node.pings, node.address), "and works")
    assert node.stop() == 0


def has_tun(node: MeshNode) -> bool:
    """Also while its router is being started again."""
    try:
        return bool(node.call("mesh_status")["tun"] == "mesh0")
    except ClientError:
        return False
