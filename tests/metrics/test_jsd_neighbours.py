"""The nearest-neighbour estimate against divergences known exactly."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_pairs import gaussian, random_pairs, truth

from ganbench.metrics.jsd_neighbours import Neighbours, neighbour_jsd

LOG2 = math.log(2)
N = 4_000


def normal(seed: int, n: int = N, d: int = 2) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, d))


@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize(("shift", "value"), [(0.0, 0.0), (0.5, 0.0303), (1.0, 0.111421), (3.0, 0.5268), (20.0, LOG2)])
def test_known_answer(d: int, shift: float, value: float) -> None:
    """The mean of 10 within 0.015 (bias up to 0.010 at a shift of 3), and all in their intervals but for two."""
    estimates = [neighbour_jsd(normal(seed, d=d) + shift * np.eye(d)[0], normal(100 + seed, d=d)) for seed in range(10)]
    assert np.mean([estimate.value for estimate in estimates]) == pytest.approx(value, abs=0.015)
    assert sum(estimate.low <= value <= estimate.high for estimate in estimates) >= 8


def test_the_standard_error_is_the_spread_of_repetitions() -> None:
    """Over 13 pairs, one of each family, their ratio lies between 0.6 and 1.6: 24 repetitions tell it to 15 %."""
    for _, p, q in random_pairs(31, 13):
        runs = [
            neighbour_jsd(
                q.sample(1500, np.random.default_rng([s, 1])), gaussian(p).sample(1500, np.random.default_rng([s, 2]))
            )
            for s in range(24)
        ]
        spread = np.std([run.value for run in runs], ddof=1)
        error = np.mean([run.standard_error for run in runs])
        exact = truth(gaussian(p), q, within=5e-4)[0]
        assert exact < 0.01 or 0.6 < error / spread < 1.6
        assert np.mean([run.value for run in runs]) == pytest.approx(exact, abs=0.03)


def test_points_with_a_jitter_have_nothing_in_common_with_a_density() -> None:
    points = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])[np.arange(N) % 3] + 1e-6 * normal(1)
    assert neighbour_jsd(points, normal(2)).value == pytest.approx(LOG2, abs=0.003)


def test_exact_repeats_and_broken_rows_are_mass_where_the_other_has_none() -> None:
    real = normal(1)
    memorised = normal(2)[np.random.default_rng(3).integers(0, 500, N)]
    for samples in (memorised, np.zeros((N, 2)), np.full((N, 2), np.nan), np.full((N, 2), 1e200)):
        assert neighbour_jsd(samples, real).value == pytest.approx(LOG2, abs=2e-3)
        assert neighbour_jsd(real, samples).value == pytest.approx(LOG2, abs=2e-3)


def test_a_twentieth_not_finite_is_a_twentieth_elsewhere() -> None:
    values = []
    for seed in range(10):
        samples = normal(seed)
        samples[: N // 20, 0] = np.nan
        values.append(neighbour_jsd(samples, normal(50 + seed)).value)
    assert np.mean(values) == pytest.approx(0.01765, abs=0.004)


def test_atoms_that_both_have_are_compared_as_such() -> None:
    """Two dice: as different as their faces' shares, and not at all where these agree."""
    random = np.random.default_rng(4)
    fair, other, loaded = random.integers(1, 7, (N, 2)), random.integers(1, 7, (N, 2)), random.integers(1, 4, (N, 2))
    assert neighbour_jsd(fair, other).value == pytest.approx(0, abs=0.006)
    exact = (
        LOG2 * 2 - 1.25 * math.log(1.25) + 0.25 * math.log(0.25)
    ) / 2  # a quarter of the faces, four times as often
    assert neighbour_jsd(loaded, fair).value == pytest.approx(exact, abs=0.01)


def test_float32_on_a_line_is_not_taken_for_atoms() -> None:
    samples, real = (4 + 0.1 * normal(seed, 30_000, 1).astype(np.float32) for seed in (1, 2))
    assert len(np.unique(samples)) < len(samples)
    assert neighbour_jsd(samples, real).value == pytest.approx(0, abs=0.004)


def test_the_larger_sample_is_thinned_and_the_answer_stays() -> None:
    few, many = normal(1, 3_000) + np.eye(2)[0], normal(2, 9_000)
    assert neighbour_jsd(few, many).value == pytest.approx(0.1114, abs=0.02)
    assert neighbour_jsd(many, few).value == pytest.approx(0.1114, abs=0.02)


def test_too_few_points_say_so() -> None:
    estimate = neighbour_jsd(normal(1, 5), normal(2, 5))
    assert (estimate.low, estimate.high, estimate.standard_error) == (0.0, LOG2, math.inf)


@pytest.mark.parametrize(
    ("samples", "real"),
    [(np.zeros((9, 3)), np.zeros((9, 3))), (np.zeros((9, 2)), np.zeros((9, 1))), (np.zeros(9), np.zeros(9))],
)
def test_shapes_that_do_not_fit_are_refused(samples: np.ndarray, real: np.ndarray) -> None:
    with pytest.raises(ValueError, match="d 1 or 2"):
        neighbour_jsd(samples, real)
    with pytest.raises(ValueError, match="a row each"):
        neighbour_jsd(np.zeros((0, 2)), np.zeros((9, 2)))


@settings(max_examples=60)
@given(
    st.integers(1, 400),
    st.integers(1, 400),
    st.sampled_from([1, 2]),
    st.sampled_from([np.nan, np.inf, 1e300, 0.0]),
    st.floats(0, 1),
    st.integers(0, 2**32),
)
def test_any_two_samples_give_an_ordered_symmetric_estimate(
    n: int, m: int, d: int, bad: float, share: float, seed: int
) -> None:
    random = np.random.default_rng(seed)
    samples, real = random.standard_normal((n, d)), 2 * random.standard_normal((m, d))
    samples[random.random(n) < share] = bad
    estimate = neighbour_jsd(samples, real)
    assert 0 <= estimate.low <= estimate.value <= estimate.high <= LOG2
    assert neighbour_jsd(samples, real) == estimate
    other: Neighbours = neighbour_jsd(real, samples)
    assert other.value == pytest.approx(estimate.value, abs=1e-9) or other.standard_error > 0
