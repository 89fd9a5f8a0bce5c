"""What a block says of a key takes hold in whole routers at once."""

from meshrouter.directory import Role
from tests.router.whole.world import World


def test_a_revoked_key_loses_its_sessions_its_neighbours_and_its_forwarding() -> None:
    world = World(*"abcd")
    world.line(*"abcd")
    world.run(10)
    world["a"].send(world["d"])
    world.run(1)
    assert world["d"].payloads() == [b"hello"]
    world.set_role("b", Role.BARRED)
    assert world["a"].router.sessions.by_pair, "other sessions live"
    assert not list(world["a"].router.neighbours)
    assert [neighbour.key for neighbour in world["c"].router.neighbours] == [world["d"].key]
    world["a"].send(world["d"])
    world.run(30)
    assert world["d"].payloads() == []
    assert not list(world["a"].router.neighbours), "its handshakes are refused"
    assert world["b"].id not in world["d"].router.routing.routes


def test_a_session_with_a_key_that_is_revoked_is_closed() -> None:
    world = World(*"abc")
    world.line(*"abc")
    world.run(10)
    world["a"].send(world["c"])
    world.run(1)
    assert world["a"].router.sessions.by_pair
    world.set_role("c", Role.BARRED)
    assert not world["a"].router.sessions.by_pair
    world["a"].send(world["c"])
    world.run(5)
    assert world["c"].payloads() == [b"hello"], "nothing but what came before"


def test_a_key_that_is_replaced_goes_on_as_a_guest_and_comes_back_as_a_member() -> None:
    world = World(*"abc")
    world.line(*"abc")
    world.run(10)
    world["a"].send(world["c"])
    world["a"].send(world["b"])
    world.run(1)
    world.set_role("b", Role.GUEST)
    world.run(1)
    world["a"].send(world["c"])
    world["a"].send(world["b"], b"still there")
    world.run(5)
    assert world["c"].payloads() == [b"hello"]
    assert world["b"].payloads() == [b"hello", b"still there"], "its own sessions are its own"
    assert world["c"].id not in world["a"].router.routing.next_hops
    world.set_role("b", Role.MEMBER)
    world.run(5)
    world["a"].send(world["c"], b"again")
    world.run(2)
    assert world["c"].payloads()[-1:] == [b"again"]


def test_a_newcomer_is_a_guest_until_the_ledger_says_otherwise_and_keeps_its_sessions() -> None:
    world = World(*"abc", roles={"b": Role.GUEST})
    world.line(*"abc")
    world.run(10)
    world["a"].send(world["b"])
    world.run(1)
    (session,) = world["a"].router.sessions.by_pair.values()
    world.set_role("b", Role.MEMBER)
    world.run(5)
    world["a"].send(world["c"])
    world["a"].send(world["b"])
    world.run(2)
    assert world["c"].payloads() == [b"hello"]
    assert world["b"].payloads() == [b"hello", b"hello"]
    assert session in world["a"].router.sessions.by_pair.values()
