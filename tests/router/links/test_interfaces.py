"""Links on interfaces that come, go and change, on a real kernel."""

import socket

import pytest

from meshrouter.links.ethernet import ETHERTYPE, GROUP
from meshrouter.links.link import EVERYBODY
from meshrouter.links.specs import DEFAULT, Kind, LinkSpec
from tests.netns.host import Host as Namespace
from tests.netns.host import Lab, needs_root
from tests.router.links.kernel import Host, until

pytestmark = [*needs_root]

BEACON, SOLICIT, PACKET = b"\x21", b"\x22", b"\x29"


def ethernet(device: str) -> LinkSpec:
    return LinkSpec(kind=Kind.ETHERNET, name=f"ethernet:{device}", interface=device)


def udp(device: str) -> LinkSpec:
    return LinkSpec(kind=Kind.UDP_INTERFACE, name=f"udp:{device}", interface=device, port=3003)


def node(namespace: Namespace, *specs: LinkSpec, own_devices: tuple[str, ...] = ()) -> Host:
    """With a link on each of the interfaces that can have one: carrier takes the kernel a moment to see."""
    host = Host(*specs, own_devices=own_devices, namespace=namespace)
    until(lambda: not any("no carrier" in trouble for trouble in host.links.troubles.values()), host)
    return host


def raw(namespace: Namespace, device: str) -> socket.socket:
    with namespace.inside():
        opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, ETHERTYPE)
        opened.bind((device, ETHERTYPE))
    opened.settimeout(5)
    return opened


@pytest.mark.parametrize("spec", [ethernet, udp])
def test_broadcast_and_unicast_on_a_lan(lab: Lab, spec: object) -> None:
    assert callable(spec)
    namespaces = lab.switch("a", "b", "c")
    first, second, third = (node(each, spec("eth0")) for each in namespaces)
    with first, second, third:
        first.send(EVERYBODY, BEACON)
        until(lambda: bool(second.heard and third.heard), first, second, third)
        sender = second.heard[0][1]
        assert sender == third.heard[0][1] == first.link.address  # type: ignore[attr-defined]
        assert not first.heard
        second.send(sender, PACKET + bytes(40))
        until(lambda: bool(first.heard), first, second, third)
        assert first.heard[0][2].startswith(PACKET + bytes(40))
        assert len(third.heard) == 1


def test_the_largest_frame_fits_and_a_larger_one_costs_a_counter(lab: Lab) -> None:
    left, right = lab.line("a", "b")
    for make, size in ((ethernet, 1500), (udp, 1452)):
        with node(left, make("right")) as one, node(right, make("left")) as other:
            one.send(EVERYBODY, BEACON)
            until(lambda one=one, other=other: bool(other.heard), one, other)  # type: ignore[misc]
            assert one.link.mtu == size
            other.send(other.heard[0][1], bytes(size))
            until(lambda one=one: bool(one.heard), one, other)  # type: ignore[misc]
            assert len(one.heard[0][2]) == size
            if make is ethernet:
                one.send(EVERYBODY, bytes(size + 1))
                assert one.counters["link-send-EMSGSIZE"] == 1


def test_ethernet_is_what_it_says_on_the_wire(lab: Lab) -> None:
    left, right = lab.line("a", "b")
    with node(left, ethernet("right")) as host, raw(right, "left") as wire:
        host.send(EVERYBODY, BEACON + b"x")
        frame = wire.recv(2000)
        assert frame[:6] == GROUP
        assert frame[6:12] == host.link.address  # type: ignore[attr-defined]
        assert frame[12:15] == b"\x88\xb5" + BEACON


def test_frames_for_others_and_from_groups_are_left_alone(lab: Lab) -> None:
    left, right = lab.line("a", "b")
    left.run("ip", "link", "set", "right", "promisc", "on")
    with node(left, ethernet("right")) as host, raw(right, "left") as wire:
        own, good, bad = host.link.address, b"\x02" * 6, b"\x03" * 6  # type: ignore[attr-defined]
        for destination, source in ((good, good), (own, bad), (b"\xff" * 6, good), (own, good)):
            wire.send(destination + source + b"\x88\xb5" + destination + source)
        until(lambda: bool(host.heard), host)
        assert [frame[:12] for _, _, frame in host.heard] == [own + good]


def test_two_kinds_of_links_on_one_interface(lab: Lab) -> None:
    left, right = lab.line("a", "b")
    with node(left, ethernet("right"), udp("right")) as one, node(right, ethernet("left"), udp("left")) as other:
        until(lambda: len(one.links.links) == len(other.links.links) == 2, one, other)
        for link in one.links.links:
            link.send(EVERYBODY, BEACON + link.name.encode())
        until(lambda: len(other.heard) == 2, one, other)
        assert sorted(frame[1:].decode()[:9] for _, _, frame in other.heard) == ["ethernet:", "udp:right"]


def test_a_lost_carrier_closes_the_link_and_its_return_opens_another(lab: Lab) -> None:
    left, right = lab.line("a", "b")
    with node(left, ethernet("right"), udp("right")) as host:
        before = host.links.links
        right.down("left")
        until(lambda: not host.links.links, host)
        assert "no carrier" in host.links.troubles["ethernet:right"]
        right.up("left")
        until(lambda: len(host.links.links) == 2, host)
        assert not host.links.troubles
        assert min(link.number for link in host.links.links) > max(link.number for link in before)


