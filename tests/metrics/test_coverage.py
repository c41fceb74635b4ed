"""How often the interval holds the truth: random pairs of many families, with a seed the code was never tuned on.

The seed was drawn after the estimator was finished, and the run made once. ``pytest -m calibration`` repeats it and
holds it to results/measured/coverage.csv; ``test_calibration.py`` says how to write that file.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
import torch
from random_pairs import FAMILIES, gaussian, random_pairs, truth
from test_calibration import MEASURED, check_page, committed

from ganbench.data.mixture import Mixture
from ganbench.metrics.jsd import jsds

SEED = 201_406_102_661
PAIRS = 2 * len(FAMILIES)
REPETITIONS = 100
PER_MODE = (400, 700, 1200)


@dataclass(frozen=True)
class Row:
    """A pair: its divergence in nats; bias and sd over the repetitions; the shares covered and flagged."""

    pair: str
    samples: int
    truth: float
    bias: float
    sd: float
    covered: float
    flagged: float


@cache
def all_pairs(seed: int = SEED, pairs: int = PAIRS, repetitions: int = REPETITIONS) -> list[Row]:
    rows = []
    for i, (name, p, q) in enumerate(random_pairs(seed, pairs)):
        n = p.modes * PER_MODE[i % len(PER_MODE)]
        exact, error = truth(gaussian(p), q)
        assert error <= 1e-4
        drawn = [q.sample(n, np.random.default_rng([seed, i, repetition])) for repetition in range(repetitions)]
        estimates = jsds(torch.tensor(np.stack(drawn), dtype=torch.float32), p, guard=True)
        values = np.array([estimate.value for estimate in estimates])
        rows.append(
            Row(
                f"{i + 1}. {name}",
                n,
                exact,
                float(values.mean() - exact),
                float(values.std(ddof=1)),
                float(np.mean([estimate.low <= exact <= estimate.high for estimate in estimates])),
                float(np.mean([estimate.flagged for estimate in estimates])),
            )
        )
    return rows


def test_truth_by_quasi_monte_carlo_agrees_with_closed_forms() -> None:
    """The yardstick is itself checked: shift and scale of a Gaussian, and modes left out."""
    one = gaussian(Mixture([[0.0, 0.0]], 1.0))
    for other, exact in [
        (gaussian(Mixture([[1.0, 0.0]], 1.0)), 0.111421),
        (gaussian(Mixture([[0.0, 0.0]], 2.0)), 0.173315),
    ]:
        assert truth(one, other)[0] == pytest.approx(exact, abs=1e-4)
    ring = Mixture([[3.0 * i, 0.0] for i in range(8)], 0.1)
    assert truth(gaussian(ring), gaussian(Mixture(ring.means[1:], 0.1)))[0] == pytest.approx(0.045407, abs=1e-4)


@pytest.mark.parametrize("index", range(len(FAMILIES)), ids=FAMILIES)
def test_each_family_draws_what_its_density_says(index: int) -> None:
    """The integral of p q / (p + q), from draws of p and from draws of q, is the same to four standard errors."""
    _, p, q = random_pairs(5, len(FAMILIES))[index]
    data, random, n = gaussian(p), np.random.default_rng(8), 40_000
    x, y = data.sample(n, random), q.sample(n, random)

    def share(of, other, points):
        mine, theirs = of.log_density(points), other.log_density(points)
        return np.exp(mine - np.logaddexp(mine, theirs))

    a, b = share(q, data, x), share(data, q, y)
    assert abs(a.mean() - b.mean()) <= 4 * np.sqrt((a.var() + b.var()) / n) + 1e-12


def test_the_interval_covers_on_a_few_pairs() -> None:
    """A light part: 13 pairs, 12 repetitions. A right interval is below 0.9 here less than once in 1,000 streams."""
    rows = all_pairs(seed=77, pairs=len(FAMILIES), repetitions=12)
    assert np.mean([row.covered for row in rows]) >= 0.9
    assert np.mean([row.flagged for row in rows]) <= 0.02


def test_the_page_shows_the_table() -> None:
    check_page(MEASURED / "coverage.csv", least=PAIRS)


@pytest.mark.calibration
def test_the_interval_covers_on_average() -> None:
    """Nominal 95 %: at least 93 % over all pairs never tuned on."""
    assert np.mean([row.covered for row in all_pairs()]) >= 0.93


HIDDEN = pytest.mark.xfail(
    strict=True, reason="a donut in each mode, 400 samples a mode: cells hide 0.015, 68 % covered"
)


@pytest.mark.calibration
@pytest.mark.parametrize("index", [pytest.param(i, marks=HIDDEN) if i == 6 else i for i in range(PAIRS)])
def test_the_interval_covers_on_each_pair(index: int) -> None:
    assert all_pairs()[index].covered >= 0.80


@pytest.mark.calibration
def test_the_file_says_what_is_measured() -> None:
    """Bias and sd to 0.0005, shares to two repetitions: other versions of numpy and scipy may round as they like."""
    said = committed(MEASURED / "coverage.csv")
    rows = all_pairs()
    assert list(said) == [row.pair for row in rows]
    for row in rows:
        line = said[row.pair]
        assert [float(line[name]) for name in ("truth", "bias", "sd")] == pytest.approx(
            [row.truth, row.bias, row.sd], abs=5e-4
        )
        assert [float(line[name]) for name in ("covered", "flagged")] == pytest.approx(
            [row.covered, row.flagged], abs=0.021
        )
