"""The classifier's lower bound against divergences known exactly or by quadrature, and what it must never do."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ganbench.data.mixture import Mixture
from ganbench.metrics.jsd_lower_bound import MOST, LowerBound, lower_bound
from ganbench.metrics.jsd_neighbours import LOG2

Law = Callable[[np.random.Generator, int], np.ndarray]
ANYWHERE = np.random.default_rng(3).standard_normal((10, 10)) * 3


def gaussian(dimension: int, shift: float = 0.0, scale: float = 1.0) -> Law:
    def law(random: np.random.Generator, n: int) -> np.ndarray:
        rows = scale * random.standard_normal((n, dimension))
        rows[:, 0] += shift
        return rows

    return law


def modes(drop: int = 0, std: float = 0.3) -> Law:
    means = ANYWHERE[drop:]
    return lambda random, n: means[random.integers(len(means), size=n)] + std * random.standard_normal((n, 10))


def correlated(random: np.random.Generator, n: int) -> np.ndarray:
    rows = random.standard_normal((n, 10))
    rows[:, 0] = 0.8 * rows[:, 1] + 0.6 * rows[:, 0]
    return rows


#: Data, generator, and their divergence in nats: by quadrature where it is one of one dimension, else by 10^6 samples.
PAIRS = {
    "itself": (gaussian(10), gaussian(10), 0.0),
    "moved by 1 std": (gaussian(10), gaussian(10, 1.0), 0.111421),
    "moved by 4 std": (gaussian(10), gaussian(10, 4.0), 0.6331),
    "wider by half": (gaussian(10), gaussian(10, scale=1.5), 0.2856),
    "3-D, thrice as wide": (gaussian(3), gaussian(3, scale=3.0), 0.4272),
    "two coordinates tied": (gaussian(10), correlated, 0.1371),
    "3 of 10 modes lost": (modes(), modes(drop=3), 0.117863),
}


def bound(pair: str, seed: int, n: int) -> LowerBound:
    data, generator, _ = PAIRS[pair]
    random = np.random.default_rng(seed)
    real = data(random, n)
    return lower_bound(generator(random, n), real)


@pytest.mark.parametrize(
    ("pair", "recovered"),
    [
        ("moved by 1 std", 0.85),
        ("moved by 4 std", 0.97),
        ("wider by half", 0.93),
        ("3-D, thrice as wide", 0.95),
        ("two coordinates tied", 0.85),
        ("3 of 10 modes lost", 0.88),
    ],
)
def test_most_of_a_smooth_difference_is_seen(pair: str, recovered: float) -> None:
    """Mean of three runs of 4,000 + 4,000; where partition shells in 10 dimensions read 0.005 for 0.111."""
    truth = PAIRS[pair][2]
    read = [bound(pair, seed, 4000).held_out for seed in range(3)]
    assert recovered * truth < np.mean(read) < truth + 0.01


def test_the_limit_holds_in_95_percent() -> None:
    """160 runs of 8 samples and pairs; at exactly 5 % each, 15 failures or more would come once in 100."""
    wrong = sum(
        bound(pair, 1000 + seed, n).low > PAIRS[pair][2]
        for pair in ("moved by 1 std", "moved by 4 std", "3-D, thrice as wide", "3 of 10 modes lost")
        for n in (400, 1000)
        for seed in range(20)
    )
    assert wrong < 15


@pytest.mark.parametrize("dimension", [1, 3, 64])
def test_data_against_itself_reads_nothing(dimension: int) -> None:
    """Below 0, as a classifier that has learned only noise must, but not far; the point value is near 0."""
    for seed in range(3):
        random = np.random.default_rng(seed)
        real, samples = random.standard_normal((2, 3000, dimension))
        read = lower_bound(samples, real)
        assert read.value < 0.003
        assert read.low == 0
        assert read.held_out > -0.03
        assert abs(read.point) < 0.01


def test_a_known_mixture_makes_the_bound_sharper() -> None:
    """40 modes, all a fifth too wide, 25 samples each: the classes are known, and need not be found."""
    means = np.random.default_rng(5).standard_normal((40, 10)) * 3
    mixture, wide = Mixture(means, 0.3), Mixture(means, 0.36)
    for seed in range(3):
        draw = torch.Generator().manual_seed(seed)
        real, samples, same = (law.sample(1000, draw).numpy() for law in (mixture, wide, mixture))
        known = lower_bound(samples, real, mixture=mixture)
        assert 0.045 < known.held_out < 0.09
        assert known.held_out > lower_bound(samples, real).held_out + 0.03
        assert lower_bound(same, real, mixture=mixture).low == 0


def test_more_real_data_to_learn_from_helps() -> None:
    random = np.random.default_rng(0)
    real, training = random.standard_normal((200, 20)), random.standard_normal((2000, 20))
    samples = random.standard_normal((2000, 20)) + 0.25
    alone, helped = lower_bound(samples, real), lower_bound(samples, real, training=training)
    assert helped.held_out > alone.held_out + 0.01
    assert helped.low < 0.1314  # the divergence: 20 coordinates moved by 1/4, as one by sqrt(20)/4


def test_rows_that_are_not_finite_are_mass_where_the_data_has_none() -> None:
    """With a share a of them, and else the data itself, the divergence is known."""
    random = np.random.default_rng(1)
    real, samples = random.standard_normal((2, 3000, 5))
    samples[:300, 2] = np.nan
    a = 0.1
    truth = a * LOG2 / 2 + math.log(2 / (2 - a)) / 2 + (1 - a) * math.log(2 * (1 - a) / (2 - a)) / 2
    read = lower_bound(samples, real)
    assert truth - 0.01 < read.held_out < truth + 0.001
    assert read.note == "10 % of the samples are not finite"


@pytest.mark.parametrize("finite", [0, 3])
def test_samples_of_almost_nothing_finite_read_log_2(finite: int) -> None:
    real = np.random.default_rng(1).standard_normal((1000, 5))
    samples = np.full((1000, 5), np.inf)
    samples[:finite] = real[:finite]
    read = lower_bound(samples, real)
    assert read.value == pytest.approx(LOG2, abs=1e-6 if not finite else 0.02)
    assert read.low <= LOG2


@pytest.mark.parametrize("place", [0.0, 1.0, 1e6, 1e38])
def test_one_point_far_or_near_reads_log_2(place: float) -> None:
    real = np.random.default_rng(1).standard_normal((1000, 5))
    read = lower_bound(np.full((1000, 5), place), real)
    assert LOG2 - 0.01 < read.value <= LOG2
    assert read.duplicates == 1


def test_a_few_far_outliers_do_not_blind_it() -> None:
    random = np.random.default_rng(1)
    real, samples = random.standard_normal((2, 2000, 10))
    samples[:, 0] += 1
    samples[:20] = 1e30
    assert lower_bound(samples, real).held_out > 0.08


def from_pool(seed: int, pool: int, kept: int, *, known: bool = False) -> LowerBound:
    """Data drawn from a finite pool of rows in 64 dimensions, and a generator that draws from the first of them."""
    random = np.random.default_rng(seed)
    atoms = random.standard_normal((pool, 64))
    real, samples = atoms[random.integers(pool, size=1000)], atoms[random.integers(kept, size=1000)]
    return lower_bound(samples, real, training=atoms if known else None)


@pytest.mark.parametrize("known", [False, True], ids=["drawn", "drawn, and known to D"])
def test_a_finite_pool_against_itself_reads_nothing(known: bool) -> None:
    """45 runs; at exactly 5 % wrong, 7 or more would come once in 100. D must not learn which rows each part has."""
    read = [from_pool(seed, pool, pool, known=known) for pool in (30, 300, 1000) for seed in range(15)]
    assert sum(one.low > 0 for one in read) < 7
    assert np.mean([one.held_out for one in read]) == pytest.approx(-0.01, abs=0.01)


def test_a_generator_of_half_of_a_finite_pool_is_bounded() -> None:
    """30 runs; at exactly 5 % wrong, 5 or more would come twice in 100."""
    truth = 0.215762
    few, many = ([from_pool(seed, pool, pool // 2) for seed in range(15)] for pool in (30, 300))
    assert sum(one.low > truth for one in few + many) < 5
    assert np.mean([one.held_out for one in few]) > 0.2
    assert np.mean([one.held_out for one in many]) > 0.1


def test_data_of_a_few_atoms_is_told_from_other_atoms() -> None:
    random = np.random.default_rng(2)
    atoms = random.standard_normal((4, 3))
    real, samples = atoms[random.integers(4, size=1000)], atoms[random.integers(2, 4, size=1000)]
    assert lower_bound(samples, real).value == pytest.approx(0.215762, abs=0.03)  # half of the data is missing
    assert lower_bound(atoms[random.integers(4, size=1000)], real).value < 0.003


def test_neither_the_order_nor_a_common_scale_matters() -> None:
    random = np.random.default_rng(0)
    real, samples = random.standard_normal((2, 600, 6))
    samples += 0.3
    samples[5, 0] = np.nan
    read = lower_bound(samples, real)
    assert lower_bound(random.permutation(samples), random.permutation(real)) == read
    assert lower_bound(samples, real) == read
    assert lower_bound(random.permutation(samples), real, noise=0.1) == lower_bound(samples, real, noise=0.1)
    scaled = lower_bound(1024 * samples, 1024 * real)
    assert scaled.held_out == pytest.approx(read.held_out, abs=0.01)


def test_global_random_state_is_left_alone() -> None:
    np.random.seed(1)
    torch.manual_seed(1)
    before = np.random.get_state()[1].copy(), torch.get_rng_state()
    bound("itself", 0, 100)
    assert (np.random.get_state()[1] == before[0]).all()
    assert torch.equal(torch.get_rng_state(), before[1])


def test_noise_hides_what_is_finer_and_adds_nothing() -> None:
    """Half of the pixels never change: a generator a hundredth off there is told from the data, not so under noise."""
    random = np.random.default_rng(0)
    real, same, moved = random.standard_normal((3, 2000, 40))
    for rows in (real, same, moved):
        rows[:, 20:] = -1
    moved[:, 0] += 1
    fine = same + 0.01 * random.standard_normal(same.shape)
    assert lower_bound(fine, real).held_out > 0.6
    assert lower_bound(fine, real, noise=0.05).low == 0
    assert 0.08 < lower_bound(moved, real, noise=0.05).held_out < lower_bound(moved, real).held_out + 0.005


def test_images_of_any_size_are_taken() -> None:
    """768 coordinates, more than Gaussians are fitted in: noise a fifth too strong shows in what is left over."""
    random = np.random.default_rng(0)
    real, same = random.standard_normal((2, 1000, 3, 16, 16)).astype(np.float32)
    assert lower_bound(same, real).low == 0
    assert lower_bound(1.2 * same, real).value > 0.6


def test_what_is_not_used_is_said() -> None:
    random = np.random.default_rng(0)
    real, samples = random.standard_normal((MOST + 1000, 3)), random.standard_normal((2 * MOST, 3))
    read = lower_bound(samples, real)
    assert read.note == "5,000 of 10,000 samples used; 5,000 of 6,000 real ones used"
    assert replace(read, note="") == replace(lower_bound(samples[::-1], real), note="")


@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    n=st.integers(20, 60),
    m=st.integers(20, 60),
    d=st.integers(1, 70),
    levels=st.sampled_from([1, 2, 5, 1000]),
    size=st.sampled_from([1e-12, 1.0, 1e20]),
    lost=st.integers(0, 60),
    seed=st.integers(0, 100),
)
def test_it_is_between_0_and_log_2_whatever_it_is_given(
    n: int, m: int, d: int, levels: int, size: float, lost: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    samples, real = (size * random.integers(levels, size=(k, d)) for k in (n, m))
    samples[:lost] = random.choice([np.nan, np.inf, -np.inf])
    read = lower_bound(samples, real)
    assert 0 <= read.low <= read.value <= LOG2
    assert 0 <= read.duplicates <= 1
    assert math.isfinite(read.point)
    if lost >= n:
        assert read.value == LOG2


@pytest.mark.parametrize(
    ("samples", "real", "message"),
    [
        ((19, 3), (100, 3), "needs 20 samples of each, not 19 and 100"),
        ((100, 3), (5, 3), "needs 20 samples of each, not 100 and 5"),
        ((100, 3), (100, 4), "a sample has 3 coordinates and a real one 4"),
    ],
)
def test_what_cannot_be_compared_is_refused(samples: tuple[int, ...], real: tuple[int, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        lower_bound(np.zeros(samples), np.zeros(real))


def test_real_rows_must_be_finite() -> None:
    with pytest.raises(ValueError, match="finite"):
        lower_bound(np.zeros((50, 2)), np.full((50, 2), np.nan))
