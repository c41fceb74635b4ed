from __future__ import annotations

import math

import numpy as np
import pytest
from planted import RING, memoriser, of_mixture, without
from scipy.stats import gaussian_kde

from ganbench.metrics.parzen import _log_densities, parzen
from ganbench.metrics.points import distances, shuffled


def normal(seed: int, n: int = 2000, d: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, d))


@pytest.mark.parametrize("d", [1, 3])
def test_the_density_is_that_of_scipys_window(d: int) -> None:
    centres, x, width = normal(0, 50, d), normal(1, 20, d), 0.3
    # scipy scales the sample's covariance: make that the identity.
    centres = (centres - centres.mean(0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(centres.T).reshape(d, d))).T
    truth = gaussian_kde(centres.T, bw_method=width).logpdf(x.T)
    assert _log_densities(distances(x, centres), width, 50, d) == pytest.approx(truth)


def test_a_gaussian_reads_nearly_its_entropy() -> None:
    """-log sqrt(2 pi e) = -1.4189, less what 2,000 points cost (under 0.02), within four standard errors."""
    read = parzen(normal(0), normal(1))
    truth = -math.log(math.sqrt(2 * math.pi * math.e))
    assert truth - 0.02 - 4 * read.se < read.log_likelihood < truth + 4 * read.se
    assert read.se == pytest.approx(math.sqrt(0.5 / 1000), rel=0.15)
    assert 0.1 < read.width < 0.5


def test_units_move_it_by_their_logarithm() -> None:
    once, scaled = parzen(normal(0, d=2), normal(1, d=2)), parzen(10 * normal(0, d=2), 10 * normal(1, d=2))
    assert once.log_likelihood - scaled.log_likelihood == pytest.approx(2 * math.log(10))
    assert scaled.width == pytest.approx(10 * once.width)


def test_lost_modes_cost_much_and_learning_512_points_by_heart_next_to_nothing() -> None:
    data = of_mixture(RING)
    real = data.sample(np.random.default_rng(1), 4000)
    oracle, lost, learnt = (
        parzen(law.sample(np.random.default_rng(0), 4000), real)
        for law in (data, without(RING, 1), memoriser(RING, 512, 0.01))
    )
    assert lost.log_likelihood < oracle.log_likelihood - 1
    assert learnt.log_likelihood > oracle.log_likelihood - 0.15


def test_on_digits_training_data_and_its_means_are_no_worse_than_the_truth() -> None:
    """Theis et al. 2016: 200 k-means centres of training digits beat 200 fresh digits, and so would be "better"."""
    digits = pytest.importorskip("sklearn.datasets").load_digits().data / 16
    cluster = pytest.importorskip("sklearn.cluster")
    digits = digits[np.random.default_rng(0).permutation(len(digits))]
    training, fresh, held_out = digits[:900], digits[900:1100], digits[1100:]
    centres = cluster.KMeans(200, n_init=1, random_state=0).fit(training).cluster_centers_
    truth, learnt, means = (parzen(samples, held_out) for samples in (fresh, training[:200], centres))
    assert means.log_likelihood > truth.log_likelihood + 3 * truth.se
    assert abs(learnt.log_likelihood - truth.log_likelihood) < 4 * truth.se
    # More of the training points, by heart, beat the truth as well.
    assert parzen(training, held_out).log_likelihood > truth.log_likelihood + 3 * truth.se


def test_a_sample_that_is_not_finite_is_nowhere_near_the_data() -> None:
    samples, real = normal(0, 2000), normal(1, 2000)
    samples[::2] = np.nan
    half = parzen(samples, real)
    alone = parzen(samples[1::2], real)
    assert half.log_likelihood == pytest.approx(alone.log_likelihood - math.log(2), abs=0.02)
    assert parzen(np.full((10, 1), np.inf), real).log_likelihood == -math.inf


@pytest.mark.parametrize("real", [np.zeros((3, 2)), np.ones((100, 2))])
def test_too_little_to_choose_a_width_by_says_so(real: np.ndarray) -> None:
    with pytest.raises(ValueError, match="4 real points, not all the same"):
        parzen(np.zeros((5, 2)), real)


def test_the_width_is_chosen_on_other_points_than_those_scored() -> None:
    """The half that is scored lies elsewhere: wherever that is, the width is that of the other half."""
    order = shuffled(np.arange(1000), 1000)
    near = normal(1, 1000)
    far = near.copy()
    far[order[500:]] += 50
    samples = normal(0, 1000) / 2
    narrow, wide = parzen(samples[:, 0], near[order[:500]]), parzen(samples, far)
    assert wide.log_likelihood < -100
    assert wide.width < 20 * narrow.width
