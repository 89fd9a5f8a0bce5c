"""Packets through whole routers: who may pass, how far, how large, and what is said to whoever may not."""

import pytest

from meshrouter.coordination.junction import REDIRECT_EVERY
from meshrouter.directory import Role
from meshrouter.offload.vnet import GSO_UDP_L4, UDP, UDP_PARTIAL
from meshrouter.policy.quota import BURST
from meshrouter.wire.packet import MESHP, MESHSEC, Packet
from tests.router.offload.packets import Segment
from tests.router.whole.world import World, datagram

ICMPV6 = 58
UNREACHABLE, TOO_BIG, TIME_EXCEEDED = 1, 2, 3


def icmp_types(world: World, name: str) -> list[int]:
    return [tun.packet[40] for tun in world[name].tun if tun.packet[6] == ICMPV6]


def test_a_line_of_five() -> None:
    world = World(*"abcde")
    world.line(*"abcde")
    world.run(10)
    world["a"].send(world["e"])
    world.run(1)
    assert world["e"].payloads() == [b"hello"]
    assert [world[name].router.plane.forwarded > 0 for name in "abcde"] == [False, True, True, True, False]


def test_the_hop_limit_ends_a_packet_and_its_sender_hears_of_it() -> None:
    world = World(*"abcd")
    world.line(*"abcd")
    world.run(10)
    world["a"].send(world["d"])
    world.run(1)
    assert world["d"].payloads() == [b"hello"]
    world["a"].send(world["d"], b"short", hops=2)
    world.run(1)
    assert world["d"].payloads() == []
    assert icmp_types(world, "a") == [TIME_EXCEEDED]
    world["a"].send(world["d"], b"enough", hops=3)
    world.run(1)
    assert world["d"].payloads() == [b"enough"]
    assert world["d"].router.plane.delivered > 0


@pytest.mark.parametrize("guest", ["b", "c"])
def test_guests_carry_no_transit(guest: str) -> None:
    world = World(*"abcd", roles={guest: Role.GUEST})
    world.line(*"abcd")
    world.run(20)
    assert world["d"].id not in world["a"].router.routing.next_hops
    world["a"].send(world["d"])
    world.run(5)
    assert world["d"].payloads() == []
    assert world[guest].router.plane.forwarded == 0


def test_a_guest_that_is_sent_transit_refuses_it() -> None:
    """Its neighbour is mistaken, or malicious: a packet for somebody else all the same."""
    world = World(*"abc", roles={"b": Role.GUEST})
    world.line(*"abc")
    world.run(10)
    packet = Packet(next_header=MESHSEC, source=world["a"].id, destination=world["c"].id, payload=bytes(60))
    world["a"].router.plane.send_to(world["a"].neighbour(world["b"]), packet.encode(), world.now)
    world.run(1)
    assert world["b"].router.plane.forwarded == 0
    assert world["b"].dropped("forward-guest") == 1


def test_a_guest_speaks_for_nobody_else() -> None:
    world = World(*"abc", roles={"a": Role.GUEST})
    world.line(*"abc")
    world.run(10)
    forged = Packet(next_header=MESHSEC, source=world["c"].id, destination=world["b"].id, payload=bytes(60))
    to_b = world["a"].neighbour(world["b"])
    world["a"].router.plane.send_to(to_b, forged.encode(), world.now)
    world.run(1)
    assert world["b"].dropped("packet-source") == 1
    own = Packet(next_header=MESHSEC, source=world["a"].id, destination=world["b"].id, payload=bytes(60))
    world["a"].router.plane.send_to(to_b, own.encode(), world.now)
    world.run(1)
    assert world["b"].dropped("packet-source") == 1
    assert world["b"].dropped("end-unknown") == 1, "that one was looked at"


def test_nobody_speaks_for_us() -> None:
    world = World("a", "b")
    world.line("a", "b")
    world.run(5)
    mirrored = Packet(next_header=MESHSEC, source=world["b"].id, destination=world["b"].id, payload=bytes(60))
    world["a"].router.plane.send_to(world["a"].neighbour(world["b"]), mirrored.encode(), world.now)
    world.run(1)
    assert world["b"].dropped("packet-source") == 1


def test_what_is_carried_for_a_guest_is_little_and_what_ends_at_its_neighbour_is_not_counted() -> None:
    world = World(*"abc", roles={"a": Role.GUEST})
    world.line(*"abc")
    world.run(10)
    for name in "bc":
        world["a"].send(world[name])
    world.run(5)
    assert (world["b"].payloads(), world["c"].payloads()) == ([b"hello"], [b"hello"])
    for _ in range(100):
        world["a"].send(world["b"], size=1000)
        world["a"].send(world["c"], size=1000)
    world.run(0.1)
    assert len(world["b"].payloads()) == 100
    assert len(world["c"].payloads()) <= BURST / 1000
    assert world["b"].dropped("guest-quota") > 50


