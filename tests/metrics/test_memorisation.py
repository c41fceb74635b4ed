from __future__ import annotations

import math
import tracemalloc

import numpy as np
import pytest
from planted import RING, Planted, circle, memoriser, narrowed, of_mixture, without
from scipy.stats import mannwhitneyu

from ganbench.core.errors import NotApplicableError
from ganbench.metrics import points as module
from ganbench.metrics.memorisation import copies, mann_whitney, near_duplicates

N = 5000
DATA = of_mixture(RING)


def draw(seed: int, n: int = N, law: Planted = DATA) -> np.ndarray:
    return law.sample(np.random.default_rng(seed), n)


def test_fresh_samples_are_no_copies() -> None:
    """The z of 100 runs is standard normal: mean and variance within four of their standard errors."""
    read = [copies(draw(3 * s, 300), draw(3 * s + 1, 300), draw(3 * s + 2, 300)) for s in range(100)]
    z = np.array([one.z for one in read])
    assert abs(z.mean()) < 4 / 10
    assert abs(z.var(ddof=1) - 1) < 4 * math.sqrt(2 / 99)
    assert np.mean([one.copied for one in read]) == pytest.approx(0.01, abs=0.005)


@pytest.mark.parametrize("jitter", [0.0, 1e-4])
def test_copies_are_seen_whole_and_in_part(jitter: float) -> None:
    training, real, samples = draw(0, 512), draw(1), draw(2)
    noise = jitter * np.random.default_rng(3).standard_normal((N, 2))
    copied = training[np.random.default_rng(4).integers(0, 512, N)] + noise
    whole = copies(copied, real, training)
    assert whole.copied > 0.95
    assert whole.z < -50
    part = copies(np.where(np.arange(N)[:, None] % 5 == 0, copied, samples), real, training)
    assert part.copied == pytest.approx(0.2, abs=0.03)
    assert part.z < -3


def test_what_is_far_from_all_data_has_a_positive_z_and_copies_nothing() -> None:
    read = copies(draw(0) + 100, draw(1), draw(2, 512))
    assert read.copied == 0
    assert read.z > 50
    nowhere = copies(np.full((N, 2), np.nan), draw(1), draw(2, 512))
    assert nowhere.copied == 0
    assert nowhere.z > 50


def test_the_statistic_is_scipys() -> None:
    random = np.random.default_rng(0)
    for x, y in [random.standard_normal((2, 50)), random.integers(0, 5, (2, 60)).astype(float)]:
        p = mannwhitneyu(x, y, method="asymptotic", use_continuity=False).pvalue
        assert math.erfc(abs(mann_whitney(x, y)) / math.sqrt(2)) == pytest.approx(p)
    assert mann_whitney(np.zeros(5), np.zeros(5)) == 0


def test_samples_are_as_close_to_each_other_as_the_data() -> None:
    read = [near_duplicates(draw(2 * s, 1000), draw(2 * s + 1, 1000)) for s in range(50)]
    assert np.mean(read) == pytest.approx(0.01, abs=0.004)


def test_points_learnt_by_heart_are_seen_without_knowing_them() -> None:
    """512 of them with jitter are all near duplicates; narrower modes and lost ones are to a few per cent."""
    assert near_duplicates(draw(0, law=memoriser(RING, 512, 2e-3)), draw(1)) > 0.95
    assert 0.02 < near_duplicates(draw(0, law=narrowed(RING, 0.5)), draw(1)) < 0.1
    assert near_duplicates(draw(0, law=without(RING, 4)), draw(1)) < 0.05
    assert near_duplicates(np.zeros((N, 2)), draw(1)) == 1
    assert near_duplicates(draw(0, law=circle(2.0, 0.02)), draw(1)) < 0.02


