"""Two halves of ten nodes, cut off from each other, register different names and one same name; then they meet."""

from collections.abc import Sequence

from meshchain.ledger.stamps import Stamp
from meshchain.sim import World, people, scenarios
from meshchain.sim.params import small
from meshchain.sim.people import Registration
from tests.sim.conftest import WorldOf

NODES = 10
BOTH = "bob"


def settle(world: World) -> None:
    """Everybody has met somebody, and one chain has begun."""
    assert world.run_until(lambda: all(node.run.gossip.ready_peers >= 2 for node in world.up), 120)
    assert world.run_until(lambda: world.agreed() and world.up[0].height >= 2, 600)


def register_apart(world: World, sides: Sequence[Sequence[str]]) -> tuple[list[Registration], list[Registration]]:
    """Each half gets a name of its own from two of its nodes and the same one as the other half."""
    own = [
        people.register(world.nodes[side[at]], f"name-{number}-{at}")
        for number, side in enumerate(sides)
        for at in (0, 1)
    ]
    rivals = [people.register(world.nodes[side[2]], BOTH) for side in sides]
    return own, rivals


def blocks_since(world: World, side: Sequence[str], height: int) -> int:
    return min(world.nodes[name].height for name in side) - height


def run_apart(
    world: World, sides: Sequence[Sequence[str]], blocks: int
) -> tuple[list[Registration], list[Registration]]:
    """Cut the world in two, register, and wait until both halves have ``blocks`` new blocks and all names."""
    world.partition(*sides)
    before = max(node.height for node in world.up)
    own, rivals = register_apart(world, sides)
    assert world.run_until(lambda: all(r.confirmed for r in (*own, *rivals)), 3600)
    assert world.run_until(lambda: all(blocks_since(world, side, before) >= blocks for side in sides), 7200)
    assert not world.agreed()
    return own, rivals


def check_healed(world: World, own: Sequence[Registration], rivals: Sequence[Registration]) -> None:
    """One tip everywhere; all names without rivals are there; one rival has won, the same everywhere."""

    def all_there() -> bool:
        return world.agreed() and all(r.confirmed for r in own) and all(r.status.state != "pending" for r in rivals)

    assert world.run_until(all_there, 7200)
    assert world.run_until(lambda: world.agreed(), 600)
    for node in world.up:
        for registration in own:
            assert node.owner_of(registration.name) == registration.owner, (node.name, registration.name)
    winners = [r for r in rivals if r.confirmed]
    losers = [r for r in rivals if not r.confirmed]
    assert len(winners) == len(losers) == 1
    assert {node.owner_of(BOTH) for node in world.up} == {winners[0].owner}
    assert losers[0].status.state == "conflict-lost"
    assert losers[0].status.winner == winners[0].reveal


def play(world: World, blocks: int) -> None:
    names = scenarios.mesh(world, NODES)
    settle(world)
    sides = scenarios.halves(names)
    own, rivals = run_apart(world, sides, blocks)
    world.heal()
    check_healed(world, own, rivals)


def test_a_short_cut_is_mended_at_once(world_of: WorldOf) -> None:
    """Few enough settled blocks for a reorg without parking."""
    world = world_of(params=small(settled_depth=60))
    play(world, 5)
    assert not any("parked branches: 1" in note.what for note in world.log)


def test_a_long_cut_is_mended_after_parking(world_of: WorldOf) -> None:
    world = world_of()
    play(world, 13)
    assert any("parked branches: 1" in note.what for note in world.log)


def stamp_of(registration: Registration) -> Stamp | None:
    """The stamp under the name's reveal, as it stands in the chain of the node that promised it."""
    view = registration.node.run.view
    located = view.locate(registration.reveal)
    header = None if located is None else view.header_at(located.height)
    block = None if header is None else view.block(header.id)
    assert located is not None
    assert block is not None
    return block.operations[located.index].stamp


def test_stamps_that_have_outlived_their_anchors_are_made_anew(world_of: WorldOf) -> None:
    """Nobody who owns a name does anything; the queues of the half that lost stamp again for the common branch."""
    world = world_of(params=small(stamp_grid=4))
    names = scenarios.mesh(world, NODES)
    settle(world)
    own, rivals = run_apart(world, scenarios.halves(names), 13)
    before = {registration.name: stamp_of(registration) for registration in own}
    world.heal()
    check_healed(world, own, rivals)
    lost = next(r for r in rivals if not r.confirmed)
    (beaten,) = (side for side in scenarios.halves(names) if lost.node.name in side)
    for registration in own:
        made_anew = stamp_of(registration) != before[registration.name]
        assert made_anew == (registration.node.name in beaten)