def test_a_packet_too_large_for_a_link_on_the_way_is_told_and_nothing_is_lost_afterwards() -> None:
    world = World(*"abc")
    world.join("a", "b", mtu=1500)
    world.join("b", "c", mtu=1400)
    world.run(10)
    world["a"].send(world["c"])
    world.run(2)
    world["c"].payloads()
    world["a"].send(world["c"], size=1380)
    world.run(1)
    assert world["c"].payloads() == []
    world["a"].send(world["c"], size=1380)
    world.run(1)
    assert TOO_BIG in icmp_types(world, "a")
    world["a"].send(world["c"], size=1280 - 48)
    world.run(1)
    assert [len(payload) for payload in world["c"].payloads()] == [1280 - 48]


def test_narrow_links_carry_ipv6_in_pieces() -> None:
    world = World(*"abc")
    world.join("a", "b", mtu=600)
    world.join("b", "c", mtu=300)
    world.run(10)
    world["a"].send(world["c"], b"large", size=1280 - 48)
    world.run(2)
    assert [payload[:5] for payload in world["c"].payloads()] == [b"large"]


def test_datagrams_sent_one_by_one_cross_the_mesh_as_one() -> None:
    """They came out of the TUN together; c's kernel is an old one and gets them singly."""
    world = World(*"abc")
    world.line(*"abc", trains=True)
    world.run(10)
    a, b, c = (world[name] for name in "abc")
    a.send(c)
    world.run(1)
    c.payloads()
    before = b.router.plane.forwarded
    sent = [bytes((number,)) * 1200 for number in range(40)]
    batch = [(UDP_PARTIAL, datagram(a.address, c.address, payload)) for payload in sent]
    a.router.tun_packets(batch, world.now)
    world.run(1)
    assert c.payloads() == sent
    assert b.router.plane.forwarded - before == 1


def test_what_is_said_to_all_at_once_reaches_all() -> None:
    world = World("a", "b")
    world.line("a", "b", trains=True)
    world.run(10)
    a, b = world["a"], world["b"]
    sent = [bytes((number,)) * 100 for number in range(5)]
    everybody = bytes.fromhex("ff18eeee000000000000000000000001")
    a.router.tun_packets([(UDP_PARTIAL, datagram(a.address, everybody, payload)) for payload in sent], world.now)
    world.run(1)
    assert b.payloads() == sent
    together = Segment(b"".join(sent), protocol=UDP, source=a.address, destination=everybody)
    a.router.tun_packets([(together.vnet(100), together.packet())], world.now)
    a.router.tun_packets([(together.vnet(0)._replace(gso_type=GSO_UDP_L4), together.packet())], world.now)
    world.run(1)
    assert b.payloads() == sent
    assert a.dropped("group-gso-size") == 1


def test_trains_go_over_links_that_take_them_and_others_get_segments() -> None:
    world = World(*"abc")
    world.join("a", "b", trains=True)
    world.join("b", "c", trains=False)
    world.run(10)
    assert world["a"].router._trains_to(world["b"].id)
    assert not world["b"].router._trains_to(world["c"].id)


def test_three_on_one_link_are_told_to_talk_directly() -> None:
    """c is b's neighbour and a's, but a has a route by b only, as if it had never heard c's BEACON."""
    world = World(*"abc")
    world.join(*"abc")
    world.run(10)
    a, b, c = world["a"], world["b"], world["c"]
    packet = MESHP.pack(6 << 28, 60, MESHSEC, 9, 0, a.id, 0, c.id) + bytes(60)
    before = a.neighbour(b).frames_in
    for _ in range(5):
        a.router.plane.send_to(a.neighbour(b), packet, world.now)
        world.run(0.01)
    assert b.router.plane.forwarded == 5
    assert a.neighbour(b).frames_in == before + 1, "one REDIRECT"
    world.run(REDIRECT_EVERY)
    before = a.neighbour(b).frames_in
    a.router.plane.send_to(a.neighbour(b), packet, world.now)
    world.run(0.01)
    assert a.neighbour(b).frames_in == before + 1


def test_a_router_that_sends_back_what_it_was_sent_is_no_route() -> None:
    world = World(*"abc")
    world.line(*"abc")
    world.run(10)
    a, b, c = world["a"], world["b"], world["c"]
    packet = MESHP.pack(6 << 28, 60, MESHSEC, 64, 0, c.id, 0, a.id) + bytes(60)
    a.router.plane.send_to(a.neighbour(b), packet, world.now)
    world.run(0.01)
    assert b.router.plane.forwarded == 0
    assert b.dropped("forward-no-route") == 1


def test_complaints_are_rationed_by_neighbour() -> None:
    world = World(*"ab")
    world.line(*"ab")
    world.run(5)
    a, b = world["a"], world["b"]
    nowhere = MESHP.pack(6 << 28, 60, MESHSEC, 64, 0, a.id, 0, bytes(range(14))) + bytes(60)
    before = a.neighbour(b).frames_in
    for _ in range(200):
        a.router.plane.send_to(a.neighbour(b), nowhere, world.now)
    world.run(0.01)
    assert b.dropped("forward-no-route") == 200
    assert a.neighbour(b).frames_in - before <= 20
