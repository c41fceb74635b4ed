from __future__ import annotations

import math

import numpy as np
import pytest
from planted import RING, narrowed, of_mixture

from ganbench.metrics.mmd import mmd


def cloud(seed: int, n: int = 1000, shift: float = 0.0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, 1)) + shift


def test_by_hand() -> None:
    """Two points each, one width: the median distance of the real ones, 1."""

    def k(x: float, y: float) -> float:
        return math.exp(-((x - y) ** 2) / 2)

    cross = (k(0, 5) + k(0, 6) + k(2, 5) + k(2, 6)) / 4
    read = mmd(np.array([[0.0], [2.0]]), np.array([[5.0], [6.0]]), (0.5,))
    assert read.value == pytest.approx(k(0, 2) + k(5, 6) - 2 * cross, abs=1e-6)


@pytest.mark.parametrize("shift", [0.5, 1.0, 2.0])
def test_a_shifted_gaussian_reads_the_known_value(shift: float) -> None:
    """N(0, 1) and N(m, 1), width s: 2 s / sqrt(s^2 + 2) (1 - exp(-m^2 / 2 (s^2 + 2))); within four standard errors."""
    width = math.sqrt(2) * 0.6745  # the median distance of two draws from N(0, 1)
    truth = 2 * width / math.sqrt(width**2 + 2) * (1 - math.exp(-(shift**2) / (2 * (width**2 + 2))))
    read = mmd(cloud(0, 2000, shift), cloud(1, 2000), (0.5,))
    assert abs(read.value - truth) < 4 * read.se + 0.05 * truth


def test_the_data_itself_reads_nothing_on_average_and_no_more_than_its_error() -> None:
    """Over 60 seeds: the mean within four standard errors of 0, some below it; the error is wide by 1 to 1.7 times."""
    data = of_mixture(RING)
    random = np.random.default_rng(0)
    read = [mmd(data.sample(random, 300), data.sample(random, 300)) for _ in range(60)]
    values = np.array([one.value for one in read])
    assert abs(values.mean()) < 4 * values.std(ddof=1) / math.sqrt(60)
    assert (values < 0).mean() > 0.3
    assert 1.0 < np.mean([one.se for one in read]) / values.std(ddof=1) < 1.7


def test_the_median_alone_is_blind_within_modes() -> None:
    real = of_mixture(RING).sample(np.random.default_rng(0), 2000)
    narrow = narrowed(RING, 0.5).sample(np.random.default_rng(1), 2000)
    median, scales = mmd(narrow, real, (0.5,)), mmd(narrow, real)
    assert median.value < 3 * median.se
    assert scales.value > 8 * scales.se


def test_the_width_is_of_the_real_points_alone_and_units_cancel() -> None:
    x, y = cloud(0, shift=1), cloud(1)
    assert mmd(1000 * x, 1000 * y).value == pytest.approx(mmd(x, y).value, rel=1e-4)
    assert mmd(x * 1e6, y).value > mmd(x, y).value


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e200])
def test_a_sample_that_is_not_finite_is_like_no_other(value: float) -> None:
    """As if each were far from all else."""
    samples, real = cloud(0), cloud(1)
    samples[::2] = value
    distant = samples.copy()
    distant[::2, 0] = 1e50 * np.arange(1, 501)
    assert mmd(samples, real) == mmd(distant, real)
    assert mmd(samples, real).value > 3 * mmd(samples, real).se
    nothing = mmd(np.full((100, 1), value), real)
    assert nothing.value > 0


@pytest.mark.parametrize(
    ("samples", "real", "says"),
    [
        (np.zeros((1, 2)), np.ones((5, 2)), "2 points of each, not 1 and 5"),
        (np.zeros((5, 2)), np.ones((5, 2)), "too many of the real points coincide"),
    ],
)
def test_what_has_no_discrepancy_says_so(samples: np.ndarray, real: np.ndarray, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        mmd(samples, real)


def test_real_points_that_coincide_leave_a_width_while_some_differ() -> None:
    real = np.concatenate([np.zeros((70, 1)), cloud(0, 300)])
    assert mmd(real, real).value <= 0
    assert mmd(real + 3, real).value > 0.1


def test_a_generator_without_a_finite_sample_is_like_no_data_in_many_dimensions_too() -> None:
    """Above 16 dimensions distances come from a product, centred on a mean that no rows would not have."""
    real = np.random.default_rng(0).standard_normal((50, 20))
    assert mmd(np.full((50, 20), np.nan), real).value > 0
