"""Exact one-sided tests for few seeds, and the correction for many tests at once.

Each test gives ``p``, the probability of data at least as extreme if both groups have the same distribution, and
``least``, the smallest p that was possible: with few seeds, or where nearly all values agree, it is far from 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import scipy

#: With more values than this, of both groups together, the distribution of a rank sum is taken as normal.
_MANY = 60
#: With more seeds than this in a group Fisher's test is as good.
_MANY_SEEDS = 200
#: The shares that are tried to find the one with the largest p-value.
_SHARES = np.linspace(0.0, 1.0, 1001)


class TestResult(NamedTuple):
    """The p-value of a one-sided test, and the smallest p-value that was possible."""

    p: float
    least: float


#: Without this pytest takes the class for a test, because of its name.
TestResult.__test__ = False  # type: ignore[attr-defined]
#: The result without data: no significance was possible.
NONE = TestResult(1.0, 1.0)


@lru_cache(maxsize=4096)
def boschloo(count: int, total: int, base_count: int, base_total: int) -> TestResult:
    """Whether the share ``count / total`` is less than ``base_count / base_total``: Boschloo's exact test (1970).

    p is the probability of a p-value of Fisher's test as small, for the common share that makes it largest. For a fall
    from 16 of 16 to 8 of 16 it is 0.0004; Fisher's own is 0.001, and is used above 200 seeds. The test does not use
    that seeds are paired: McNemar's test, which does, gives 0.004, and seeds that have diverged from each other after
    a thousand steps are hardly pairs. Where they are pairs, the test is conservative.

    Args:
        count: how many seeds of the new group have the property.
        total: how many seeds the new group has.
        base_count: how many seeds of the base have the property.
        base_total: how many seeds the base has.

    Returns:
        The result; its ``least`` is that of Fisher's test, given how many seeds of both groups have the property.

    Raises:
        ValueError: a count is below 0 or above its total.
    """
    if not (0 <= count <= total and 0 <= base_count <= base_total):
        raise ValueError(f"{count} of {total} and {base_count} of {base_total} are no shares")
    if not total or not base_total:
        return NONE
    both = count + base_count
    lows = (count, max(0, both - base_total))
    fisher, least = (float(scipy.stats.hypergeom.cdf(low, total + base_total, both, total)) for low in lows)
    if max(total, base_total) > _MANY_SEEDS or fisher == 1.0:
        return TestResult(fisher, least)
    as_small = _fishers(total, base_total) <= fisher * (1 + 1e-9)
    ours, theirs = (scipy.stats.binom.pmf(np.arange(n + 1), n, _SHARES[:, None]) for n in (total, base_total))
    return TestResult(float(((ours @ as_small) * theirs).sum(axis=1).max()), least)


@lru_cache(maxsize=64)
def _fishers(total: int, base_total: int) -> np.ndarray:
    """Fisher's p-value of every count, (total + 1, base_total + 1)."""
    counts, base_counts = np.ogrid[: total + 1, : base_total + 1]
    return np.asarray(scipy.stats.hypergeom.cdf(counts, total + base_total, counts + base_counts, total))


def signed_rank(differences: Sequence[float] | np.ndarray) -> TestResult:
    """Whether differences tend to be above 0: Wilcoxon's signed-rank test, exact with ties and infinities.

    Zeros are left out. If both values of a pair have the same distribution, either sign of their difference is equally
    likely: so the distribution of the sum of the positive ranks is known, whatever the differences (Wilcoxon 1945).
    Raises ValueError on NaN.
    """
    apart = _numbers(differences)
    apart = apart[apart != 0]
    if not apart.size:
        return NONE
    # Ties share their mean rank, a multiple of 1/2: twice the rank is a whole number.
    ranks = (2 * scipy.stats.rankdata(np.abs(apart))).astype(int)
    ways = np.zeros(int(ranks.sum()) + 1)
    ways[0] = 1
    for rank in ranks:
        ways[rank:] += ways[: len(ways) - rank].copy()
        ways /= 2
    return TestResult(float(ways[ranks[apart > 0].sum() :].sum()), 2.0 ** -len(apart))


def rank_sum(values: Sequence[float] | np.ndarray, base: Sequence[float] | np.ndarray) -> TestResult:
    """Whether values tend to be above those of the base: the rank-sum test, exact with ties and infinities.

    The distribution is that over all ways to choose which of the values are the base's (Mann & Whitney 1947); with more
    than 60 values it is taken as normal, corrected for ties. Raises ValueError on NaN.
    """
    ours, theirs = _numbers(values), _numbers(base)
    n, m = len(ours), len(theirs)
    if not n or not m:
        return NONE
    ranks = (2 * scipy.stats.rankdata(np.concatenate([ours, theirs]))).astype(int)
    total, most = int(ranks[:n].sum()), int(np.sort(ranks)[m:].sum())
    if n + m > _MANY:
        mean, spread = ranks.mean() * n, ranks.std() * math.sqrt(n * m / (n + m - 1))
        if not spread:
            return NONE
        # The ranks are doubled, so the continuity correction, half a rank, is 1.
        return TestResult(*(float(scipy.stats.norm.sf((one - 1 - mean) / spread)) for one in (total, most)))
    # The number of ways to choose k of the values so that their ranks sum to s.
    ways = np.zeros((n + 1, most + 1))
    ways[0, 0] = 1
    for rank in ranks:
        for k in range(n - 1, -1, -1):
            if rank <= most:
                ways[k + 1, rank:] += ways[k, : most + 1 - rank]
    shares = ways[n] / math.comb(n + m, n)
    return TestResult(float(shares[total:].sum()), float(shares[most]))


def holm_tarone(results: Sequence[TestResult], level: float) -> list[bool]:
    """Which of several tests are significant: the probability of one or more false ones is at most ``level``.

    Holm's correction (1979), in which tests that could never have been significant do not count (Tarone 1990; both
    together: Hommel & Krummenauer 1998, section 3).
    """
    found = [False] * len(results)
    while True:
        open_ = [place for place, done in enumerate(found) if not done]
        alpha = level / tarone_k([results[place] for place in open_], level)
        now = [place for place in open_ if results[place].p <= alpha]
        if not now:
            return found
        for place in now:
            found[place] = True


def tarone_k(results: Sequence[TestResult], level: float) -> int:
    """The number K to divide the level by: the least K such that at most K of the tests can reach level / K."""
    return next(k for k in range(1, len(results) + 2) if sum(one.least <= level / k for one in results) <= k)


def _numbers(values: Sequence[float] | np.ndarray) -> np.ndarray:
    numbers = np.asarray(values, dtype=float)
    if np.isnan(numbers).any():
        raise ValueError("NaN has no rank: leave missing values out, or give an infinity")
    return numbers
