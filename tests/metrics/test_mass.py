from __future__ import annotations

import math

import numpy as np
import pytest
from planted import GRID, RING, both, circle, of_mixture, without
from scipy.stats import chi, norm

from ganbench.data.mixture import Mixture
from ganbench.metrics.mass import data_shares, mass, stray_radius

N = 10_000


@pytest.mark.parametrize("mixture", [RING, GRID], ids=["ring", "grid"])
def test_the_floor_is_what_the_data_itself_reads_on_average(mixture: Mixture) -> None:
    """Mean of 40 seeds, within four of its standard errors."""
    data = of_mixture(mixture)
    read = [mass(data.sample(np.random.default_rng(seed), N), mixture) for seed in range(40)]
    values = np.array([one.total_variation for one in read])
    assert abs(values.mean() - read[0].floor) < 4 * values.std(ddof=1) / math.sqrt(40)
    assert max(one.stray for one in read) <= 2 / N


@pytest.mark.parametrize("lost", range(8))
def test_lost_modes_are_lost_mass(lost: int) -> None:
    read = mass(without(RING, lost).sample(np.random.default_rng(0), N), RING)
    assert read.total_variation == pytest.approx(lost / 8, abs=0.02)


def test_strewn_samples_count_for_a_mode_and_are_stray() -> None:
    """A tenth of the samples on the circle through the modes; 8 x 10.7 std of its 628 are near a mode."""
    strewn = both(of_mixture(RING), circle(2.0, 0.02), 0.1)
    read = mass(strewn.sample(np.random.default_rng(0), N), RING)
    assert read.total_variation < 0.02
    assert read.stray == pytest.approx(0.1 * (1 - 8 * 2 * 5 / 628), abs=0.015)


def test_what_is_not_finite_is_mass_where_the_data_has_none() -> None:
    samples = of_mixture(RING).sample(np.random.default_rng(0), N)
    samples[: N // 4] = np.nan
    read = mass(samples, RING)
    assert read.total_variation == pytest.approx(0.25, abs=0.02)
    assert read.stray == pytest.approx(0.25)
    nothing = mass(np.full((N, 2), np.inf), RING)
    assert (nothing.total_variation, nothing.stray) == (1.0, 1.0)
    far = mass(np.full((N, 2), 1e30), RING)
    assert (far.total_variation, far.stray) == pytest.approx((7 / 8, 1.0))


@pytest.mark.parametrize("dimension", [1, 2, 100])
def test_the_stray_radius_is_as_rare_as_five_std_on_a_line(dimension: int) -> None:
    assert chi(dimension).sf(stray_radius(dimension)) == pytest.approx(2 * norm.sf(5))


def test_shares_of_modes_that_overlap_are_those_of_the_nearest() -> None:
    """A wide mode over a narrow one: on the line, who is nearest in std is known."""
    mixture = Mixture([[0.0], [1.0]], [1.0, 0.1], [0.75, 0.25])
    # Nearest to the narrow one between the two points where the distances in std are equal.
    inside = norm.cdf(1 / 0.9) - norm.cdf(1 / 1.1)
    narrow = 0.75 * inside + 0.25 * (norm.cdf((1 / 0.9 - 1) / 0.1) - norm.cdf((1 / 1.1 - 1) / 0.1))
    assert data_shares(mixture) == pytest.approx([1 - narrow, narrow], abs=4e-3)
    samples = of_mixture(mixture).sample(np.random.default_rng(0), N)
    assert mass(samples, mixture).total_variation < 0.02
    assert data_shares(RING) is RING.weights


def test_the_wrong_shape_says_so() -> None:
    with pytest.raises(ValueError, match=r"shape \(n, 2\), n above 0, not \(5, 3\)"):
        mass(np.zeros((5, 3)), RING)
