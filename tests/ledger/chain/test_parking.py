"""Fork choice and parking, on a clock that the tests turn."""

import pytest

from meshchain.ledger.block import Block
from meshchain.ledger.chain.chain import Chain
from meshchain.ledger.chain.index import Flag
from meshchain.ledger.errors import RuleError
from meshchain.ledger.store import layout
from meshchain.ledger.workers import InlineWorkers
from tests.ledger.chain.watching import branch, contents, give, spoil
from tests.ledger.kit import Lab, small_params

HOUR = 3_600_000
"""In milliseconds, like everything the parking clock counts."""


def settled_lab(blocks: int, **policy: object) -> Lab:
    lab = Lab(small_params(**policy))
    lab.chain.settling = True
    lab.mine_empty(blocks)
    return lab


def reopened(lab: Lab) -> Chain:
    return Chain(lab.chain.store, lab.params, InlineWorkers())


def extended(lab: Lab, blocks: list[Block], count: int) -> list[Block]:
    """``count`` more empty blocks on top of a branch."""
    fork = Lab(lab.params)
    for block in blocks_to(lab, blocks):
        fork.chain.add_block(block, None)
    fork.now = blocks[-1].header.time + 60
    fork.mine_empty(count)
    return list(fork.blocks()[-count:])


def blocks_to(lab: Lab, blocks: list[Block]) -> list[Block]:
    """The active chain up to where ``blocks`` leave it, then those."""
    return [*lab.blocks()[: blocks[0].header.height - 1], *blocks]


def tip_ids(blocks: list[Block]) -> bytes:
    return blocks[-1].header.id


@pytest.mark.parametrize(("depth", "parked"), [(1, False), (12, False), (13, True), (30, True)])
def test_up_to_twelve_settled_blocks_are_disconnected_at_once(depth: int, parked: bool) -> None:
    lab = settled_lab(30)
    rival = branch(lab, back=depth, count=depth + 1)
    before = lab.chain.tip.id
    give(lab.chain, rival)
    assert lab.chain.tip.id == (before if parked else tip_ids(rival))
    assert [branch.leaf.id for branch in lab.chain.parked()] == ([tip_ids(rival)] if parked else [])
    assert {tip.status for tip in lab.chain.view().tips()} == (
        {"active", "parked"} if parked else {"active", "valid-fork"}
    )


def test_only_blocks_connected_while_synced_are_settled() -> None:
    """Twelve of twenty: initial sync and mining alone never make a node resist the network."""
    lab = Lab()
    lab.mine_empty(8)
    lab.chain.settling = True
    lab.mine_empty(12)
    rival = branch(lab, back=20, count=21)
    give(lab.chain, rival)
    assert lab.chain.tip.id == tip_ids(rival)


def test_blocks_mined_while_alone_do_not_count() -> None:
    lab = settled_lab(20)
    lab.chain.settling = False
    lab.mine_empty(20)
    give(lab.chain, rival := branch(lab, back=32, count=33))
    assert lab.chain.tip.id == tip_ids(rival)


def test_the_wait_grows_with_the_depth_and_has_a_floor() -> None:
    """max(30 min, depth · 30 s): 70 blocks wait 35 minutes, 20 wait 30."""
    for depth, wait in ((20, 1800), (70, 2100)):
        lab = settled_lab(70)
        rival = branch(lab, back=depth, count=depth + 1)
        give(lab.chain, rival)
        assert not lab.chain.tick(1000 * wait - 1).connected
        switch = lab.chain.tick(1)
        assert len(switch.connected) == depth + 1
        assert len(switch.disconnected) == depth
        assert lab.chain.tip.id == tip_ids(rival)
        assert lab.chain.parked() == []
        assert list(lab.chain.store.items(layout.PARKED)) == []


