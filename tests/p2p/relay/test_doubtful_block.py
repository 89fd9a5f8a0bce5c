"""Compact blocks that do not lead to the block: collisions, lies, silence, headers without work."""

from dataclasses import replace
from typing import Final

import pytest

from meshchain.ledger import operations
from meshchain.ledger.block import Block
from meshchain.ledger.errors import StoreError
from meshchain.ledger.header import Header
from meshchain.ledger.operations import Operation
from meshchain.ledger.pow import check_works
from meshchain.p2p.actions import Action, Blame, CheckHeaders, ConnectBlock, Do, Outcome, Send
from meshchain.p2p.messages import (
    BlockMessage,
    BlockOperations,
    CompactBlock,
    GetBlockOperations,
    GetBlocks,
    Message,
    NotFound,
    Wanted,
    short_id,
)
from meshchain.p2p.relay import announcer, reconstruction
from meshchain.p2p.relay.hunt import SPARES
from tests.p2p.relay.node import Town

NOTHING: Final[list[Action]] = []


def joined(*names: str) -> Town:
    """The first station connected to all others, greetings over."""
    town = Town(*names)
    for name in names[1:]:
        town.line(names[0], name)
    town.net.run(1)
    return town


def compact_of(block: Block, salt: int = 1) -> CompactBlock:
    ids = tuple(short_id(block.header.id, salt, operations.wid(op)) for op in block.operations)
    return CompactBlock(block.header, salt, ids)


