"""Programs on the mesh: lo2, the packet filter, groups. a – b – c by UDP, so that cables carry plain IPv6 as well."""

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.netns.host import Host, Lab, needs_program, needs_root
from tests.netns.meshes import Mesh, line_options, mesh, node_with_name
from tests.netns.nodes import MeshNode
from tests.netns.traffic import connected, datagram_socket, echo_server, echoed, web_server
from tests.waiting import PATIENCE, eventually

pytestmark = [*needs_root, needs_program("nft")]

EVERYBODY = "ff18:eeee::1"
GROUP = "ff18:eeee::abc"
IPV6_TRANSPARENT = 75
"""Any source address (linux/in6.h)."""


@pytest.fixture(scope="module")
def lan(registered: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesh]:
    """b also has fd00::b on its left cable, and a fd00::a."""
    with Lab() as lab:
        a, b, _ = lab.line("a", "b", "c")
        a.run("ip", "addr", "add", "fd00::a/64", "dev", "right")
        b.run("ip", "addr", "add", "fd00::b/64", "dev", "left")
        with mesh(lab, tmp_path_factory.mktemp("lan"), registered, line_options("udp", "a", "b", "c")) as made:
            yield made


def refused(host: Host, address: str, port: int) -> bool:
    """Whether nothing answers there: a refusal, or silence for a second."""
    try:
        connecting = datagram_or_stream(host)
        with connecting:
            connecting.connect((address, port))
    except OSError:
        return True
    return False


def datagram_or_stream(host: Host) -> socket.socket:
    with host.inside():
        opened = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    opened.settimeout(1)
    return opened


@needs_program("curl")
def test_a_web_server_on_beef_is_on_the_mesh_and_nowhere_else(lan: Mesh, tmp_path: Path) -> None:
    a, b, c = lan.of("a", "b", "c")
    (tmp_path / "page").write_text("only by the mesh")
    with web_server(b.host, tmp_path, 80, "beef::"):
        for client in (a, b, c):
            assert client.host.run("curl", "-sSg", f"http://[{b.address}]/page") == "only by the mesh"
        assert refused(a.host, "fd00::b", 80)
        link_local = b.host.run("sh", "-c", "ip -6 -br addr show left | grep -o 'fe80::[0-9a-f:]*'").strip()
        assert refused(a.host, f"{link_local}%right", 80)
        a.host.run("ip", "-6", "route", "add", "beef::/16", "via", "fd00::b")
        assert refused(a.host, "beef::", 80)


def test_servers_everywhere_and_on_the_mesh_address_work(lan: Mesh) -> None:
    a, b, c = lan.of("a", "b", "c")
    with echo_server(b.host, 81), echo_server(b.host, 82, b.address):
        for client, port in ((a, 81), (c, 81), (b, 81), (a, 82), (c, 82)):
            with connected(client.host, b.address, port) as stream:
                assert echoed(stream, b"hello") == b"hello"
        with connected(a.host, "fd00::b", 81) as stream:
            assert echoed(stream, b"plain") == b"plain"
        assert refused(a.host, "fd00::b", 82)
        assert refused(b.host, b.address, 82), "the documented price: not from its own host"


@pytest.mark.parametrize("bound", ["beef::", "::", "mesh"])
def test_udp_answers_come_from_where_they_were_asked(lan: Mesh, bound: str) -> None:
    a, b = lan.of("a", "b")
    with datagram_socket(b.host, b.address if bound == "mesh" else bound, 53) as server:
        for client in (a, b) if bound != "mesh" else (a,):
            with datagram_socket(client.host) as asking:
                asking.connect((b.address, 53))  # takes answers from there only
                asking.send(b"question")
                question, sender = server.recvfrom(100)
                server.sendto(question + b" answered", sender)
                assert asking.recv(100) == b"question answered"


@needs_program("ping")
def test_ping_to_oneself(lan: Mesh) -> None:
    for node in lan.nodes.values():
        assert node.pings(node.address)


def test_a_broadcast_reaches_every_host_once_and_is_answered(lan: Mesh) -> None:
    a = lan.nodes["a"]
    servers = {node.address: datagram_socket(node.host, "::", 999) for node in lan.nodes.values()}
    with datagram_socket(a.host) as asking:
        asking.sendto(b"who is there?", (EVERYBODY, 999))
        for server in servers.values():
            question, sender = server.recvfrom(100)
            assert (question, sender[0]) == (b"who is there?", a.address)
            server.sendto(b"me", sender)
        answers = [asking.recvfrom(100) for _ in servers]
        assert {(answer, sender[0]) for answer, sender in answers} == {(b"me", address) for address in servers}
        asking.sendto(b"again", (EVERYBODY, 999))
        for server in servers.values():
            assert server.recv(100) == b"again", "once: there was no second copy of the first"
            server.close()


