"""ganbench.stats.paired: known answers; coverage and power counted by simulation, seeds fixed, error rates stated."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom, wilcoxon

from ganbench.stats.intervals import Interval, interquartile_mean
from ganbench.stats.paired import detectable, differences, effect, holm, improvement, p_value

INF = math.inf


def test_missing_value_is_worse_than_any_and_as_bad_as_another():
    assert differences([1, INF, 1, INF], [3, 1, INF, INF]).tolist() == [-2, INF, -INF, 0]
    with pytest.raises(ValueError, match="2 and 1"):
        differences([1, 2], [1])


def test_improvement_counts_the_pairs_that_win_and_half_of_those_that_tie():
    assert improvement([1, 2], [2, 3], lower=True).value == (1 + 1 + 0.5 + 1) / 4
    assert improvement([1, 2], [2, 3], lower=False).value == 0.5 / 4
    assert improvement([5, 5], [5, 5], lower=True).value == 0.5
    assert improvement([1, INF], [INF, INF], lower=True).value == 0.75
    assert improvement([], [1], lower=True) == Interval(None, None, None)


def test_improvement_has_an_interval_where_every_seed_wins():
    """A bootstrap would say [1, 1]. Of 16 wins in 16 pairs alone one would know at least 0.794 (Clopper-Pearson)."""
    found = improvement(range(16), range(100, 116), lower=True)
    assert (found.value, found.high) == (1, 1)
    assert 0.794 < found.low < 0.9
    lost = improvement(range(100, 116), range(16), lower=True)
    assert (lost.value, lost.low) == (0, 0)
    assert lost.high == pytest.approx(1 - found.low)


@pytest.mark.parametrize("seeds", [6, 16])
@pytest.mark.parametrize("shift", [0.0, 1.0, 2.5])
@pytest.mark.parametrize("alike", [0.0, 0.7])
def test_improvement_interval_covers_its_95_percent(seeds, shift, alike):
    """600 draws: a true coverage of 95 % shows fewer than 92.2 % with probability 0.2 %. Pairing only widens it."""
    random = np.random.default_rng(1)

    def pairs(n):
        shared, own = random.normal(size=n) * alike, random.normal(size=(2, n)) * math.sqrt(1 - alike**2)
        return shared + own[0] - shift, shared + own[1] + 4 * (random.random(n) < 0.2)

    ours, theirs = pairs(400_000)
    truth = (ours < random.permutation(theirs)).mean()
    found = [improvement(*pairs(seeds), lower=True) for _ in range(600)]
    assert sum(one.low <= truth <= one.high for one in found) / len(found) >= 0.922


def test_paired_difference_covers_its_95_percent():
    """Bimodal variants that share their seeds' luck; 400 draws, below 92 % with probability 0.3 % at a true 95 %."""
    random = np.random.default_rng(2)

    def pairs(n):
        luck = random.normal(size=n)
        return luck + 3 * (random.random(n) < 0.4), luck + random.normal(size=n)

    whole = np.sort(differences(*pairs(1_000_000)))
    truth = whole[250_000:750_000].mean()
    for seeds in (8, 16):
        found = [interquartile_mean(differences(*pairs(seeds))) for _ in range(400)]
        assert sum(one.low <= truth <= one.high for one in found) / len(found) >= 0.92


def test_p_values_are_those_of_the_signed_rank_test():
    # All of n differences on one side: 2 / 2^n.
    assert p_value(np.arange(1.0, 7.0)) == pytest.approx(2 / 2**6)
    assert p_value(-np.arange(1.0, 11.0)) == pytest.approx(2 / 2**10)
    assert p_value(np.array([1.0, 2.0, 3.0, 4.0, 5.0, INF])) == pytest.approx(2 / 2**6)
    assert p_value(np.zeros(8)) == 1
    assert p_value(np.array([])) is None


def test_p_values_are_small_no_more_often_than_they_say():
    """Under the null, 4000 draws: above 6 % with probability 0.2 % at a true 5 %. Ties and missing values included."""
    random = np.random.default_rng(3)
    ours, theirs = random.integers(0, 9, (2, 4000, 16)).astype(float)
    ours[random.random(ours.shape) < 0.1] = INF
    theirs[random.random(theirs.shape) < 0.1] = INF
    p = [p_value(differences(a, b)) for a, b in zip(ours, theirs, strict=True)]
    assert np.mean(np.array(p) < 0.05) < 0.06


def test_holm_corrects_step_by_step():
    # Holm 1979: 0.01 x 4, 0.02 x 3, 0.03 x 2, and never below the one before.
    assert holm([0.03, 0.01, None, 0.04, 0.02]) == pytest.approx([0.06, 0.04, None, 0.06, 0.06], nan_ok=True)
    assert holm([0.6, 0.9]) == [1, 1]
    assert holm([]) == []


def test_holm_is_wrong_about_any_row_no_more_often_than_5_percent():
    """10 rows without a difference, 4000 tables: above 6 % with probability 0.2 % at a true 5 %."""
    p = np.random.default_rng(4).random((4000, 10))
    assert np.mean([min(holm(row)) < 0.05 for row in p]) < 0.06


@pytest.mark.parametrize("pairs", [7, 8, 10, 12, 16, 24, 32, 64])
def test_smallest_difference_is_found_in_80_percent_of_runs(pairs):
    """Normal differences shifted by it, 4000 draws (standard error 0.6 %): Wilcoxon's test finds 78 to 83 %."""
    shifted = np.random.default_rng(5).normal(effect(pairs), 1, (4000, pairs))
    assert 0.78 <= np.mean(wilcoxon(shifted, axis=1).pvalue < 0.05) <= 0.83


def test_half_of_the_smallest_difference_is_mostly_missed():
    shifted = np.random.default_rng(6).normal(effect(16) / 2, 1, (4000, 16))
    assert np.mean(wilcoxon(shifted, axis=1).pvalue < 0.05) < 0.35


def test_smallest_difference_shrinks_as_the_root_of_the_seeds():
    assert effect(6) > effect(7) > effect(8) > effect(16) > effect(100_000)
    # (1.960 + 0.842) sqrt(pi / 3n), for many.
    assert effect(10_000) == pytest.approx(2.802 * math.sqrt(math.pi / 30_000), rel=1e-3)
    with pytest.raises(ValueError, match="5 pairs"):
        effect(5)


def test_smallest_difference_is_in_the_units_of_the_differences():
    random = np.random.default_rng(7)
    apart = random.normal(0.3, 0.05, 16)
    assert detectable(apart) == pytest.approx(apart.std(ddof=1) * effect(16))
    assert detectable(10 * apart) == pytest.approx(10 * detectable(apart))
    assert detectable(apart + 5) == pytest.approx(detectable(apart)), "it does not depend on the difference found"


def test_smallest_difference_bears_seeds_that_failed_and_is_silent_where_nothing_is_known():
    apart = np.random.default_rng(8).normal(0, 1, 400)
    apart[:40] = INF
    assert detectable(apart) == pytest.approx(1.15 * effect(400), rel=0.15)
    assert detectable(np.array([1.0, 2, 3, 4, 5])) is None, "no outcome of 5 pairs is significant"
    assert detectable(np.zeros(16)) is None
    assert detectable(np.arange(16) / 10 + 0.02 - np.arange(16) / 10) is None, "rounding is no scatter"
    assert detectable(np.array([INF] * 8 + [1.0] * 8)) is None


def test_no_outcome_of_fewer_pairs_is_significant():
    assert binom.pmf(5, 5, 0.5) * 2 > 0.05 > binom.pmf(6, 6, 0.5) * 2