@pytest.mark.parametrize("bits", [3, 5, 8])
def test_collisions_cost_a_request_and_no_blame(bits: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With short ids of a few bits everything collides, in the block and in the mempool."""

    def weak(block_id: bytes, salt: int, wid: bytes) -> bytes:
        return bytes(7) + bytes((short_id(block_id, salt, wid)[0] >> (8 - bits),))

    monkeypatch.setattr(announcer, "short_id", weak)
    monkeypatch.setattr(reconstruction, "short_id", weak)
    town = joined("a", "b")
    listed = town.commits("a", 40)
    town.put("b", *listed, tell=False)
    town.mine("a", *listed[:6])
    town.block_arrives("b")
    assert town.points_of_all() == 0


def _swapped(message: Message) -> Message:
    return replace(message, short_ids=message.short_ids[::-1]) if isinstance(message, CompactBlock) else message


def test_operations_in_the_wrong_order_cost_points_from_the_second_time_on(capsys: pytest.CaptureFixture[str]) -> None:
    town = joined("liar", "b")
    town.net.lies["liar"] = _swapped
    listed = town.commits("liar", 6)
    town.put("b", *listed, tell=False)
    points = []
    for number in range(3):
        town.mine("liar", *listed[2 * number : 2 * number + 2])
        town.block_arrives("b")
        points.append(town["b"].points("liar"))
    assert len(town.carried("b", BlockMessage)) == 3, "each block had to come whole"
    assert points == [0, 25, 50]
    with capsys.disabled():
        print(f"\npoints of a peer whose compact blocks are wrong: {points}", end="")


def test_other_operations_than_announced_are_a_lie() -> None:
    town = joined("liar", "b", "c")
    other = town.commits("liar", 3)
    foreign = town.commits("liar", 1, first=900)[0]

    def lie(message: Message) -> Message | None:
        if isinstance(message, BlockOperations):
            return replace(message, raws=(operations.encode(foreign),) * len(message.raws))
        return message

    town.net.lies["liar"] = lie
    town.mine("liar", *other)
    town.net.run(3)
    assert town["b"].points("liar") == 50
    assert town["b"].height == 2
    assert not town.relay("b").blocks.in_hand(town["liar"].tip_id), "left to block download"


def test_a_peer_that_announces_and_never_delivers_is_passed_over(capsys: pytest.CaptureFixture[str]) -> None:
    town = joined("b", "silent", "honest")
    town.net.lies["silent"] = lambda message: None if isinstance(message, BlockOperations | BlockMessage) else message
    block = town.lab("silent").block(*town.commits("silent", 10))
    for name in ("silent", "honest"):
        town[name].facts.follow(town.lab(name).chain.add_block(block, None))
        town.told(name)
        town.net.run(0.1)
    begun = town.net.now
    assert town.net.run_until(lambda: town["b"].height == 3, 10)
    with capsys.disabled():
        print(f"\na silent announcer delays a block by {town.net.now - begun + 0.2:.1f} s", end="")
    assert town.net.now - begun < 5


def test_a_compact_block_that_is_complete_need_not_wait_for_a_silent_one() -> None:
    town = joined("b", "silent", "honest")
    town.net.lies["silent"] = lambda message: None if isinstance(message, BlockOperations) else message
    listed = town.commits("silent", 4)
    block = town.lab("silent").block(*listed)
    town["silent"].facts.follow(town.lab("silent").chain.add_block(block, None))
    town.told("silent")
    town.net.run(0.1)
    town.put("b", *listed, tell=False)
    town["honest"].facts.follow(town.lab("honest").chain.add_block(block, None))
    town.told("honest")
    town.net.run(0.1)
    assert town["b"].height == 3


def test_not_found_and_leaving_move_on_at_once() -> None:
    town = joined("b", "one", "two", "three")
    block = town.lab("one").block(*town.commits("one", 4))
    town.net.lies["one"] = lambda m: NotFound(Wanted.BLOCK, (m.block_id,)) if isinstance(m, BlockOperations) else m
    town.net.lies["two"] = lambda m: None if isinstance(m, BlockOperations) else m
    for name in ("one", "two", "three"):
        town[name].facts.follow(town.lab(name).chain.add_block(block, None))
        town.told(name)
        town.net.run(0.001)
    assert town.net.run_until(lambda: bool(town.carried("two", GetBlockOperations)), 1)
    town.net.disconnect(town["two"], next(iter(town["two"].links)))
    assert town.net.run_until(lambda: town["b"].height == 3, 1)


def _without_work(header: Header, town: Town) -> Header:
    """The same header with a nonce that misses the target."""
    lab = town.lab("b")
    for nonce in range(1000):
        bad = replace(header, nonce=nonce)
        if check_works([bad], lab.params.consensus, lab.workers) == [False]:
            return bad
    raise AssertionError("every nonce meets the target")


def test_nothing_is_done_for_a_header_without_work() -> None:
    town = joined("b", "liar", "c")
    block = town.lab("liar").block(*town.commits("liar", 2))
    compact = compact_of(replace(block, header=_without_work(block.header, town)))
    relay, peer = town.relay("b").blocks, town.peer("liar", at="b")
    actions = relay.compact(peer, compact, town.net.now)
    (do,) = actions
    assert isinstance(do, Do)
    assert isinstance(do.task, CheckHeaders)
    outcome = town["b"].facts.do(do.task)
    assert relay.header_checked(do.task, outcome, town.net.now) == [
        Blame(peer, 100, "a compact block with an invalid header: pow")
    ]
    assert not relay.in_hand(compact.header.id)
    town.net.run(2)
    assert not town.carried("c", CompactBlock)
    assert town.relay("c").handed == []


def test_one_header_of_a_peer_is_checked_at_a_time() -> None:
    town = joined("b", "liar")
    relay, peer = town.relay("b").blocks, town.peer("liar", at="b")
    block = town.lab("liar").block()
    forms = [compact_of(replace(block, header=replace(block.header, nonce=nonce))) for nonce in range(50)]
    tasks = [action for form in forms for action in relay.compact(peer, form, 0)]
    assert len(tasks) == 1
    assert len(town.relay("b").handed) == 49, "the others are announcements"


def test_blocks_that_are_not_next_are_announcements() -> None:
    town = joined("b", "a")
    lab = town.lab("a").fork()
    lab.mine_empty(1)
    ahead = compact_of(lab.block())
    rival = compact_of(town.lab("a").fork(back=1).block(time=int(lab.now) + 999))
    relay, peer = town.relay("b").blocks, town.peer("a", at="b")
    assert relay.compact(peer, ahead, 0) == NOTHING
    assert relay.compact(peer, rival, 0) == NOTHING
    assert town.relay("b").handed == [(peer, ahead.header), (peer, rival.header)]


def test_an_early_header_is_handed_on_without_blame() -> None:
    town = joined("b", "a")
    lab = town.lab("a")
    early = compact_of(lab.block(time=int(lab.now) + 10_000))
    relay, peer = town.relay("b").blocks, town.peer("a", at="b")
    (do,) = relay.compact(peer, early, 0)
    assert isinstance(do, Do)
    assert isinstance(do.task, CheckHeaders)
    assert relay.header_checked(do.task, town["b"].facts.do(do.task), 0) == NOTHING
    assert town.relay("b").handed == [(peer, early.header)]


def test_an_invalid_block_with_all_its_operations_is_its_senders_fault() -> None:
    town = joined("b", "liar", "c")
    lab = town.lab("liar")
    bad = _mined(town, replace(lab.block().header, state_root=bytes(31) + b"x"))
    town.net._send(town["liar"], town.peer("b", at="liar"), compact_of(Block(bad, ())))
    town.net.run(2)
    assert town["b"].points("liar") == 100
    assert not town.carried("c", CompactBlock)


def _mined(town: Town, header: Header) -> Header:
    lab = town.lab("b")
    forms = (replace(header, nonce=nonce) for nonce in range(1000))
    return next(form for form in forms if check_works([form], lab.params.consensus, lab.workers) == [True])


def test_a_full_disk_is_nobodys_fault() -> None:
    town = joined("b", "a")
    town["b"].facts.fault = StoreError("disk-full", "no space left")
    town.mine("a")
    town.net.run(2)
    assert town["b"].blames == []
    assert town["b"].height == 2
    assert not town.relay("b").blocks.in_hand(town["a"].tip_id)


def test_what_peers_can_fill_is_bounded() -> None:
    town = joined("b", *(f"p{number}" for number in range(20)))
    lab = town.lab("p0")
    listed: list[Operation] = town.commits("p0", 1)
    blocks = [lab.block(*listed, time=int(lab.now) + 1 + number) for number in range(7)]
    town.lab("b").chain.add_headers([block.header for block in blocks], None)
    relay = town.relay("b").blocks
    for block in blocks:
        for peer in town["b"].links:
            relay.compact(peer, compact_of(block), 0)
    assert sum(relay.in_hand(block.header.id) for block in blocks) == 4
    for hunt in relay._hunts.values():
        assert len(hunt._spares) <= SPARES + 3


def test_answers_that_nobody_asked_for_are_ignored() -> None:
    town = joined("b", "a", "c")
    block = town.lab("a").block(*town.commits("a", 2))
    town.lab("b").chain.add_headers([block.header], None)
    relay, a, c = town.relay("b").blocks, town.peer("a", at="b"), town.peer("c", at="b")
    (ask,) = relay.compact(a, compact_of(block), 0)
    assert ask == Send(a, GetBlockOperations(block.header.id, (0, 1)))
    assert relay.block_operations(c, BlockOperations(block.header.id, (b"x", b"y")), 0) == NOTHING
    assert relay.block_operations(a, BlockOperations(bytes(32), (b"x",)), 0) == NOTHING
    assert relay.not_found(c, NotFound(Wanted.BLOCK, (block.header.id,)), 0) == NOTHING
    assert relay.in_hand(block.header.id)


def test_a_whole_block_that_is_no_good_moves_the_hunt_on() -> None:
    town = joined("liar", "b")

    def spoiled(message: Message) -> Message:
        return BlockMessage(message.raw[:124] + b"\x80") if isinstance(message, BlockMessage) else _swapped(message)

    town.net.lies["liar"] = spoiled
    listed = town.commits("liar", 2)
    town.put("b", *listed, tell=False)
    town.mine("liar", *listed)
    town.net.run(2)
    assert town.carried("liar", GetBlocks)
    assert not town.relay("b").blocks.in_hand(town["liar"].tip_id)


def test_a_task_of_somebody_else_is_not_ours_to_blame_for() -> None:
    town = joined("b", "a")
    block = town.lab("a").block(*town.commits("a", 1))
    peer, relay = town.peer("a", at="b"), town.relay("b").blocks
    foreign = ConnectBlock(peer, block.header.id, b"")
    outcome = town["b"].facts.do(replace(foreign, raw=block.encode()[:-1]))
    assert outcome.error is not None
    assert relay.connected(foreign, outcome, 0) == NOTHING
    town.lab("b").chain.add_headers([block.header], None)
    assert relay.compact(peer, compact_of(block), 0) == [Send(peer, GetBlockOperations(block.header.id, (0,)))]
    assert relay.connected(foreign, outcome, 0) == NOTHING
    assert relay.in_hand(block.header.id)


def complete(town: Town, block: Block) -> ConnectBlock:
    """The task that b makes of a's compact block, all of whose operations it has."""
    town.put("b", *block.operations, tell=False)
    town.lab("b").chain.add_headers([block.header], None)
    (do,) = town.relay("b").blocks.compact(town.peer("a", at="b"), compact_of(block), 0)
    assert isinstance(do, Do)
    assert isinstance(do.task, ConnectBlock)
    return do.task


def test_a_disk_that_fills_up_at_the_last_step_is_nobodys_fault() -> None:
    town = joined("b", "a")
    task = complete(town, town.lab("a").block(*town.commits("a", 2)))
    outcome = Outcome(error=StoreError("disk-full", "no space left"))
    assert town.relay("b").blocks.connected(task, outcome, 0) == NOTHING
    assert not town.relay("b").blocks.in_hand(task.block_id)


def test_a_sender_may_leave_while_its_block_is_connected() -> None:
    town = joined("b", "a")
    relay, task = town.relay("b").blocks, complete(town, town.lab("a").block(*town.commits("a", 2)))
    relay.peer_gone(task.peer, 0)
    assert relay.in_hand(task.block_id)
    assert relay.owns(task)


def test_one_wrong_block_between_right_ones_is_bad_luck() -> None:
    town = joined("liar", "b")
    listed = town.commits("liar", 10)
    town.put("b", *listed, tell=False)
    for number in range(5):
        town.net.lies["liar"] = (_swapped, _honest)[number % 2]
        town.mine("liar", *listed[2 * number : 2 * number + 2])
        town.block_arrives("b")
    assert len(town.carried("b", BlockMessage)) == 3
    assert town["b"].points("liar") == 0


def _honest(message: Message) -> Message:
    return message


@pytest.mark.parametrize("count", [1, 3])
def test_too_few_or_too_many_operations_are_a_lie(count: int) -> None:
    town = joined("liar", "b")

    def lie(message: Message) -> Message:
        return replace(message, raws=(message.raws * 2)[:count]) if isinstance(message, BlockOperations) else message

    town.net.lies["liar"] = lie
    town.mine("liar", *town.commits("liar", 2))
    town.net.run(1)
    assert town["b"].points("liar") == 50


def test_a_short_id_that_fits_two_fits_none(monkeypatch: pytest.MonkeyPatch) -> None:
    town = joined("b", "a")
    right, other, last = town.commits("a", 3)
    block = town.lab("a").block(right, last)
    weak = {operations.wid(operation): bytes(7) + bytes((at,)) for at, operation in ((0, right), (0, other), (1, last))}
    monkeypatch.setattr(reconstruction, "short_id", lambda block_id, salt, wid: weak[wid])
    town.put("b", other, right, last, tell=False)
    compact = CompactBlock(block.header, 0, (weak[operations.wid(right)], weak[operations.wid(last)]))
    attempt = reconstruction.Reconstruction(compact, town["b"].facts.pending())
    assert attempt.missing == (0,)
    assert attempt.fill((operations.encode(right),))
    assert attempt.block() == block.encode()
