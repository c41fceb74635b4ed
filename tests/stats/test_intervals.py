"""ganbench.stats.intervals: known answers, and coverage that can be counted."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import quantile_test

from ganbench.stats.intervals import Interval, interquartile_mean, median, share


def test_median_of_16_lies_between_the_4th_and_the_13th():
    # Conover, table A3: P(3 < Binomial(16, 1/2) < 13) = 0.979.
    assert median(range(1, 17)) == Interval(8.5, 4, 13)


def test_no_interval_below_six_values():
    assert median([3, 1, 2, 5, 4]) == Interval(3, None, None)
    assert median([3, 1, 2, 5, 4, 6]) == Interval(3.5, 1, 6)
    assert median([7]) == Interval(7, None, None)
    assert median([]) == Interval(None, None, None)


@given(st.lists(st.floats(-1e9, 1e9), min_size=6, max_size=60))
def test_interval_agrees_with_scipy(values):
    found = median(values)
    theirs = quantile_test(values, q=0, p=0.5).confidence_interval(0.95)
    assert (found.low, found.high) == (theirs.low, theirs.high)


@pytest.mark.parametrize("n", [6, 7, 9, 12])
def test_interval_covers_in_at_least_95_percent_of_all_outcomes(n):
    """Exactly, not by chance: every pattern of values below and above the median is as likely as any other."""
    covered = 0
    for signs in product((-1, 1), repeat=n):
        estimate = median(sign * (rank + 1) for rank, sign in enumerate(signs))
        covered += estimate.low <= 0 <= estimate.high
    assert covered / 2**n >= 0.95


def test_what_was_not_observed_counts_as_beyond_all_others():
    never = math.inf
    assert median([100, 200, never]).value == 200
    assert median([100, never, never]).value is None
    assert median([100, 200, never, never]).value is None, "half is not more than half"
    assert median([1, 2, 3, 4, 5, 6, never]) == Interval(4, 1, None)
    assert median([1, 2, 3, 4, 5, -never]) == Interval(2.5, None, 5)


@pytest.mark.parametrize("summary", [median, interquartile_mean])
def test_nan_is_refused(summary):
    with pytest.raises(ValueError, match="NaN"):
        summary([1.0, math.nan])


@pytest.mark.parametrize(
    ("count", "total", "low", "high"),
    [
        # 0 of n and n of n have closed forms: 1 - (alpha/2)^(1/n).
        (0, 10, 0.0, 1 - 0.025 ** (1 / 10)),
        (16, 16, 0.025 ** (1 / 16), 1.0),
        (1, 2, 1 - math.sqrt(0.975), math.sqrt(0.975)),
        # Clopper & Pearson's own kind of case: 5 of 10.
        (5, 10, 0.187086, 0.812914),
    ],
)
def test_share_has_the_interval_of_clopper_and_pearson(count, total, low, high):
    found = share(count, total)
    assert found.value == count / total
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-6)


def test_share_of_nothing_is_nothing():
    assert share(0, 0) == Interval(None, None, None)


def test_interquartile_mean_is_the_mean_of_the_middle_half():
    assert interquartile_mean([9, 1, 2, 3, 4, 5, 6, -9]).value == (2 + 3 + 4 + 5) / 4
    # A quarter of 6 is 1.5: one is left out at each end.
    assert interquartile_mean([100, 1, 2, 3, 4, -100]).value == 2.5
    assert interquartile_mean([7]) == Interval(7, None, None)
    assert interquartile_mean([]) == Interval(None, None, None)
    assert interquartile_mean([3.0] * 6) == Interval(3, 3, 3)


def test_interquartile_mean_bears_as_many_unknown_values_as_it_leaves_out():
    never = math.inf
    found = interquartile_mean([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, never, never, never])
    assert found.value == pytest.approx(8.5)
    assert found.low is not None
    assert found.high is None, "another draw of seeds may well have more of them"
    assert interquartile_mean([1, 2, 3, 4, 5, never, never, never]).value is None
    assert interquartile_mean([never] * 8) == Interval(None, None, None)
    assert interquartile_mean([-never] * 8 + [never] * 8) == Interval(None, None, None)


@given(st.lists(st.floats(-1e6, 1e6), min_size=6, max_size=30))
def test_interquartile_mean_lies_in_its_interval_and_is_the_same_again(values):
    found = interquartile_mean(values)
    slack = 1e-9 * max(map(abs, values))
    assert found.low - slack <= found.value <= found.high + slack
    assert interquartile_mean(reversed(values)) == found


DRAWS = {
    "normal": lambda random, shape: random.normal(size=shape),
    "skewed": lambda random, shape: random.lognormal(size=shape),
    "bimodal": lambda random, shape: random.normal(size=shape) + 5 * (random.random(shape) < 0.3),
    "heavy tails": lambda random, shape: random.standard_t(2, shape),
}


@pytest.mark.parametrize("seeds", [6, 16])
@pytest.mark.parametrize("name", DRAWS)
def test_interquartile_mean_interval_covers_its_95_percent(name, seeds):
    """400 draws: a true coverage of 95 % shows fewer than 92 % with probability 0.3 %; the plain bootstrap 89 to 95."""
    random = np.random.default_rng(0)
    whole = np.sort(DRAWS[name](random, 1_000_000))
    truth = whole[250_000:750_000].mean()
    found = [interquartile_mean(DRAWS[name](random, seeds)) for _ in range(400)]
    assert sum(one.low <= truth <= one.high for one in found) / len(found) >= 0.92
