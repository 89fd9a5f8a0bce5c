"""The same line over every other kind of link, and across a bridge of two kinds."""

import random
from pathlib import Path

import pytest

from tests.netns.host import Host, Lab, needs_program, needs_root
from tests.netns.meshes import Mesh, mesh
from tests.netns.traffic import connected, datagram_socket, echo_server, echoed

pytestmark = [*needs_root]

A_B, B_C = "10.1.0.", "10.2.0."
LEFT, RIGHT = 1, 2

UDP = ("udp:right", "udp:left", "udp:right", "udp:left")
UNICAST = (f"udp-listen:{A_B}1:4001", f"udp:{A_B}1:4001", f"udp-listen:{B_C}1:4002", f"udp:{B_C}1:4002")
TCP = (f"tcp-listen:{A_B}1:4001", f"tcp:{A_B}1:4001", f"tcp-listen:{B_C}1:4002", f"tcp:{B_C}1:4002")
BRIDGE = ("ethernet:right", "ethernet:left", "udp:right", "udp:left")
EVERYWHERE = ("", "", "", "")

slow = pytest.mark.slow


@pytest.mark.parametrize(
    "specs",
    [
        pytest.param(BRIDGE, id="ethernet-udp"),
        pytest.param(UNICAST, id="unicast"),
        pytest.param(TCP, id="tcp", marks=slow),
        pytest.param(UDP, id="udp", marks=slow),
        pytest.param(EVERYWHERE, id="default", marks=slow),
    ],
)
@needs_program("ping")
def test_a_line_works(lab: Lab, registered: Path, tmp_path: Path, specs: tuple[str, ...]) -> None:
    hosts = lab.line("a", "b", "c")
    addressed(hosts)
    options = dict(zip("abc", links(*specs), strict=True))
    with mesh(lab, tmp_path, registered, options) as line:
        works(line)


@slow
def test_udp_over_ipv4_where_ipv6_is_off(lab: Lab, registered: Path, tmp_path: Path) -> None:
    hosts = lab.line("a", "b", "c")
    addressed(hosts)
    for host in hosts:
        host.without_ip("left", "right")
    with mesh(lab, tmp_path, registered, dict(zip("abc", links(*UDP), strict=True))) as line:
        works(line)
        assert b"10.1.0.1" in line.nodes["b"].meshctl("neighbours", "--json").encode()


def addressed(hosts: list[Host]) -> None:
    """IPv4 on both cables of a line, for links that name hosts."""
    a, b, c = hosts
    for host, device, address in ((a, "right", A_B + "1"), (b, "left", A_B + "2"), (b, "right", B_C + "1")):
        host.run("ip", "addr", "add", address + "/24", "brd", "+", "dev", device)
    c.run("ip", "addr", "add", B_C + "2/24", "brd", "+", "dev", "left")


def links(a: str, b_left: str, b_right: str, c: str) -> list[list[str]]:
    """Options of the three; a spec that is empty leaves the default."""
    return [[word for spec in specs if spec for word in ("--link", spec)] for specs in ([a], [b_left, b_right], [c])]


def works(line: Mesh) -> None:
    """Ping, a stream, datagrams of all sizes, and two hops that both are where they should be."""
    a, c = line.of("a", "c")
    assert a.pings(c.address, "-M", "do", "-s", str(1392 - 48))
    data = random.Random(5).randbytes(500_000)
    with echo_server(c.host, 22), connected(a.host, c.address, 22) as stream:
        assert echoed(stream, data) == data
    with datagram_socket(c.host, port=53) as server, datagram_socket(a.host) as client:
        for size in (0, 1, 1000, 1344, 5000):
            client.sendto(data[:size], (c.address, 53))
            assert server.recvfrom(65_536)[0] == data[:size]
    trace = a.ctl_json("traceroute", "c.mesh")
    assert trace["whole"]
    assert [step["name"] for step in trace["forward"]["steps"]] == ["a", "b", "c"]
