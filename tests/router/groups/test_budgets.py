"""Budgets by themselves, and what of a packet for a group is refused before anything is looked up."""

import pytest

from meshrouter.directory import Role
from meshrouter.errors import WireError
from meshrouter.groups.budgets import GUEST_PACKETS, MOST_NEIGHBOURS, MOST_ORIGINS, Budgets
from meshrouter.groups.groups import WINDOW
from meshrouter.groups.message import MOST_PACKET, GroupData, Head
from meshrouter.handshake.replay import ReplayWindow
from meshrouter.wire.packet import MC_DATA, Packet
from tests.router.groups.kit import GROUP, Grouped, datagram


def test_a_budget_is_never_less_than_empty() -> None:
    budgets = Budgets()
    for _ in range(100):
        budgets.forged(b"k", 0.0)
    assert not budgets.may_check(b"k", 0.0)
    assert budgets.may_check(b"k", 0.01)


def test_members_take_nothing_from_guests_and_a_guest_that_was_a_member_is_a_guest() -> None:
    budgets = Budgets()
    for _ in range(50):
        assert budgets.has(b"member", Role.MEMBER, 10, 0.0)
        budgets.spend(b"member", Role.MEMBER, 10, 0.0)
    taken = 0
    while budgets.has(b"member", Role.GUEST, 10, 0.0):
        budgets.spend(b"member", Role.GUEST, 10, 0.0)
        taken += 1
    assert taken == GUEST_PACKETS[1]


def test_budgets_are_few_and_those_used_last_stay() -> None:
    budgets = Budgets()
    for _ in range(60):
        budgets.spend(b"0", Role.MEMBER, 1, 0.0)
    for number in range(MOST_ORIGINS + 5):
        budgets.has(b"%d" % number, Role.MEMBER, 1, 0.0)
        budgets.has(b"0", Role.MEMBER, 1, 0.0)
    for number in range(MOST_NEIGHBOURS + 5):
        budgets.may_check(b"%d" % number, 0.0)
    assert len(budgets._origins) == MOST_ORIGINS
    assert len(budgets._neighbours) == MOST_NEIGHBOURS
    known = {origin for origin, _ in budgets._origins}
    assert (b"0" in known, b"1" in known, b"%d" % (MOST_ORIGINS + 4) in known) == (True, False, True)
    assert not budgets.has(b"0", Role.MEMBER, 1, 0.0), "it has not begun anew"


def test_windows_are_few_and_those_used_last_stay() -> None:
    grouped = Grouped("ab")
    groups = grouped.groups["b"]
    groups._seen(b"used", 1)
    for number in range(MOST_ORIGINS - 1):
        groups._windows[b"%d" % number] = ReplayWindow(WINDOW)
    groups._seen(b"used", 2)
    groups._seen(b"new", 1)
    assert len(groups._windows) == MOST_ORIGINS
    assert (b"used" in groups._windows, b"new" in groups._windows, b"0" in groups._windows) == (True, True, False)


@pytest.mark.parametrize("size", [0, 14, 15, 78, 79 + MOST_PACKET - 40 + 1])
def test_sizes_that_no_group_has(size: int) -> None:
    with pytest.raises(WireError) as refusal:
        GroupData.decode(bytes(size))
    assert refusal.value.code == "group-size"
    assert GroupData.decode(bytes(79)).content == b""
    assert len(GroupData.decode(bytes(79 + MOST_PACKET - 40)).content) == MOST_PACKET - 40


def test_what_a_signature_is_over() -> None:
    env = Grouped("ab").net["a"].env
    me, head = env.identity, Head(5, bytes(6), 17, b"content")
    data = GroupData.make(me, env.genesis, 3, GROUP[2:], head)
    assert data.holds(me.key, env.genesis, 3, GROUP[2:], env.verify)
    assert not data.holds(me.key, bytes(32), 3, GROUP[2:], env.verify)
    assert not data.holds(me.key, env.genesis, 4, GROUP[2:], env.verify)
    assert not data.holds(me.key, env.genesis, 3, GROUP[2:-1] + b"x", env.verify)


def test_only_to_groups_goes_what_is_signed() -> None:
    grouped = Grouped("ab")
    own = grouped.net["a"].env.identity.address
    assert grouped.groups["a"].outgoing(datagram(own, b"\xee\xee" + bytes(14)), 0.0)
    assert grouped.dropped("a", "source") == 1
    assert grouped.copies == 0


def test_no_origin_without_a_route_or_a_key_and_none_between_zones() -> None:
    grouped = Grouped("ab")
    a, ingress = grouped.net["a"], grouped.net["b"].neighbours["a"]
    payload = GroupData.make(a.env.identity, a.env.genesis, 0, GROUP[2:], Head(1 << 40, bytes(6), 17, bytes(8)))

    def receive(source: bytes, destination_zone: int = 0) -> None:
        packet = Packet(
            next_header=MC_DATA, source=source, destination=GROUP[2:], payload=payload.encode(),
            destination_zone=destination_zone,
        )  # fmt: skip
        grouped.groups["b"].received(packet.encode(), ingress, 1.0)

    receive(bytes(range(14)))
    assert grouped.dropped("b", "reverse-path") == 1
    receive(a.id, destination_zone=1)
    assert grouped.dropped("b", "zone") == 1
    grouped.groups["b"]._key_of = lambda _id: None
    receive(a.id)
    assert grouped.dropped("b", "key") == 1
    assert grouped.heard["b"] == []
