"""What programs of two hosts see of each other when their TUNs are joined, with no router between.

So what is tested is the host's side alone: addresses, routes, and where the packet filter sends what.
"""

import json
import select
import sys
from collections.abc import Iterator
from ipaddress import IPv6Address
from pathlib import Path
from subprocess import PIPE, Popen
from time import monotonic

import pytest

from meshrouter.counters import Counters
from meshrouter.host.plan import HostPlan
from meshrouter.tun.device import PATH, IdleTun, TunDevice
from tests.netns.host import Lab, needs_program, needs_root

pytestmark = [
    *needs_root,
    needs_program("nft"),
    pytest.mark.skipif(not Path(PATH).exists(), reason=f"needs {PATH}"),
]

NAMES = "eeee::1", "eeee::2"
DERIVED = "eeee:1:2:3:4:5:6:7", "eeee:1:2:3:4:5:6:8"
PATIENCE = 20.0

TCP_SERVER = """
import socket, sys
server = socket.create_server((sys.argv[1], int(sys.argv[2])), family=socket.AF_INET6)
print("ready", flush=True)
while True:
    connection, peer = server.accept()
    connection.sendall((peer[0] + " " + connection.getsockname()[0]).encode())
    connection.close()
"""
UDP_SERVER = """
import socket, sys
server = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
server.bind((sys.argv[1], int(sys.argv[2])))
print("ready", flush=True)
while True:
    data, peer = server.recvfrom(100)
    server.sendto(peer[0].encode(), peer)
"""
TCP_CLIENT = """
import socket, sys
connection = socket.create_connection((sys.argv[1], int(sys.argv[2])), 5, (sys.argv[3], 0))
print(connection.recv(100).decode())
"""
UDP_CLIENT = """
import socket, sys
client = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
client.bind((sys.argv[3], 0))
client.settimeout(5)
client.sendto(b"?", (sys.argv[1], int(sys.argv[2])))
data, peer = client.recvfrom(100)
print(data.decode(), peer[0], peer[1])
"""


class Pair:
    """Two hosts with the whole host side set up, and both TUNs in our hands."""

    def __init__(self, lab: Lab) -> None:
        self.hosts = lab.line("a", "b")
        self.tuns: list[TunDevice] = []
        self.idle: list[IdleTun] = []
        for host, name, derived in zip(self.hosts, NAMES, DERIVED, strict=True):
            with host.inside():
                self.idle.append(IdleTun("lo2"))
                self.tuns.append(TunDevice("mesh0", Counters()))
            plan = HostPlan(tun="mesh0", derived=_packed(derived), claimed=(_packed(name),))
            answer = host.run(sys.executable, "-m", "meshrouter.host", stdin=json.dumps(plan.to_json()))
            assert json.loads(answer) == {"alarms": [], "failed": None}

    def carry(self, process: "Popen[bytes]") -> str:
        """Packets from TUN to TUN until a program has ended; what it said."""
        end = monotonic() + PATIENCE
        while process.poll() is None:
            assert monotonic() < end
            select.select(self.tuns, [], [], 0.01)
            for one, other in (self.tuns, self.tuns[::-1]):
                other.write(one.receive())
        assert process.stdout is not None
        return process.stdout.read().decode().strip()

    def serve(self, program: str, address: str, port: int, host: int = 1) -> None:
        process = self.hosts[host].start(sys.executable, "-c", program, address, str(port), stdout=PIPE)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"

    def ask(self, program: str, address: str, port: int, *, host: int = 0, source: str = "::") -> list[str]:
        arguments = sys.executable, "-c", program, address, str(port), source
        return self.carry(self.hosts[host].start(*arguments, stdout=PIPE)).split()

    def close(self) -> None:
        for tun in self.tuns:
            tun.close(keep=False)
        for idle in self.idle:
            idle.close()


def _packed(address: str) -> bytes:
    return IPv6Address(address).packed


