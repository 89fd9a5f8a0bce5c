"""Addresses, routes and the packet filter, on a real kernel."""

import json
import re
import sys
from pathlib import Path

from meshrouter.counters import Counters
from meshrouter.groups.message import MOST_PACKET
from meshrouter.host import filter as packet_filter
from meshrouter.host.plan import HostPlan
from meshrouter.tun.device import TunDevice
from tests.netns.host import Host, Lab, needs_program, needs_root

pytestmark = [*needs_root, needs_program("nft")]

DERIVED = bytes.fromhex("eeee0123456789abcdef0123456789ab")
CLAIMED = bytes.fromhex("eeee0000000000000000000000000001")
DERIVED_TEXT = "eeee:123:4567:89ab:cdef:123:4567:89ab"
ROOT = Path(__file__).parents[3]

SERVER = """
import socket, sys
host, port = sys.argv[1], int(sys.argv[2])
server = socket.create_server((host, port), family=socket.AF_INET6)
print("ready", flush=True)
while True:
    connection, peer = server.accept()
    connection.sendall((peer[0] + " " + connection.getsockname()[0]).encode())
    connection.close()
"""
CLIENT = """
import socket, sys
connection = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=0.5, source_address=(sys.argv[3], 0))
print(connection.recv(100).decode())
"""


def plan(*claimed: bytes, tun: str = "mesh0") -> HostPlan:
    return HostPlan(tun=tun, derived=DERIVED, claimed=claimed)


def apply(host: Host, wanted: HostPlan) -> dict[str, object]:
    """As the router does: a process of its own."""
    answer = host.run(sys.executable, "-m", "meshrouter.host", stdin=json.dumps(wanted.to_json()))
    result: dict[str, object] = json.loads(answer)
    return result


def with_tun(lab: Lab, name: str = "a", *tuns: str) -> Host:
    """A host with persistent TUNs and no router."""
    host = lab.host(name)
    for tun in tuns or ("mesh0", "lo2"):
        host.run("ip", "tuntap", "add", tun, "mode", "tun")
    return host


def serve(host: Host, address: str, port: int) -> None:
    process = host.start(sys.executable, "-c", SERVER, address, str(port), stdout=-1)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"


def ask(host: Host, address: str, port: int, source: str = "::") -> list[str]:
    """[client, server], as the server sees both."""
    return host.run(sys.executable, "-c", CLIENT, address, str(port), source).split()


def addresses(host: Host, device: str = "mesh0") -> dict[str, bool]:
    """Address → whether it is deprecated."""
    found = json.loads(host.run("ip", "-6", "-j", "addr", "show", "dev", device))
    return {each["local"]: bool(each.get("deprecated")) for link in found for each in link.get("addr_info", ())}


def test_addresses_and_routes_are_as_planned_and_applying_twice_changes_nothing(lab: Lab) -> None:
    host = with_tun(lab)
    for _ in range(2):
        assert apply(host, plan()) == {"alarms": [], "failed": None}
        assert addresses(host) == {DERIVED_TEXT: False}
        assert addresses(host, "lo2") == {"beef::": False}
        routes = host.run("ip", "-6", "route", "show", "eeee::/16")
        assert re.search(r"dev mesh0 .*metric 1024", routes)
        group = host.run("ip", "-6", "route", "show", "table", "local", "type", "multicast")
        assert "multicast ff18:eeee::/32 dev mesh0" in group
        assert f"mtu {MOST_PACKET}" in group, "larger ones would be dropped: the kernel fragments them"
        link = host.run("ip", "-d", "link", "show", "mesh0")
        assert "mtu 1392" in link
        assert "addrgenmode none" in link


def test_the_derived_address_is_deprecated_beside_a_claimed_one_and_back(lab: Lab) -> None:
    host = with_tun(lab)
    apply(host, plan())
    apply(host, plan(CLAIMED))
    assert addresses(host) == {DERIVED_TEXT: True, "eeee::1": False}
    assert "src eeee::1" in host.run("ip", "-6", "route", "get", "eeee::5")
    apply(host, plan())
    assert addresses(host) == {DERIVED_TEXT: False}


def test_nothing_leaks_when_the_tun_is_gone(lab: Lab) -> None:
    host, other = lab.line("a", "b")
    host.run("ip", "tuntap", "add", "mesh0", "mode", "tun")
    host.run("ip", "tuntap", "add", "lo2", "mode", "tun")
    host.run("ip", "-6", "addr", "add", "fd00::1/64", "dev", "right")
    host.run("ip", "-6", "route", "add", "default", "via", "fd00::2")
    apply(host, plan())
    assert "mesh0" in host.run("ip", "-6", "route", "get", "eeee::5")
    host.run("ip", "link", "del", "mesh0")
    assert not host.succeeds("ip", "-6", "route", "get", "eeee::5")
    assert "fd00::2" in host.run("ip", "-6", "route", "get", "2001:db8::1")
    host.run(sys.executable, "-m", "meshrouter.host", "remove")
    assert "fd00::2" in host.run("ip", "-6", "route", "get", "eeee::5")
    assert host.run("nft", "list", "tables") == ""
    assert not host.succeeds("ip", "link", "show", "lo2")
    assert other.name == "b"


