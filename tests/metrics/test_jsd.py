"""The estimator against divergences known exactly."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from known_answers import GRID, KNOWN, LINE, LOG2, RING, Bend, Known, N
from random_pairs import FAMILIES, random_pairs
from scipy.integrate import quad

from ganbench.data.mixture import Mixture
from ganbench.metrics.jsd import jsd, jsds


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.name)
def test_known_answer(known: Known) -> None:
    """Two runs of each row; ``test_calibration`` makes twenty, and holds the mean."""
    for seed in (0, 1):
        estimate = jsd(known.sample(known.mixture, np.random.default_rng(seed)), known.mixture)
        assert estimate.value == pytest.approx(known.truth, abs=known.single)
        assert known.flagged is None or estimate.flagged == known.flagged


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
    assert estimate.duplicates == 1.0


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


def memorised(mixture: Mixture, random: np.random.Generator, points: int, jitter: float) -> np.ndarray:
    drawn = Bend().sample(mixture, random, points)[random.integers(0, points, N)]
    return drawn + jitter * mixture.std[0] * random.standard_normal(drawn.shape)


@pytest.mark.parametrize("guard", [False, True], ids=["look", "guard"])
@pytest.mark.parametrize("mixture", [RING, GRID], ids=["ring", "grid"])
@pytest.mark.parametrize(
    "samples",
    [
        pytest.param(Bend(stretch=(0.02, 1.0)).sample, id="squeezed 50"),
        pytest.param(Bend(stretch=(0.005, 1.0)).sample, id="squeezed 200"),
        pytest.param(Bend(stretch=(5e-5, 5e-5)).sample, id="a jitter of 1e-6"),
        pytest.param(lambda mixture, random: memorised(mixture, random, 512, 1e-3), id="512 points with a jitter"),
        pytest.param(lambda mixture, random: memorised(mixture, random, 1000, 1e-3), id="1000 points with a jitter"),
    ],
)
def test_what_is_finer_than_a_cell_is_flagged(samples, mixture: Mixture, guard: bool) -> None:
    """Even by the look that every evaluation takes."""
    for seed in range(3):
        estimate = jsd(samples(mixture, np.random.default_rng(seed)), mixture, guard=guard)
        assert estimate.flagged
        assert estimate.note == "fine structure or near-discrete: by nearest neighbours, and may be more"
        assert estimate.low is not None
        assert estimate.high is not None
        assert estimate.low < estimate.value <= estimate.high


def test_a_flagged_interval_ends_at_log_2() -> None:
    """It begins where that of the neighbours does and holds the truth, which that of the cells misses by 0.09."""
    estimate = jsd(Bend(stretch=(0.02, 1.0)).sample(RING, np.random.default_rng(0)), RING)
    assert 0.55 < estimate.low < 0.6059
    assert estimate.high == LOG2


def test_a_thin_donut_is_within_the_flagged_interval() -> None:
    """A radius of 1 std but for 1e-5: the truth is log 2 but for 1e-4, and neighbours read 0.64."""
    random = np.random.default_rng(0)
    angle = random.uniform(0, 2 * np.pi, N)
    circle = np.column_stack([np.cos(angle), np.sin(angle)]) * (1 + 1e-5 * random.standard_normal((N, 1)))
    estimate = jsd(RING.means[random.integers(0, 8, N)] + 0.02 * circle, RING)
    assert estimate.flagged
    assert estimate.value < 0.66
    assert estimate.high == LOG2


@pytest.mark.parametrize("mixture", [RING, GRID], ids=["ring", "grid"])
@pytest.mark.parametrize("per_mode", [6, 12, 25, 49, 50, 100])
def test_few_samples_of_one_mode_are_not_taken_for_fine_structure(mixture: Mixture, per_mode: int) -> None:
    one = Mixture(mixture.means[:1], mixture.std[:1])
    for seed in range(10):
        samples = Bend().sample(one, np.random.default_rng(seed), per_mode * mixture.modes)
        assert not jsd(samples, mixture).flagged


def test_the_guard_needs_no_more_than_50_samples_a_mode() -> None:
    for seed in range(10):
        samples = Bend(stretch=(5e-5, 5e-5)).sample(RING, np.random.default_rng(seed), 50 * RING.modes)
        assert jsd(samples, RING).flagged


def test_a_generator_with_no_sample_near_the_data_reads_log_2_but_for_what_may_go_unseen() -> None:
    estimate = jsd(50 + np.random.default_rng(0).random((N, 2)), RING)
    assert estimate.value == pytest.approx(LOG2, abs=1e-9)
    assert LOG2 - 2e-4 < estimate.low < estimate.high == LOG2


def test_near_log_2_nobody_asks_the_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever they said, they could not exceed the cells' estimate by enough."""

    def asked(*_: object, **__: object) -> None:
        raise AssertionError("a pool was made")

    monkeypatch.setattr("ganbench.metrics.jsd.Pool", asked)
    assert not jsd(50 + np.random.default_rng(0).random((N, 2)), RING).flagged
    with pytest.raises(AssertionError, match="a pool was made"):
        jsd(Bend().sample(RING, np.random.default_rng(0)), RING)


def test_smooth_generators_are_not_flagged() -> None:
    """One of each family, by either guard."""
    for _, p, q in random_pairs(41, len(FAMILIES)):
        x = torch.tensor(np.stack([q.sample(500 * p.modes, np.random.default_rng(seed)) for seed in range(3)]))
        assert not any(estimate.flagged for guard in (False, True) for estimate in jsds(x, p, guard=guard))


def test_many_seeds_at_once_are_each_as_if_alone() -> None:
    """Whole estimates are equal, whatever the others are: smooth, broken, repeated or flagged."""
    random = np.random.default_rng(3)
    rows = [
        Bend(shift=0.5).sample(RING, random),
        Bend(stretch=(0.02, 1.0)).sample(RING, random),
        np.full((N, 2), np.nan),
        memorised(RING, random, 512, 0.0),
    ]
    together = jsds(torch.from_numpy(np.stack(rows)), RING)
    assert together == [jsd(row, RING) for row in rows]
    assert [estimate.flagged for estimate in together] == [False, True, False, False]
    assert [round(estimate.duplicates, 4) for estimate in together] == [0.0, 0.0, 0.0, 1.0]
    assert jsds(torch.zeros(0, N, 2), RING) == []


def test_float32_reads_as_float64() -> None:
    samples = Bend(shift=0.5).sample(RING, np.random.default_rng(4))
    assert jsd(samples.astype(np.float32), RING).value == pytest.approx(jsd(samples, RING).value, abs=2e-3)


def test_the_global_random_state_is_left_alone() -> None:
    torch.manual_seed(1)
    state = torch.get_rng_state()
    first = jsd(Bend().sample(GRID, np.random.default_rng(9), 12_345), GRID)
    assert torch.equal(torch.get_rng_state(), state)
    assert jsd(Bend().sample(GRID, np.random.default_rng(9), 12_345), GRID) == first


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
    # The guard breaks ties in the order that rows come in.
    assert jsd(samples[::-1], mixture).value == pytest.approx(estimate.value, abs=1e-9) or estimate.flagged


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
