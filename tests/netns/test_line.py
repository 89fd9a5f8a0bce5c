"""Three hosts in a line by Ethernet, no IP on the links: what people do works end to end, and cables show nothing."""

import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.netns.host import needs_program, needs_root
from tests.netns.meshes import Mesh
from tests.netns.traffic import (
    GOODBYE,
    capture,
    connected,
    echo_server,
    echoed,
    frames,
    iperf,
    iperf_server,
    read_exactly,
    web_server,
)

pytestmark = [*needs_root]

ETHERTYPE = 0x88B5


def test_the_links_have_no_ip(line: Mesh) -> None:
    for host in line.hosts.values():
        assert "inet" not in host.run("sh", "-c", "ip addr show left 2>/dev/null; ip addr show right 2>/dev/null; true")


@needs_program("ping")
def test_ping_both_ways_and_as_large_as_the_tun_takes(line: Mesh) -> None:
    a, b, c = line.of("a", "b", "c")
    for one, other in ((a, c), (c, a), (a, b), (b, c)):
        assert one.pings(other.address, "-M", "do", "-s", str(1392 - 48))
    assert a.pings(c.address, "-s", "20000")  # the kernel's fragments


def test_tcp_both_ways_half_closed_and_many_at_once(line: Mesh) -> None:
    a, c = line.of("a", "c")
    data = random.Random(1).randbytes(1_000_000)
    with echo_server(c.host, 22):
        with connected(a.host, c.address, 22) as one:
            assert echoed(one, data) == data
            one.shutdown(1)
            assert read_exactly(one, len(GOODBYE)) == GOODBYE
            assert one.recv(1) == b""
        many = [connected(a.host, c.address, 22) for _ in range(50)]
        with ThreadPoolExecutor(len(many)) as pool:
            back = list(pool.map(lambda each: echoed(each, data[:20_000]), many))
        assert all(each == data[:20_000] for each in back)
        for each in many:
            each.close()


@needs_program("curl")
def test_a_web_page_directly_and_by_socks(line: Mesh, tmp_path: Path) -> None:
    a, c = line.of("a", "c")
    page = random.Random(2).randbytes(300_000).hex()
    (tmp_path / "page").write_text(page)
    with web_server(c.host, tmp_path, 8080):
        assert a.host.run("curl", "-sS", f"http://[{c.address}]:8080/page") == page
        socks = ("curl", "-sS", "--socks5-hostname", "127.0.0.1:1080")
        assert a.host.run(*socks, "http://c.mesh:8080/page") == page
        assert not a.host.succeeds(*socks, "http://nobody.mesh:8080/page")
        assert not a.host.succeeds(*socks, "http://127.0.0.1:29336/")


@needs_program("iperf3")
@pytest.mark.parametrize("direction", [(), ("-R",)])
def test_iperf(line: Mesh, direction: tuple[str, ...]) -> None:
    a, c = line.of("a", "c")
    with iperf_server(c.host):
        tcp = iperf(a.host, c.address, *direction)
        assert tcp["sum_received"]["bytes"] > 100_000
        udp = iperf(a.host, c.address, "-u", "-b", "4M", "-l", "1200", *direction)
        assert udp["sum"]["packets"] > 50
        assert udp["sum"]["lost_percent"] < 50, "how fast it is, bench/router says"


@needs_program("tcpdump")
def test_cables_show_one_ethertype_and_no_plaintext(line: Mesh, tmp_path: Path) -> None:
    a, b, c = line.of("a", "b", "c")
    secret = random.Random(3).randbytes(64)
    places = {"left": b.host, "right": b.host, "mesh0": c.host}
    with echo_server(c.host, 23), ExitStack() as captures:
        for device, host in places.items():
            captures.enter_context(capture(host, device, tmp_path / device))
        with connected(a.host, c.address, 23) as one:
            assert echoed(one, secret * 500) == secret * 500
    for device in ("left", "right"):
        seen = frames(tmp_path / device)
        assert len(seen) > 10
        assert {int.from_bytes(frame[12:14], "big") for frame in seen} == {ETHERTYPE}
        assert not any(secret in frame for frame in seen)
    assert any(secret in packet for packet in frames(tmp_path / "mesh0")), "where it is plaintext, it is found"
