"""How long a search still takes: the sum of k geometric waiting times, its mean and its quantiles.

Every hash of an unsolved puzzle succeeds with p = 2^-bits whatever was tried before, so a search has no
memory: with k puzzles unsolved the hashes N still to make follow the negative binomial distribution,
P(N > n) = P(Binomial(n, p) < k) = Σ_{j<k} C(n, j) p^j (1 − p)^(n−j). With k ≤ 8 terms that sum is cheap
and exact to rounding, so no normal or gamma approximation is needed.
"""

from functools import lru_cache
from math import exp, log1p


def mean_hashes(puzzles: int, bits: int) -> int:
    """Expected hashes to solve ``puzzles`` puzzles of ``bits`` bits."""
    return puzzles << bits


@lru_cache(maxsize=1024)
def quantile_hashes(puzzles: int, bits: int, tail: float = 0.05) -> int:
    """The least n such that more than n hashes are needed with probability ≤ ``tail`` (0 < tail < 1)."""
    low, high = 0, max(puzzles, 1)
    while exceeds(high, puzzles, bits) > tail:
        low, high = high, 2 * high
    while low < high:
        middle = (low + high) // 2
        if exceeds(middle, puzzles, bits) > tail:
            low = middle + 1
        else:
            high = middle
    return low


def exceeds(hashes: int, puzzles: int, bits: int) -> float:
    """P(N > hashes) for ``puzzles`` puzzles of ``bits`` bits."""
    if hashes < puzzles or bits == 0:
        return 1.0 if hashes < puzzles else 0.0
    odds = 1 / ((1 << bits) - 1)
    term = exp(hashes * log1p(-(2.0**-bits)))
    total = 0.0
    for successes in range(puzzles):
        total += term
        term *= (hashes - successes) / (successes + 1) * odds
    return min(total, 1.0)
