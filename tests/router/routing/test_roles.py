"""What the ledger says counts from the call in which it says so."""

from meshrouter.directory import Binding, Directory, Role
from meshrouter.routing.routing import Routing
from meshrouter.wire.control import Dump, Retract, RouteRequest, Update
from tests.router.routing.kit import CAPS, ZONE, Desk, Seqnos, env, identity, neighbour_of, signed

FAR = 50
ID = identity(FAR).id


def test_a_guest_that_becomes_a_member_is_asked_for_all_it_knows() -> None:
    desk = Desk()
    guest = desk.meet(1, role=Role.GUEST)
    desk.hear(guest, signed(FAR, 5, 100))
    desk.become(guest.key, Role.MEMBER)
    assert desk.sent(guest) == [Dump()]
    desk.hear(guest, signed(1, 1, 0), signed(FAR, 5, 100))
    assert desk.via(FAR) == 1


def test_a_member_that_becomes_a_guest_carries_nothing_but_is_reached() -> None:
    desk = Desk()
    first, second = desk.meet(1), desk.meet(2)
    desk.hear(first, signed(FAR, 5, 100))
    desk.settle()
    desk.become(first.key, Role.GUEST)
    assert (desk.via(1), desk.via(FAR)) == (1, None)
    desk.run(1)
    assert Retract(ID, 5) in desk.sent(second)


def test_a_key_that_is_barred_is_no_next_hop_and_no_origin() -> None:
    desk = Desk()
    first, second = desk.meet(1), desk.meet(2)
    desk.hear(first, signed(FAR, 5, 100))
    desk.hear(second, signed(1, 1, 200), signed(FAR, 5, 300))
    desk.become(first.key, Role.BARRED)
    assert (desk.via(1), desk.via(FAR)) == (None, 2)
    desk.run(5)
    assert [message for message in desk.sent(first) if isinstance(message, Update | Retract)] == []
    desk.hear(first, signed(FAR, 6, 100))
    desk.hear(second, signed(1, 2, 200), signed(FAR, 6, 300))
    desk.run(5)
    assert desk.sent(first) == []
    assert desk.routing.digest_for(first) == (0, 0)
    assert (desk.via(1), desk.via(FAR)) == (None, 2)


def test_what_is_no_longer_barred_is_asked_for() -> None:
    desk = Desk()
    neighbour = desk.meet(1)
    desk.ledger.roles[identity(FAR).key] = Role.BARRED
    desk.hear(neighbour, signed(FAR, 5, 100))
    desk.become(identity(FAR).key, Role.MEMBER)
    assert desk.sent(neighbour) == [RouteRequest(ID, 1)]
    desk.hear(neighbour, signed(FAR, 5, 100))
    assert desk.via(FAR) == 1


def test_a_neighbour_that_is_no_longer_barred_begins_anew() -> None:
    desk = Desk()
    neighbour = neighbour_of(1)
    desk.ledger.roles[neighbour.key] = Role.BARRED
    desk.routing.up(neighbour, desk.now)
    assert desk.sent() == []
    desk.become(neighbour.key, Role.GUEST)
    desk.run(1)
    first, update = desk.sent(neighbour)
    assert first == Retract(bytes(14), 0)
    assert isinstance(update, Update)
    assert update.id == identity(0).id


def test_a_change_of_zone_in_the_ledger() -> None:
    desk = Desk()
    neighbour = desk.meet(1)
    desk.hear(neighbour, signed(FAR, 5, 100))
    desk.ledger.zones[identity(FAR).key] = ZONE + 1
    desk.become(identity(FAR).key, Role.MEMBER)
    assert desk.route(FAR) is None
    desk.ledger.zones.clear()
    desk.become(identity(FAR).key, Role.MEMBER)
    assert desk.sent(neighbour)[-1] == RouteRequest(ID, 1)


def test_our_own_promotion_makes_us_tell_and_our_fall_takes_it_back() -> None:
    desk = Desk()
    desk.ledger.roles[identity(0).key] = Role.GUEST
    desk.become(identity(0).key, Role.GUEST)
    first, second = desk.meet(1), desk.meet(2)
    desk.hear(first, signed(FAR, 5, 100))
    desk.run(5)
    desk.sent()
    desk.become(identity(0).key, Role.MEMBER)
    desk.run(0.2)
    told = {one.id: one for one in desk.sent(second) if isinstance(one, Update)}
    assert told[ID].metric == 196
    assert told[identity(0).id].caps == CAPS
    desk.run(5)
    desk.become(identity(0).key, Role.GUEST)
    desk.run(0.2)
    messages = desk.sent(second)
    assert Retract(ID, 5) in messages
    assert [one.caps for one in messages if isinstance(one, Update)] == [CAPS & ~1]


def test_until_the_ledger_has_answered_everybody_is_a_guest() -> None:
    """With the ledger in another process: the answer comes later, and is carried here by the router."""
    directory = Directory()
    routing = Routing(env(0), directory, zone=ZONE, caps=CAPS, seqnos=Seqnos(), on_route=lambda _origin, _route: None)
    directory.on_binding = lambda binding: routing.role_changed(binding.key, 1.0)
    neighbour, other = neighbour_of(1), neighbour_of(2)
    for one in (neighbour, other):
        routing.up(one, 0.0)
    for message in (signed(1, 1, 0), signed(FAR, 5, 100)):
        routing.received(neighbour, message, 0.0)
    assert ID not in routing.routes
    asked = directory.take_questions()
    assert {identity(0).key, identity(1).key} <= {*asked}
    for key in asked:
        directory.told_binding(Binding(key, Role.MEMBER))
    assert (neighbour, Dump()) in routing.outputs
    routing.received(neighbour, signed(FAR, 5, 100), 1.0)
    assert routing.next_hops[ID] is neighbour
    routing.outputs.clear()
    routing.tick(2.0)
    assert any(to is other and isinstance(one, Update) and one.id == ID for to, one in routing.outputs)


def test_an_origin_that_becomes_a_member_leaves_the_guests_part_of_the_table() -> None:
    desk = Desk()
    desk.ledger.roles[identity(FAR).key] = Role.GUEST
    desk.hear(desk.meet(1), signed(FAR, 5, 100))
    assert desk.routing._state.table.origins[ID].is_guest
    desk.become(identity(FAR).key, Role.MEMBER)
    assert not desk.routing._state.table.origins[ID].is_guest
