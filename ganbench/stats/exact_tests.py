"""Exact one-sided tests for few seeds, and the correction that many of them need together.

Each test tells ``p``, the probability of what was seen or more where both sides are the same, and ``least``, the
smallest p that could have been seen at all: with few seeds, or where nearly all agree, that is far from 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.stats import binom, hypergeom, norm, rankdata

#: From so many values of both sides on, a rank sum's distribution is taken for normal.
_MANY = 60
#: With more seeds than this on a side Fisher's test is as good.
_MANY_SEEDS = 200
#: The shares among which the worst is looked for.
_SHARES = np.linspace(0.0, 1.0, 1001)


class TestResult(NamedTuple):
    """The p-value of a one-sided test, and the smallest it could have been."""

    p: float
    least: float


#: pytest would take a class with this name for a test.
TestResult.__test__ = False  # type: ignore[attr-defined]
#: Nothing was seen, and nothing could have been.
NONE = TestResult(1.0, 1.0)


@lru_cache(maxsize=4096)
def boschloo(count: int, total: int, base_count: int, base_total: int) -> TestResult:
    """Whether ``count`` of ``total`` is less than ``base_count`` of ``base_total``: Boschloo's exact test (1970).

    The probability of a Fisher's p-value as small, for the share, the same on both sides, that makes it largest: of a
    fall from 16 of 16 to 8 of 16 it is 0.0004, Fisher's own 0.001, which is taken above 200 seeds. Pairs are not made
    use of: McNemar's test, which does, says 0.004, and seeds that train apart after a thousand steps are hardly pairs;
    where they are, the test is on the safe side. ``least`` is Fisher's: given how many there are on both sides.
    """
    if not (0 <= count <= total and 0 <= base_count <= base_total):
        raise ValueError(f"{count} of {total} and {base_count} of {base_total} are no shares")
    if not total or not base_total:
        return NONE
    both = count + base_count
    fisher, least = (
        float(hypergeom.cdf(low, total + base_total, both, total)) for low in (count, max(0, both - base_total))
    )
    if max(total, base_total) > _MANY_SEEDS or fisher == 1.0:
        return TestResult(fisher, least)
    as_small = _fishers(total, base_total) <= fisher * (1 + 1e-9)
    ours, theirs = (binom.pmf(np.arange(n + 1), n, _SHARES[:, None]) for n in (total, base_total))
    return TestResult(float(((ours @ as_small) * theirs).sum(axis=1).max()), least)


@lru_cache(maxsize=64)
def _fishers(total: int, base_total: int) -> np.ndarray:
    """Fisher's p-value of every count, (total + 1, base_total + 1)."""
    counts, base_counts = np.ogrid[: total + 1, : base_total + 1]
    return np.asarray(hypergeom.cdf(counts, total + base_total, counts + base_counts, total))


def signed_rank(differences: Sequence[float] | np.ndarray) -> TestResult:
    """Whether differences tend to be above 0: Wilcoxon's signed-rank test, exact with ties and infinities.

    Zeros are left out. Where the two sides of a pair are alike, a difference has either sign with equal probability: so
    the distribution of the positive ranks' sum is known, whatever the differences (Wilcoxon 1945).
    Raises ValueError on NaN.
    """
    apart = _numbers(differences)
    apart = apart[apart != 0]
    if not apart.size:
        return NONE
    # Mean ranks of ties are halves: twice the rank is whole.
    ranks = (2 * rankdata(np.abs(apart))).astype(int)
    ways = np.zeros(int(ranks.sum()) + 1)
    ways[0] = 1
    for rank in ranks:
        ways[rank:] += ways[: len(ways) - rank].copy()
        ways /= 2
    return TestResult(float(ways[ranks[apart > 0].sum() :].sum()), 2.0 ** -len(apart))


def rank_sum(values: Sequence[float] | np.ndarray, base: Sequence[float] | np.ndarray) -> TestResult:
    """Whether values tend to be above those of the base: the rank-sum test, exact with ties and infinities.

    Over all ways to say which of the values are the base's (Mann & Whitney 1947); normal, corrected for ties, with more
    than 60 values. Raises ValueError on NaN.
    """
    ours, theirs = _numbers(values), _numbers(base)
    n, m = len(ours), len(theirs)
    if not n or not m:
        return NONE
    ranks = (2 * rankdata(np.concatenate([ours, theirs]))).astype(int)
    total, most = int(ranks[:n].sum()), int(np.sort(ranks)[m:].sum())
    if n + m > _MANY:
        mean, spread = ranks.mean() * n, ranks.std() * math.sqrt(n * m / (n + m - 1))
        if not spread:
            return NONE
        # Twice the ranks: half a rank, the correction for steps, is 1.
        return TestResult(*(float(norm.sf((one - 1 - mean) / spread)) for one in (total, most)))
    # The number of ways to choose k of the values so that their ranks sum to s.
    ways = np.zeros((n + 1, most + 1))
    ways[0, 0] = 1
    for rank in ranks:
        for k in range(n - 1, -1, -1):
            if rank <= most:
                ways[k + 1, rank:] += ways[k, : most + 1 - rank]
    shares = ways[n] / math.comb(n + m, n)
    return TestResult(float(shares[total:].sum()), float(shares[most]))


def holm_tarone(tails: Sequence[TestResult], level: float) -> list[bool]:
    """Which of these are significant together: at most ``level`` is the probability of a single false one.

    Holm's correction (1979), in which those that could never have been significant do not count (Tarone 1990; their
    union: Hommel & Krummenauer 1998, section 3).
    """
    found = [False] * len(tails)
    while True:
        open_ = [place for place, done in enumerate(found) if not done]
        bar = level / tarone_k([tails[place] for place in open_], level)
        now = [place for place in open_ if tails[place].p <= bar]
        if not now:
            return found
        for place in now:
            found[place] = True


def tarone_k(tails: Sequence[TestResult], level: float) -> int:
    """By how many the level has to be divided: the least K such that at most K of the tests can reach level / K."""
    return next(k for k in range(1, len(tails) + 2) if sum(tail.least <= level / k for tail in tails) <= k)


def _numbers(values: Sequence[float] | np.ndarray) -> np.ndarray:
    numbers = np.asarray(values, dtype=float)
    if np.isnan(numbers).any():
        raise ValueError("NaN has no rank: leave missing values out, or give an infinity")
    return numbers