def test_an_interface_may_be_missing_and_come_and_go(lab: Lab) -> None:
    left, right = lab.host("a"), lab.host("b")
    with node(left, ethernet("right")) as host:
        assert "no interface right now" in host.links.troubles["ethernet:right"]
        for _ in range(2):
            lab.cable(left, right, "right", "left")
            until(lambda: bool(host.links.links), host)
            left.run("ip", "link", "del", "right")
            until(lambda: not host.links.links, host)


def test_a_changed_mtu_changes_the_link_and_a_changed_mac_renews_it(lab: Lab) -> None:
    left, _right = lab.line("a", "b")
    with node(left, ethernet("right"), udp("right")) as host:
        before = host.links.links
        left.run("ip", "link", "set", "right", "mtu", "1400")
        until(lambda: [link.mtu for link in before] == [1400, 1352], host)
        assert host.links.links == before
        left.run("ip", "link", "set", "right", "address", "02:00:00:00:00:01")
        until(lambda: before[0] in host.removed and len(host.links.links) == 2, host)


def test_ipv4_broadcast_where_ipv6_is_off(lab: Lab) -> None:
    left, right = lab.host("a", ipv6=False), lab.host("b", ipv6=False)
    lab.cable(left, right, "right", "left")
    with node(left, udp("right")) as one, node(right, udp("left")) as other:
        assert "IPv6 link-local" in one.links.troubles["udp:right"]
        left.run("ip", "addr", "add", "10.1.0.1/24", "dev", "right")
        right.run("ip", "addr", "add", "10.1.0.2/24", "dev", "left")
        until(lambda: bool(one.links.links and other.links.links), one, other)
        assert one.link.mtu == 1472
        one.send(EVERYBODY, BEACON)
        until(lambda: bool(other.heard), one, other)
        sender = other.heard[0][1]
        assert other.link.underlay(sender) == ("10.1.0.1", 3004)
        other.send(sender, PACKET)
        until(lambda: bool(one.heard), one, other)


def test_devices_that_must_not_be_links(lab: Lab) -> None:
    left, _right = lab.line("a", "b")
    left.run("ip", "link", "add", "bridge", "type", "bridge")
    left.run("ip", "link", "set", "right", "master", "bridge")
    left.up("bridge")
    for name in ("mesh0", "other"):
        left.run("ip", "tuntap", "add", name, "mode", "tun")
        left.up(name)
    specs = ethernet("right"), ethernet("mesh0"), udp("other"), ethernet("lo")
    with node(left, *specs, own_devices=("mesh0",)) as host:
        troubles = host.links.troubles
        assert "bridge or a bond" in troubles["ethernet:right"]
        assert "the mesh's own device" in troubles["ethernet:mesh0"]
        assert "no ARP" in troubles["udp:other"]
        assert "no Ethernet" in troubles["ethernet:lo"]
        assert not host.links.links
    left.run("ip", "link", "set", "right", "nomaster")
    left.run("ip", "-6", "addr", "add", "eeee::7/128", "dev", "right")
    with node(left, udp("right")) as host:
        assert "addresses of the mesh itself" in host.links.troubles["udp:right"]


def test_by_default_udp_is_spoken_everywhere(lab: Lab) -> None:
    left, right = lab.line("a", "b")
    left.run("ip", "tuntap", "add", "mesh0", "mode", "tun")
    with node(left, *DEFAULT, own_devices=("mesh0",)) as host:
        until(lambda: sorted(link.name for link in host.links.links) == ["udp:lo", "udp:right"], host)
        lab.cable(left, right, "more", "other")
        until(lambda: len(host.links.links) == 3, host)
        right.down("other")
        until(lambda: len(host.links.links) == 2, host)


def test_a_full_device_queue_keeps_frames_and_they_arrive(lab: Lab) -> None:
    """A qdisc that holds one packet, on a slow link: ENOBUFS, which no socket becomes writable for."""
    left, right = lab.line("a", "b")
    if not left.succeeds(
        "tc", "qdisc", "add", "dev", "right", "root", "tbf", "rate", "20mbit", "burst", "4k", "limit", "4k"
    ):
        pytest.skip("this kernel has no tbf")
    with node(left, ethernet("right")) as one, node(right, ethernet("left")) as other:
        sent = [number.to_bytes(2, "big") + bytes(998) for number in range(200)]
        one.send(EVERYBODY, *sent)
        assert one.counters["link-socket-full"] > 0
        until(lambda: len(other.heard) == len(sent), one, other)
        assert [frame for _, _, frame in other.heard] == sent
        assert one.counters["link-queue"] == 0


def test_padding_arrives_as_it_is(lab: Lab) -> None:
    """veth pads nothing; a frame padded by hand shows that the link does not cut: the frame's own length says."""
    left, right = lab.line("a", "b")
    with node(left, ethernet("right")) as host, raw(right, "left") as wire:
        wire.send(host.link.address + b"\x02" * 6 + b"\x88\xb5" + BEACON + bytes(45))  # type: ignore[attr-defined]
        until(lambda: bool(host.heard), host)
        assert host.heard[0][2] == BEACON + bytes(45)
