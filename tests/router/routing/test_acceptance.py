"""Lies: what neighbours say against the rules changes no route and costs a counter."""

from dataclasses import replace

import pytest

from meshrouter.directory import Role, Tip
from meshrouter.routing.table import MINIMUM_COST
from meshrouter.wire.control import Hello, Retract, RouteRequest, Update
from tests.router.routing.kit import ZONE, Desk, identity, neighbour_of, signed, verify

FAR = 50


def refused(desk: Desk, rule: str, sender: int, *updates: Update) -> None:
    """Each of the updates, from a member, leaves no route and counts under the rule."""
    neighbour = desk.meet(sender)
    for number, update in enumerate(updates, 1):
        desk.hear(neighbour, update)
        assert desk.count(rule) == number
        assert desk.route(FAR) is None


def test_a_route_is_believed_that_its_origin_has_signed() -> None:
    desk = Desk()
    desk.hear(desk.meet(1), signed(FAR, 5, 100))
    route = desk.route(FAR)
    assert route is not None
    assert (route.metric, route.seqno, route.key, desk.via(FAR)) == (196, 5, identity(FAR).key, 1)
    assert desk.told[-1] == (identity(FAR).id, route)


@pytest.mark.parametrize("field", ["seqno", "height", "caps"])
def test_what_is_signed_cannot_be_changed(field: str) -> None:
    update = signed(FAR, 5, 100, height=9)
    refused(Desk(), "route-signature", 1, replace(update, **{field: getattr(update, field) + 1}))


def test_forged_signature() -> None:
    update = signed(FAR, 5, 100)
    flipped = bytes((update.signature[0] ^ 1,)) + update.signature[1:]
    refused(Desk(), "route-signature", 1, replace(update, signature=flipped), replace(update, signature=bytes(64)))


def test_forged_newer_seqno_does_not_replace_a_route() -> None:
    desk = Desk()
    good, liar = desk.meet(1), desk.meet(2)
    desk.hear(good, signed(FAR, 5, 500))
    desk.hear(liar, replace(signed(FAR, 5, 96), seqno=6))
    assert (desk.via(FAR), desk.count("route-signature")) == (1, 1)


def test_a_signature_is_checked_once_for_all_neighbours() -> None:
    checked: list[bytes] = []

    def watched(key: bytes, message: bytes, signature: bytes) -> bool:
        checked.append(message)
        return verify(key, message, signature)

    desk = Desk()
    object.__setattr__(desk.env, "verify", watched)
    for number in (1, 2, 3):
        desk.hear(desk.meet(number, announced=False), signed(FAR, 5, 100 + number))
    assert len(checked) == 1
    assert desk.via(FAR) == 1


def test_metric_zero_is_the_origins_alone() -> None:
    refused(Desk(), "route-metric", 1, signed(FAR, 5, 0), signed(FAR, 5, MINIMUM_COST - 1))


def test_a_liar_looks_as_near_as_a_neighbour_of_the_origin_and_not_nearer() -> None:
    desk = Desk()
    desk.hear(desk.meet(1), signed(FAR, 5, MINIMUM_COST))
    desk.hear(desk.meet(FAR, 190, announced=False), signed(FAR, 5, 0))
    assert desk.via(FAR) == FAR


def test_links_cost_no_less_than_a_wire() -> None:
    desk = Desk()
    desk.hear(desk.meet(1, cost=1), signed(FAR, 5, 100))
    route = desk.route(FAR)
    assert route is not None
    assert route.metric == 100 + MINIMUM_COST


def test_numbers_that_leave_no_room_for_the_next() -> None:
    refused(Desk(), "route-seqno", 1, signed(FAR, 1 << 63, 100), signed(FAR, (1 << 64) - 1, 100))


def test_messages_are_rationed_by_neighbour() -> None:
    desk = Desk()
    storm, other = desk.meet(1), desk.meet(2)
    desk.hear(storm, *[signed(FAR, 5, 100)] * 10_000)
    assert 5_000 < desk.count("route-budget") < 6_000
    desk.hear(other, signed(51, 5, 100))
    assert desk.via(51) == 2


def test_height_far_behind_a_synced_ledger() -> None:
    refused(Desk(height=1000, synced=True), "route-height", 1, signed(FAR, 5, 100, height=939))


@pytest.mark.parametrize(("own", "synced", "height"), [(1000, True, 940), (1000, False, 0), (5, True, 0xFFFFFFFF)])
def test_height_is_no_fault_when_near_or_ahead_or_we_cannot_tell(own: int, synced: bool, height: int) -> None:
    desk = Desk(height=own, synced=synced)
    desk.hear(desk.meet(1), signed(FAR, 5, 100, height=height))
    assert desk.via(FAR) == 1


def test_a_height_ahead_does_not_shut_out_later_announcements() -> None:
    desk = Desk(height=1000, synced=True)
    neighbour = desk.meet(1)
    desk.hear(neighbour, signed(FAR, 5, 100, height=0xFFFFFFFF), signed(FAR, 6, 150, height=1000))
    route = desk.route(FAR)
    assert route is not None
    assert (route.seqno, route.height) == (6, 1000)


