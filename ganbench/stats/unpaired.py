"""Two means from different trials, or two shares, each with its interval: how far they are apart.

Of what a paper prints there is only a number, its spread and how many trials it is of; so the interval of a difference
is made from the two intervals alone (Newcombe 1998, Statistics in Medicine 17(8), 873-890, method 10, for shares; Zou &
Donner 2008, Statistics in Medicine 27(10), 1693-1702, for any two).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import scipy

from ganbench.stats.intervals import CONFIDENCE, NOTHING, Interval


def mean(values: Sequence[float]) -> Interval:
    """The mean and its interval by Student's t; needs 2 values for an interval, and is None where one is not finite.

    Exact for normal values only; a mean is what papers print. Where all values are the same its interval has no width.
    """
    numbers = np.asarray(values, dtype=float)
    if not numbers.size or not np.isfinite(numbers).all():
        return NOTHING
    value = float(numbers.mean())
    if numbers.size < 2:
        return Interval(value, None, None)
    return with_spread(value, float(numbers.std(ddof=1)) / math.sqrt(numbers.size), numbers.size)


def with_spread(value: float, se: float | None, trials: int | None) -> Interval:
    """The interval of a mean that was printed with a standard error.

    Args:
        value: the mean.
        se: its standard error; 0 where it is exact, None where it was not printed: then there is no interval.
        trials: of how many values it is; None: not printed, and taken for many.

    Returns:
        The mean and its interval.
    """
    if se is None or (se > 0 and trials is not None and trials < 2):
        return Interval(value, None, None)
    tail = (1 - CONFIDENCE) / 2
    wide = float(scipy.stats.norm.isf(tail) if trials is None or se == 0 else scipy.stats.t.isf(tail, trials - 1))
    return Interval(value, value - wide * se, value + wide * se)


def difference(one: Interval, other: Interval) -> Interval:
    """``one`` minus ``other`` with its interval, from the intervals of both; no interval where either has none."""
    if one.value is None or other.value is None:
        return NOTHING
    value = one.value - other.value
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return Interval(value, None, None)
    below = math.hypot(one.value - one.low, other.high - other.value)
    above = math.hypot(one.high - one.value, other.value - other.low)
    return Interval(value, value - below, value + above)
