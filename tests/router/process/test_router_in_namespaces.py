"""Real router processes of two hosts, with TUNs."""

import sys
from subprocess import Popen

import pytest

from meshrouter.links.specs import Kind, LinkSpec
from tests.netns.host import Host, Lab, needs_program, needs_root
from tests.router.process.played_node import PlayedNode, known_to_each_other, running, text, until

pytestmark = [*needs_root]

CLAIMED = bytes.fromhex("eeee0000000000000000000000000007")


def specs(kind: str) -> tuple[list[LinkSpec], list[LinkSpec]]:
    """Links of the left and of the right host."""
    if kind in ("ethernet", "udp"):
        local = Kind.ETHERNET if kind == "ethernet" else Kind.UDP_INTERFACE
        left, right = (LinkSpec(kind=local, name=kind, interface=each, port=3003) for each in ("right", "left"))
        return [left], [right]
    listen, peer = (Kind.TCP_LISTEN, Kind.TCP_PEER) if kind == "tcp" else (Kind.UDP_LISTEN, Kind.UDP_PEER)
    return (
        [LinkSpec(kind=listen, name="l", host="10.1.0.1", port=4000)],
        [LinkSpec(kind=peer, name="p", host="10.1.0.1", port=4000)],
    )


def two_hosts(lab: Lab) -> tuple[Host, Host]:
    left, right = lab.line("a", "b")
    left.run("ip", "addr", "add", "10.1.0.1/24", "dev", "right")
    right.run("ip", "addr", "add", "10.1.0.2/24", "dev", "left")
    return left, right


def pings(host: Host, address: bytes, *nodes: PlayedNode) -> bool:
    """While the nodes answer their routers' questions."""
    process = host.start("ping", "-c3", "-i0.1", "-W5", text(address))
    until(lambda: process.poll() is not None, *nodes)
    return process.returncode == 0


@pytest.mark.parametrize(
    "kind", ["ethernet", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("udp", "udp-peer", "tcp"))]
)
@needs_program("ping")
def test_two_hosts_ping_each_other_through_their_tuns(lab: Lab, kind: str) -> None:
    hosts = two_hosts(lab)
    first, second = nodes = PlayedNode(1, hosts[0]), PlayedNode(2, hosts[1])
    known_to_each_other(*nodes)
    for node, links in zip(nodes, specs(kind), strict=True):
        node.start(links, tun="mesh0")
    with running(*nodes):
        until(lambda: first.neighbours() == second.neighbours() == 1, *nodes)
        assert pings(hosts[0], second.identity.address, *nodes)
        assert pings(hosts[1], first.identity.address, *nodes)
        status = first.ask("status", {}, second)
        assert status["counters"].get("loop-fault", 0) == 0
        assert status["tun"] == "mesh0"
        assert status["off"] == []


@needs_program("ping")
def test_the_tun_stays_when_the_channel_ends_and_goes_when_told_to_stop(lab: Lab) -> None:
    host = lab.host("a")
    node = PlayedNode(1, host)
    node.start([], tun="mesh0", claimed=CLAIMED)
    until(lambda: bool(node.said("ready")), node)
    assert node.end() == 0
    addresses = host.run("ip", "-6", "addr", "show", "mesh0")
    assert text(CLAIMED) in addresses
    assert "deprecated" in addresses
    node.heard.clear()
    node.start([], tun="mesh0", claimed=CLAIMED)
    until(lambda: bool(node.said("ready")), node)
    assert not node.said("alarm")
    assert host.succeeds("ping", "-c1", "-W2", text(CLAIMED))
    assert node.stop() == 0
    assert not host.succeeds("ip", "link", "show", "mesh0")
    assert "unreachable eeee::/16" in host.run("ip", "-6", "route")


@pytest.mark.slow
def test_a_claimed_address_comes_and_goes(lab: Lab) -> None:
    host = lab.host("a")
    node = PlayedNode(1, host)
    node.start([], tun="mesh0")

    def has(address: bytes) -> bool:
        return text(address) in host.run("ip", "-6", "addr", "show", "mesh0")

    with running(node):
        until(lambda: bool(node.said("ready")), node)
        assert has(node.identity.address)
        node.say({"type": "own", "addresses": [CLAIMED.hex()]})
        until(lambda: has(CLAIMED), node)
        node.say({"type": "own", "addresses": []})
        until(lambda: not has(CLAIMED), node)
        assert has(node.identity.address)


@pytest.mark.slow
def test_a_taken_tun_is_an_alarm_and_the_router_runs(lab: Lab) -> None:
    host, _other = two_hosts(lab)
    first, second = PlayedNode(1, host), PlayedNode(2, host)
    first.start([], tun="mesh0")
    until(lambda: bool(first.said("ready")), first)
    second.start(specs("udp")[0], tun="mesh1")
    with running(first, second):
        until(lambda: bool(second.said("ready")), first, second)
        (alarm,) = second.said("alarm")
        assert alarm["code"] == "host-taken"
        assert "--tun off" in alarm["message"]
        assert second.ask("status", {}, first)["tun"] is None
        assert not host.succeeds("ip", "link", "show", "mesh1")


@pytest.mark.slow
def test_a_deleted_tun_is_an_alarm_and_is_made_again(lab: Lab) -> None:
    host = lab.host("a")
    node = PlayedNode(1, host)
    node.start([], tun="mesh0")
    with running(node):
        until(lambda: bool(node.said("ready")), node)
        host.run("ip", "link", "del", "mesh0")
        until(lambda: bool(node.said("alarm")), node)
        assert node.said("alarm")[0]["code"] == "tun-gone"
        until(lambda: bool(node.said("alarm-over")), node)
        assert text(node.identity.address) in host.run("ip", "-6", "addr", "show", "mesh0")
        until(lambda: len(node.said("neighbours")) > 1, node)
        assert [each["tun"] for each in node.said("neighbours")] == [False, True], "gossip has to know"


def test_lo2_is_reached_from_the_other_host_by_the_mesh_address(lab: Lab) -> None:
    hosts = two_hosts(lab)
    first, second = nodes = PlayedNode(1, hosts[0]), PlayedNode(2, hosts[1])
    known_to_each_other(*nodes)
    for node, links in zip(nodes, specs("ethernet"), strict=True):
        node.start(links, tun="mesh0")
    server = "import socket\ns = socket.create_server(({0!r}, {1}), family=socket.AF_INET6)\nprint(1, flush=True)\n"
    answer = "while True:\n    c, peer = s.accept()\n    c.sendall(peer[0].encode())\n    c.close()\n"
    with running(*nodes):
        until(lambda: bool(first.said("ready") and second.said("ready")), *nodes)
        for address, port in (("beef::", 80), ("::", 81), (text(second.identity.address), 82)):
            process = hosts[1].start(sys.executable, "-c", server.format(address, port) + answer, stdout=-1)
            assert process.stdout is not None
            assert process.stdout.readline() == b"1\n" or port == 82
        until(lambda: first.neighbours() == second.neighbours() == 1, *nodes)
        for port in (80, 81):
            client = _client(hosts[0], text(second.identity.address), port)
            until(lambda client=client: client.poll() is not None, *nodes)  # type: ignore[misc]
            assert client.stdout is not None
            assert client.stdout.read().decode().strip() == text(first.identity.address)


def _client(host: Host, address: str, port: int) -> "Popen[bytes]":
    program = f"import socket\nprint(socket.create_connection(({address!r}, {port}), 10).recv(99).decode())"
    return host.start(sys.executable, "-c", program, stdout=-1)