@pytest.fixture(scope="module")
def hosts_set_up() -> Iterator[Pair]:
    """One pair for all tests here: setting up takes longer than they do."""
    with Lab() as lab:
        made = Pair(lab)
        yield made
        made.close()


@pytest.fixture
def pair(hosts_set_up: Pair) -> Iterator[Pair]:
    """The same pair, and no program left from the test before."""
    yield hosts_set_up
    for host in hosts_set_up.hosts:
        host.stop()


def test_tcp_servers_on_beef_on_everything_and_on_the_mesh_address(pair: Pair) -> None:
    pair.serve(TCP_SERVER, "beef::", 80)
    pair.serve(TCP_SERVER, "::", 81)
    pair.serve(TCP_SERVER, "eeee::2", 82)
    assert pair.ask(TCP_CLIENT, "eeee::2", 80) == ["eeee::1", "beef::"]
    assert pair.ask(TCP_CLIENT, DERIVED[1], 80) == ["eeee::1", "beef::"]
    assert pair.ask(TCP_CLIENT, "eeee::2", 81) == ["eeee::1", "eeee::2"]
    assert pair.ask(TCP_CLIENT, "eeee::2", 82) == ["eeee::1", "eeee::2"]
    assert pair.ask(TCP_CLIENT, "eeee::2", 83) == []


def test_udp_answers_come_from_the_address_and_port_that_were_asked(pair: Pair) -> None:
    pair.serve(UDP_SERVER, "beef::", 80)
    pair.serve(UDP_SERVER, "::", 81)
    pair.serve(UDP_SERVER, "eeee::2", 82)
    for port in (80, 81, 82):
        assert pair.ask(UDP_CLIENT, "eeee::2", port) == ["eeee::1", "eeee::2", str(port)]


def test_a_program_on_beef_speaks_to_the_mesh_as_our_mesh_address(pair: Pair) -> None:
    pair.serve(TCP_SERVER, "::", 81)
    assert pair.ask(TCP_CLIENT, "eeee::2", 81, source="beef::") == ["eeee::1", "eeee::2"]
    pair.serve(UDP_SERVER, "beef::", 80)
    assert pair.ask(UDP_CLIENT, "eeee::2", 80, source="beef::")[1:] == ["eeee::2", "80"]


def test_both_hosts_at_once_and_an_own_server_of_the_same_port(pair: Pair) -> None:
    for host in (0, 1):
        pair.serve(TCP_SERVER, "beef::", 80, host)
    assert pair.ask(TCP_CLIENT, "eeee::2", 80) == ["eeee::1", "beef::"]
    assert pair.ask(TCP_CLIENT, "eeee::1", 80, host=1) == ["eeee::2", "beef::"]
    assert pair.ask(TCP_CLIENT, "eeee::1", 80)[1] == "beef::"


@needs_program("ping")
def test_ping_across_and_to_oneself(pair: Pair) -> None:
    for target in ("eeee::2", DERIVED[1], "eeee::1", DERIVED[0]):
        said = pair.carry(pair.hosts[0].start("ping", "-c1", "-W3", target, stdout=PIPE))
        assert " 0% packet loss" in said, said
    assert "from eeee::2" in pair.carry(pair.hosts[0].start("ping", "-c1", "-W3", "eeee::2", stdout=PIPE))


@needs_program("iperf3")
def test_bulk_in_super_packets_reaches_a_redirected_port(pair: Pair) -> None:
    """Offloads and address translation together: partial checksums survive DNAT."""
    pair.hosts[1].start("iperf3", "-s", "-B", "beef::", "-1", "--forceflush", stdout=PIPE).stdout.readline()  # type: ignore[union-attr]
    said = pair.carry(pair.hosts[0].start("iperf3", "-c", "eeee::2", "-n", "20M", "-J", stdout=PIPE))
    assert (
        json.loads(said)["end"]["sum_received"]["bytes"] > 10_000_000
    )  # it counts what has arrived when the sender is done
