"""Block spacing after outages, visitors, losses of hash rate and wrong clocks: simulated with the real rules.

Every scenario begins with a young network of 200,000 hashes/s (some 130 cores; a block of 2^24 hashes) half
a day after its first block, in two groups of miners, 70 % and 30 %. A test runs a few seeds, and hundreds
when slow tests are on, and prints its figures (pytest -s).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TypeVar

import pytest

from meshchain.ledger import params
from tests.ledger.work.lesser_rules import NoReanchor, ParentTime, ShortGap
from tests.ledger.work.mining import (
    DAY,
    HOUR,
    Miners,
    Network,
    RealRule,
    Rule,
    found_between,
    longest_wait,
    main_chain,
    spacing,
)

MESH = params.load("mesh")
RATE = 200_000.0
MINORITY = 0.3
FUTURE_LIMIT = 600
YEAR = 31_556_952

few_and_many = pytest.mark.parametrize(
    "seeds", [pytest.param(range(2), id="few"), pytest.param(range(100, 200), id="many", marks=pytest.mark.slow)]
)
S = TypeVar("S")
MakeRule = Callable[[params.Params], Rule[S]]


@dataclass(frozen=True)
class Recovery:
    """What a group sees in the 36 hours after something ended."""

    first_hour: int
    six_hours: int
    wait_h: float
    settled: float
    """Seconds a block, from the 18th hour to the 36th."""


def observe(network: Network[S], group: Miners[S]) -> Recovery:
    start = network.now
    network.run(36 * HOUR)
    return Recovery(
        first_hour=len(found_between(group, start, start + HOUR)),
        six_hours=len(found_between(group, start, start + 6 * HOUR)),
        wait_h=longest_wait(group, start, start + 36 * HOUR) / HOUR,
        settled=spacing(group, start + 18 * HOUR, start + 36 * HOUR),
    )


def young_network(
    seed: object, rule: MakeRule[S], rate: float = RATE, minority: float = MINORITY
) -> tuple[Network[S], Miners[S], Miners[S]]:
    majority: Miners[S] = Miners(rate * (1 - minority))
    rest: Miners[S] = Miners(rate * minority)
    network = Network(MESH, [majority, rest], seed, rule(MESH))
    network.run(DAY / 2)
    return network, majority, rest


def set_rates(network: Network[S], *rates: float) -> None:
    for group, rate in zip(network.miners, rates, strict=True):
        group.rate = rate


def report(title: str, results: Sequence[Recovery]) -> None:
    print(f"\n{title}, {len(results)} seeds: mean (least … most)")
    for name in ("first_hour", "six_hours", "wait_h", "settled"):
        values = [getattr(result, name) for result in results]
        print(f"  {name:10} {fmean(values):8.1f} ({min(values):.1f} … {max(values):.1f})")


def assert_recovers(
    results: Sequence[Recovery], *, first_hour: int, six_hours: int, wait_h: float, slowest: float = 145
) -> None:
    """No storm, no halt, and from the 18th hour on the spacing it should have (at most ``slowest``)."""
    assert max(result.first_hour for result in results) < first_hour
    assert max(result.six_hours for result in results) < six_hours
    assert max(result.wait_h for result in results) < wait_h
    assert all(100 < result.settled < slowest for result in results)
    if len(results) >= 100:
        assert 118 < fmean(result.settled for result in results) < slowest - 20


# --- an outage of ten days -----------------------------------------------------------------------------


def outage(seed: object, rule: MakeRule[S], *, stale: bool = False, rate: float = RATE) -> Recovery:
    """Nobody mines for ten days; then everybody, if ``stale`` 30 % with the time at which it began."""
    network, majority, rest = young_network(seed, rule, rate)
    set_rates(network, 0, 0)
    network.run(10 * DAY)
    set_rates(network, rate * (1 - MINORITY), rate * MINORITY)
    if stale:
        rest.offset, rest.cautious = -10 * DAY, False
    return observe(network, majority)


def assert_outage_recovers(results: Sequence[Recovery]) -> None:
    """7,200 blocks are missing by then; at most some 300 more than usual are made in six hours."""
    assert_recovers(results, first_hour=270, six_hours=520, wait_h=1.5)


@few_and_many
def test_outage_of_ten_days(seeds: range) -> None:
    results = [outage(seed, RealRule) for seed in seeds]
    report("outage of ten days", results)
    assert_outage_recovers(results)


@few_and_many
def test_outage_of_ten_days_on_one_core(seeds: range) -> None:
    results = [outage(seed, RealRule, rate=1500) for seed in seeds]
    report("outage of ten days, one core", results)
    assert_outage_recovers(results)


@few_and_many
def test_outage_and_then_stale_clocks(seeds: range) -> None:
    results = [outage(seed, RealRule, stale=True) for seed in seeds]
    report("outage of ten days, 30 % with a stale clock", results)
    assert_outage_recovers(results)


def test_outage_without_the_re_anchor_clause_is_a_storm() -> None:
    results = [outage(seed, NoReanchor) for seed in range(2)]
    report("outage of ten days, no re-anchor", results)
    assert min(result.first_hour for result in results) > 5000
    with pytest.raises(AssertionError):
        assert_outage_recovers(results)


def test_outage_with_parent_time_is_a_halt() -> None:
    results = [outage(seed, ParentTime, stale=True) for seed in range(4)]
    report("outage of ten days, parent time, 30 % with a stale clock", results)
    assert max(result.wait_h for result in results) > 7
    with pytest.raises(AssertionError):
        assert_outage_recovers(results)


# --- hash rate comes and goes --------------------------------------------------------------------------


@few_and_many
def test_nine_of_ten_miners_leave(seeds: range) -> None:
    results = []
    for seed in seeds:
        network, majority, _ = young_network(seed, RealRule)
        set_rates(network, RATE * 0.07, RATE * 0.03)
        results.append(observe(network, majority))
    report("hash rate × 0.1", results)
    assert_recovers(results, first_hour=20, six_hours=100, wait_h=4)
    assert min(result.six_hours for result in results) > 20


def visit(seed: object, factor: float) -> tuple[int, Recovery]:
    """(blocks made in the 2.5 h that a visitor with ``factor`` times everybody's hash rate stays, what follows)."""
    network, majority, _ = young_network(seed, RealRule)
    start = network.now
    set_rates(network, RATE * 0.7, RATE * (factor + 0.3))
    network.run(2.5 * HOUR)
    set_rates(network, RATE * 0.7, RATE * 0.3)
    return len(found_between(majority, start, network.now)), observe(network, majority)


@few_and_many
@pytest.mark.parametrize(("factor", "most_blocks", "wait_h", "slowest"), [(50, 450, 5, 145), (300, 650, 12, 160)])
def test_visitor(seeds: range, factor: int, most_blocks: int, wait_h: float, slowest: float) -> None:
    visits = [visit(seed, factor) for seed in seeds]
    during = [blocks for blocks, _ in visits]
    results = [recovery for _, recovery in visits]
    report(f"visitor × {factor} for 2.5 h ({min(during)} … {max(during)} blocks)", results)
    assert max(during) < most_blocks
    assert_recovers(results, first_hour=20, six_hours=60, wait_h=wait_h, slowest=slowest)


# --- wrong clocks --------------------------------------------------------------------------------------


def wrong_clock(seed: object, share: float, offset: float, *, cautious: bool = True) -> tuple[Recovery, Recovery]:
    """A share of the miners has a clock wrong by ``offset``, is then repaired: what the others see of each."""
    network, right, wrong = young_network(seed, RealRule, minority=share)
    wrong.offset, wrong.cautious = offset, cautious
    during = observe(network, right)
    wrong.cautious = True
    network.repair(wrong)
    after = observe(network, right)
    assert wrong.tip is right.tip
    assert all(block.times[-1] <= block.found + FUTURE_LIMIT for block in main_chain(wrong)[1:])
    return during, after


SHARES = pytest.mark.parametrize("share", [0.3, 0.6])


def assert_both_recover(title: str, pairs: Sequence[tuple[Recovery, Recovery]]) -> None:
    for part, results in zip(("while they are wrong", "after repair"), zip(*pairs, strict=True), strict=True):
        report(f"{title}, {part}", results)
        assert_recovers(results, first_hour=110, six_hours=330, wait_h=3)


@few_and_many
@SHARES
def test_clocks_at_1970(seeds: range, share: float) -> None:
    """They notice (before genesis): no mining, no future check, and back after repair."""
    pairs = [wrong_clock(seed, share, -56 * YEAR) for seed in seeds]
    assert_both_recover(f"{share:.0%} at 1970", pairs)


@few_and_many
@SHARES
def test_clocks_at_1970_that_mine_all_the_same(seeds: range, share: float) -> None:
    """Consensus alone: stamps at the least permitted time cost only those who make them."""
    pairs = [wrong_clock(seed, share, -56 * YEAR, cautious=False) for seed in seeds]
    assert_both_recover(f"{share:.0%} at 1970, mining", pairs)


@few_and_many
@SHARES
def test_clocks_at_2040(seeds: range, share: float) -> None:
    """They cannot notice without peers: they mine on a branch that the others hold, and drop it when repaired."""
    pairs = [wrong_clock(seed, share, 14 * YEAR) for seed in seeds]
    assert_both_recover(f"{share:.0%} at 2040", pairs)


@few_and_many
@pytest.mark.parametrize("offset", [-56 * YEAR, 14 * YEAR], ids=["1970", "2040"])
def test_everybody_wrong_for_ten_days(seeds: range, offset: float) -> None:
    """An island without time: at 1970 it rests, at 2040 its blocks are dropped on repair; then it is an outage."""
    results = []
    for seed in seeds:
        network, majority, rest = young_network(seed, RealRule)
        height = len(main_chain(majority))
        majority.offset = rest.offset = offset
        network.run(10 * DAY)
        for group in network.miners:
            network.repair(group)
        assert len(main_chain(majority)) == height
        results.append(observe(network, majority))
    report(f"everybody wrong by {offset / YEAR:.0f} years for ten days", results)
    assert_outage_recovers(results)


# --- a fake gap ----------------------------------------------------------------------------------------


def share_of_blocks(
    seed: object, rule: MakeRule[S], ahead: int, *, pause: float, hours: float
) -> tuple[float, float, float]:
    """An attacker with 30 % who stamps ``ahead`` seconds, after a ``pause`` in mining: (blocks, work, spacing)."""
    network, honest, attacker = young_network(seed, rule)
    set_rates(network, 0, 0)
    network.run(pause)
    set_rates(network, RATE * 0.7, RATE * 0.3)
    attacker.ahead = ahead
    start = network.now
    network.run(hours * HOUR)
    blocks = found_between(honest, start, network.now)
    theirs = [block for block in blocks if block.miner is attacker]
    work = sum(block.work - block.parent.work for block in theirs if block.parent)
    total = blocks[-1].work - (blocks[0].parent.work if blocks[0].parent else 0)
    return len(theirs) / len(blocks), work / total, hours * HOUR / len(blocks)


def assert_gains_nothing(title: str, results: Sequence[tuple[float, float, float]], usual: float) -> None:
    """Neither blocks beyond the 6 %, nor work, nor a spacing below the ``usual`` seconds."""
    blocks, work, spacings = (fmean(values) for values in zip(*results, strict=True))
    print(f"\n{title}, {len(results)} seeds: {blocks:.3f} of the blocks, {work:.3f} of the work, {spacings:.0f} s")
    noise = 0.035 if len(results) < 10 else 0.006
    assert blocks < 0.3 * 1.06 + noise
    assert work < 0.3 + noise
    assert spacings > 0.95 * usual


@few_and_many
def test_stamps_at_the_future_limit(seeds: range) -> None:
    """10 minutes ahead are 6 % more blocks, worth 6 % less each."""
    results = [share_of_blocks(seed, RealRule, 600, pause=0, hours=36) for seed in seeds]
    assert_gains_nothing("30 % stamp 600 s ahead", results, MESH.consensus.spacing)


@few_and_many
def test_stamps_that_turn_a_pause_into_a_gap(seeds: range) -> None:
    """7 h 55 min without blocks: the attacker's next block re-anchors, an honest one would not yet."""
    pause = 8 * HOUR - 300
    faked = [share_of_blocks(seed, RealRule, 600, pause=pause, hours=24) for seed in seeds]
    plain = [share_of_blocks(seed, RealRule, 0, pause=pause, hours=24) for seed in seeds]
    usual = fmean(spacing for _, _, spacing in plain)
    assert_gains_nothing(f"30 % stamp 600 s ahead after 7 h 55 min (honest: {usual:.0f} s)", faked, usual)


def test_a_gap_that_can_be_faked_would_pay() -> None:
    results = [share_of_blocks(seed, ShortGap, 600, pause=0, hours=12) for seed in range(2)]
    with pytest.raises(AssertionError):
        assert_gains_nothing("30 % stamp 600 s ahead, where that is a gap", results, MESH.consensus.spacing)
