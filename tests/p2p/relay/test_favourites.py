"""Who is asked for compact blocks, and who is told of new tips how."""

import random

import pytest

from meshchain.p2p.actions import Action, Blame, Send
from meshchain.p2p.messages import (
    BlockOperations,
    CompactBlock,
    GetBlockOperations,
    Headers,
    NotFound,
    SendCompact,
    Wanted,
)
from meshchain.p2p.relay.announcer import BEHIND, SERVED
from meshchain.p2p.relay.favourites import Favourites
from tests.p2p.relay.node import Town

YES, NO = SendCompact(True), SendCompact(False)


def chosen(favourites: Favourites) -> list[int]:
    return [peer for peer in range(100) if peer in favourites]


def test_three_peers_are_asked_and_the_idlest_gives_way() -> None:
    favourites = Favourites()
    asked: list[list[Action]] = [favourites.ready(peer, outbound=True) for peer in range(5)]
    assert asked == [[Send(0, YES)], [Send(1, YES)], [Send(2, YES)], [], []]
    assert favourites.delivered(0) == []
    assert favourites.delivered(4) == [Send(1, NO), Send(4, YES)]
    assert chosen(favourites) == [0, 2, 4]
    assert favourites.gone(2) == [Send(1, YES)]
    assert favourites.gone(3) == []
    assert favourites.delivered(3) == [], "it has left"


def test_the_last_outbound_one_does_not_give_way_to_an_inbound_one() -> None:
    favourites = Favourites()
    favourites.ready(0, outbound=True)
    for peer in range(1, 50):
        favourites.ready(peer, outbound=False)
    for peer in [*range(1, 50)] * 3:
        favourites.delivered(peer)
        assert 0 in favourites
        assert len(chosen(favourites)) == 3
    favourites.ready(60, outbound=True)
    favourites.delivered(60)
    assert {0, 60} & set(chosen(favourites))


def test_an_outbound_peer_takes_a_free_place_before_an_inbound_one() -> None:
    favourites = Favourites()
    for peer in range(4):
        favourites.ready(peer, outbound=False)
    favourites.ready(9, outbound=True)
    assert favourites.gone(0) == [Send(9, YES)]


def test_whoever_did_not_ask_gets_the_header() -> None:
    names = ["hub", *(f"n{number}" for number in range(5))]
    town = Town(*names)
    for name in names[1:]:
        town.line(name, "hub")
    town.net.run(1)
    town.net.apply(town["n4"], [Send(town.peer("hub", at="n4"), NO)])
    town.net.run(1)
    town.mine("hub")
    town.block_arrives(*names[1:5])
    assert [bool(town.carried(name, CompactBlock)) for name in names[1:]] == [True] * 4 + [False]
    assert [len(message.headers) for message in town.carried("n4", Headers)] == [1]


def test_a_block_is_not_announced_to_those_who_have_it() -> None:
    town = Town("a", "b", "c")
    town.line("a", "b", "c")
    town.line("a", "c", latency=0.5)
    town.net.run(1)
    relay = town.relay("c").blocks
    town.mine("a")
    relay.knows(town.peer("a", at="c"), town["a"].tip_id)
    town.block_arrives("b", "c")
    town.net.run(2)
    assert not town.carried("a", CompactBlock)
    assert not town.carried("a", Headers)


def test_a_reorganisation_is_announced_by_its_headers() -> None:
    town = Town("a", "b")
    town.line("a", "b")
    town.net.run(1)
    rival = town.lab("a").fork(back=1)
    rival.mine_empty(3)
    town["a"].facts.follow(town.lab("a").take(rival))
    town.told("a")
    town.net.run(1)
    (told,) = town.carried("b", Headers)
    assert [header.height for header in told.headers] == [2, 3, 4]


def test_a_long_jump_is_announced_by_its_tip() -> None:
    town = Town("a", "b")
    town.line("a", "b")
    town.net.run(1)
    town["a"].facts.follow(town.lab("a").mine_empty(30))
    town.told("a")
    town.net.run(1)
    (told,) = town.carried("b", CompactBlock)
    assert told.header.id == town["a"].tip_id
    assert town.relay("b").handed == [(town.peer("a", at="b"), told.header)]


def test_a_node_that_catches_up_is_silent() -> None:
    town = Town("a", "b")
    town.line("a", "b")
    town.net.run(1)
    ahead = town.lab("a").fork()
    ahead.mine_empty(BEHIND + 2)
    headers = [block.header for block in ahead.blocks()]
    town.lab("a").chain.add_headers(headers, None)
    for block in ahead.blocks()[2:]:
        town["a"].facts.follow(town.lab("a").chain.add_block(block, None))
        town.told("a")
    town.net.run(1)
    heights = [message.header.height for message in town.carried("b", CompactBlock)]
    assert heights == list(range(4, ahead.height + 1)), "the first of them was an old block to everybody"


def test_operations_of_old_blocks_are_not_given_out_singly() -> None:
    town = Town("a", "b")
    town.line("a", "b")
    listed = town.commits("a", 2)
    town.mine("a", *listed)
    peer, relay, block_id = town.peer("b", at="a"), town.relay("a").blocks, town["a"].tip_id
    (answer,) = relay.operations_wanted(peer, GetBlockOperations(block_id, (1,)), 0)
    assert isinstance(answer, Send)
    assert isinstance(answer.message, BlockOperations)
    assert len(answer.message.raws) == 1
    (blame,) = relay.operations_wanted(peer, GetBlockOperations(block_id, (1, 2)), 0)
    assert isinstance(blame, Blame)
    assert blame.points == 20
    town["a"].facts.follow(town.lab("a").mine_empty(SERVED + 1))
    refusal = Send(peer, NotFound(Wanted.BLOCK, (block_id,)))
    assert relay.operations_wanted(peer, GetBlockOperations(block_id, (1,)), 0) == [refusal]
    assert relay.operations_wanted(peer, GetBlockOperations(bytes(32), (1,)), 0) == [
        Send(peer, NotFound(Wanted.BLOCK, (bytes(32),)))
    ]


@pytest.mark.parametrize("seed", range(8))
def test_blocks_reach_everybody_in_any_network(seed: int) -> None:
    """A random connected graph, random knowledge of the operations, one miner after another."""
    rng = random.Random(seed)
    names = [f"n{number}" for number in range(6)]
    town = Town(*names)
    for at, name in enumerate(names[1:], 1):
        town.line(name, rng.choice(names[:at]), latency=rng.uniform(0.01, 0.3))
    town.net.run(2)
    for number in range(3):
        miner = rng.choice(names)
        listed = town.commits(miner, 8, first=1 + 10 * number)
        for name in names:
            town.put(name, *rng.sample(listed, rng.randint(0, 8)), tell=False)
        town.mine(miner, *listed)
        assert town.net.run_until(lambda miner=miner: len({town[n].tip_id for n in names}) == 1, 10)  # type: ignore[misc]
    assert town.points_of_all() == 0
