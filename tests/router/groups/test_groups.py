"""Broadcast and multicast over a small mesh."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshrouter.directory import Role
from meshrouter.groups.budgets import Budgets
from meshrouter.groups.message import GroupData, Head
from meshrouter.neighbours.neighbour import Neighbour
from meshrouter.offload.checksum import with_checksum
from meshrouter.wire.packet import MC_DATA, Packet
from tests.router.groups.kit import GROUP, Grouped, datagram

SQUARE = ("ab", "bc", "cd", "da")
CLAIM = bytes.fromhex("eeee" + "00" * 13 + "07")


def is_right(packet: bytes) -> bool:
    return with_checksum(packet, 17, 6) == packet


def test_a_broadcast_reaches_every_host_once_the_sender_too() -> None:
    grouped = Grouped(*SQUARE, "ce")
    sent = grouped.say("a")
    assert grouped.counts() == dict.fromkeys("abcde", 1)
    for name, (packet,) in grouped.heard.items():
        assert packet[24:40] == grouped.net[name].env.identity.address
        assert packet[8:24] == sent[8:24]
        assert packet[40:46] + packet[48:] == sent[40:46] + sent[48:]
        assert is_right(packet), name


def test_a_group_reaches_its_members_and_not_its_sender() -> None:
    grouped = Grouped(*SQUARE, "ce")
    for name in "ade":
        grouped.listeners[name].add(GROUP)
    sent = grouped.say("a", GROUP)
    assert grouped.counts() == {"a": 0, "b": 0, "c": 0, "d": 1, "e": 1}
    assert grouped.heard["e"][0][24:] == sent[24:], "as it was sent, but for the hop limit"


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_once_in_any_graph_even_while_it_changes(seed: int) -> None:
    rng = Random(seed)
    names = "abcdefgh"
    edges = {f"{name}{rng.choice(names[:n])}" for n, name in enumerate(names) if n}
    edges |= {"".join(sorted(rng.sample(names, 2))) for _ in range(6)}
    unique = sorted({"".join(sorted(edge)) for edge in edges})
    grouped = Grouped(*unique)
    grouped.say(rng.choice(names))
    assert grouped.counts() == dict.fromkeys(names, 1)
    assert grouped.copies <= 2 * len(unique)
    grouped.net.cut(*rng.choice(unique))
    grouped.say(rng.choice(names), text=b"again")
    assert max(grouped.counts().values()) <= 2


def test_a_claimed_source_only_for_who_holds_it() -> None:
    grouped = Grouped("ab", "bc")
    grouped.claims["a"] = CLAIM
    grouped.say("a", source=CLAIM)
    assert grouped.counts() == {"a": 1, "b": 0, "c": 0}
    assert grouped.dropped("b", "claim") == grouped.dropped("c", "claim") == 1
    grouped.net.teach("a", address=CLAIM)
    grouped.say("a", source=CLAIM)
    assert grouped.counts() == {"a": 2, "b": 1, "c": 1}
    assert grouped.heard["c"][0][8:24] == CLAIM
    assert is_right(grouped.heard["c"][0])


def test_only_from_ones_own_addresses() -> None:
    grouped = Grouped("ab")
    grouped.say("a", source=grouped.net["b"].env.identity.address)
    assert grouped.counts() == {"a": 0, "b": 0}
    assert grouped.dropped("a", "source") == 1


def test_too_large() -> None:
    grouped = Grouped("ab")
    source = grouped.net["a"].env.identity.address
    assert grouped.groups["a"].outgoing(datagram(source, text=bytes(1232)), 0.0)
    assert not grouped.groups["a"].outgoing(datagram(source, text=bytes(1233)), 0.0)
    grouped.net.run()
    assert grouped.counts() == {"a": 1, "b": 1}


def a_packet(grouped: Grouped, name: str = "a", to: str = "b") -> bytes:
    """What ``name`` sends to ``to``; nobody has got it."""
    grouped.net[to].corrupt = lambda packet: None
    grouped.say(name)
    grouped.net[to].corrupt = lambda packet: packet
    return grouped.net[to].passed[-1]


@pytest.mark.parametrize("position", range(8, 40 + 79 + 13, 3))
def test_forgeries_change_nothing(position: int) -> None:
    """A bit anywhere but in hop limit, class and label; from the right neighbour."""
    grouped = Grouped("ab", "bc")
    packet = a_packet(grouped)
    forged = packet[:position] + bytes((packet[position] ^ 1,)) + packet[position + 1 :]
    b = grouped.net["b"]
    grouped.groups["b"].received(forged, b.neighbours["a"], 1.0)
    grouped.net.run()
    assert grouped.counts() == {"a": 1, "b": 0, "c": 0}
    assert sum(count for rule, count in b.env.counters.items() if rule.startswith("group-")) == 1
    grouped.groups["b"].received(packet, b.neighbours["a"], 1.0)
    grouped.net.run()
    assert grouped.counts() == {"a": 1, "b": 1, "c": 1}


def test_another_network_is_another_world() -> None:
    grouped = Grouped("ab")
    packet = a_packet(grouped)
    object.__setattr__(grouped.net["b"].env, "genesis", bytes(32))
    grouped.groups["b"].received(packet, grouped.net["b"].neighbours["a"], 1.0)
    assert grouped.dropped("b", "signature") == 1


def test_a_replay_is_dropped_also_after_the_origin_restarted() -> None:
    grouped = Grouped("ab", "bc")
    packet = a_packet(grouped)
    b, ingress = grouped.groups["b"], grouped.net["b"].neighbours["a"]
    for _ in range(3):
        b.received(packet, ingress, 1.0)
    grouped.restart("a", 2 << 32)
    grouped.say("a")
    b.received(packet, ingress, 1.0)
    grouped.net.run()
    assert grouped.counts() == {"a": 2, "b": 2, "c": 2}
    assert grouped.dropped("b", "repeated") == 3


def test_only_from_the_next_hop_towards_the_origin() -> None:
    grouped = Grouped(*SQUARE)
    packet = a_packet(grouped)
    grouped.groups["b"].received(packet, grouped.net["b"].neighbours["c"], 1.0)
    assert grouped.counts()["b"] == 0
    assert grouped.dropped("b", "reverse-path") >= 1


def test_guests_are_leaves() -> None:
    """A guest gets copies, hands none on, and is not believed as one who does."""
    grouped = Grouped("ab", "bc")
    grouped.net.teach("b", Role.GUEST)
    grouped.say("a")
    assert grouped.counts() == {"a": 1, "b": 1, "c": 0}
    packet = a_packet(grouped)
    grouped.groups["c"].received(packet, grouped.net["c"].neighbours["b"], 1.0)
    assert grouped.dropped("c", "guest-transit") == 1
    grouped.say("b", text=b"from the guest itself")
    assert grouped.counts()["c"] == 1


def test_the_barred_are_not_heard() -> None:
    grouped = Grouped("ab", "bc")
    packet = a_packet(grouped)
    grouped.net.teach("a", Role.BARRED)
    grouped.groups["b"].received(packet, grouped.net["b"].neighbours["a"], 1.0)
    assert grouped.dropped("b", "barred") == 1


@pytest.mark.parametrize(("role", "most"), [(Role.MEMBER, 60), (Role.GUEST, 5)])
def test_a_storm_ends_at_the_origins_neighbour(role: Role, most: int) -> None:
    """a has patched its own budget away; b takes no more than everybody would, and c sees no more than that."""
    grouped = Grouped("ab", "bc")
    grouped.net.teach("a", role)
    source = grouped.net["a"].env.identity.address
    groups = grouped.groups["a"]
    for number in range(200):
        groups._budgets = Budgets()
        groups.outgoing(datagram(source, text=b"%d" % number), 0.0)
    grouped.net.run()
    assert grouped.counts()["b"] == grouped.counts()["c"] == most
    assert grouped.dropped("b", "budget") == 200 - most
    assert grouped.dropped("c", "budget") == 0


def test_bytes_count_too() -> None:
    grouped = Grouped("ab")
    source = grouped.net["a"].env.identity.address
    for _ in range(60):
        grouped.groups["a"]._budgets = Budgets()
        grouped.groups["a"].outgoing(datagram(source, text=bytes(1200)), 0.0)
    grouped.net.run()
    payload = 1200 + 8 + GroupData.HEADER
    assert grouped.counts()["b"] == 64_000 // payload
    assert grouped.dropped("b", "budget") == 60 - 64_000 // payload


def test_ones_own_budget_is_what_others_would_take() -> None:
    grouped = Grouped("ab")
    source = grouped.net["a"].env.identity.address
    for number in range(100):
        grouped.groups["a"].outgoing(datagram(source, text=b"%d" % number), 0.0)
    grouped.net.run()
    assert grouped.counts() == {"a": 60, "b": 60}
    assert grouped.dropped("a", "own-budget") == 40
    assert grouped.dropped("b", "budget") == 0


def test_the_hop_limit() -> None:
    """Not signed, since everybody lowers it: the last hop delivers and hands on no more."""
    grouped = Grouped("ab", "bc", "cd")
    packet = a_packet(grouped)
    grouped.groups["b"].received(packet[:7] + b"\2" + packet[8:], grouped.net["b"].neighbours["a"], 1.0)
    grouped.net.run()
    assert grouped.counts() == {"a": 1, "b": 1, "c": 1, "d": 0}
    assert grouped.heard["b"][0][7] == 2
    assert grouped.heard["c"][0][7] == 1


def test_only_groups_of_the_zone() -> None:
    """a signs for ff18:ffff::1, and for another zone."""
    grouped = Grouped("ab")
    a, ingress = grouped.net["a"], grouped.net["b"].neighbours["a"]
    group = bytes.fromhex("ffff") + GROUP[4:]
    head = Head(1 << 40, bytes(6), 17, bytes(8))
    for zone, destination in ((0, group), (1, GROUP[2:])):
        payload = GroupData.make(a.env.identity, a.env.genesis, zone, destination, head).encode()
        packet = Packet(
            next_header=MC_DATA, source=a.id, destination=destination, payload=payload, source_zone=zone,
            destination_zone=zone,
        )  # fmt: skip
        grouped.groups["b"].received(packet.encode(), ingress, 1.0)
    assert grouped.dropped("b", "prefix") == grouped.dropped("b", "zone") == 1


def test_guests_have_a_bound_together() -> None:
    edges = [f"{name}z" for name in "abcdefgh"]
    grouped = Grouped(*edges)
    for name in "abcdefgh":
        grouped.net.teach(name, Role.GUEST)
    for name in "abcdefgh":
        for number in range(5):
            packet = datagram(grouped.net[name].env.identity.address, text=b"%d" % number)
            grouped.groups[name].outgoing(packet, 0.0)
    grouped.net.run()
    assert grouped.counts()["z"] == 20
    assert grouped.dropped("z", "budget") == 20


def test_forgeries_starve_only_who_brings_them() -> None:
    grouped = Grouped("ac", "bc")
    real = a_packet(grouped, "a", "c")
    c = grouped.net["c"]
    parsed = Packet.decode(real)
    data = GroupData.decode(parsed.payload)
    checked: list[bytes] = []
    verify = c.env.verify

    def counting(key: bytes, message: bytes, signature: bytes) -> bool:
        checked.append(key)
        return verify(key, message, signature)

    object.__setattr__(c.env, "verify", counting)
    for seq in range(1000):
        forged = replace(parsed, payload=replace(data, seq=data.seq + seq + 1).encode()).encode()
        grouped.groups["c"].received(forged, c.neighbours["a"], 1.0)
    assert len(checked) < 25
    grouped.say("b")
    assert grouped.counts()["c"] == 1


@given(st.binary(max_size=200))
def test_any_bytes_are_a_counter(data: bytes) -> None:
    grouped = Grouped("ab")
    grouped.groups["b"].received(data, grouped.net["b"].neighbours["a"], 0.0)
    assert sum(grouped.net["b"].env.counters.values()) == 1


def test_one_copy_for_a_neighbour_on_two_links() -> None:
    grouped = Grouped("ab")
    a = grouped.net["a"]
    twin = replace(a.neighbours["b"], cost=50)
    a.neighbours["b again"] = twin
    sent: list[Neighbour] = []
    grouped.groups["a"]._send = lambda neighbour, packet, now: sent.append(neighbour)
    grouped.groups["a"].outgoing(datagram(a.env.identity.address), 0.0)
    assert sent == [twin]
