from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import wasserstein_distance

from ganbench.metrics.sliced_wasserstein import sliced_wasserstein


def cloud(seed: int, n: int = 1000, d: int = 2) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, d))


def test_nothing_apart_and_a_shift_on_a_line_are_exact() -> None:
    x = cloud(0, d=1)
    assert sliced_wasserstein(x, x) == 0
    assert sliced_wasserstein(x[::-1] - 3, x) == pytest.approx(3)
    assert sliced_wasserstein(2 * x, x) == pytest.approx(math.sqrt((x**2).mean()))


@pytest.mark.parametrize("d", [2, 10, 64])
def test_a_shift_reads_its_length_over_the_root_of_the_dimension(d: int) -> None:
    """E (theta . v)^2 = |v|^2 / d; the mean over 8,192 directions, within four standard errors (sd at most sqrt 2)."""
    shift = np.zeros(d)
    shift[0] = 5.0
    read = sliced_wasserstein(cloud(0, d=d) + shift, cloud(0, d=d), projections=8192)
    assert read**2 * d / 25 == pytest.approx(1, abs=4 * math.sqrt(2 / 8192))


def test_it_bounds_the_first_order_on_a_line() -> None:
    x, y = cloud(0, d=1) ** 3, cloud(1, d=1)
    assert sliced_wasserstein(x, y) >= wasserstein_distance(x.ravel(), y.ravel())


def test_it_is_symmetric_and_in_units_of_the_data() -> None:
    x, y = cloud(0), cloud(1) + 1
    assert sliced_wasserstein(x, y) == pytest.approx(sliced_wasserstein(y, x))
    assert sliced_wasserstein(7 * x, 7 * y) == pytest.approx(7 * sliced_wasserstein(x, y))
    assert sliced_wasserstein(x.reshape(-1, 1, 2), y) == sliced_wasserstein(x, y)


def test_of_unequal_numbers_as_many_are_compared() -> None:
    assert sliced_wasserstein(cloud(0, n=4000) + 5, cloud(1)) == pytest.approx(5, abs=0.5)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e200])
def test_one_sample_that_is_not_finite_is_infinitely_far(value: float) -> None:
    samples = cloud(0)
    samples[3, 1] = value
    assert sliced_wasserstein(samples, cloud(1)) == math.inf


def test_those_compared_are_chosen_at_random() -> None:
    """Samples that stand in order, as a file may hold them."""
    ordered, real = np.sort(cloud(0, n=4000, d=1), axis=0), cloud(1, d=1)
    assert sliced_wasserstein(ordered, real) < 0.2
