"""The exact tests against scipy's, by brute force, and by the rates they promise."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, boschloo_exact, fisher_exact, mannwhitneyu, wilcoxon

from ganbench.stats.exact_tests import NONE, TestResult, boschloo, holm_tarone, rank_sum, signed_rank, tarone_k

# Few different values, so that there are ties and zeros, and infinities as of seeds that diverged.
numbers = st.sampled_from([-math.inf, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, math.inf])


def test_sixteen_of_sixteen_to_eight_is_what_boschloo_says():
    tail = boschloo(8, 16, 16, 16)
    assert tail.p == pytest.approx(0.00044, rel=1e-2)
    assert tail.least == pytest.approx(0.001223, rel=1e-3)


@pytest.mark.parametrize("table", [(8, 16, 16, 16), (3, 12, 9, 14), (0, 5, 4, 6), (30, 64, 50, 64), (7, 9, 8, 9)])
def test_shares_are_compared_as_scipy_does(table):
    count, total, base_count, base_total = table
    rows = [[count, base_count], [total - count, base_total - base_count]]
    assert boschloo(*table).p == pytest.approx(boschloo_exact(rows, "less", n=64).pvalue, rel=1e-3)


@given(st.integers(1, 20), st.integers(1, 20), st.data())
def test_no_share_is_less_significant_than_fisher_says(total, base_total, data):
    count, base_count = data.draw(st.integers(0, total)), data.draw(st.integers(0, base_total))
    table = [[count, total - count], [base_count, base_total - base_count]]
    found = boschloo(count, total, base_count, base_total)
    assert found.p <= fisher_exact(table, "less").pvalue * (1 + 1e-6)


@pytest.mark.parametrize("share", [0.02, 0.1, 0.5, 0.84, 0.95])
def test_a_share_falls_significantly_as_often_as_said_where_it_does_not_fall(share):
    """Exactly, over all counts of 16 and 16: at most the level."""
    chances = binom.pmf(np.arange(17), 16, share)
    for level in (0.05, 0.005, 0.0005):
        found = [(k, b) for k in range(17) for b in range(17) if boschloo(k, 16, b, 16).p <= level]
        assert sum(chances[k] * chances[b] for k, b in found) <= level


def test_with_more_seeds_it_is_fishers():
    assert boschloo(150, 201, 180, 201).p == pytest.approx(fisher_exact([[150, 51], [180, 21]], "less").pvalue)


def test_where_nobody_or_everybody_has_it_no_difference_could_be_seen():
    assert boschloo(16, 16, 16, 16) == boschloo(0, 16, 0, 16) == NONE == boschloo(0, 0, 5, 16)


def test_a_share_of_more_than_all_is_refused():
    with pytest.raises(ValueError, match="17 of 16"):
        boschloo(17, 16, 0, 16)


@given(st.lists(st.floats(-5, 5).filter(lambda x: abs(x) > 1e-3), min_size=1, max_size=20, unique_by=abs))
def test_signed_ranks_without_ties_are_scipys(differences):
    expected = wilcoxon(differences, alternative="greater", method="exact").pvalue
    assert signed_rank(differences).p == pytest.approx(expected)


@given(st.lists(numbers, max_size=8))
def test_signed_ranks_are_those_of_all_sign_flips(differences):
    """With ties and infinities, by brute force: the share of sign flips with as large a sum of positive ranks."""
    sizes = sorted(abs(one) for one in differences if one)
    ranks = {size: 1 + sizes.index(size) + (sizes.count(size) - 1) / 2 for size in sizes}

    def positive(values):
        return sum(ranks[abs(one)] for one in values if one > 0)

    apart = [one for one in differences if one]
    flips = [
        [s * abs(d) for s, d in zip(signs, apart, strict=True)]
        for signs in itertools.product((1, -1), repeat=len(apart))
    ]
    share = sum(positive(flip) >= positive(apart) - 1e-9 for flip in flips) / len(flips)
    found = signed_rank(differences)
    assert found.p == pytest.approx(share)
    assert found.least == pytest.approx(2.0 ** -len(apart))


@given(st.lists(numbers, min_size=1, max_size=5), st.lists(numbers, min_size=1, max_size=5))
def test_rank_sums_are_those_of_all_labels(values, base):
    """With ties and infinities, by brute force: the share of ways to label the values with as large a sum of ranks."""
    both = sorted([*values, *base])
    ranks = [1 + both.index(one) + (both.count(one) - 1) / 2 for one in [*values, *base]]
    own = sum(ranks[: len(values)])
    sums = [sum(chosen) for chosen in itertools.combinations(ranks, len(values))]
    found = rank_sum(values, base)
    assert found.p == pytest.approx(sum(one >= own - 1e-9 for one in sums) / len(sums))
    assert found.least == pytest.approx(sum(one >= max(sums) - 1e-9 for one in sums) / len(sums))


def test_many_rank_sums_are_scipys():
    random = np.random.default_rng(0)
    values, base = random.normal(0.3, 1, 50).round(1), random.normal(0, 1, 60).round(1)
    expected = mannwhitneyu(values, base, alternative="greater", method="asymptotic").pvalue
    assert rank_sum(values, base).p == pytest.approx(expected, rel=1e-6)
    assert rank_sum(np.ones(40), np.ones(40)) == NONE


@pytest.mark.parametrize(
    "test", [signed_rank, lambda values: rank_sum(values, [0.0]), lambda values: rank_sum([0.0], values)]
)
def test_nan_is_refused(test):
    with pytest.raises(ValueError, match="NaN"):
        test([1.0, math.nan])


def test_without_values_nothing_could_be_seen():
    assert signed_rank([0.0, 0.0]) == signed_rank([]) == rank_sum([], [1.0]) == rank_sum([1.0], []) == NONE


def test_holm_rejects_one_after_another():
    """0.01 / 3, then 0.01 / 2, then 0.01: the third fails its own bar."""
    assert holm_tarone([TestResult(0.003, 0), TestResult(0.02, 0), TestResult(0.0049, 0)], 0.01) == [True, False, True]
    assert holm_tarone([TestResult(0.004, 0), TestResult(0.004, 0), TestResult(0.004, 0)], 0.01) == [False] * 3
    assert holm_tarone([], 0.01) == []


def test_what_could_never_be_significant_does_not_count():
    """Of 100 shares on which all seeds agree none can be significant: the one where some do not is judged alone."""
    hopeless = [NONE] * 100
    assert tarone_k(hopeless, 0.01) == 1
    assert holm_tarone([boschloo(8, 16, 16, 16), *hopeless], 0.005) == [True, *[False] * 100]
    assert tarone_k([TestResult(0.5, 1e-5)] * 7, 0.01) == 7


@pytest.mark.parametrize("share", [0.05, 0.5, 0.84, 0.95])
@pytest.mark.parametrize("cells", [3, 12])
def test_shares_alone_are_falsely_accused_at_most_as_often_as_promised(share, cells):
    """Fisher's test tells what could be significant, Boschloo's what is: that this keeps the level is measured.

    4,000 families at 5 %, half of the cells at this share and half covered by all seeds: the bound fails by chance in 1
    of 1,000.
    """
    random = np.random.default_rng(7)
    shares = [share] * (cells - cells // 2) + [1.0] * (cells // 2)
    drawn = random.binomial(16, shares, (4000, 2, cells))
    false = sum(
        any(holm_tarone([boschloo(a, 16, b, 16) for a, b in zip(*both, strict=True)], 0.05)) for both in drawn.tolist()
    )
    assert false <= 4000 * 0.05 + 3.1 * math.sqrt(4000 * 0.05 * 0.95)


@pytest.mark.parametrize("cells", [3, 12])
def test_a_whole_family_is_falsely_accused_at_most_as_often_as_promised(cells):
    """2,000 families of null comparisons at 5 %: at most 5 % have a rejection (fails by chance in 1 of 1,000)."""
    random = np.random.default_rng(cells)
    false = 0
    for _ in range(2000):
        tails = [signed_rank(random.standard_t(2, 16)) for _ in range(cells)]
        shares = random.choice([0.0, 0.5, 0.84, 1.0], cells)
        tails += [boschloo(random.binomial(16, p), 16, random.binomial(16, p), 16) for p in shares]
        false += any(holm_tarone(tails, 0.05))
    assert false <= 2000 * 0.05 + 3.1 * math.sqrt(2000 * 0.05 * 0.95)
