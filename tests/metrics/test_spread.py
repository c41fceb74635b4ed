"""How widely samples spread and how far off they lie, in units of the data's total std."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ganbench.data.mixture import Mixture
from ganbench.metrics.spread import spread

N = 10_000
ANGLES = 2 * np.pi * np.arange(8) / 8
RING = Mixture(2 * np.column_stack([np.cos(ANGLES), np.sin(ANGLES)]), 0.02)


def ring() -> np.ndarray:
    random = np.random.default_rng(0)
    return RING.means[random.integers(8, size=N)] + 0.02 * random.standard_normal((N, 2))


@pytest.mark.parametrize("factor", [0.0, 0.5, 1.0, 3.0, 1e6])
def test_spread_is_in_units_of_the_datas(factor: float) -> None:
    found = spread(ring() * factor, RING)
    assert found.spread == pytest.approx(factor, rel=0.01)
    assert found.offset == pytest.approx(0, abs=0.05 * max(factor, 0.01))


def test_offset_is_the_distance_of_the_means() -> None:
    """The ring's total std is sqrt(2^2 + 2 x 0.02^2)."""
    found = spread(ring() + np.array([3, 4]), RING)
    assert found.offset == pytest.approx(5 / math.sqrt(4.0008), abs=0.05)
    assert found.spread == pytest.approx(1, abs=0.01)


def test_spread_knows_weights_and_stds() -> None:
    mixture = Mixture([[0.0], [10.0]], [1.0, 2.0], [0.9, 0.1])
    random = np.random.default_rng(0)
    mode = (random.random(100_000) < 0.1).astype(int)
    samples = mixture.means[mode] + mixture.std[mode, None] * random.standard_normal((len(mode), 1))
    found = spread(samples, mixture)
    assert found.spread == pytest.approx(1, abs=0.01)
    assert found.offset == pytest.approx(0, abs=0.015)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e200])
def test_spread_and_offset_are_of_the_finite_samples_while_half_of_them_are(value: float) -> None:
    samples = ring()
    samples[: N // 2] = value
    found = spread(samples, RING)
    assert (found.spread, found.offset) == (pytest.approx(1, abs=0.02), pytest.approx(0, abs=0.05))
    samples[: N // 2 + 1] = value
    found = spread(samples, RING)
    assert (found.spread, found.offset) == (None, None)


def test_spread_counts_every_dimension() -> None:
    blob = Mixture([[1.0, 2.0, 3.0]], 2.0)
    samples = np.random.default_rng(0).normal([1, 2, 3], 2, (N, 3))
    assert spread(samples, blob).spread == pytest.approx(1, abs=0.02)


def test_real_samples_tell_as_much_as_a_mixture() -> None:
    """Images have no modes, but what spreads over a tenth of them has collapsed all the same."""
    random = np.random.default_rng(1)
    real = random.normal(3.0, 2.0, (N, 1, 4, 4))
    found = spread(3.0 + 0.1 * random.normal(0, 2.0, (N, 1, 4, 4)), real)
    assert found.spread == pytest.approx(0.1, rel=0.02)
    assert found.offset == pytest.approx(0, abs=0.02)


def test_data_that_is_one_point_has_no_unit() -> None:
    found = spread(ring(), np.ones((100, 2)))
    assert (found.spread, found.offset) == (None, None)
