"""The 95 % bound against exact sums, against dice, and against real searches."""

import random
from fractions import Fraction
from math import comb, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshchain.ledger.stamps import StampSearch, mean_hashes, quantile_hashes
from meshchain.ledger.stamps.bound import exceeds
from tests.ledger.work.stamping import never


def exact_exceeds(hashes: int, puzzles: int, bits: int) -> Fraction:
    p = Fraction(1, 2**bits)
    return sum((comb(hashes, j) * p**j * (1 - p) ** (hashes - j) for j in range(min(puzzles, hashes + 1))), Fraction(0))


@given(st.integers(0, 300), st.integers(1, 8), st.integers(0, 6))
def test_tail_is_the_exact_one(hashes: int, puzzles: int, bits: int) -> None:
    assert exceeds(hashes, puzzles, bits) == pytest.approx(float(exact_exceeds(hashes, puzzles, bits)), rel=1e-9)


@pytest.mark.parametrize("bits", [0, 1, 2, 5])
@pytest.mark.parametrize("puzzles", range(1, 9))
def test_quantile_is_the_least_that_holds(puzzles: int, bits: int) -> None:
    bound = quantile_hashes(puzzles, bits)
    assert exact_exceeds(bound, puzzles, bits) <= Fraction(5, 100)
    assert bound == puzzles or exact_exceeds(bound - 1, puzzles, bits) > Fraction(5, 100)


@pytest.mark.parametrize("puzzles", [1, 2, 8])
@pytest.mark.parametrize("bits", [8, 13, 19])
def test_coverage_with_dice(puzzles: int, bits: int) -> None:
    """20,000 sums of geometrics: 95 % within the bound to ± 0.6 % (four standard deviations)."""
    rng = random.Random(f"{puzzles} {bits}")
    scale = -1 / log(1 - 2.0**-bits)
    bound, runs = quantile_hashes(puzzles, bits), 20_000
    sums = [sum(1 + int(rng.expovariate(1) * scale) for _ in range(puzzles)) for _ in range(runs)]
    covered = sum(total <= bound for total in sums) / runs
    mean = sum(sums) / runs
    print(f"{puzzles} × 2^{bits}: bound {bound} covers {covered:.4f}, mean {mean:.0f}")
    assert 0.944 < covered < 0.956
    assert mean == pytest.approx(mean_hashes(puzzles, bits), rel=0.03)


def test_coverage_of_real_searches() -> None:
    """250 real searches of 8 puzzles at 3 bits, bound asked at the start and with 3 puzzles to go."""
    covered = {8: 0, 3: 0}
    for seed in range(250):
        searching = StampSearch(seed.to_bytes(32, "big"), 3, 8)
        asked: dict[int, tuple[int, int]] = {}
        while (piece := searching.next_slice(1)) is not None:
            asked.setdefault(searching.unsolved, (searching.tried, searching.bound95()))
            searching.feed(piece, *searching.run(piece, never))
        for unsolved in covered.keys() & asked.keys():
            tried, bound = asked[unsolved]
            covered[unsolved] += searching.tried - tried <= bound
    print(f"of 250 searches within the bound: {covered}")
    assert all(0.9 < hits / 250 < 0.995 for hits in covered.values())


def test_large_bits_stay_finite() -> None:
    for bits in (32, 53, 64):
        ratio = quantile_hashes(8, bits) / mean_hashes(8, bits)
        assert ratio == pytest.approx(1.6435, abs=0.001)
        assert quantile_hashes(1, bits) / 2**bits == pytest.approx(2.9957, abs=0.001)


def test_eight_puzzles_vary_less_than_one() -> None:
    assert quantile_hashes(8, 10) < 0.56 * quantile_hashes(1, 13)


def test_nothing_left_is_nothing() -> None:
    assert quantile_hashes(0, 13) == 0