def test_a_group_reaches_its_members(lan: Mesh) -> None:
    a, b, c = lan.of("a", "b", "c")
    members = [member(each.host) for each in (b, c)]
    with datagram_socket(a.host, "::", 998) as stranger, datagram_socket(a.host, a.address) as speaking:
        for each in members:  # the kernel tells of a membership within a second
            eventually(lambda each=each: heard(each, speaking), "it is a member")  # type: ignore[misc]
        for number in range(5):
            speaking.sendto(b"%d" % number, (GROUP, 998))
        for each in members:
            each.settimeout(PATIENCE)
            while (first := each.recv(100)) == b"try":
                pass
            assert [first, *(each.recv(100) for _ in range(4))] == [b"0", b"1", b"2", b"3", b"4"]
            each.close()
        stranger.setblocking(False)
        with pytest.raises(BlockingIOError):
            stranger.recv(100)


def heard(listening: socket.socket, speaking: socket.socket) -> bool:
    """Whether what is said to the group arrives there."""
    speaking.sendto(b"try", (GROUP, 998))
    listening.settimeout(0.2)
    try:
        return bool(listening.recv(100))
    except TimeoutError:
        return False


def member(host: Host) -> socket.socket:
    opened = datagram_socket(host, "::", 998)
    with host.inside():
        index = socket.if_nametoindex("mesh0")
    joined = socket.inet_pton(socket.AF_INET6, GROUP) + index.to_bytes(4, "little")
    opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, joined)
    return opened


def test_plain_ipv6_with_a_forged_mesh_source_is_dropped(lan: Mesh) -> None:
    """a has the mesh, so it can be any mesh source towards b: by its cable, past the router."""
    a, b, c = lan.of("a", "b", "c")
    with a.host.inside():
        forging = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        forging.setsockopt(socket.IPPROTO_IPV6, IPV6_TRANSPARENT, 1)
        forging.bind((c.address, 5000))
        plain = datagram_socket(a.host, "fd00::a")
    with forging, plain, datagram_socket(b.host, "::", 997) as server:
        forging.sendto(b"as c", ("fd00::b", 997))
        plain.sendto(b"as myself", ("fd00::b", 997))
        assert server.recvfrom(100)[0] == b"as myself"
    assert "a forged mesh source" in b.host.run("nft", "list", "chain", "ip6", "meshchain", "guard")
    assert dropped(b.host) == 1


def test_a_second_node_on_the_host_runs_without_tun_and_says_so(lan: Mesh, registered: Path, tmp_path: Path) -> None:
    a = lan.hosts["a"]
    options = ("--link", "udp:right", "--tun", "mesh1", "--rpc", "127.0.0.1:4001", "--p2p", "off", "--dns", "off")
    second = MeshNode(a, tmp_path, *options, name="second", rpc=4001).wait()
    (off,) = eventually(lambda: second.call("mesh_status")["off"], "it says what is off")
    assert off["part"] == "host-taken"
    assert "--tun off" in off["reason"]
    assert second.call("mesh_status")["tun"] is None
    assert lan.nodes["a"].call("mesh_status")["tun"] == "mesh0"
    assert not a.succeeds("ip", "link", "show", "mesh1")
    eventually(lambda: {each["name"] for each in second.call("mesh_neighbours")} == {"a", "b"}, "both hear it")
    assert second.stop() == 0


def test_what_stays_when_a_node_stops_is_what_guards_and_it_can_be_removed(
    lab: Lab, registered: Path, tmp_path: Path
) -> None:
    host = lab.host("a")
    node = node_with_name(host, tmp_path, registered, "--link", "none").wait()
    assert node.stop() == 0
    assert not host.succeeds("ip", "link", "show", "mesh0")
    assert "beef::" in host.run("ip", "-6", "addr", "show", "lo2")
    assert "unreachable eeee::/16" in host.run("ip", "-6", "route")
    assert "chain guard" in host.run("nft", "list", "table", "ip6", "meshchain")
    host.run(sys.executable, "-m", "meshrouter.host", "remove")
    assert not host.succeeds("ip", "link", "show", "lo2")
    assert "eeee" not in host.run("ip", "-6", "route")
    assert host.run("nft", "list", "tables") == ""


def dropped(host: Host) -> int:
    rules = host.run("nft", "list", "chain", "ip6", "meshchain", "guard").splitlines()
    (rule,) = [each for each in rules if "a forged mesh source" in each]
    return int(rule.split("packets ")[1].split()[0])
