from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import chisquare, kstest, norm

from ganbench.data.mixture import Mixture

LINE = Mixture([[-2.0], [1.0], [4.0]], [0.5, 1.0, 0.2], [1.0, 2.0, 3.0])
PLANE = Mixture([[-1.0, 0.0], [1.0, 0.5], [0.0, 2.0]], [0.3, 0.5, 0.2], [0.2, 0.5, 0.3])


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_density_integrates_to_one_on_the_line() -> None:
    total, _ = quad(lambda x: float(np.exp(LINE.log_density(np.array([[x]])))[0]), -9, 9, points=[-2, 1, 4], limit=200)
    assert total == pytest.approx(1, abs=1e-8)


def test_the_density_integrates_to_one_on_the_plane() -> None:
    """The trapezoid rule is exact to rounding for smooth functions that vanish at the edges."""
    axis = np.arange(-8, 8, 0.05)
    points = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    assert np.exp(PLANE.log_density(points)).sum() * 0.05**2 == pytest.approx(1, abs=1e-8)


def test_the_density_is_that_of_the_formula() -> None:
    x = np.linspace(-5, 6, 50)
    direct = sum(w * norm.pdf(x, m, s) for w, m, s in zip(LINE.weights, LINE.means[:, 0], LINE.std, strict=True))
    assert np.exp(LINE.log_density(x[:, None])) == pytest.approx(direct, rel=1e-12)


def test_the_log_density_stays_finite_far_away_and_never_is_nan() -> None:
    assert LINE.log_density(np.array([[1e4]]))[0] == pytest.approx(-0.5 * (1e4 - 1) ** 2, rel=1e-3)
    assert LINE.log_density(np.array([[1e300]]))[0] == -math.inf


def test_samples_follow_the_density_on_the_line() -> None:
    """Kolmogorov-Smirnov at 20,000 samples; fails wrongly once in a thousand, and the seed is fixed."""
    samples = LINE.sample(20_000, seeded(0)).numpy()[:, 0].astype(np.float64)

    def cumulative(x: np.ndarray) -> np.ndarray:
        parts = zip(LINE.weights, LINE.means[:, 0], LINE.std, strict=True)
        return np.asarray(sum(w * norm.cdf(x, m, s) for w, m, s in parts))

    assert kstest(samples, cumulative).pvalue > 1e-3


def test_samples_follow_the_weights_on_the_plane() -> None:
    """Chi-square over modes far apart; fails wrongly once in a thousand, and the seed is fixed."""
    mixture = Mixture(10 * PLANE.means, PLANE.std, PLANE.weights)
    samples = mixture.sample(20_000, seeded(1)).numpy()
    nearest = ((samples[:, None] - mixture.means) ** 2).sum(-1).argmin(1)
    assert chisquare(np.bincount(nearest, minlength=3), 20_000 * mixture.weights).pvalue > 1e-3
    for mode in range(3):
        spread = (samples[nearest == mode] - mixture.means[mode]).std()
        assert spread == pytest.approx(mixture.std[mode], rel=0.03)


@settings(max_examples=100)
@given(st.lists(st.floats(1e-9, 1.0), min_size=1, max_size=300), st.integers(0, 1000))
def test_a_number_stands_for_the_mode_that_holds_its_place(weights: list[float], seed: int) -> None:
    """Exactly, at the ends of modes and beside them too; 300 modes of very unequal weights share bins of the guide."""
    mixture = Mixture([[float(k)] for k in range(len(weights))], 1.0, weights)
    ends = torch.tensor(np.cumsum(mixture.weights)[:-1], dtype=torch.float32)
    beside = [ends, ends.nextafter(torch.tensor(2.0)), ends.nextafter(torch.tensor(-1.0))]
    uniform = torch.cat([*beside, torch.rand(1000, generator=seeded(seed)), torch.tensor([0.0])])
    uniform = uniform[(uniform >= 0) & (uniform < 1)]
    mode = mixture.placed(uniform, torch.zeros(len(uniform), 1))[:, 0].long()
    assert torch.equal(mode, torch.bucketize(uniform, ends, right=True))


def test_many_draws_may_be_placed_at_once() -> None:
    """And a draw is its uniform and its normal numbers, in this order, placed."""
    draws = []
    for seed in range(3):
        generator = seeded(seed)
        draws.append((torch.rand(100, generator=generator), torch.randn(100, 2, generator=generator)))
    together = PLANE.placed(*(torch.cat(numbers) for numbers in zip(*draws, strict=True)))
    assert torch.equal(together, torch.cat([PLANE.sample(100, seeded(seed)) for seed in range(3)]))


def test_a_generator_decides_the_samples_and_nothing_else_is_touched() -> None:
    state = torch.random.get_rng_state()
    first, again, other = (PLANE.sample(100, seeded(seed)) for seed in (5, 5, 6))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert first.dtype == torch.float32
    assert first.shape == (100, 2)


def test_weights_are_normalised_and_equal_by_default() -> None:
    assert Mixture([[0.0], [1.0]], 1.0, [3, 1]).weights.tolist() == [0.75, 0.25]
    assert Mixture([[0.0], [1.0]], 1.0).weights.tolist() == [0.5, 0.5]


def test_what_it_says_about_itself() -> None:
    assert (PLANE.shape, PLANE.dimension, PLANE.modes) == ((2,), 2, 3)
    with pytest.raises(ValueError, match="read-only"):
        PLANE.means[0, 0] = 3.0


@pytest.mark.parametrize(
    ("means", "std", "weights", "says"),
    [
        ([[0.0, 0.0], [1.0]], 1.0, None, "same number of coordinates"),
        ([], 1.0, None, "list of points"),
        ([[]], 1.0, None, "list of points"),
        ([0.0, 1.0], 1.0, None, "list of points"),
        ([[0.0], [1.0]], [1.0], None, "std must be one number or one for each of the 2 modes, not a list of 1"),
        ([[0.0], [1.0]], 0.0, None, "std must be above 0"),
        ([[0.0], [1.0]], [1.0, -1.0], None, "std must be above 0"),
        ([[0.0], [1.0]], math.nan, None, "finite"),
        ([[0.0], [math.inf]], 1.0, None, "finite"),
        ([[0.0], [1.0]], 1.0, [1.0], "weights must be one for each of the 2 modes, not a list of 1"),
        ([[0.0], [1.0]], 1.0, [1.0, 0.0], "weights must be above 0"),
        ([[0.0], [1.0]], 1.0, [1.0, math.inf], "finite"),
    ],
)
def test_what_does_not_fit_is_one_clear_error(means: list, std: object, weights: list | None, says: str) -> None:
    with pytest.raises(ValueError, match=says) as caught:
        Mixture(means, std, weights)
    assert "\n" not in str(caught.value)
