"""The ledger decides who forwards: guests, revoked, replaced and transferred keys, on the block that says so."""

from meshchain.sim.mesh import MeshNode, MeshWorld
from meshrouter.directory import Role
from meshrouter.sessions.pair import Pair
from tests.sim.mesh.kit import Traffic, drops, line, settled


def role(of: MeshNode, by: MeshNode) -> Role:
    return by.router.directory.role(of.key)


def forwards(node: MeshNode) -> bool:
    return node.router.plane.forwards


def neighbours(node: MeshNode) -> list[bytes]:
    return [neighbour.key for neighbour in node.router.neighbours]


def test_guests_are_reached_and_carry_nothing() -> None:
    """a - guest - c: the guest is no way to anybody; beside it there is none."""
    world = MeshWorld(1)
    line(world, "a", "guest", "c", guests=["guest"])
    world.run(8)
    assert [len(world.nodes[name].router.routing.routes) for name in ("a", "guest", "c")] == [1, 2, 1]
    to_guest, through = Traffic(world, "a", "guest"), Traffic(world, "a", "c")
    world.run(3)
    assert to_guest.share(world.now - 2, world.now - 0.1) == 1.0
    assert through.share(0, world.now) == 0.0
    assert not world.nodes["guest"].router.plane.forwarded


def test_a_guest_refuses_transit_that_is_forced_upon_it() -> None:
    """a sends by the guest although nobody has told it to; the guest has a neighbour c, and does not hand on."""
    world = MeshWorld(1)
    world.found(["a", "b", "c", "guest"], ["guest"])
    for pair in (("a", "b"), ("b", "c"), ("a", "guest"), ("guest", "c")):
        world.ether(*pair, shared=False)
    world.start()
    world.run(8)
    a, c, guest = (world.nodes[name] for name in ("a", "c", "guest"))
    traffic = Traffic(world, "a", "c")
    world.run(1)
    (towards,) = [neighbour for neighbour in a.router.neighbours if neighbour.key == guest.key]
    a.router.routing.next_hops[c.identity.id] = towards
    forced = world.now
    world.run(0.5)
    assert traffic.share(0, forced - 0.1) == 1.0
    assert traffic.share(forced, world.now) == 0.0
    assert drops([guest], "forward-guest") > 0


def test_a_guest_gets_the_ledger_over_the_mesh() -> None:
    """It begins with nothing but genesis and its neighbour."""
    world = MeshWorld(1)
    line(world, "a", "b", "guest", guests=["guest"])
    world.run(3)
    guest = world.nodes["guest"]
    guest.kill()
    guest.store = type(guest.store)()
    guest.start()
    assert guest.height == 0
    assert world.run_until(lambda: guest.tip_id == world.nodes["a"].tip_id, 60)
    assert world.run_until(lambda: guest.router.directory.tip.synced, 60)


def test_a_key_that_gets_a_name_forwards_three_blocks_later_and_loses_no_session() -> None:
    world = MeshWorld(1)
    line(world, "a", "guest", "c", guests=["guest"])
    world.run(8)
    guest = world.nodes["guest"]
    traffic = Traffic(world, "a", "guest")
    world.run(1)
    sessions = sorted(guest.router.sessions.by_index)
    height = world.scribe.chain.tip.height
    world.scribe.register({"newcomer": guest.seed}, depth=2)
    _publish_since(world, height, at="c")
    assert world.run_until(lambda: {node.tip_id for node in world.nodes.values()} == {world.scribe.chain.tip.id}, 60)
    world.run(2)
    assert not forwards(guest), "two blocks deep"
    world.publish(world.scribe.mine(), at="a")
    assert settled(world, 20)
    assert forwards(guest)
    through = Traffic(world, "a", "c")
    world.run(3)
    assert through.share(world.now - 2, world.now - 0.1) == 1.0
    assert traffic.share(0, world.now - 0.1) == 1.0
    assert set(sessions) <= set(guest.router.sessions.by_index)


def _publish_since(world: MeshWorld, height: int, at: str) -> None:
    chain = world.scribe.chain
    entries = [entry for entry in chain.index.ancestors(chain.tip) if entry.height > height]
    world.publish(*(chain.block(entry) for entry in reversed(entries)), at=at)


def test_a_revoked_key_loses_sessions_and_forwarding_on_the_block_that_says_so() -> None:
    world = MeshWorld(1)
    line(world, "a", "b", "c")
    assert settled(world)
    through, to_b = Traffic(world, "a", "c"), Traffic(world, "a", "b")
    world.run(2)
    a, b, c = world.nodes.values()
    (block,) = world.scribe.mine_all([world.scribe.revoke("b")])
    assert through.share(world.now - 1, world.now - 0.1) == to_b.share(world.now - 1, world.now - 0.1) == 1.0
    for node in (a, c):
        world.publish(block, at=node.name)
        assert world.run_until(lambda node=node: role(b, node) is Role.BARRED, 0.5)  # type: ignore[misc]
        assert neighbours(node) == []
        assert not any(session.key == b.key for session in _sessions(node))
        assert b.identity.id not in node.router.routing.routes
    cut = world.now
    world.run(5)
    assert through.share(cut, world.now) == to_b.share(cut, world.now) == 0.0
    assert neighbours(a) == neighbours(c) == [], "nor does it come back"
    assert drops((a, c), "link-barred") + drops((a, c), "handshake-barred") > 0


def _sessions(node: MeshNode) -> list[Pair]:
    return [pair for pair in node.router.sessions.table.pairs.values() if pair.key]


def test_replaced_and_transferred_keys_go_on_as_guests() -> None:
    world = MeshWorld(1)
    line(world, "a", "b", "c", "d", "e")
    assert settled(world)
    to_b, through = Traffic(world, "a", "b"), Traffic(world, "a", "c")
    world.run(2)
    blocks = world.scribe.mine_all([world.scribe.update("b", None), world.scribe.transfer("d")])
    world.publish(*blocks, at="a")
    nodes = world.nodes
    assert world.run_until(lambda: not forwards(nodes["b"]) and not forwards(nodes["d"]), 60)
    changed = world.now
    world.run(6)
    assert all(role(nodes[name], by) is Role.GUEST for name, by in (("b", nodes["a"]), ("d", nodes["c"])))
    assert to_b.share(changed, world.now - 0.1) == 1.0, "its sessions live on"
    assert through.share(changed + 1, world.now) == 0.0
    assert {nodes["b"].key} == set(neighbours(nodes["a"]))
