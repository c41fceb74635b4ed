from __future__ import annotations

import math

import numpy as np
import pytest
from planted import GRID, RING, of_mixture
from scipy.stats import norm

from ganbench.data.mixture import Mixture
from ganbench.metrics.likelihood import kl


@pytest.mark.parametrize("shift", [0.0, 0.1, 1.0, 3.0])
def test_shifted_gaussians_read_half_the_square(shift: float) -> None:
    x = np.random.default_rng(0).standard_normal(10_000)
    read = kl(norm.logpdf(x), norm.logpdf(x, shift))
    assert read.value == pytest.approx(shift**2 / 2, abs=4 * read.se)
    assert read.se == pytest.approx(shift / 100, rel=0.05)


def test_the_data_under_itself_reads_nothing_and_a_mode_too_few_or_many_its_logarithm() -> None:
    x = of_mixture(GRID).sample(np.random.default_rng(0), 10_000)
    assert kl(GRID.log_density(x), GRID.log_density(x)).value == 0
    own = RING.means[:4]
    half, x = Mixture(own, 0.02), of_mixture(Mixture(own, 0.02)).sample(np.random.default_rng(0), 1000)
    assert kl(half.log_density(x), RING.log_density(x)).value == pytest.approx(math.log(2))
    assert kl(RING.log_density(x), half.log_density(x)).value == pytest.approx(-math.log(2))


def test_data_that_the_model_rules_out_is_infinitely_unlikely() -> None:
    assert kl(np.zeros(3), np.array([0, -np.inf, 0])).value == math.inf


@pytest.mark.parametrize(
    ("log_data", "log_model", "says"),
    [
        (np.zeros(3), np.zeros(4), r"not \(3,\) and \(4,\)"),
        (np.zeros(1), np.zeros(1), "needs 2 held-out points"),
        (np.array([0, -np.inf]), np.zeros(2), "of the data is not finite"),
        (np.zeros(2), np.array([0, np.nan]), "not a number below infinity"),
    ],
)
def test_what_are_no_log_densities_says_so(log_data: np.ndarray, log_model: np.ndarray, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        kl(log_data, log_model)
