from __future__ import annotations

import math

import numpy as np
import pytest
from planted import GRID, RING, both, circle, donuts, narrowed, of_mixture, without
from scipy.stats import chi2

from ganbench.data.mixture import Mixture
from ganbench.metrics.shape import shapes

N = 10_000


def bent(mixture: Mixture, stretch: tuple[float, float] = (1.0, 1.0), shift: float = 0.0, n: int = N) -> np.ndarray:
    random = np.random.default_rng(0)
    mode = random.integers(0, mixture.modes, n)
    noise = random.standard_normal((n, 2)) * stretch + [shift, 0]
    return mixture.means[mode] + mixture.std[mode, None] * noise


@pytest.mark.parametrize("mixture", [RING, GRID], ids=["ring", "grid"])
def test_the_data_itself_reads_its_floors(mixture: Mixture) -> None:
    """In units of 1 / sqrt n: 1.25 the centre, 0 the variance, -1.3 the smallest, 0.6 the radii; each within 0.4."""
    found = shapes(of_mixture(mixture).sample(np.random.default_rng(0), N), mixture)
    root = math.sqrt(N / mixture.modes)
    assert found.left_out == 0
    assert found.centre.mean() * root == pytest.approx(1.25, abs=0.4)
    assert (found.variance.mean() - 1) * root == pytest.approx(0, abs=0.6)
    assert (found.smallest.mean() - 1) * root == pytest.approx(-1.3, abs=0.4)
    assert found.radial.mean() * root == pytest.approx(0.65, abs=0.15)


@pytest.mark.parametrize("shift", [0.5, 1.0, 3.0, 8.0])
def test_modes_out_of_place_are_seen_as_that_alone(shift: float) -> None:
    found = shapes(bent(RING, shift=shift), RING)
    assert found.centre == pytest.approx(np.full(8, shift), abs=0.15)
    assert found.variance == pytest.approx(np.ones(8), abs=0.15)
    assert found.radial.max() < 0.06


@pytest.mark.parametrize(
    ("stretch", "variance", "smallest"),
    [
        ((0.5, 0.5), 0.25, 0.25),
        ((2.0, 2.0), 4.0, 4.0),
        ((5.0, 5.0), 25.0, 25.0),
        ((0.2, 1.0), 0.52, 0.04),
        ((1e-4, 1.0), 0.5, 0.0),
    ],
)
def test_width_and_squeeze_are_told_apart(stretch: tuple[float, float], variance: float, smallest: float) -> None:
    found = shapes(bent(RING, stretch=stretch), RING)
    assert np.median(found.variance) == pytest.approx(variance, rel=0.1)
    assert np.median(found.smallest) == pytest.approx(smallest, rel=0.15, abs=1e-6)
    assert found.radial.max() < 0.08


def test_a_donut_has_the_right_width_and_the_wrong_radii() -> None:
    """A thin ring's Kolmogorov-Smirnov distance is P(chi2_2 <= 2) = 0.632."""
    found = shapes(donuts(RING, thickness=1e-3).sample(np.random.default_rng(0), N), RING)
    assert found.variance == pytest.approx(np.ones(8), abs=0.05)
    assert found.radial == pytest.approx(np.full(8, chi2(2).cdf(2)), abs=0.1)


def test_a_point_and_a_line_have_no_radii() -> None:
    point = shapes(np.tile(RING.means[2], (N, 1)), RING)
    assert (point.centre[0], point.variance[0], point.smallest[0], point.radial[0]) == (0, 0, 0, 1)
    assert point.left_out == 7
    line = shapes(bent(RING, stretch=(0.0, 1.0)), RING)
    assert line.smallest == pytest.approx(np.zeros(8), abs=1e-12)
    assert line.radial.tolist() == [1.0] * 8


def test_strewn_samples_are_not_width() -> None:
    strewn = both(of_mixture(RING), circle(2.0, 0.02), 0.05)
    found = shapes(strewn.sample(np.random.default_rng(0), N), RING)
    assert found.variance == pytest.approx(np.ones(8), abs=0.15)


def test_modes_with_few_samples_are_left_out_and_counted() -> None:
    samples = without(RING, 3).sample(np.random.default_rng(0), N)
    assert (shapes(samples, RING).left_out, len(shapes(samples, RING).centre)) == (3, 5)
    samples[:19] = RING.means[0] + 0.02 * np.random.default_rng(1).standard_normal((19, 2))
    assert shapes(samples, RING).left_out == 3
    samples[19] = RING.means[0]
    assert shapes(samples, RING).left_out == 2
    high = Mixture(np.eye(50) * 100, 1.0)
    assert shapes(of_mixture(high).sample(np.random.default_rng(0), N), high).left_out == 50


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e200])
def test_what_is_not_finite_or_very_far_has_no_form(value: float) -> None:
    assert shapes(np.full((N, 2), value), RING).left_out == 8
    samples = narrowed(RING, 0.5).sample(np.random.default_rng(0), N)
    samples[::2] = value
    assert np.median(shapes(samples, RING).variance) == pytest.approx(0.25, abs=0.03)


def test_a_squeezed_mode_is_as_full_in_any_direction() -> None:
    random = np.random.default_rng(0)
    noise = random.standard_normal((N, 2)) * [0.2, 1.0] @ np.array([[0.6, 0.8], [-0.8, 0.6]])
    found = shapes(RING.means[random.integers(0, 8, N)] + 0.02 * noise, RING)
    assert np.median(found.smallest) == pytest.approx(0.04, rel=0.15)
    assert found.radial.max() < 0.08


def test_too_much_in_the_middle_is_no_gaussian_either() -> None:
    """Half of a mode 0.1 std wide and half 1.4: the distance of the radii is known."""
    random = np.random.default_rng(0)
    width = random.choice([0.1, 1.4], N)[:, None]
    found = shapes(RING.means[random.integers(0, 8, N)] + 0.02 * width * random.standard_normal((N, 2)), RING)
    t = np.linspace(0, 20, 10_000)
    radii = 1 - (np.exp(-t * 0.985 / 0.02) + np.exp(-t * 0.985 / 3.92)) / 2
    assert np.median(found.radial) == pytest.approx(np.abs(radii - chi2(2).cdf(t)).max(), abs=0.03)