def test_other_zones_have_no_route() -> None:
    refused(Desk(), "route-zone", 1, signed(FAR, 5, 100, zone=ZONE + 1))


def test_the_ledgers_zone_beats_the_announced_one() -> None:
    desk = Desk()
    desk.ledger.zones[identity(FAR).key] = ZONE + 1
    refused(desk, "route-zone", 1, signed(FAR, 5, 100))


def test_barred_origin() -> None:
    desk = Desk()
    desk.ledger.roles[identity(FAR).key] = Role.BARRED
    refused(desk, "route-barred", 1, signed(FAR, 5, 100))


def test_barred_neighbour_is_neither_heard_nor_told() -> None:
    desk = Desk()
    desk.meet(2)
    neighbour = neighbour_of(1)
    desk.ledger.roles[neighbour.key] = Role.BARRED
    desk.routing.up(neighbour, desk.now)
    desk.hear(neighbour, signed(1, 1, 0), signed(FAR, 5, 100))
    desk.routing.digest(neighbour, 1, 1, desk.now)
    desk.routing.digest(neighbour, 1, 1, desk.now)
    desk.run(5)
    assert desk.route(1) is desk.route(FAR) is None
    assert desk.sent(neighbour) == []
    assert desk.count("route-neighbour") == 2


def test_guests_are_believed_about_themselves_only() -> None:
    desk = Desk()
    guest = desk.meet(1, role=Role.GUEST)
    desk.hear(guest, signed(FAR, 5, 100))
    assert (desk.via(1), desk.via(FAR)) == (1, None)
    assert desk.count("route-guest") == 1


def test_a_guest_elsewhere_is_an_ordinary_origin() -> None:
    desk = Desk()
    desk.ledger.roles[identity(FAR).key] = Role.GUEST
    desk.hear(desk.meet(1), signed(FAR, 5, 100))
    assert desk.via(FAR) == 1


def test_another_key_with_the_same_id_is_refused() -> None:
    desk = Desk()
    neighbour, other = desk.meet(1), desk.meet(2)
    desk.hear(neighbour, signed(FAR, 5, 300))
    desk.hear(other, replace(signed(FAR, 6, 100), key=identity(51).key))
    assert (desk.via(FAR), desk.count("route-key")) == (1, 1)


def test_a_key_that_is_no_point_is_refused() -> None:
    desk = Desk()
    bad = bytes(31) + b"\x80"
    desk.hear(desk.meet(1), replace(signed(FAR, 5, 100), key=bad, id=bytes(range(14))))
    assert desk.count("route-key") == 1


def test_an_unknown_key_is_asked_for_within_a_budget() -> None:
    desk = Desk()
    neighbour = desk.meet(1)
    desk.hear(neighbour, signed(FAR, 5, 100, key=False))
    assert desk.sent(neighbour) == [RouteRequest(identity(FAR).id, 1)]
    unknown = signed(FAR, 5, 100, key=False)
    desk.hear(neighbour, *(replace(unknown, id=number.to_bytes(14, "big")) for number in range(2000)))
    assert len(desk.sent(neighbour)) <= 256
    desk.hear(neighbour, signed(FAR, 5, 100))
    assert desk.via(FAR) == 1
    desk.hear(neighbour, signed(FAR, 6, 120, key=False))
    route = desk.route(FAR)
    assert route is not None
    assert route.seqno == 6


def test_checks_of_signatures_are_rationed_by_neighbour() -> None:
    desk = Desk()
    liar, honest = desk.meet(1), desk.meet(2)
    forged = replace(signed(FAR, 5, 100), signature=bytes(64))
    desk.hear(liar, *(replace(forged, seqno=seqno) for seqno in range(3000)))
    assert desk.count("route-signature") <= 1024
    assert desk.count("route-budget") >= 1900
    desk.hear(honest, signed(FAR, 5, 300))
    assert desk.via(FAR) == 2


def test_strangers_and_other_messages_change_nothing() -> None:
    desk = Desk()
    neighbour = desk.meet(1)
    desk.hear(neighbour_of(2), signed(2, 1, 0))
    desk.hear(neighbour, Hello(seq=1, sent=1, mtu=1500))
    assert desk.route(2) is None
    assert desk.count("route-neighbour") == 1
    assert desk.sent() == []


def test_retract() -> None:
    desk = Desk()
    neighbour = desk.meet(1)
    desk.hear(neighbour, signed(FAR, 5, 100))
    desk.hear(neighbour, Retract(identity(FAR).id, 4))  # overtaken by the UPDATE
    assert desk.via(FAR) == 1
    desk.hear(neighbour, Retract(identity(FAR).id, 5))
    assert desk.route(FAR) is None
    assert desk.told[-1] == (identity(FAR).id, None)
    desk.hear(neighbour, Retract(identity(51).id, 5))


def test_the_tip_may_be_told_later() -> None:
    desk = Desk()
    neighbour = desk.meet(1)
    desk.directory.tip = Tip(1000, True)
    desk.hear(neighbour, signed(FAR, 5, 100, height=0))
    assert desk.count("route-height") == 1
