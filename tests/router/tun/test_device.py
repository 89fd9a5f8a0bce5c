"""The TUN on a real kernel."""

import contextlib
import json
import os
import socket
import struct
import sys
from collections.abc import Callable
from time import monotonic

import pytest

from meshrouter.counters import Counters
from meshrouter.errors import LocalError
from meshrouter.offload.vnet import GSO_TCPV6, GSO_UDP_L4, VnetHeader
from meshrouter.tun.device import PATH, IdleTun, TunDevice
from meshrouter.tun.mld import GENERAL_QUERY, Members
from tests.netns.host import Host, Lab, needs_root

pytestmark = [*needs_root, pytest.mark.skipif(not os.path.exists(PATH), reason=f"needs {PATH}")]

OWN, PEER = "eeee::1", "eeee::2"


def opened(host: Host, name: str = "mesh0") -> TunDevice:
    with host.inside():
        device = TunDevice(name, Counters())
    host.run("sh", "-c", f"echo 1 > /proc/sys/net/ipv6/conf/{name}/addr_gen_mode")
    host.run("ip", "link", "set", name, "mtu", "1392", "up")
    host.run("ip", "-6", "addr", "add", OWN, "dev", name, "nodad")
    host.run("ip", "-6", "route", "add", "eeee::/16", "dev", name)
    return device


def read(device: TunDevice, fits: Callable[[bytes], bool]) -> tuple[VnetHeader, bytes]:
    """The first packet that fits; the others (reports of groups) are thrown away."""
    end = monotonic() + 10
    while monotonic() < end:
        for header, packet in device.receive():
            if fits(packet):
                return VnetHeader.decode(header), packet
    raise AssertionError("no such packet came")


def is_data(protocol: int) -> Callable[[bytes], bool]:
    return lambda packet: packet[6] == protocol and packet[24:26] == b"\xee\xee" and len(packet) > 80


def test_udp_super_packets_come_whole_with_partial_checksums(lab: Lab) -> None:
    host = lab.host("a")
    device = opened(host)
    if not device.splits_udp:
        pytest.skip("this kernel has no UDP segmentation (< 6.2)")
    with host.inside():
        sender = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sender.sendmsg([bytes(1000)] * 20, [(socket.IPPROTO_UDP, 103, struct.pack("=H", 1000))], 0, (PEER, 9))
    header, packet = read(device, is_data(socket.IPPROTO_UDP))
    assert header.gso_type == GSO_UDP_L4
    assert header.gso_size == 1000
    assert header.is_partial
    assert len(packet) == 48 + 20_000
    sender.close()
    device.close(keep=False)


def test_tcp_super_packets_go_both_ways(lab: Lab) -> None:
    """Two TUNs of two hosts joined by nothing but this loop: TCP crosses, in pieces larger than the MTU."""
    hosts = [lab.host("a"), lab.host("b")]
    devices = [opened(host) for host in hosts]
    hosts[1].run("ip", "-6", "addr", "del", OWN, "dev", "mesh0")
    hosts[1].run("ip", "-6", "addr", "add", PEER, "dev", "mesh0", "nodad")
    with hosts[1].inside():
        server = socket.create_server((PEER, 80), family=socket.AF_INET6)
    with hosts[0].inside():
        client = socket.socket(socket.AF_INET6)
    for each in (server, client):
        each.setblocking(False)
    client.connect_ex((PEER, 80))
    largest = sent = got = 0
    accepted: socket.socket | None = None
    end = monotonic() + 20
    while got < 2_000_000 and monotonic() < end:
        for one, other in (devices, devices[::-1]):
            packets = one.receive()
            largest = max([largest, *(len(packet) for header, packet in packets if header[1] & 0x7F == GSO_TCPV6)])
            other.write(packets)
        with contextlib.suppress(BlockingIOError, BrokenPipeError):  # BrokenPipe: not connected yet
            sent += client.send(bytes(60_000)) if sent < 2_000_000 else 0
        with contextlib.suppress(BlockingIOError):
            accepted = accepted or server.accept()[0]
            got += len(accepted.recv(1 << 20, socket.MSG_DONTWAIT))
    assert got >= 2_000_000
    assert largest > 10_000
    assert accepted is not None
    accepted.close()
    client.close()
    server.close()
    for device in devices:
        device.close(keep=False)


