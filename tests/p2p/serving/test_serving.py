"""Questions about the chain, answered from a real one with a fork."""

from collections.abc import Sequence

import pytest

from meshchain.ledger.block import Block
from meshchain.p2p import serving
from meshchain.p2p.actions import Action, Send
from meshchain.p2p.messages import LIMITS, BlockMessage, GetBlocks, GetHeaders, Headers, NotFound, Wanted, encode
from meshchain.p2p.serving import answers
from tests.ledger.kit import Lab
from tests.p2p.kit import LabFacts

HEIGHT = 30
STRANGER = b"\xee" * 32


class World:
    """A chain of 30 blocks, and two blocks of a branch that left it at 20 and lost."""

    def __init__(self) -> None:
        lab = Lab()
        lab.mine_empty(20)
        rival = lab.fork()
        lab.mine(lab.stamp(lab.owner().commit("alice")))
        lab.mine_empty(HEIGHT - 21)
        rival.now += 7
        rival.mine_empty(2)
        for block in rival.blocks()[20:]:
            lab.chain.add_block(block, None)
        self.facts = LabFacts(lab)
        self.main = [lab.genesis, *(block.header.id for block in lab.blocks())]
        self.blocks = lab.blocks()
        self.lost: Sequence[Block] = rival.blocks()[20:]


@pytest.fixture(scope="module")
def world() -> World:
    return World()


def ids(actions: list[Action]) -> list[bytes]:
    (send,) = actions
    assert isinstance(send, Send)
    assert isinstance(send.message, Headers)
    assert len(encode(send.message)) < LIMITS[Headers.TYPE].fixed
    return [header.id for header in send.message.headers]


@pytest.mark.parametrize("height", [0, 1, 17, HEIGHT - 1, HEIGHT])
def test_headers_follow_the_first_known_block(world: World, height: int) -> None:
    question = GetHeaders((STRANGER, world.main[height], world.main[0]))
    assert ids(serving.headers(world.facts, 1, question)) == world.main[height + 1 :]


def test_a_locator_of_another_branch_forks_where_it_left(world: World) -> None:
    question = GetHeaders((world.lost[1].header.id, world.lost[0].header.id, world.main[20], world.main[0]))
    assert ids(serving.headers(world.facts, 1, question)) == world.main[21:]


def test_a_locator_of_strangers_gets_everything(world: World) -> None:
    assert ids(serving.headers(world.facts, 1, GetHeaders((STRANGER,)))) == world.main[1:]


def test_headers_stop_where_asked(world: World) -> None:
    question = GetHeaders((world.main[3],), world.main[7])
    assert ids(serving.headers(world.facts, 1, question)) == world.main[4:8]
    question = GetHeaders((world.main[3],), STRANGER)
    assert ids(serving.headers(world.facts, 1, question)) == world.main[4:]


def test_no_more_headers_than_a_message_holds(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "MAX_HEADERS", 10)
    assert ids(serving.headers(world.facts, 1, GetHeaders((world.main[3],)))) == world.main[4:14]


def test_blocks_come_one_by_one_and_then_what_is_missing(world: World) -> None:
    wanted = (world.main[5], STRANGER, world.lost[0].header.id, world.main[21])
    *found, missing = serving.blocks(world.facts, 9, GetBlocks(wanted))
    expected = [world.blocks[4], world.lost[0], world.blocks[20]]
    assert found == [Send(9, BlockMessage(block.encode())) for block in expected]
    assert missing == Send(9, NotFound(Wanted.BLOCK, (STRANGER,)))


def test_a_header_without_its_body_is_not_found() -> None:
    """Known as a header only: said so, instead of nothing."""
    lab = Lab()
    lab.mine_empty(3)
    ahead = lab.fork()
    ahead.mine_empty(1)
    lab.chain.add_headers([ahead.blocks()[3].header], None)
    tip = ahead.chain.tip.id
    assert lab.chain.index.get(tip) is not None
    answer = serving.blocks(LabFacts(lab), 9, GetBlocks((tip,)))
    assert answer == [Send(9, NotFound(Wanted.BLOCK, (tip,)))]


def test_only_what_is_there() -> None:
    lab = Lab()
    lab.mine_empty(1)
    answer = serving.blocks(LabFacts(lab), 9, GetBlocks((lab.chain.tip.id,)))
    assert [type(action.message) for action in answer if isinstance(action, Send)] == [BlockMessage]
