from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from ganbench.data.mixture import Mixture
from ganbench.metrics.modes import count_modes, good_radius, nearest, nearest_mode

ANGLES = 2 * np.pi * np.arange(8) / 8
RING = Mixture(2 * np.column_stack([np.cos(ANGLES), np.sin(ANGLES)]), 0.02)
N = 10_000


def ring(n: int = N, modes: int = 8, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    return RING.means[random.integers(0, modes, n)] + 0.02 * random.standard_normal((n, 2))


def test_the_data_itself_covers_all_and_is_not_all_of_high_quality() -> None:
    """98.89 % in two dimensions and 99.73 % in one, KL (K - 1) / 2n: each within four of its standard errors."""
    count = count_modes(ring(), RING)
    assert (count.total, count.covered, count.touched) == (8, 8, 8)
    assert count.high_quality == pytest.approx(1 - math.exp(-4.5), abs=4 * math.sqrt(0.9889 * 0.0111 / N))
    assert 0 <= count.reverse_kl < (7 + 4 * math.sqrt(14)) / (2 * N)
    line = count_modes(np.random.default_rng(0).standard_normal((N, 1)), Mixture([[0.0]], 1.0))
    assert line.high_quality == pytest.approx(0.9973, abs=4 * math.sqrt(0.9973 * 0.0027 / N))
    assert line.reverse_kl == 0


@pytest.mark.parametrize("kept", range(1, 9))
def test_dropped_modes_are_not_covered(kept: int) -> None:
    count = count_modes(ring(modes=kept), RING)
    assert (count.covered, count.touched) == (kept, kept)
    assert count.reverse_kl == pytest.approx(math.log(8 / kept), abs=0.01)


def test_filaments_touch_modes_they_do_not_cover() -> None:
    """Six modes and 4 % strewn over the circle: the literature's count reads 8."""
    samples = ring(modes=6)
    angle = np.random.default_rng(1).uniform(0, 2 * np.pi, N // 25)
    samples[: N // 25] = 2 * np.column_stack([np.cos(angle), np.sin(angle)])
    count = count_modes(samples, RING)
    assert (count.covered, count.touched) == (6, 8)


def test_one_exact_point_is_one_mode() -> None:
    count = count_modes(np.tile(RING.means[2], (N, 1)), RING)
    assert (count.covered, count.touched, count.high_quality) == (1, 1, 1.0)
    assert count.reverse_kl == pytest.approx(math.log(8))


def test_what_is_not_finite_is_of_low_quality() -> None:
    samples = ring()
    samples[: N // 2, 0] = np.nan
    samples[-10:, 1] = np.inf
    count = count_modes(samples, RING)
    assert count.high_quality == pytest.approx(0.9889 / 2, abs=0.01)
    nothing = count_modes(np.full((N, 2), np.nan), RING)
    assert (nothing.covered, nothing.touched, nothing.high_quality, nothing.reverse_kl) == (0, 0, 0.0, math.inf)


def test_the_share_is_of_the_modes_own_weight() -> None:
    """A light mode needs few samples, a heavy one many; share 0 is the literature's count."""
    mixture = Mixture([[0.0], [10.0]], 0.1, [0.99, 0.01])
    samples = np.zeros((1000, 1))
    samples[:3] = 10.0
    assert count_modes(samples, mixture).covered == 2
    assert count_modes(10 - samples, mixture).covered == 1
    assert count_modes(10 - samples, mixture).touched == 2
    assert count_modes(10 - samples, mixture, share=0.0).covered == 2


def test_each_mode_has_its_own_std() -> None:
    mixture = Mixture([[0.0], [10.0]], [0.1, 2.0])
    assert count_modes(np.array([[0.31], [4.1], [9.0]]), mixture).high_quality == pytest.approx(2 / 3)


def test_more_than_two_dimensions_are_fine() -> None:
    mixture = Mixture(np.eye(5) * 10, 1.0)
    random = np.random.default_rng(0)
    count = count_modes(mixture.means[random.integers(0, 5, N)] + random.standard_normal((N, 5)), mixture)
    assert count.covered == 5
    assert count.high_quality == pytest.approx(0.9889, abs=4 * math.sqrt(0.9889 * 0.0111 / N))


@pytest.mark.parametrize("dimension", [3, 64, 1200])
def test_the_data_itself_passes_in_any_dimension_and_shrunken_modes_show(dimension: int) -> None:
    """Within 3 std, or VEEGAN's 10 of 1,200 dimensions, there would be none; four standard errors of 2,000 samples."""
    mixture = Mixture(np.arange(4)[:, None] * 10 * np.ones(dimension), 0.5)
    random = np.random.default_rng(dimension)
    mode, normal = random.integers(0, 4, 2000), random.standard_normal((2000, dimension))
    count = count_modes(mixture.means[mode] + 0.5 * normal, mixture)
    assert (count.covered, count.touched) == (4, 4)
    assert count.high_quality == pytest.approx(1 - math.exp(-4.5), abs=4 * math.sqrt(0.9889 * 0.0111 / 2000))
    assert 0 <= count.reverse_kl < (3 + 4 * math.sqrt(6)) / 4000
    assert count_modes(mixture.means[mode] + 0.4 * normal, mixture).high_quality > 0.9999 or dimension == 3


def test_the_radius_of_high_quality_is_the_literatures_on_line_and_plane() -> None:
    assert [good_radius(d) for d in (1, 2)] == [3.0, 3.0]
    assert good_radius(3) == pytest.approx(3.3342, abs=0.0001)
    assert good_radius(700) == pytest.approx(28.0778, abs=0.0001)


@pytest.mark.parametrize(
    ("samples", "share", "says"),
    [
        (np.zeros((5, 3)), 0.2, r"shape \(n, 2\), n above 0, not \(5, 3\)"),
        (np.zeros((0, 2)), 0.2, r"not \(0, 2\)"),
        (np.zeros((5, 2)), 1.5, "share must be between 0 and 1, not 1.5"),
        (np.zeros((5, 2)), math.nan, "share must be between 0 and 1, not nan"),
    ],
)
def test_what_cannot_be_counted_says_so(samples: np.ndarray, share: float, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        count_modes(samples, RING, share)


def test_the_fullest_mode_counts_all_that_is_nearest_to_it() -> None:
    """However far: one point between all modes is one mode too; a share of all samples, the unusable ones too."""
    assert count_modes(ring(), RING).largest == pytest.approx(1 / 8, abs=0.015)
    assert count_modes(ring(modes=2), RING).largest == pytest.approx(1 / 2, abs=0.02)
    assert count_modes(np.full((N, 2), 0.1), RING).largest == 1
    assert count_modes(np.full((N, 2), np.nan), RING).largest == 0
    samples = ring(modes=1)
    samples[: N // 4] = np.nan
    assert count_modes(samples, RING).largest == 0.75


@pytest.mark.parametrize("modes", [1, 8, 300])
@pytest.mark.parametrize("dimension", [1, 2, 5])
def test_the_nearest_mode_is_that_of_all_distances_at_once(modes: int, dimension: int) -> None:
    random = np.random.default_rng(modes)
    means, points = random.standard_normal((modes, dimension)), 2 * random.standard_normal((1000, dimension))
    for std in (0.3, random.uniform(0.1, 1.0, modes)):
        mode, distance = nearest_mode(points, Mixture(means, std))
        apart = cdist(points, means) / std
        assert np.array_equal(mode, apart.argmin(axis=1))
        assert distance == pytest.approx(apart.min(axis=1), rel=1e-12)


def test_of_modes_equally_near_it_is_the_first_and_infinitely_far_points_have_one_too() -> None:
    mixture = Mixture([[-1.0], [1.0], [-1.0]], [1.0, 1.0, 1.0])
    mode, squared = nearest(np.array([[0.0], [-1.0], [1.0], [1e300]]), mixture)
    assert mode.tolist() == [0, 0, 1, 0]
    assert squared.tolist() == [1.0, 0.0, 0.0, math.inf]
