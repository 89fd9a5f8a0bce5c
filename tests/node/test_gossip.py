"""Real nodes on this machine, joined by TCP: a line of five, latecomers, kills."""

import socket
from collections.abc import Sequence
from pathlib import Path

import pytest

from meshchain.rpc.client.errors import ClientError
from tests.node.conftest import Launch
from tests.node.registering import drafts
from tests.node.running import Running
from tests.waiting import eventually, free_port


def line(launch: Launch, folder: Path, ports: Sequence[int]) -> list[Running]:
    """Nodes, each with the one before as its peer."""
    nodes = []
    for index, port in enumerate(ports):
        peers = () if index == 0 else ("--peer", f"127.0.0.1:{ports[index - 1]}")
        nodes.append(launch(folder / f"node-{index}", *peers, p2p=f"127.0.0.1:{port}"))
    return [node.wait() for node in nodes]


def knows(node: Running, name: str) -> bool:
    try:
        shown: dict[str, object] = node.call("name_show", name)
    except ClientError:
        return False
    return shown["status"] == "active"


def connected(node: Running, peers: int) -> bool:
    ready = [row for row in node.call("getpeerinfo") if row["state"] == "ready"]
    return len(ready) >= peers


def test_a_line_of_five_a_latecomer_and_a_kill(launch: Launch, tmp_path: Path) -> None:
    ports = [free_port() for _ in range(5)]
    nodes = line(launch, tmp_path, ports)
    first, last = nodes[0], nodes[-1]
    eventually(lambda: connected(nodes[2], 2), "the one in the middle has two peers")
    first.call("queueoperation", drafts(first, "alice", 1))
    eventually(lambda: knows(last, "alice"), "the other end serves the name")

    latecomer = launch(tmp_path / "latecomer", "--peer", f"127.0.0.1:{ports[2]}", p2p="off").wait()
    eventually(lambda: knows(latecomer, "alice"), "an empty node catches up")

    nodes[1].kill()
    last.call("queueoperation", drafts(last, "bob", 2))
    eventually(lambda: knows(nodes[2], "bob"), "the right half goes on")
    assert not knows(first, "bob")
    launch(nodes[1].datadir, "--peer", f"127.0.0.1:{ports[0]}", p2p=f"127.0.0.1:{ports[1]}").wait()
    eventually(lambda: knows(first, "bob"), "the line is whole again")
    heights = {node.call("getbestblockhash") for node in (first, nodes[2], last, latecomer)}
    assert len(heights) == 1


def test_peers_are_shown(launch: Launch, tmp_path: Path) -> None:
    ports = [free_port(), free_port()]
    one, two = line(launch, tmp_path, ports)
    eventually(lambda: connected(two, 1), "they are connected")
    (row,) = two.call("getpeerinfo")
    assert row["key"] == one.call("mesh_identity")["key"]
    assert (row["direction"], row["purpose"]) == ("out", "configured")
    assert row["address"] == f"127.0.0.1:{ports[0]}"
    assert row["received"] > 0
    assert row["score"] == 0


def test_another_network_is_refused_with_a_reason(launch: Launch, tmp_path: Path) -> None:
    port = free_port()
    one = launch(tmp_path / "one", p2p=f"127.0.0.1:{port}").wait()
    options = ("--network", "test", "--mine", "off", "--peer", f"127.0.0.1:{port}")
    other = launch(tmp_path / "other", *options)
    eventually(lambda: "wrong-network" in other.log(), "the log says why")
    assert one.call("getpeerinfo") == []
    assert other.stop() == 0


def test_all_addresses_are_of_both_families(launch: Launch, tmp_path: Path) -> None:
    """What a node listens at unless told otherwise."""
    if not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    port = free_port()
    launch(tmp_path / "one", p2p=f"[::]:{port}").wait()
    for number, host in enumerate(("127.0.0.1", "[::1]")):
        two = launch(tmp_path / f"dialler-{number}", "--peer", f"{host}:{port}").wait()
        eventually(lambda: connected(two, 1), f"it can be reached at {host}")  # noqa: B023 - used at once
        two.kill()


def test_a_taken_gossip_port_is_named(launch: Launch, tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_port()}"
    launch(tmp_path / "one", p2p=address).wait()
    second = launch(tmp_path / "two", p2p=address)
    assert second.ended() == 1
    assert address in second.log()


@pytest.mark.slow
def test_any_of_them_killed_resumes(launch: Launch, tmp_path: Path) -> None:
    ports = [free_port() for _ in range(5)]
    nodes = line(launch, tmp_path, ports)
    for round_ in range(10):
        victim = round_ % 5
        name = f"name-{round_}"
        nodes[0].call("queueoperation", drafts(nodes[0], name, round_ + 1))
        nodes[victim].kill()
        peers = () if victim == 0 else ("--peer", f"127.0.0.1:{ports[victim - 1]}")
        nodes[victim] = launch(nodes[victim].datadir, *peers, p2p=f"127.0.0.1:{ports[victim]}").wait()
        for node in nodes:
            eventually(lambda node=node, name=name: knows(node, name), f"{name} is everywhere")  # type: ignore[misc]
