"""The estimator against divergences known exactly.

The table is that of the estimator's design study: 20 seeds of 10,000 samples; the mean within the first
tolerance, every single run within the second. Modes squeezed 50-fold are not here: cells cannot see that, and the
guard that can is an issue of its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm, qmc

from ganbench.measure.jsd import jsd
from ganbench.mixture import Mixture

LOG2 = math.log(2)
N = 10_000
ANGLES = 2 * np.pi * np.arange(8) / 8
RING = Mixture(2 * np.column_stack([np.cos(ANGLES), np.sin(ANGLES)]), 0.02)
GRID = Mixture([[x, y] for x in (-4, -2, 0, 2, 4) for y in (-4, -2, 0, 2, 4)], 0.05)
LINE = Mixture([[0.0]], 1.0)


@dataclass(frozen=True)
class Bend:
    """A generator that is a mixture bent: modes dropped, and noise stretched and moved in units of std."""

    drop: int = 0
    stretch: tuple[float, float] = (1.0, 1.0)
    shift: float = 0.0

    def sample(self, mixture: Mixture, random: np.random.Generator, n: int = N) -> np.ndarray:
        mode = random.integers(self.drop, mixture.modes, n)
        noise = random.standard_normal((n, mixture.dimension)) * self.stretch[: mixture.dimension]
        noise[:, 0] += self.shift
        return mixture.means[mode] + mixture.std[mode, None] * noise


WIDE2, WIDE5, NARROW2, NARROW5 = (Bend(stretch=(s, s)) for s in (2.0, 5.0, 0.5, 0.2))
SQUEEZE = Bend(stretch=(0.2, 1.0))

KNOWN = [
    pytest.param(mixture, bend, truth, mean, single, id=name)
    for name, mixture, bend, truth, mean, single in [
        ("ring itself", RING, Bend(), 0.0, 0.002, 0.008),
        ("grid itself", GRID, Bend(), 0.0, 0.002, 0.008),
        ("ring drop 1", RING, Bend(drop=1), 0.045407, 0.002, 0.006),
        ("ring drop 2", RING, Bend(drop=2), 0.0956, 0.002, 0.006),
        ("ring drop 3", RING, Bend(drop=3), 0.1518, 0.002, 0.006),
        ("ring drop 4", RING, Bend(drop=4), 0.215762, 0.002, 0.006),
        ("ring drop 5", RING, Bend(drop=5), 0.2903, 0.002, 0.006),
        ("ring drop 6", RING, Bend(drop=6), 0.3804, 0.002, 0.006),
        ("ring drop 7", RING, Bend(drop=7), 0.496929, 0.002, 0.006),
        ("grid drop 5", GRID, Bend(drop=5), 0.0749, 0.002, 0.005),
        ("grid drop 12", GRID, Bend(drop=12), 0.204906, 0.002, 0.005),
        ("grid drop 20", GRID, Bend(drop=20), 0.422811, 0.002, 0.005),
        ("ring shift 1", RING, Bend(shift=1.0), 0.111421, 0.003, 0.012),
        ("grid shift 1", GRID, Bend(shift=1.0), 0.111421, 0.003, 0.012),
        ("ring shift 0.5", RING, Bend(shift=0.5), 0.0303, 0.003, 0.012),
        ("grid shift 0.5", GRID, Bend(shift=0.5), 0.0303, 0.003, 0.012),
        ("ring wide 2", RING, WIDE2, 0.173315, 0.004, 0.018),
        ("grid wide 2", GRID, WIDE2, 0.173315, 0.004, 0.018),
        ("ring wide 5", RING, WIDE5, 0.481244, 0.004, 0.018),
        ("grid wide 5", GRID, WIDE5, 0.481244, 0.004, 0.018),
        ("ring narrow 2", RING, NARROW2, 0.173315, 0.004, 0.010),
        ("ring narrow 5", RING, NARROW5, 0.4813, 0.010, LOG2),
        ("ring squeezed 5", RING, SQUEEZE, 0.3028, 0.010, LOG2),
        ("grid squeezed 5", GRID, SQUEEZE, 0.3028, 0.030, LOG2),
        ("line shift 0.2", LINE, Bend(shift=0.2), 0.0050, 0.003, LOG2),
        ("line shift 1", LINE, Bend(shift=1.0), 0.1114, 0.003, LOG2),
        ("line shift 3", LINE, Bend(shift=3.0), 0.5268, 0.003, LOG2),
        ("line shift 8", LINE, Bend(shift=8.0), 0.6931, 0.003, LOG2),
        ("line scale 2", LINE, WIDE2, 0.0927, 0.003, LOG2),
        ("line scale 0.2", LINE, NARROW5, 0.3028, 0.003, LOG2),
    ]
]


@pytest.mark.parametrize(("mixture", "bend", "truth", "mean", "single"), KNOWN)
def test_known_answer(mixture: Mixture, bend: Bend, truth: float, mean: float, single: float) -> None:
    values = np.array([jsd(bend.sample(mixture, np.random.default_rng(seed)), mixture).value for seed in range(20)])
    assert abs(values.mean() - truth) <= mean
    assert np.abs(values - truth).max() <= single


@pytest.mark.parametrize("mixture", [RING, GRID, LINE], ids=["ring", "grid", "line"])
@pytest.mark.parametrize(
    "samples",
    [
        pytest.param(lambda mixture: np.full((N, mixture.dimension), np.nan), id="NaN"),
        pytest.param(lambda mixture: np.full((N, mixture.dimension), np.inf), id="infinite"),
        pytest.param(lambda mixture: np.tile(mixture.means[:1], (N, 1)), id="one point"),
        pytest.param(lambda mixture: mixture.means[np.arange(N) % mixture.modes], id="the means"),
        pytest.param(lambda mixture: np.full((N, mixture.dimension), 1e6), id="1e6"),
        pytest.param(lambda mixture: 1e6 + np.random.default_rng(0).random((N, mixture.dimension)), id="around 1e6"),
        pytest.param(
            lambda mixture: np.where(np.arange(N)[:, None] % 2, -1.7e308, 1.7e308) + 0 * mixture.means[0], id="ends"
        ),
        pytest.param(lambda mixture: 1e300 * np.random.default_rng(0).normal(size=(N, mixture.dimension)), id="1e300"),
    ],
)
def test_nothing_in_common_is_log_2(samples, mixture: Mixture) -> None:
    assert jsd(samples(mixture), mixture).value == pytest.approx(LOG2, abs=1e-6)


def test_samples_that_are_not_finite_count_as_mass_elsewhere() -> None:
    values = []
    for seed in range(20):
        samples = Bend().sample(RING, np.random.default_rng(seed))
        samples[: N // 20, seed % 2] = (np.nan, np.inf, -np.inf)[seed % 3]
        estimate = jsd(samples, RING)
        assert estimate.note == "5 % of the samples are not finite"
        values.append(estimate.value)
    assert np.mean(values) == pytest.approx(0.01765, abs=0.006)


def test_a_background_far_from_the_modes_is_seen() -> None:
    """30 % over a square twice as wide as the ring: exactly 0.117 but for the square's own overlap with the modes."""
    random = np.random.default_rng(5)
    samples = Bend().sample(RING, random)
    samples[: 3 * N // 10] = random.uniform(-4, 4, (3 * N // 10, 2))
    assert jsd(samples, RING).value == pytest.approx(0.117, abs=0.008)


def test_a_memorised_sample_is_seen() -> None:
    """512 points of the data drawn over and over have no density: log 2, though every histogram reads 0."""
    random = np.random.default_rng(3)
    estimate = jsd(Bend().sample(RING, random, 512)[random.integers(0, 512, N)], RING)
    assert estimate.value == pytest.approx(LOG2, abs=1e-3)
    assert "repeat others exactly" in estimate.note


def test_float32_on_a_line_is_not_taken_for_atoms() -> None:
    """Rounding makes pairs by chance, about N^2 / 1e7 of them here: at 50,000 each tenth of a per cent would show."""
    mixture = Mixture([[4.0]], 0.5)
    samples = Bend().sample(mixture, np.random.default_rng(1), 50_000).astype(np.float32)
    assert len(np.unique(samples)) < 50_000 - 100
    estimate = jsd(samples, mixture)
    assert estimate.note == ""
    assert estimate.value < 0.002


@pytest.mark.parametrize("mixture", [RING, GRID, LINE], ids=["ring", "grid", "line"])
def test_scaling_both_changes_nothing(mixture: Mixture) -> None:
    samples = Bend(shift=0.3).sample(mixture, np.random.default_rng(7))
    scaled = jsd(1000 * samples, Mixture(1000 * mixture.means, 1000 * mixture.std))
    assert scaled.value == pytest.approx(jsd(samples, mixture).value, abs=1e-9)


def test_few_samples_give_a_value_and_no_interval() -> None:
    few, enough = (jsd(Bend().sample(RING, np.random.default_rng(0), n), RING) for n in (2_000, 3_200))
    assert (few.low, few.high) == (None, None)
    assert few.note == "250 samples a mode, 400 needed for an interval"
    assert enough.low is not None
    assert enough.note == ""


@pytest.mark.parametrize(
    ("samples", "mixture", "says"),
    [
        (np.zeros((10, 3)), Mixture([[0.0, 0.0, 0.0]], 1.0), "1 or 2 dimensions, and these have 3"),
        (np.zeros((10, 3)), RING, r"shape \(n, 2\), n above 0, not \(10, 3\)"),
        (np.zeros((0, 2)), RING, r"not \(0, 2\)"),
        (np.zeros(10), LINE, r"shape \(n, 1\)"),
    ],
)
def test_what_cannot_be_measured_says_so(samples: np.ndarray, mixture: Mixture, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        jsd(samples, mixture)


# Weights and stds differ; modes overlap, so that the cells' masses are estimated; two modes are one.
UNEVEN = Mixture([[0.0, 0.0], [3.0, 0.0], [0.0, 9.0]], [0.1, 0.2, 0.3], [1.0, 2.0, 5.0])
OVERLAPPING = Mixture([[0.0, 0.0], [1.5, 0.0], [0.0, 2.0]], [1.0, 0.5, 0.8], [3.0, 1.0, 2.0])
TWINS = Mixture([[1.0, 1.0], [1.0, 1.0]], 0.3)
HILLS = Mixture([[-1.0], [1.0]], [0.7, 1.0], [1.0, 3.0])


def draw(mixture: Mixture, random: np.random.Generator, n: int = N) -> np.ndarray:
    mode = random.choice(mixture.modes, n, p=mixture.weights)
    return mixture.means[mode] + mixture.std[mode, None] * random.standard_normal((n, mixture.dimension))


@pytest.mark.parametrize(
    "mixture",
    [UNEVEN, OVERLAPPING, TWINS, HILLS, Mixture([[3.0, 1.0]], 0.5)],
    ids=["uneven", "overlapping", "twins", "hills", "one mode"],
)
def test_the_data_itself_reads_zero(mixture: Mixture) -> None:
    values = [jsd(draw(mixture, np.random.default_rng(seed)), mixture).value for seed in range(20)]
    assert np.mean(values) <= 0.002
    assert max(values) <= 0.008


def test_two_overlapping_mixtures_against_quadrature() -> None:
    """On the line the truth is an integral, done here to 1e-8."""
    other = Mixture([[-1.2], [1.5]], [0.9, 0.6], [1.0, 1.0])

    def halves(x: float) -> float:
        p, q = (float(np.exp(m.log_density(np.array([[x]])))[0]) for m in (HILLS, other))
        return (p * math.log(2 * p / (p + q)) + q * math.log(2 * q / (p + q))) / 2

    truth = quad(halves, -8, 8, limit=200)[0]
    values = [jsd(draw(other, np.random.default_rng(seed)), HILLS).value for seed in range(20)]
    assert np.mean(values) == pytest.approx(truth, abs=0.003)


def test_truth_by_quasi_monte_carlo_agrees_with_closed_forms() -> None:
    """The yardstick of the coverage test is itself checked."""
    assert truth(RING, Mixture(RING.means, 0.04)) == pytest.approx(0.173315, abs=1e-4)
    assert truth(RING, Mixture(RING.means[1:], 0.02)) == pytest.approx(0.045407, abs=1e-4)


def truth(p: Mixture, q: Mixture) -> float:
    """The divergence of two mixtures from their exact densities, at Sobol points of each mode, to about 1e-5."""

    def half(of: Mixture, other: Mixture) -> float:
        uniform = qmc.Sobol(of.dimension, seed=1).random_base2(13)
        noise = norm.ppf(np.clip(uniform, 1e-12, 1 - 1e-12))
        total = 0.0
        for mean, std, weight in zip(of.means, of.std, of.weights, strict=True):
            points = mean + std * noise
            mine, both = of.log_density(points), np.logaddexp(of.log_density(points), other.log_density(points))
            total += weight * float((LOG2 + mine - both).mean())
        return total / 2

    return half(p, q) + half(q, p)


def random_pair(random: np.random.Generator) -> tuple[Mixture, Mixture]:
    """A few modes, and a generator that has them misplaced, misweighted, too wide or narrow, some split in two."""
    dimension = int(random.integers(1, 3))
    modes = int(random.integers(1, 9))
    places = random.permutation(9)[:modes]
    means = 3.0 * (places[:, None] if dimension == 1 else np.column_stack([places // 3, places % 3]))
    p = Mixture(means, random.uniform(0.05, 0.2, modes), random.dirichlet(np.full(modes, 5.0)))
    copies = random.integers(1, 3, modes)
    centres = np.repeat(p.means, copies, axis=0)
    std = np.repeat(p.std, copies)
    q = Mixture(
        centres + std[:, None] * random.normal(0, 0.8, centres.shape),
        std * np.exp(random.uniform(-0.9, 0.9, len(std))),
        random.dirichlet(np.full(len(std), 2.0)),
    )
    return p, q


def test_the_interval_covers_on_pairs_never_tuned_on() -> None:
    """Nominal 95 %: at least 93 % over all pairs and 80 % for each; 12 pairs, 40 samples each, N/K from 400."""
    random = np.random.default_rng(20_141_206)
    shares = []
    for _ in range(12):
        p, q = random_pair(random)
        n = int(p.modes * random.choice([400, 1250, 2500]))
        value = truth(p, q)
        hits = 0
        for seed in range(40):
            estimate = jsd(draw(q, np.random.default_rng([seed, 77]), n), p)
            assert estimate.low is not None
            assert estimate.high is not None
            hits += estimate.low <= value <= estimate.high
        shares.append(hits / 40)
    assert np.mean(shares) >= 0.93, shares
    assert min(shares) >= 0.80, shares


@st.composite
def any_samples(draw_from: st.DrawFn) -> tuple[np.ndarray, Mixture]:
    mixture = draw_from(st.sampled_from([RING, GRID, LINE, UNEVEN, HILLS]))
    random = np.random.default_rng(draw_from(st.integers(0, 2**32)))
    n = draw_from(st.integers(1, 4000))
    stretch = draw_from(st.floats(0, 10))
    samples = Bend(drop=draw_from(st.integers(0, mixture.modes - 1)), stretch=(stretch, 1.0)).sample(mixture, random, n)
    broken = random.random(n) < draw_from(st.sampled_from([0.0, 0.1, 1.0]))
    samples[broken] = draw_from(st.sampled_from([np.nan, np.inf, -np.inf, 1e300, 0.0]))
    return samples, mixture


@settings(max_examples=60)
@given(any_samples())
def test_any_samples_give_an_ordered_estimate_whatever_their_order(case: tuple[np.ndarray, Mixture]) -> None:
    samples, mixture = case
    estimate = jsd(samples, mixture)
    assert 0 <= estimate.value <= LOG2
    if estimate.low is not None and estimate.high is not None:
        assert 0 <= estimate.low <= estimate.value <= estimate.high <= LOG2
    assert jsd(samples[::-1], mixture) == estimate


@settings(max_examples=40)
@given(
    st.integers(-20, 20).map(lambda power: 2.0**power),
    st.sampled_from([RING, GRID, LINE, UNEVEN, HILLS]),
    st.integers(0, 1000),
)
def test_a_common_factor_changes_nothing(factor: float, mixture: Mixture, seed: int) -> None:
    """By a power of two, so that rounding is out of it."""
    samples = Bend(shift=0.2).sample(mixture, np.random.default_rng(seed), 4000)
    scaled = jsd(factor * samples, Mixture(factor * mixture.means, factor * mixture.std, mixture.weights))
    assert scaled.value == pytest.approx(jsd(samples, mixture).value, abs=1e-12)


@settings(max_examples=30)
@given(st.floats(0, 1), st.sampled_from([np.nan, np.inf, -np.inf]), st.integers(0, 1000))
def test_what_is_not_finite_never_helps(share: float, bad: float, seed: int) -> None:
    """What is left is the data thinned out, so the truth is exact; the tolerance is more than five standard errors."""
    samples = Bend().sample(RING, np.random.default_rng(seed))
    samples[: round(share * N), 1] = bad
    left = 1 - round(share * N) / N
    exact = (2 * LOG2 - (1 + left) * math.log(1 + left) + left * math.log(max(left, 1e-300))) / 2
    assert jsd(samples, RING).value == pytest.approx(exact, abs=0.02)