def test_what_is_not_finite_is_a_duplicate_of_all_that_is_not() -> None:
    samples = draw(0)
    samples[: N // 2] = np.nan
    assert near_duplicates(samples, draw(1)) == pytest.approx(0.5, abs=0.01)
    assert near_duplicates(np.full((N, 2), np.inf), draw(1)) == 1


@pytest.mark.parametrize("d", [2, 30])
def test_data_that_repeats_by_itself_hides_nothing(d: int) -> None:
    """A fifth of the data is one of 5 rows: of that no generator is blamed, of all else as ever."""

    atoms = np.random.default_rng(9).standard_normal((5, d))

    def law(seed: int, n: int = 2000) -> np.ndarray:
        random = np.random.default_rng(seed)
        rows = random.standard_normal((n, d))
        return np.where(random.random((n, 1)) < 0.2, atoms[random.integers(5, size=n)], rows)

    training, real = law(0), law(1)
    assert near_duplicates(law(2), real) < 0.06
    assert copies(law(2), real, training).copied < 0.06
    assert abs(copies(law(2), real, training).z) < 4
    assert near_duplicates(np.zeros((2000, d)), real) == 1
    few = np.random.default_rng(3).standard_normal((50, d))[np.arange(2000) % 50]
    assert near_duplicates(few, real) == 1
    assert near_duplicates(few + 1e-5 * np.random.default_rng(4).standard_normal((2000, d)), real) > 0.9
    assert copies(training[np.arange(2000) % 500], real, training).copied == 1
    part = np.where(np.arange(2000)[:, None] % 2 == 0, training, law(2))
    assert copies(part, real, training).copied == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize("d", [2, 30])
def test_where_most_of_the_data_repeats_that_is_said(d: int) -> None:
    """A finite pool: repeats among samples of it, and of training points that none is held out of, say nothing."""
    pool = np.random.default_rng(0).standard_normal((300, d))
    real, samples = pool[np.random.default_rng(1).integers(300, size=(2, 1000))]
    with pytest.raises(
        NotApplicableError, match=r"9\d(\.\d)? % of the real points repeat others, so repeats among the samples"
    ):
        near_duplicates(samples, real)
    with pytest.raises(NotApplicableError, match="100 % of the real points equal training points"):
        copies(samples, real, pool)


def test_images_are_vectors() -> None:
    random = np.random.default_rng(0)
    images, held_out, training = random.standard_normal((3, 200, 1, 8, 8))
    assert copies(training, held_out, training).copied == 1
    assert copies(images, held_out, training).copied < 0.1
    assert near_duplicates(np.repeat(images[:100], 2, axis=0), held_out) == 1


def test_a_large_training_set_is_never_copied_whole(monkeypatch) -> None:
    """Of images it is the largest array of a score: what is allocated beside it is a part of it."""
    random = np.random.default_rng(0)
    training = random.normal(size=(4000, 400))
    samples, real = random.normal(size=(50, 400)), random.normal(size=(50, 400))
    monkeypatch.setattr(module, "HELD", training.size // 20)
    monkeypatch.setattr(module, "WATCHED", training.size // 20)
    tracemalloc.start()
    try:
        copies(samples, real, training)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < training.nbytes / 2


def test_too_few_and_unusable_say_so() -> None:
    with pytest.raises(ValueError, match="2 samples and 2 real points"):
        near_duplicates(np.zeros((1, 2)), draw(1))
    with pytest.raises(ValueError, match="must all be finite"):
        copies(draw(0), draw(1), np.full((5, 2), np.nan))


def test_training_points_are_not_copied_as_a_whole(monkeypatch):
    """Images in float32 would take twice their size again; the numbers are the same to the digit."""
    monkeypatch.setattr(module, "HELD", 100_000)
    random = np.random.default_rng(0)
    training, real, samples = (random.random((n, 200)).astype(np.float32) for n in (20_000, 100, 100))
    samples[:20] = training[:20]
    tracemalloc.start()
    found = copies(samples, real, training, most=50)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < training.nbytes
    assert found == copies(*(each.astype(np.float64) for each in (samples, real, training)), most=50)
    assert near_duplicates(samples, real) == near_duplicates(samples.astype(np.float64), real.astype(np.float64))