def test_the_clock_pauses_while_the_rival_is_lighter_and_never_goes_back() -> None:
    lab = settled_lab(20)
    rival = branch(lab, back=20, count=21)
    give(lab.chain, rival)
    lab.chain.tick(HOUR // 2 - 1000)
    lab.mine_empty(2)  # the active chain is heavier again
    assert lab.chain.parked() == []
    assert not lab.chain.tick(5 * HOUR).connected
    give(lab.chain, more := extended(lab, rival, 3))
    assert [branch.leaf.id for branch in lab.chain.parked()] == [tip_ids(more)]
    assert not lab.chain.tick(999).connected
    assert lab.chain.tick(1).connected  # the half hour is full, across the pause
    assert lab.chain.tip.id == tip_ids(more)


def test_growing_does_not_reset_the_clock() -> None:
    """It belongs to the rival's first block: attackers and honest majorities alike extend their branch."""
    lab = settled_lab(20)
    rival = branch(lab, back=20, count=21)
    give(lab.chain, rival)
    lab.chain.tick(HOUR // 4)
    give(lab.chain, more := extended(lab, rival, 5))
    lab.chain.tick(HOUR // 4 - 1)
    assert lab.chain.tip.id != tip_ids(more)
    lab.chain.tick(1)
    assert lab.chain.tip.id == tip_ids(more)


def test_the_clock_survives_a_restart() -> None:
    lab = settled_lab(20)
    give(lab.chain, rival := branch(lab, back=20, count=21))
    lab.chain.tick(HOUR // 2 - 1)
    chain = reopened(lab)
    assert [branch.leaf.id for branch in chain.parked()] == [tip_ids(rival)]
    assert chain.tip.id != tip_ids(rival)
    chain.tick(1)
    assert chain.tip.id == tip_ids(rival)


def test_a_day_after_it_was_first_heavier_work_alone_decides() -> None:
    """Also for a rival that was lighter for nearly all of it, and however deep it goes."""
    lab = settled_lab(20, parking_per_block=100_000)
    rival = branch(lab, back=20, count=21)
    give(lab.chain, rival)
    lab.mine_empty(1)
    lab.chain.tick(24 * HOUR - 1)
    give(lab.chain, more := extended(lab, rival, 3))
    assert lab.chain.tip.id != tip_ids(more)
    lab.chain.tick(1)
    assert lab.chain.tip.id == tip_ids(more)


def test_clocks_that_have_run_out_are_not_written_any_more() -> None:
    """A rival that lost years ago would else be written every second for ever."""
    lab = settled_lab(20)
    give(lab.chain, branch(lab, back=20, count=21))
    lab.mine_empty(3)
    lab.chain.tick(25 * HOUR)
    before = contents(lab.chain.store)
    lab.chain.tick(HOUR)
    assert contents(lab.chain.store) == before


def test_asking_again_costs_no_walk() -> None:
    """The node asks every second, for a day: 10,000 parked blocks would take longer than that second to walk."""
    lab = settled_lab(30)
    give(lab.chain, branch(lab, back=30, count=31))
    lab.chain.tick(1)
    lab.chain.index.forget()
    lab.chain.tick(1)
    lab.chain.hold_future(int(lab.now) + 600)
    assert len(lab.chain.parked()) == 1
    assert len(lab.chain.index._cache) == 0


def test_a_rival_that_was_never_heavier_has_no_clock() -> None:
    lab = settled_lab(20)
    rival = branch(lab, back=20, count=19)
    give(lab.chain, rival)
    lab.chain.tick(48 * HOUR)
    give(lab.chain, extended(lab, rival, 3))
    lab.chain.tick(HOUR // 2 - 1)
    assert len(lab.chain.parked()) == 1
    lab.chain.tick(1)
    assert lab.chain.parked() == []


def test_each_rival_has_its_own_clock() -> None:
    """A new branch does not inherit the wait of another that was given up."""
    lab = settled_lab(20)
    give(lab.chain, branch(lab, back=20, count=21))
    lab.chain.tick(HOUR // 2 - 1)
    give(lab.chain, other := branch(lab, back=19, count=25))
    assert len(lab.chain.parked()) == 2
    lab.chain.tick(1)
    assert lab.chain.tip.id != tip_ids(other)
    assert lab.height == 21


def test_accept_adopts_at_once_and_is_remembered() -> None:
    lab = settled_lab(20)
    give(lab.chain, rival := branch(lab, back=20, count=21))
    with pytest.raises(RuleError) as error:
        lab.chain.accept(lab.chain.tip.id)
    assert error.value.code == "not-parked"
    with pytest.raises(RuleError):
        lab.chain.accept(bytes(32))
    switch = lab.chain.accept(rival[3].header.id)  # any block of the branch names it
    assert lab.chain.tip.id == tip_ids(rival)
    assert (len(switch.disconnected), len(switch.connected)) == (20, 21)
    with pytest.raises(RuleError):
        lab.chain.accept(tip_ids(rival))


def test_after_a_parked_adoption_the_way_back_is_parked_too() -> None:
    lab = settled_lab(20)
    old = list(lab.blocks())
    give(lab.chain, rival := branch(lab, back=20, count=21))
    lab.chain.accept(tip_ids(rival))
    give(lab.chain, extended(lab, old, 5))
    assert lab.chain.tip.id == tip_ids(rival)
    assert len(lab.chain.parked()) == 1


def test_without_parking_times_everything_is_adopted_at_once() -> None:
    lab = settled_lab(20, parking_min=0, parking_per_block=0)
    give(lab.chain, rival := branch(lab, back=20, count=21))
    assert lab.chain.tip.id == tip_ids(rival)


def test_a_bad_deep_branch_returns_to_the_old_tip_without_parking_it() -> None:
    """Nor does the detour make old blocks settled, or settled blocks new."""
    lab = Lab()
    lab.mine_empty(9)
    lab.chain.settling = True
    lab.mine_empty(12)
    before, flags = lab.chain.tip, _settled(lab.chain)
    assert sum(flags) == 12
    for settling in (False, True):
        lab.chain.settling = settling
        rival = spoil(lab, branch(lab, back=21, count=22 + settling), at=15)
        lab.chain.add_headers([block.header for block in rival], None)
        switch = give(lab.chain, rival[::-1])  # the whole branch at once, when its first block completes it
        assert lab.chain.index.require(rival[15].header.id).flags & Flag.FAILED
        assert (switch.disconnected, switch.connected) == ((), ())
        assert lab.chain.tip.id == before.id
        assert lab.chain.parked() == []
        assert _settled(lab.chain) == flags
    assert list(lab.chain.store.items(layout.PARKED)) == []


def test_a_parked_branch_that_proves_bad_leaves_nothing_behind() -> None:
    lab = settled_lab(20)
    before = lab.chain.tip
    rival = spoil(lab, branch(lab, back=20, count=22), at=0)
    lab.chain.add_headers([block.header for block in rival], None)
    give(lab.chain, rival[::-1])
    assert len(lab.chain.parked()) == 1
    assert not lab.chain.tick(HOUR).connected
    assert (lab.chain.tip.id, lab.chain.parked()) == (before.id, [])
    assert list(lab.chain.store.items(layout.PARKED)) == []


def _settled(chain: Chain) -> list[bool]:
    return [bool(entry.flags & Flag.SETTLED) for entry in chain.index.ancestors(chain.tip)]


# --- blocks from the future --------------------------------------------------------------------------------


def test_blocks_mined_alone_in_the_future_are_taken_back_and_adopted_later() -> None:
    lab = settled_lab(5)
    lab.chain.settling = False
    lab.now += 86_400
    ahead = [lab.mine().connected[0] for _ in range(3)]
    tip_time = ahead[-1].header.time
    switch = lab.chain.hold_future(tip_time - 5000)
    assert switch.disconnected == tuple(ahead[::-1])
    assert lab.height == 5
    assert not lab.chain.hold_future(tip_time - 1).connected
    assert lab.chain.hold_future(tip_time).connected == tuple(ahead)
    assert lab.height == 8


def test_blocks_of_the_present_go_on_meanwhile() -> None:
    lab = settled_lab(5)
    lab.chain.settling = False
    present = branch(lab, back=0, count=1)
    lab.now += 86_400
    lab.mine_empty(2)
    latest = present[0].header.time + 600
    lab.chain.hold_future(latest)
    give(lab.chain, present)
    assert lab.chain.tip.id == tip_ids(present)
    assert lab.chain.hold_future(latest + 200_000).disconnected == tuple(present)
    assert lab.height == 7


def test_without_a_credible_clock_nothing_is_held() -> None:
    """A time server that is gone for hours must not stop the chain at the last moment it was heard of."""
    lab = settled_lab(5)
    lab.chain.settling = False
    lab.chain.hold_future(int(lab.now) + 600)
    later = branch(lab, back=0, count=10)
    assert not give(lab.chain, later).connected
    assert lab.chain.hold_future(None).connected == tuple(later[-5:])
    assert lab.chain.tip.id == tip_ids(later)


def test_what_was_settled_with_peers_is_not_taken_back() -> None:
    """A clock that is set back must not make a node leave the network's chain."""
    lab = settled_lab(5)
    assert lab.chain.hold_future(lab.params.consensus.genesis_time) == type(lab.chain.hold_future(0))()
    assert lab.height == 5


def test_holding_changes_nothing_that_need_not_change() -> None:
    """The node asks every second: the view stays, and nothing is written."""
    lab = settled_lab(5)
    view = lab.chain.view()
    for second in range(3):
        lab.chain.hold_future(int(lab.now) + second)
        lab.chain.tick(1000)
    assert lab.chain.view() is view


def test_a_crash_at_the_end_of_an_adoption_leaves_no_clock_behind() -> None:
    """One that has run out would let the same branch in at once, should it ever be a rival again."""
    lab = settled_lab(20)
    rival = branch(lab, back=20, count=21)
    give(lab.chain, rival)
    (before,) = lab.chain.store.items(layout.PARKED)
    lab.chain.tick(HOUR)
    assert lab.chain.tip.id == tip_ids(rival)
    lab.chain.store.write(dict([before]))  # as if the batch that drops it had not been written
    assert list(reopened(lab).store.items(layout.PARKED)) == []
