"""What a block's faults say about its header, and about whoever sent it."""

from dataclasses import replace

import pytest

from meshchain.ledger import compact
from meshchain.ledger.block import Block
from meshchain.ledger.chain.index import Flag
from meshchain.ledger.errors import HeldError, RemoteError, RuleError
from meshchain.ledger.header import Header, operations_root
from meshchain.ledger.operations import Commit
from meshchain.ledger.pow import check_works
from tests.ledger.chain.watching import branch, contents, give, remined, spoil
from tests.ledger.kit import Lab, small_params


def refusal(lab: Lab, block: Block) -> str:
    with pytest.raises(RemoteError) as error:
        lab.chain.add_block(block, lab.now)
    return error.value.code


def flags(lab: Lab, block: Block) -> Flag:
    return lab.chain.index.require(block.header.id).flags


def test_a_wrong_state_root_marks_the_block_failed_for_good() -> None:
    lab = Lab()
    lab.mine()
    bad = remined(lab, lab.block(), state_root=b"\1" * 32)
    assert refusal(lab, bad) == "state-root"
    assert flags(lab, bad) & Flag.FAILED
    assert refusal(lab, bad) == "block-failed"
    child = remined(lab, lab.block(), previous=bad.header.id, height=bad.header.height + 1)
    assert refusal(lab, child) == "block-failed"
    assert lab.height == 1
    lab.mine()


def test_a_wrong_body_leaves_its_header_good() -> None:
    """Else whoever forwards a good header with a spoilt body kills the block."""
    lab = Lab()
    lab.mine()
    good = lab.block()
    fake = Block(good.header, (lab.stamp(lab.owner().commit("alice")),))
    assert refusal(lab, fake) == "operations-root"
    assert flags(lab, good) == Flag(0)
    assert lab.chain.add_block(good, lab.now).connected == (good,)


def test_a_failed_block_takes_its_descendants_with_it_and_no_one_else() -> None:
    lab = Lab()
    lab.mine_empty(3)
    rival = spoil(lab, branch(lab, back=2, count=4), at=1)
    give(lab.chain, rival[:1])
    assert [refusal(lab, block) for block in rival[2:]] == ["unknown-parent"] * 2
    lab.chain.add_headers([block.header for block in rival], None)
    before = lab.chain.tip
    give(lab.chain, [rival[3], rival[2]])
    assert refusal(lab, rival[1]) == "state-root"  # it completes the branch, and is itself at fault
    assert lab.chain.tip == before
    assert [bool(flags(lab, block) & Flag.FAILED) for block in rival] == [False, True, True, True]
    statuses = {tip.id: tip.status for tip in lab.chain.view().tips()}
    assert statuses == {before.id: "active", rival[3].header.id: "invalid"}


def test_the_valid_part_of_a_bad_branch_can_be_built_on() -> None:
    lab = Lab()
    lab.mine_empty(2)
    fork = lab.fork(back=2)
    fork.mine_empty(4)
    rival = list(fork.blocks())
    spoilt = spoil(lab, rival, at=3)
    give(lab.chain, spoilt[:3])
    assert refusal(lab, spoilt[3]) == "state-root"
    assert lab.chain.tip.id == rival[2].header.id
    give(lab.chain, rival)
    assert lab.chain.tip.id == rival[3].header.id


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("version", 2, "header-version"),
        ("height", 9, "header-height"),
        ("time", 0, "time-too-old"),
        ("bits", 0x207FFFFE, "header-bits"),
        ("previous", b"\7" * 32, "unknown-parent"),
    ],
)
def test_bad_headers_are_refused_and_not_kept(field: str, value: object, code: str) -> None:
    lab = Lab()
    lab.mine_empty(2)
    before = contents(lab.chain.store)
    bad = remined(lab, lab.block(), **{field: value})
    assert refusal(lab, bad) == code
    assert contents(lab.chain.store) == before
    assert lab.chain.index.get(bad.header.id) is None


def test_a_header_without_work_is_refused_and_those_before_it_are_kept() -> None:
    lab = Lab()
    fork = lab.fork()
    fork.mine_empty(4)
    headers = [block.header for block in fork.blocks()]
    headers[2] = _without_work(lab, headers[2].nonce, headers)
    with pytest.raises(RuleError) as error:
        lab.chain.add_headers(headers, None)
    assert error.value.code == "pow"
    assert [lab.chain.index.get(header.id) is not None for header in headers] == [True, True, False, False]
    assert lab.chain.best_header.id == headers[1].id


def _without_work(lab: Lab, nonce: int, headers: list[Header]) -> Header:
    for other in range(nonce + 1, nonce + 1000):
        header = replace(headers[2], nonce=other)
        if not check_works([header], lab.params.consensus, lab.workers)[0]:
            return header
    raise AssertionError("every nonce works")


def test_a_block_ahead_of_the_clock_is_held_not_refused() -> None:
    lab = Lab(small_params(future_limit=600))
    block = lab.block()
    with pytest.raises(HeldError) as error:
        lab.chain.add_block(block, block.header.time - 601)
    assert error.value.code == "time-too-new"
    assert lab.chain.add_block(block, block.header.time - 600).connected


def test_a_block_over_the_size_limit_is_refused_however_it_was_put_together() -> None:
    """Not only as bytes: a block may be assembled from a mempool (compact blocks, templates)."""
    lab = Lab()
    owner = lab.owner()
    commits = [lab.stamp(owner.commit(f"name{number}")) for number in range(60)]
    good = [lab.block(*commits[:count]) for count in range(len(commits)) if _size(lab, commits[:count]) <= 4096]
    assert 4096 - 200 < len(good[-1].encode()) <= 4096
    large = lab.block(*commits[: len(good)])
    assert refusal(lab, large) == "block-size"
    assert lab.chain.add_block(good[-1], None).connected


def _size(lab: Lab, listed: list[Commit]) -> int:
    return len(Block(lab.chain.genesis, tuple(listed)).encode())


def test_equal_work_goes_to_the_smaller_id_whatever_comes_first() -> None:
    lab = Lab()
    lab.mine()
    blocks = [lab.block(time=lab.chain.tip.header.time + offset) for offset in range(1, 9)]
    rivals = sorted(blocks, key=lambda block: block.header.id)
    for order in (rivals, rivals[::-1], rivals[4:] + rivals[:4]):
        chain = lab.fork().chain
        for block in order:
            chain.add_block(block, None)
        assert chain.tip.id == rivals[0].header.id


def test_most_work_wins_over_most_blocks() -> None:
    """Two fast blocks raise the difficulty: three of them outweigh four slow ones."""
    lab = Lab(small_params(retarget=True, half_life=60, spacing=120, pow_limit_bits="2000ffff"))
    slow, fast = lab.fork(), lab.fork()
    start = lab.chain.genesis.time
    for number in range(1, 5):
        slow.chain.add_block(slow.block(time=start + 10_000 * number), None)
    for number in range(1, 4):
        fast.chain.add_block(fast.block(time=start + number), None)
    assert compact.work(fast.chain.tip.header.bits) > compact.work(slow.chain.tip.header.bits)
    give(lab.chain, slow.blocks())
    give(lab.chain, fast.blocks())
    assert lab.chain.tip.id == fast.chain.tip.id


def test_the_operations_root_covers_count_order_and_stamps() -> None:
    wids = [bytes((number,)) * 32 for number in range(3)]
    roots = {operations_root(listed) for listed in (wids, wids[::-1], wids[:2], [], [*wids, wids[2]])}
    assert len(roots) == 5
