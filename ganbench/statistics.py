"""Medians and shares over seeds, with exact intervals.

Both intervals hold for every distribution and every number of seeds: nothing is assumed normal, and where there
are too few values for an interval there is none.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable
from typing import NamedTuple

from scipy.stats import binom, binomtest

#: The confidence of every interval over seeds.
CONFIDENCE = 0.95


class Estimate(NamedTuple):
    """A number and the ends of its interval; None where there is no (finite) such number."""

    value: float | None
    low: float | None
    high: float | None


NOTHING = Estimate(None, None, None)


def median(values: Iterable[float]) -> Estimate:
    """The median and its interval between two order statistics, e.g. the 4th and 13th of 16.

    The interval covers the true median with probability at least 95 %, whatever the distribution (Conover,
    Practical Nonparametric Statistics, 1999, section 3.2); it needs at least 6 values. A value that is only known
    to lie beyond all others may be given as an infinity: a median or end that falls on one is None. So the
    median of censored times exists as soon as more than half of them were observed. Raises ValueError on NaN.
    """
    ordered = sorted(float(value) for value in values)
    if any(map(math.isnan, ordered)):
        raise ValueError("a median of NaN has no meaning: leave missing values out, or give an infinity")
    if not ordered:
        return NOTHING
    # The largest rank r with P(Binomial(n, 1/2) < r) below 2.5 %; 0 where even the extremes are too narrow.
    rank = int(binom.ppf((1 - CONFIDENCE) / 2, len(ordered), 0.5))
    low, high = (ordered[rank - 1], ordered[-rank]) if rank else (math.inf, math.inf)
    return Estimate(_finite(statistics.median(ordered)), _finite(low), _finite(high))


def share(count: int, total: int) -> Estimate:
    """The share ``count / total`` and its exact interval (Clopper & Pearson 1934); None for a total of 0."""
    if total == 0:
        return NOTHING
    interval = binomtest(count, total).proportion_ci(CONFIDENCE, method="exact")
    return Estimate(count / total, float(interval.low), float(interval.high))


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
