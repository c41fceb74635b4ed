from __future__ import annotations

import numpy as np
import pytest
from planted import RING, of_mixture, without

from ganbench.metrics.precision_recall import Manifold, manifold

N = 10_000


def test_by_hand() -> None:
    """k = 1: the real balls are [-1, 1], [0, 2], [1, 3]; those of the samples [-4, 5] and [0.5, 9.5]."""
    read = manifold(np.array([[0.5], [5.0]]), np.array([[0.0], [1.0], [2.0]]), k=1)
    assert read == Manifold(precision=1 / 2, recall=1.0, density=2 / 2, coverage=2 / 3)


def test_the_data_itself() -> None:
    """Density 1 and coverage 1 - 2^-k on average, for k = 5 (Naeem et al. 2020, appendix); over 20 seeds."""
    data = of_mixture(RING)
    random = np.random.default_rng(0)
    read = [manifold(data.sample(random, 1000), data.sample(random, 1000)) for _ in range(20)]
    assert np.mean([one.density for one in read]) == pytest.approx(1, abs=0.02)
    assert np.mean([one.coverage for one in read]) == pytest.approx(1 - 2**-5, abs=0.005)
    assert min(min(one.precision, one.recall) for one in read) > 0.96


def test_lost_modes_cost_recall_and_coverage_and_no_precision() -> None:
    real = of_mixture(RING).sample(np.random.default_rng(0), N)
    read = manifold(without(RING, 4).sample(np.random.default_rng(1), N), real)
    assert read.precision > 0.97
    assert read.recall == pytest.approx(0.5, abs=0.05)
    assert read.coverage == pytest.approx(0.5, abs=0.05)


def test_far_from_the_data_is_nothing_in_common() -> None:
    real = of_mixture(RING).sample(np.random.default_rng(0), N)
    assert manifold(real + 100, real) == Manifold(0.0, 0.0, 0.0, 0.0)


def test_images_are_vectors_and_scale_and_order_do_not_matter() -> None:
    random = np.random.default_rng(0)
    samples, real = random.standard_normal((2, 300, 1, 8, 8))
    read = manifold(samples, real)
    assert read == manifold(samples.reshape(300, 64), real.reshape(300, 64))
    assert read == manifold(8 * samples, 8 * real)


def test_what_is_not_finite_is_inside_nothing() -> None:
    data = of_mixture(RING)
    samples, real = data.sample(np.random.default_rng(0), 2000), data.sample(np.random.default_rng(1), 2000)
    whole = manifold(samples, real)
    samples[::2] = np.nan
    half = manifold(samples, real)
    assert half.precision == pytest.approx(whole.precision / 2, abs=0.02)
    assert half.density == pytest.approx(whole.density / 2, abs=0.1)
    assert half.recall > 0.9
    samples[2:] = np.inf
    lone = manifold(samples, real)
    assert lone.recall == 0
    assert 0 < lone.precision <= 1 / 2000
    assert manifold(np.full((50, 2), np.nan), real) == Manifold(0.0, 0.0, 0.0, 0.0)


def test_the_choice_of_points_is_fixed() -> None:
    data = of_mixture(RING)
    samples, real = data.sample(np.random.default_rng(0), 5000), data.sample(np.random.default_rng(1), 5000)
    assert manifold(samples, real, most=500) == manifold(samples, real, most=500)


@pytest.mark.parametrize("k", [0, 5])
def test_a_neighbourhood_needs_neighbours(k: int) -> None:
    with pytest.raises(ValueError, match=f"below the number of real points, 5, not {k}"):
        manifold(np.zeros((5, 2)), np.zeros((5, 2)), k)
