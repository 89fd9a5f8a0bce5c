"""What gossip remembers over restarts of simulated nodes: as the real node does, through the same rows of the store."""

from meshchain.ledger.store import layout
from meshchain.p2p import kept
from meshchain.p2p.addresses import encode
from meshchain.sim import SimNode, World, people, scenarios
from tests.sim.conftest import WorldOf

NODES = 6
NEIGHBOURS = 3
"""Of a node in a mesh of six: those whom it dials or who dial it."""


def settle(world: World) -> World:
    """A mesh in which everybody has written down its neighbours."""
    scenarios.mesh(world, NODES)
    assert world.run_until(lambda: all(len(node.run.gossip.book) >= NEIGHBOURS for node in world.up), 600)
    return world


def town() -> World:
    return settle(World(seed=1))


def memory(node: SimNode) -> bytes:
    """The book and the anchors, as they would be saved now."""
    return encode(node.run.gossip.book, node.run.gossip.slots.anchors())


def test_a_node_that_stops_in_peace_remembers_everything() -> None:
    world = town()
    node = world.nodes["n0"]
    assert world.run_until(lambda: bool(node.run.gossip.slots.anchors()), 600)
    anchors, before = node.run.gossip.slots.anchors(), memory(node)
    world.stop("n0")
    world.restart("n0")
    assert memory(node) == before
    assert node.run.gossip.slots.anchors() == anchors


def test_anchors_are_dialled_again_as_connections_for_blocks() -> None:
    world = town()
    node = world.nodes["n0"]
    assert world.run_until(lambda: bool(node.run.gossip.slots.anchors()), 600)
    anchors = {other.key.hex()[:12] for other in world.up if other.endpoint in node.run.gossip.slots.anchors()}
    world.stop("n0")
    node.peers.clear()
    before = len(world.log)
    world.restart("n0")
    world.run(1)
    words = [note.what.split() for note in world.log[before:] if note.who == "n0"]
    assert anchors <= {key for purpose, *_, key in words if purpose == "block-only"}
    assert anchors


def test_a_node_without_configured_peers_finds_back_by_its_book() -> None:
    world = town()
    node = world.nodes["n0"]
    world.stop("n0")
    node.peers.clear()
    for other in world.up:  # nor does anybody call for it
        if node.endpoint in other.peers:
            other.peers.remove(node.endpoint)
    world.restart("n0")
    assert world.run_until(lambda: node.run.gossip.ready_peers >= 2, 60)


def test_a_node_that_is_killed_remembers_what_it_saved_last() -> None:
    world = town()
    node = world.nodes["n0"]
    assert node.store.get(layout.ADDRESSES) is None
    began = world.now
    assert world.run_until(lambda: node.store.get(layout.ADDRESSES) is not None, kept.SAVE_EVERY)
    saved = node.store.get(layout.ADDRESSES)
    assert began < world.now <= kept.SAVE_EVERY + 1
    assert saved == memory(node)
    late = world.add("late")
    world.link("late", "n0")
    assert world.run_until(lambda: late.endpoint in node.run.gossip.book, 60)
    world.kill("n0")
    world.restart("n0")
    assert memory(node) == saved
    assert late.endpoint not in node.run.gossip.book


def test_a_network_that_was_off_finds_together_by_its_books(world_of: WorldOf) -> None:
    """Nobody has configured peers any more, and one has lost its memory: the others know it."""
    world = settle(world_of())
    names = list(world.nodes)
    world.kill(names[-1])
    for name in names[:-1]:
        world.stop(name)
    for name in reversed(names):
        world.nodes[name].peers.clear()
        world.run(7)
        world.restart(name)
    alice = people.register(world.nodes[names[-1]], "alice")
    assert world.run_until(lambda: alice.confirmed, 1800)
    assert world.run_until(lambda: all(node.owner_of("alice") == alice.owner for node in world.up), 120)


def test_bans_outlive_a_restart() -> None:
    world = town()
    node, other = world.nodes["n0"], world.nodes["n2"]  # not a configured one
    node.run.gossip.scores.blame(other.key, other.endpoint.ip, 100, "said nonsense", node.clock.now())
    world.stop("n0")
    world.restart("n0")
    ban = node.run.gossip.scores.ban(other.key, node.clock.now())
    assert ban is not None
    assert ban.reason == "said nonsense"