def test_the_device_stays_when_kept_and_goes_otherwise(lab: Lab) -> None:
    host = lab.host("a")
    opened(host).close(keep=True)
    assert OWN in host.run("ip", "-6", "addr", "show", "mesh0")
    with host.inside():
        again = TunDevice("mesh0", Counters())
    again.close(keep=False)
    assert not host.succeeds("ip", "link", "show", "mesh0")


def test_a_taken_name_is_said(lab: Lab) -> None:
    one, _other = lab.line("a", "b")
    first = opened(one)
    with one.inside():
        with pytest.raises(LocalError, match="another program has the TUN device mesh0") as busy:
            TunDevice("mesh0", Counters())
        with pytest.raises(LocalError, match="no TUN; give --tun NAME") as taken:
            TunDevice("right", Counters())
    assert (busy.value.code, taken.value.code) == ("tun-busy", "tun-name")
    first.close(keep=False)


def test_no_permission_is_said(lab: Lab) -> None:
    program = """
import os
os.setresuid(65534, 65534, 65534)
from meshrouter.counters import Counters
from meshrouter.errors import LocalError
from meshrouter.tun.device import TunDevice
try:
    TunDevice("mesh0", Counters())
except LocalError as error:
    print(error.code, "--tun off" in error.message)
"""
    program = "from meshrouter.tun import device, mld\nimport meshrouter.errors, meshrouter.counters\n" + program
    assert lab.host("a").run(sys.executable, "-c", program) == "tun-permission True\n"


def test_a_deleted_device_is_said(lab: Lab) -> None:
    host = lab.host("a")
    device = opened(host)
    host.run("ip", "link", "del", "mesh0")
    with pytest.raises(LocalError, match="was deleted"):
        device.receive()
    device.close(keep=False)


def test_bad_packets_and_a_device_that_is_down_cost_a_counter(lab: Lab) -> None:
    host = lab.host("a")
    with host.inside():
        device = TunDevice("mesh0", counters := Counters())
    device.write([(bytes(10), b""), (bytes(9), bytes(60)), (b"\xff" * 10, bytes(60)), (bytes(10), bytes(60))])
    assert sum(counters.values()) == 4
    device.close(keep=False)


def test_members_of_groups_are_seen_and_a_restarted_router_asks_for_them(lab: Lab) -> None:
    host = lab.host("a")
    device = opened(host)
    index = json.loads(host.run("ip", "-j", "link", "show", "mesh0"))[0]["ifindex"]
    group = "ff18:eeee::42"
    with host.inside():
        member = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    wanted = socket.inet_pton(socket.AF_INET6, group)
    member.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, wanted + struct.pack("=I", index))
    first = Members()
    read(device, lambda packet: first.take(packet) and wanted in first.groups)
    second = Members()
    while device.receive():
        pass
    device.write([(bytes(10), GENERAL_QUERY)])
    read(device, lambda packet: second.take(packet) and wanted in second.groups)
    member.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_LEAVE_GROUP, wanted + struct.pack("=I", index))
    read(device, lambda packet: second.take(packet) and wanted not in second.groups)
    member.close()
    device.close(keep=False)


def test_an_idle_device_is_held_by_one(lab: Lab) -> None:
    host = lab.host("a")
    with host.inside():
        first = IdleTun("lo2")
        with pytest.raises(LocalError):
            IdleTun("lo2")
        first.close()
        IdleTun("lo2").close()
    assert host.succeeds("ip", "link", "show", "lo2")