def test_a_server_on_beef_is_reached_by_its_own_host(lab: Lab) -> None:
    host = with_tun(lab)
    apply(host, plan(CLAIMED))
    serve(host, "beef::", 80)
    assert ask(host, "eeee::1", 80)[1] == "beef::"
    assert ask(host, DERIVED_TEXT, 80)[1] == "beef::"
    serve(host, "::", 81)
    assert ask(host, "eeee::1", 81)[1] == "beef::"


def test_a_lan_cannot_forge_mesh_sources_nor_reach_mesh_addresses(lab: Lab) -> None:
    host, stranger = lab.line("a", "b")
    for tun in ("mesh0", "lo2"):
        host.run("ip", "tuntap", "add", tun, "mode", "tun")
    apply(host, plan(CLAIMED))
    serve(host, "beef::", 80)
    serve(host, "::", 81)
    host.run("ip", "-6", "addr", "add", "fd00::1/64", "dev", "right")
    stranger.run("ip", "-6", "addr", "add", "fd00::2/64", "dev", "left")
    stranger.run("ip", "-6", "addr", "add", "eeee::bad/128", "dev", "left")
    for target in ("eeee::1", "beef::"):
        stranger.run("ip", "-6", "route", "add", target, "via", "fd00::1")
    host.run("ip", "-6", "route", "add", "eeee::bad", "via", "fd00::2")
    assert ask(stranger, "fd00::1", 81) == ["fd00::2", "fd00::1"]  # plain IPv6 is left alone
    for target, port in (("eeee::1", 80), ("eeee::1", 81), ("beef::", 80)):
        assert not stranger.succeeds(sys.executable, "-c", CLIENT, target, str(port), "fd00::2")
    assert not stranger.succeeds(sys.executable, "-c", CLIENT, "fd00::1", "81", "eeee::bad")
    drops = host.run("nft", "list", "chain", "ip6", "meshchain", "guard")
    assert len(re.findall(r"packets [1-9]", drops)) == 2


def test_the_table_is_replaced_as_a_whole_and_a_bad_one_leaves_the_old(lab: Lab) -> None:
    host = with_tun(lab)
    apply(host, plan())
    apply(host, plan(CLAIMED))
    before = host.run("nft", "list", "ruleset")
    assert before.count("table ip6 meshchain") == 1
    assert "snat to eeee::1" in before
    bad = packet_filter.ruleset(plan()).replace("snat to", "snat to nonsense")
    host.run("nft", "-f", "-", stdin=bad, check=False)
    assert host.run("nft", "list", "ruleset") == before


def test_every_rule_says_why() -> None:
    rules = [line for line in packet_filter.ruleset(plan(CLAIMED)).splitlines() if line.startswith(" " * 8)]
    assert len(rules) > 10
    assert all("comment" in line or "hook" in line or line.endswith("\\") for line in rules)


def test_without_nft_there_is_no_lo2_but_a_mesh_and_an_alarm(lab: Lab) -> None:
    host = with_tun(lab)
    code = "import shutil; shutil.which = lambda *_, **__: None; from meshrouter.host.__main__ import main; main([])"
    answer = json.loads(host.run(sys.executable, "-c", code, stdin=json.dumps(plan().to_json())))
    assert answer["failed"] is None
    assert [code for code, _ in answer["alarms"]] == ["nft-absent"]
    assert addresses(host) == {DERIVED_TEXT: False}
    assert addresses(host, "lo2") == {}


def test_a_missing_device_is_said(lab: Lab) -> None:
    failed = apply(lab.host("a"), plan())["failed"]
    assert failed == ["host-device", "there is no device mesh0; was it removed?"]


def test_ipv6_switched_off_is_said(lab: Lab) -> None:
    host = with_tun(lab)
    host.run("sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6")
    failed = apply(host, plan())["failed"]
    assert isinstance(failed, list)
    assert failed[0] == "host-ipv6"


def test_a_second_node_in_the_namespace_is_refused(lab: Lab) -> None:
    host = with_tun(lab, "a", "mesh0", "mesh1", "lo2")
    with host.inside():
        first = TunDevice("mesh0", Counters())
    apply(host, plan())
    failed = apply(host, plan(tun="mesh1"))["failed"]
    assert isinstance(failed, list)
    assert failed[0] == "host-taken"
    assert "mesh0" in failed[1]
    first.close(keep=False)
